using System.Globalization;
using System.Text.Json.Nodes;
using Budwood.Methods;
using Budwood.Recipes.Claims;

namespace Budwood.Recipes.Steps;

/// <summary>The JSON schema of recipes, made from the methods' cards, for editors that complete and check YAML.</summary>
public static class RecipeSchema
{
    private const string StepName = "[A-Za-z_][A-Za-z0-9_]*";
    private const string Number = "[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?";

    /// <summary>Schema of a recipe.</summary>
    /// <param name="methods">The methods that a step may run.</param>
    public static JsonObject Of(IEnumerable<Method> methods)
    {
        Method[] all = [.. methods.OrderBy(m => m.Card.Name, StringComparer.Ordinal)];
        var steps = new JsonObject();
        foreach (Method method in all) steps[method.Card.Name] = OneMethod(method);
        JsonObject places = Map(new JsonObject(), $"^{StepName}\\.(?:matrix\\.)?{StepName}$");
        JsonObject profile = Map(new JsonObject(), $"^(?:seeds|{StepName}\\.(?:matrix\\.)?{StepName})$");
        profile["properties"] = new JsonObject { ["seeds"] = Whole("Number of seeds.") };
        return new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["title"] = "Budwood recipe",
            ["type"] = "object",
            ["required"] = new JsonArray("recipe", "steps"),
            ["properties"] = new JsonObject
            {
                ["recipe"] = new JsonObject { ["const"] = 1, ["description"] = "Version of the format." },
                ["paper"] = Text("Slug of the paper, for a recipe of the catalogue."),
                ["about"] = Text("A line or two for the head of the report."),
                ["reconstructed"] = Flag("The text of the paper was not at hand when the recipe was written."),
                ["protocol"] = Closed("Number of the thresholds, bands and constants as they stand; every number after the first has a reason.", ["number"], new JsonObject
                {
                    ["number"] = Whole("Goes up by one with every change."), ["reasons"] = MergeSchema.List(Text("Why it changed."), "One reason a change."),
                }),
                ["seeds"] = Whole("Runs with different seeds; three or more unless all claims are exact."),
                ["profiles"] = With(Map(profile), "Overrides by profile, as step.parameter or step.matrix.parameter; 'smoke' judges nothing, 'full' sweeps the grid."),
                ["null_worlds"] = With(Map(places), "The same generator with the mechanism removed: overrides as step.parameter; they win over a matrix."),
                ["sweep"] = With(Map(new JsonObject { ["type"] = "array", ["minItems"] = 2 }, $"^{StepName}\\.(?:matrix\\.)?{StepName}$"), "Constants of the generator that the full profile sweeps."),
                ["steps"] = With(Map(Ref("step"), $"^{StepName}$"), "The steps by name."),
                ["claims"] = new JsonObject { ["type"] = "array", ["description"] = "What is judged.", ["items"] = Ref("claim") },
                ["figures"] = new JsonObject { ["type"] = "array", ["description"] = "Plots of the report.", ["items"] = Figure() },
            },
            ["additionalProperties"] = false,
            ["$defs"] = new JsonObject
            {
                ["step"] = new JsonObject
                {
                    ["type"] = "object",
                    ["required"] = new JsonArray("run"),
                    ["properties"] = new JsonObject { ["run"] = new JsonObject { ["description"] = "The method.", ["oneOf"] = new JsonArray([.. all.Select(m => (JsonNode)new JsonObject { ["const"] = m.Card.Name, ["description"] = m.Card.Summary })]) } },
                    ["allOf"] = new JsonArray([.. all.Select(m => (JsonNode)new JsonObject
                    {
                        ["if"] = new JsonObject { ["properties"] = new JsonObject { ["run"] = new JsonObject { ["const"] = m.Card.Name } }, ["required"] = new JsonArray("run") },
                        ["then"] = new JsonObject { ["$ref"] = $"#/$defs/methods/{m.Card.Name}" },
                    })]),
                },
                ["methods"] = steps,
                ["claim"] = OneClaim(),
                ["input"] = new JsonObject { ["type"] = "string", ["minLength"] = 1 },
            },
        };
    }

    private static JsonObject OneMethod(Method method)
    {
        var properties = new JsonObject { ["run"] = new JsonObject { ["const"] = method.Card.Name, ["description"] = method.Card.Summary } };
        var matrix = new JsonObject();
        var needed = new JsonArray();
        foreach (Port port in method.Ports.Inputs)
        {
            string doc = $"{Sentence(port.Doc)} {(port.Kind switch { ArtifactKind.Checkpoint => "A checkpoint", ArtifactKind.Table => "A table", ArtifactKind.Folder => "A folder or file", _ => "Arrays" })}: step, step.port, step[key=value] or a path.";
            properties[port.Name] = With(port.Many ? OneOrMore(Ref("input")) : Ref("input"), doc);
            matrix[port.Name] = new JsonObject { ["type"] = "array", ["minItems"] = 1, ["description"] = doc };
            if (!port.Optional || (port.Name == "base" && method is Rule { Arity.NeedsBase: true })) needed.Add((JsonNode)Here(port.Name));
        }
        foreach (ParameterCard card in method.Card.Parameters)
        {
            JsonObject value = Value(card), one = card.PerModel && method is Rule ? OneOrMore(value) : value;
            one["description"] = Doc(card);
            if (Default(card) is { } standard) one["default"] = standard;
            properties[card.Name] = one;
            matrix[card.Name] = new JsonObject { ["type"] = "array", ["minItems"] = 1, ["description"] = Doc(card), ["items"] = card.PerModel && method is Rule ? OneOrMore(Value(card)) : Value(card) };
            if (card.Required) needed.Add((JsonNode)Here(card.Name));
        }
        properties["matrix"] = new JsonObject { ["type"] = "object", ["description"] = "Values by parameter or input; the step is run for every combination.", ["properties"] = matrix, ["additionalProperties"] = false };
        properties["allow"] = With(OneOrMore(MergeSchema.Words("An error.", [.. MergeResolver.AllowWords])), "Named errors of a merge to be taken as warnings.");
        var schema = new JsonObject { ["type"] = "object", ["description"] = method.Card.Summary, ["properties"] = properties, ["additionalProperties"] = false };
        if (needed.Count > 0) schema["allOf"] = needed;
        return schema;
    }

    // In the step, or in its matrix.
    private static JsonObject Here(string key) => new()
    {
        ["anyOf"] = new JsonArray(MergeSchema.Required(key), new JsonObject { ["required"] = new JsonArray("matrix"), ["properties"] = new JsonObject { ["matrix"] = MergeSchema.Required(key) } }),
    };

    private static string Doc(ParameterCard card) => string.Join(" ", ((string?[])[Sentence(card.Doc), card.Unit is null or "1" ? null : $"In {card.Unit}.", card.RangeText is null ? null : $"Range {card.RangeText}.", card.Default is null ? null : $"Default {card.Default}."]).OfType<string>());

    private static string Sentence(string text) => text.TrimEnd().EndsWith('.') ? text.Trim() : text.Trim() + ".";

    private static JsonObject Value(ParameterCard card)
    {
        switch (card.Kind)
        {
            case ParameterKind.Flag: return new JsonObject { ["type"] = new JsonArray("boolean", "number") };
            case ParameterKind.Text: return Scalar();
            case ParameterKind.Texts: return OneOrMore(Scalar());
            case ParameterKind.Integer: return Ranged(card, "integer");
            // The reader holds whole numbers of a list against no range.
            case ParameterKind.Integers: return OneOrMore(new JsonObject { ["type"] = "integer" });
            case ParameterKind.Numbers: return OneOrMore(Real(card));
            case ParameterKind.Choice:
                var words = new JsonArray();
                foreach (string word in card.Choices)
                {
                    words.Add((JsonNode)word);
                    // YAML reads these words as something else than text.
                    if (bool.TryParse(word, out bool flag)) words.Add((JsonNode)flag);
                    else if (double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number)) words.Add((JsonNode)number);
                }
                return new JsonObject { ["enum"] = words };
            default: return Real(card);
        }
    }

    // 1e-5 without a dot is text to YAML 1.1, and a number to us.
    private static JsonObject Real(ParameterCard card) => new() { ["anyOf"] = new JsonArray(Ranged(card, "number"), new JsonObject { ["type"] = "string", ["pattern"] = $"^(?:[-+]?[0-9._]+(?:[eE][-+]?[0-9]+)?|[-+]?\\.(?:inf|Inf|INF))$" }) };

    private static JsonObject Ranged(ParameterCard card, string type)
    {
        var value = new JsonObject { ["type"] = type };
        if (double.IsFinite(card.Minimum)) value[card.MinimumOpen ? "exclusiveMinimum" : "minimum"] = card.Minimum;
        if (double.IsFinite(card.Maximum)) value[card.MaximumOpen ? "exclusiveMaximum" : "maximum"] = card.Maximum;
        return value;
    }

    private static JsonNode? Default(ParameterCard card) => card.Default switch
    {
        null => null,
        "true" or "false" when card.Kind is ParameterKind.Flag => JsonValue.Create(card.Default == "true"),
        var text when card.Kind is ParameterKind.Number or ParameterKind.Integer && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number) => JsonValue.Create(number),
        var text when card.Kind is ParameterKind.Text or ParameterKind.Choice => JsonValue.Create(text),
        _ => null,
    };

    private static JsonObject OneClaim()
    {
        JsonObject condition(string doc) => new() { ["type"] = "string", ["description"] = doc, ["pattern"] = $"^\\s*(?:(?:>=|<=|>|<|==|!=)\\s*{Number}|(?:in|outside)\\s*[\\[(]\\s*{Number}\\s*,\\s*{Number}\\s*[\\])])\\s*$" };
        JsonObject schema = Closed("A claim: a formula over step tables, and where its value must lie.", ["id", "kind"], new JsonObject
        {
            ["id"] = Text("Name of the claim."),
            ["kind"] = MergeSchema.Words("theorem: mathematics, checked exactly; implementation: our code; toy: a built world; real: published weights or data.", [.. Enum.GetNames<ClaimKind>().Select(n => n.ToLowerInvariant())]),
            ["says"] = Text("One sentence of what is measured."),
            ["value"] = Text($"Formula over columns, such as mean(step[key=value].column). Functions: {string.Join(", ", Functions.Known.Select(f => f.Key))}."),
            ["over"] = MergeSchema.Words("How the values of the seeds become one; default mean.", [.. Functions.OverSeeds]),
            ["holds"] = condition("Where the value must lie for the claim to hold: '>= 0.01', 'in [0.9, 1.1]', 'outside [0, 1]'."),
            ["refuted"] = condition("Where the value refutes the claim; by default wherever it does not hold."),
            ["why"] = Text("Why the thresholds are where they are."),
            ["paper"] = Closed("What the paper says, and where.", ["text", "where"], new JsonObject { ["text"] = Text("What it claims, in a sentence."), ["where"] = Text("Section, figure or equation."), ["figure"] = Text("The paper's own number.") }),
            ["null"] = Text("The null world in which a toy must come out refuted; by default the only one."),
            ["exact"] = Flag("Nothing in its value is random, so that one run suffices."),
            ["not_testable"] = Text("Why it cannot be tested here; then there is no value."),
            ["beside"] = With(Map(Text("A formula.")), "Other arms by label, shown beside the verdict and without weight in it."),
        });
        schema["anyOf"] = new JsonArray(MergeSchema.Required("not_testable"), new JsonObject { ["required"] = new JsonArray("value", "holds") });
        schema["not"] = new JsonObject { ["required"] = new JsonArray("not_testable", "value") };
        schema["allOf"] = new JsonArray(
            When(new JsonArray("theorem", "toy", "real"), null, "paper"),
            When(new JsonArray("toy", "real"), "value", "why"));
        return schema;
    }

    private static JsonObject When(JsonArray kinds, string? has, string needs) => new()
    {
        ["if"] = new JsonObject { ["properties"] = new JsonObject { ["kind"] = new JsonObject { ["enum"] = kinds } }, ["required"] = has is null ? new JsonArray("kind") : new JsonArray("kind", has) },
        ["then"] = MergeSchema.Required(needs),
    };

    private static JsonObject Figure() => Closed("A plot of one column against another.", ["title", "data", "x", "y"], new JsonObject
    {
        ["title"] = Text("Title of the figure."),
        ["kind"] = MergeSchema.Words("Default line.", RecipeReader.FigureKinds),
        ["data"] = Text("step, step.port or step[key=value]."),
        ["x"] = Text("Column along the figure."),
        ["y"] = Text("Column up the figure; means of rows with equal x."),
        ["by"] = Text("Column that parts the rows into series."),
        ["log"] = MergeSchema.Words("Logarithmic axes.", "x", "y", "xy"),
        ["note"] = Text("A sentence below the figure."),
    });

    private static JsonObject Scalar() => new() { ["type"] = new JsonArray("string", "number", "boolean") };

    // What the reader takes as text may look like a number or a flag to YAML.
    private static JsonObject Text(string description) => With(Scalar(), description);

    private static JsonObject Flag(string description) => new() { ["type"] = "boolean", ["description"] = description };

    private static JsonObject Whole(string description) => new() { ["type"] = "integer", ["minimum"] = 1, ["maximum"] = 100_000, ["description"] = description };

    private static JsonObject Ref(string name) => new() { ["$ref"] = $"#/$defs/{name}" };

    private static JsonObject OneOrMore(JsonObject one) => new() { ["anyOf"] = new JsonArray(one, new JsonObject { ["type"] = "array", ["minItems"] = 1, ["items"] = one.DeepClone() }) };

    private static JsonObject Map(JsonObject values, string? names = null)
    {
        var map = new JsonObject { ["type"] = "object", ["additionalProperties"] = values };
        if (names is not null) map["propertyNames"] = new JsonObject { ["pattern"] = names };
        return map;
    }

    private static JsonObject With(JsonObject schema, string description)
    {
        schema["description"] = description;
        return schema;
    }

    private static JsonObject Closed(string description, string[] required, JsonObject properties) => new()
    {
        ["type"] = "object", ["description"] = description, ["required"] = new JsonArray([.. required.Select(r => (JsonNode)JsonValue.Create(r))]), ["properties"] = properties, ["additionalProperties"] = false,
    };
}
