using System.Globalization;

namespace Budwood.Checkpoints;

/// <summary>Layer numbers read off tensor names, for families that Budwood has no description of.</summary>
public static class Layers
{
    /// <summary>The first number that stands alone between dots (<c>model.layers.12.mlp.weight</c> is 12); null when there is none.</summary>
    public static int? Guess(string name)
    {
        foreach (string part in name.Split('.'))
        {
            if (Number(part) is { } n) return n;
        }
        return null;
    }

    /// <summary>The numbering that most tensors share, such as <c>model.layers.</c>; null when no tensor is numbered.</summary>
    public static LayerNumbering? Infer(IEnumerable<string> names)
    {
        var found = new Dictionary<string, (int Tensors, HashSet<int> Numbers)>(StringComparer.Ordinal);
        foreach (string name in names)
        {
            int start = 0;
            foreach (string part in name.Split('.'))
            {
                if (Number(part) is { } n)
                {
                    string prefix = name[..start];
                    if (!found.TryGetValue(prefix, out var entry)) entry = (0, []);
                    entry.Numbers.Add(n);
                    found[prefix] = (entry.Tensors + 1, entry.Numbers);
                    break;
                }
                start += part.Length + 1;
            }
        }
        if (found.Count == 0) return null;
        var best = found.OrderByDescending(f => f.Value.Tensors).ThenBy(f => f.Key, StringComparer.Ordinal).First();
        return new LayerNumbering(best.Key, best.Value.Numbers.Max() + 1, found.Count);
    }

    internal static int? Number(string part) => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int n) ? n : null;
}

/// <summary>How the layers of an unknown family are numbered.</summary>
/// <param name="Prefix">What stands before the number, with the dot; empty when names begin with it.</param>
/// <param name="Count">One more than the highest number.</param>
/// <param name="Numberings">How many different prefixes are numbered; with more than one, part of the model lies outside these layers.</param>
public sealed record LayerNumbering(string Prefix, int Count, int Numberings)
{
    /// <summary>The layer of a tensor; null for one that is not numbered this way.</summary>
    public int? Of(string name) => name.StartsWith(Prefix, StringComparison.Ordinal) ? Layers.Number(name[Prefix.Length..].Split('.')[0]) : null;

    /// <summary>The same tensor in another layer; the name itself for one outside the layers.</summary>
    public string Renumbered(string name, int layer)
    {
        if (Of(name) is null) return name;
        int end = name.IndexOf('.', Prefix.Length);
        return string.Concat(Prefix, layer.ToString(CultureInfo.InvariantCulture), end < 0 ? "" : name[end..]);
    }
}
