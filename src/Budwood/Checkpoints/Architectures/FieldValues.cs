using System.Text.Json;

namespace Budwood.Checkpoints;

/// <summary>Config fields as numbers and flags, with the family's defaults for those that are silent.</summary>
internal sealed class FieldValues(Family family, ModelConfig config)
{
    private readonly FamilyData _data = family.Data;

    public bool Flag(string field) => config.TryFlag(field, out bool flag) ? flag : _data.Flags.GetValueOrDefault(field);

    public bool Holds(string condition)
    {
        bool negated = condition[0] == '!';
        string term = negated ? condition[1..] : condition;
        int equals = term.IndexOf('=', StringComparison.Ordinal);
        if (equals < 0) return Flag(term) != negated;
        bool start = term[equals - 1] == '^';
        string field = term[..(start ? equals - 1 : equals)];
        string wanted = term[(equals + 1)..];
        bool holds = config.TryText(field, out string? text) && (start ? text.StartsWith(wanted, StringComparison.Ordinal) : text == wanted);
        return holds != negated;
    }

    /// <summary>The value of an expression that must be 1 or more; the keys that were read are added to <paramref name="keys"/>.</summary>
    public long Size(SizeExpression expression, string of, List<KeyValuePair<string, string>>? keys = null)
    {
        long size = Value(expression, of, keys ?? []);
        if (size > 0) return size;
        throw new Fault("BW3112", ExitCode.Input, $"{of} ({expression}) is {size}, and a size must be 1 or more", config.Where, Shown(expression),
            "Correct config.json.");
    }

    public long Layers(LayerStack stack)
    {
        long layers = Field(stack.Field, []);
        if (layers is >= 0 and <= 100_000) return layers;
        throw new Fault("BW3111", ExitCode.Input, $"'{stack.Field}' is {layers}, which is not a number of layers", config.Where, null, "Correct config.json.");
    }

    public long Field(string field, List<KeyValuePair<string, string>> keys) => Field(field, keys, 0);

    private long Field(string field, List<KeyValuePair<string, string>> keys, int depth)
    {
        // The two defaults of one family never form a ring; the bound keeps a wrong file from looping.
        if (depth > 8)
        {
            throw new Fault("BW9101", ExitCode.OurFault, $"the defaults of '{field}' refer to each other", $"{_data.Name}.json", null, "Report this.");
        }
        if (config.TryInt(field, out long number))
        {
            Note(field, number.ToString(), keys);
            return number;
        }
        if (config.Has(field) && config.TryGet(field, out JsonElement value))
        {
            // Mamba writes "time_step_rank": "auto".
            if (!(value.ValueKind == JsonValueKind.String && value.GetString() == "auto" && _data.Defaults.ContainsKey(field)))
            {
                throw new Fault("BW3111", ExitCode.Input, $"'{field}' is not a whole number", config.Where,
                    $"found {Cut(value.GetRawText())}, expected a whole number", "Correct config.json.");
            }
        }
        if (field == "num_labels" && config.TryGet("id2label", out JsonElement labels) && labels.ValueKind == JsonValueKind.Object)
        {
            int count = labels.EnumerateObject().Count();
            Note("id2label", $"of {count}", keys);
            return count;
        }
        bool absent = !config.TryGet(field, out _);
        if ((absent && _data.Absent.TryGetValue(field, out SizeExpression? expression)) || _data.Defaults.TryGetValue(field, out expression))
        {
            // A key that is not there decides the size too, and is often the one to add.
            Note(field, expression.Fields.Count == 0 ? $"not stated, so {expression}" : "not stated", keys);
            return Value(expression, field, keys, depth + 1);
        }
        throw new Fault("BW3110", ExitCode.Input, $"'{field}' is not stated, which a {_data.Name} model needs", config.Where, null,
            Nearest.Of(field, config.Fields) is [var near, ..] ? $"Did you mean '{near}'?"
                : $"Add '{field}', or use the config.json that belongs to the weights.");
    }

    public long Value(SizeExpression expression, string of, List<KeyValuePair<string, string>> keys, int depth = 0)
    {
        try
        {
            return expression.Evaluate(f => Field(f, keys, depth));
        }
        catch (ArithmeticException e)
        {
            throw new Fault("BW3112", ExitCode.Input, $"{of} cannot be computed: {expression} gives no whole size", config.Where,
                $"{e.Message} ({Shown(expression)})", "Correct config.json.", e);
        }
    }

    private string Shown(SizeExpression expression)
    {
        var keys = new List<KeyValuePair<string, string>>();
        foreach (string field in expression.Fields) Field(field, keys);
        return string.Join(", ", keys.Select(k => $"{k.Key} {k.Value}"));
    }

    private static void Note(string field, string value, List<KeyValuePair<string, string>> keys)
    {
        if (keys.All(k => k.Key != field)) keys.Add(KeyValuePair.Create(field, value));
    }

    private static string Cut(string text) => text.Length <= 60 ? text : text[..57] + "...";
}
