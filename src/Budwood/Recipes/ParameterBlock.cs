using System.Globalization;
using Budwood.Methods;

namespace Budwood.Recipes;

/// <summary>A <c>parameters:</c> mapping of a merge file at one level: values, gradients over layers, filters by tensor name.</summary>
public sealed class ParameterBlock
{
    private readonly YamlMap? _map;

    private ParameterBlock(YamlMap? map) => _map = map;

    public static ParameterBlock None { get; } = new(null);

    /// <summary>Reads the block and refuses what no method could read; names are checked against the card later, by the plan.</summary>
    public static ParameterBlock Read(YamlNode? node) => node switch
    {
        null => None,
        YamlScalar { IsNull: true } => None,
        YamlMap map => new(map),
        _ => throw RecipeFaults.NotAMap(node, "parameters"),
    };

    public IEnumerable<(YamlScalar Key, YamlNode Value)> Entries => _map?.Entries ?? [];

    /// <summary>The value that wins here for a tensor at gradient position t, and the node that holds it; null when this level has none.</summary>
    public (object Value, YamlNode Node)? Find(ParameterCard card, string tensor, double t)
    {
        YamlNode? value = _map?[card.Name];
        if (value is null or YamlScalar { IsNull: true }) return null;
        if (value is YamlList conditional && conditional.Items.Any(i => i is YamlMap))
        {
            foreach (YamlNode item in conditional.Items)
            {
                if (item is not YamlMap entry) throw RecipeFaults.BadValue(item, card.Name, "an entry with 'value', and 'filter' unless it is the fallback");
                foreach ((YamlScalar key, _) in entry.Entries)
                    if (key.Text is not ("filter" or "value")) throw RecipeFaults.UnknownKey(key, $"an entry of '{card.Name}'", ["filter", "value"]);
                YamlNode? found = entry["value"] ?? throw RecipeFaults.MissingKey(entry, "value", $"an entry of '{card.Name}'", "Add 'value: NUMBER'.");
                if (!Matches(entry["filter"], tensor)) continue;
                if (entry["filter"] is { } filter) filter.Used = true;
                entry.Used = true;
                return (Evaluate(card, found, t), found);
            }
            return null;
        }
        return (Evaluate(card, value, t), value);
    }

    /// <summary>Marks a parameter that the method reads past, so that it is reported once and not taken for a misspelling.</summary>
    public static void MarkInert(YamlNode value)
    {
        value.Used = true;
        if (value is YamlList list) foreach (YamlNode item in list.Items) MarkInert(item);
        if (value is YamlMap map) foreach ((_, YamlNode v) in map.Entries) MarkInert(v);
    }

    private static bool Matches(YamlNode? filter, string tensor) => filter switch
    {
        null or YamlScalar { IsNull: true } => true,
        YamlScalar s => s.Text == "*" || tensor.Contains(s.Text, StringComparison.Ordinal),
        _ => throw RecipeFaults.NotAScalar(filter, "filter"),
    };

    /// <summary>One value, typed and checked against the card.</summary>
    internal static object Value(ParameterCard card, YamlNode node) => Evaluate(card, node, 0);

    private static object Evaluate(ParameterCard card, YamlNode node, double t)
    {
        node.Used = true;
        if (node is YamlList list)
        {
            if (card.Kind == ParameterKind.Numbers) return Array.ConvertAll<YamlNode, double>([.. list.Items], i => InRange(card, i));
            if (card.Kind == ParameterKind.Texts) return Array.ConvertAll<YamlNode, string>([.. list.Items], i => i is YamlScalar s ? s.Text : throw RecipeFaults.NotAScalar(i, card.Name));
            if (card.Kind == ParameterKind.Integers) return Array.ConvertAll<YamlNode, long>([.. list.Items], i => Whole(card, i));
            if (card.Kind is not (ParameterKind.Number or ParameterKind.Integer or ParameterKind.Flag)) throw RecipeFaults.NotAScalar(node, card.Name);
            double[] v = Array.ConvertAll<YamlNode, double>([.. list.Items], i => Real(card, i));
            if (v.Length == 0) throw RecipeFaults.BadValue(node, card.Name, "at least one number");
            return Typed(card, node, Gradient(v, t));
        }
        return card.Kind switch
        {
            ParameterKind.Number or ParameterKind.Integer or ParameterKind.Flag => Typed(card, node, Real(card, node)),
            ParameterKind.Integers => new[] { Whole(card, node) },
            ParameterKind.Numbers => new[] { InRange(card, node) },
            ParameterKind.Texts when node is YamlScalar s => new[] { s.Text },
            ParameterKind.Choice when node is YamlScalar s => Word(card, s),
            _ when node is YamlScalar s => s.Text,
            _ => throw RecipeFaults.NotAScalar(node, card.Name),
        };
    }

    // A choice that has the words true and false once was a flag, and takes every spelling of one.
    private static string Word(ParameterCard card, YamlScalar node)
    {
        string word = node.Text;
        if (!card.Choices.Contains(word) && card.Choices.Contains("true") && (node.Flag ?? (node.Number is { } v ? v != 0 : null)) is { } flag) word = flag ? "true" : "false";
        return card.Choices.Contains(word) ? word : throw RecipeFaults.BadValue(node, card.Name, "one of " + string.Join(", ", card.Choices), card.Choices);
    }

    /// <summary>Value at position t in [0, 1] of a list of numbers, linear between them.</summary>
    public static double Gradient(ReadOnlySpan<double> v, double t)
    {
        double x = t * (v.Length - 1);
        int i = (int)Math.Floor(x);
        double fraction = x - i;
        return i >= v.Length - 1 ? v[^1] : ((1 - fraction) * v[i]) + (fraction * v[i + 1]);
    }

    private static object Typed(ParameterCard card, YamlNode node, double v)
    {
        if (card.Kind == ParameterKind.Flag) return v != 0;
        if (!card.Allows(v)) throw RecipeFaults.OutOfRange(node.Where, card.Name, v.ToString("R", CultureInfo.InvariantCulture), card.RangeText ?? "any number");
        if (card.Kind == ParameterKind.Number) return v;
        return v == Math.Floor(v) ? (object)(long)v : throw RecipeFaults.BadValue(node, card.Name, "a whole number");
    }

    // Numbers and flags are interchangeable, as the peer has it.
    private static double Real(ParameterCard card, YamlNode node) =>
        node is YamlScalar s && (s.Number ?? (s.Flag is { } f ? f ? 1 : 0 : null)) is { } v ? v : throw RecipeFaults.BadValue(node, card.Name, card.Kind == ParameterKind.Flag ? "true or false" : "a number");

    private static double InRange(ParameterCard card, YamlNode node) => Real(card, node) is var v && card.Allows(v) ? v
        : throw RecipeFaults.OutOfRange(node.Where, card.Name, v.ToString("R", CultureInfo.InvariantCulture), card.RangeText ?? "any number");

    private static long Whole(ParameterCard card, YamlNode node) => Real(card, node) is var v && v == Math.Floor(v) ? (long)v : throw RecipeFaults.BadValue(node, card.Name, "whole numbers");
}
