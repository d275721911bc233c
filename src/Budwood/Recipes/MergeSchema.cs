using System.Text.Json.Nodes;
using Budwood.Methods;

namespace Budwood.Recipes;

/// <summary>The JSON schema of merge files, made from the methods' cards, for editors that complete and check YAML.</summary>
public static class MergeSchema
{
    /// <summary>Schema of one document of a merge file.</summary>
    /// <param name="rules">The rules that a file may name.</param>
    public static JsonObject Of(IEnumerable<Rule> rules)
    {
        Rule[] all = [.. rules.OrderBy(r => r.Card.Name, StringComparer.Ordinal)];
        JsonObject parameters = Parameters(all);
        return new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["title"] = "Budwood merge file (mergekit's YAML)",
            ["type"] = "object",
            ["required"] = new JsonArray("merge_method"),
            ["properties"] = new JsonObject
            {
                ["name"] = Text("Name of this merge, for other documents of the file."),
                ["merge_method"] = new JsonObject { ["description"] = "The method.", ["oneOf"] = new JsonArray([.. all.Select(r => (JsonNode)new JsonObject { ["const"] = r.Card.Name, ["description"] = r.Card.Summary })]) },
                ["base_model"] = Text("The model that the others came from."),
                ["models"] = List(Model(false), "Models that cover all layers."),
                ["slices"] = List(Slice(), "Runs of output layers, bottom up."),
                ["modules"] = new JsonObject { ["type"] = "object", ["description"] = "Modules by name; text models have one, 'default'." },
                ["parameters"] = new JsonObject { ["$ref"] = "#/$defs/parameters" },
                ["dtype"] = Words("Type of the result (and of the arithmetic under compat).", "float32", "float16", "bfloat16", "float64"),
                ["out_dtype"] = Words("Type that is stored.", "float32", "float16", "bfloat16", "float64"),
                ["tokenizer_source"] = Text("Whose tokenizer: base, union, or a model."),
                ["tokenizer"] = new JsonObject { ["type"] = "object" },
                ["chat_template"] = Text("auto, a built-in name, or a Jinja text."),
                ["allow"] = new JsonObject { ["description"] = "Errors to be taken as warnings.", ["type"] = new JsonArray("string", "array"), ["items"] = Words("", [.. MergeResolver.AllowWords]) },
                ["compat"] = Words("Whose arithmetic.", "mergekit", "mergekit@0.1.4", "mergekit@0.1.5"),
            },
            ["oneOf"] = new JsonArray(Required("models"), Required("slices"), Required("modules")),
            ["allOf"] = new JsonArray([.. all.Where(r => r.Arity.NeedsBase).Select(r => (JsonNode)new JsonObject
            {
                ["if"] = new JsonObject { ["properties"] = new JsonObject { ["merge_method"] = new JsonObject { ["const"] = r.Card.Name } }, ["required"] = new JsonArray("merge_method", "models") },
                ["then"] = Required("base_model"),
            })]),
            ["$defs"] = new JsonObject { ["parameters"] = parameters, ["value"] = Value() },
        };
    }

    private static JsonObject Parameters(Rule[] rules)
    {
        var properties = new JsonObject();
        foreach (IGrouping<string, (Rule Rule, ParameterCard Card)> group in rules.SelectMany(r => r.Card.Parameters.Select(c => (Rule: r, Card: c))).GroupBy(p => p.Card.Name).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            string text = string.Join("\n", group.GroupBy(p => (p.Card.Doc, p.Card.Default, p.Card.RangeText)).Select(g =>
                $"{string.Join(", ", g.Select(p => p.Rule.Card.Name))}: {g.Key.Doc}{(g.Key.Default is null ? "" : $" Default {g.Key.Default}.")}{(g.Key.RangeText is null ? "" : $" Range {g.Key.RangeText}.")}"));
            properties[group.Key] = new JsonObject { ["description"] = text, ["$ref"] = "#/$defs/value" };
        }
        return new JsonObject { ["type"] = "object", ["properties"] = properties };
    }

    // A value, a gradient over the layers, or entries with filters.
    private static JsonObject Value() => new()
    {
        ["anyOf"] = new JsonArray(
            new JsonObject { ["type"] = new JsonArray("number", "boolean", "string", "null") },
            new JsonObject { ["type"] = "array", ["items"] = new JsonObject { ["type"] = new JsonArray("number", "string") } },
            new JsonObject
            {
                ["type"] = "array",
                ["items"] = new JsonObject
                {
                    ["type"] = "object",
                    ["required"] = new JsonArray("value"),
                    ["properties"] = new JsonObject { ["filter"] = Text("A part of the tensor's name; absent in the fallback."), ["value"] = new JsonObject { ["type"] = new JsonArray("number", "boolean", "string", "array") } },
                    ["additionalProperties"] = false,
                },
            }),
    };

    private static JsonObject Slice() => new()
    {
        ["type"] = "object",
        ["required"] = new JsonArray("sources"),
        ["properties"] = new JsonObject { ["sources"] = List(Model(true), "Models that lend layers."), ["base_model"] = Text("The base within this slice."), ["parameters"] = new JsonObject { ["$ref"] = "#/$defs/parameters" } },
        ["additionalProperties"] = false,
    };

    private static JsonObject Model(bool ranged)
    {
        var properties = new JsonObject { ["model"] = Text("Folder, hub name, name of another document; PATH@revision+ADAPTER."), ["parameters"] = new JsonObject { ["$ref"] = "#/$defs/parameters" } };
        if (ranged)
            properties["layer_range"] = new JsonObject { ["type"] = "array", ["items"] = new JsonObject { ["type"] = "integer", ["minimum"] = 0 }, ["minItems"] = 2, ["maxItems"] = 2, ["description"] = "[FROM, TO], TO excluded." };
        return new JsonObject { ["type"] = "object", ["required"] = ranged ? new JsonArray("model", "layer_range") : new JsonArray("model"), ["properties"] = properties, ["additionalProperties"] = false };
    }

    internal static JsonObject List(JsonObject items, string description) => new() { ["type"] = "array", ["description"] = description, ["items"] = items, ["minItems"] = 1 };

    private static JsonObject Text(string description) => new() { ["type"] = new JsonArray("string", "null"), ["description"] = description };

    internal static JsonObject Words(string description, params string[] words) => new() { ["description"] = description, ["enum"] = new JsonArray([.. words.Select(w => (JsonNode)JsonValue.Create(w))]) };

    internal static JsonObject Required(string key) => new() { ["required"] = new JsonArray(key) };
}
