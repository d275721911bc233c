using System.Globalization;

namespace Budwood.Checkpoints;

/// <summary>Finds the tensor of a family that a stored name means, whatever prefix or spelling the file uses.</summary>
internal sealed class NameTable
{
    // By the name's parts with '#' for every number: few candidates are left, which are then compared part by part.
    private readonly Dictionary<string, List<(string[] Parts, TensorData Tensor)>> _byShape = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string[]> _aliases = new(StringComparer.Ordinal);

    public NameTable(FamilyData data, ModelConfig config)
    {
        var tensors = new List<TensorData>();
        foreach (IGrouping<string, TensorData> same in data.Tensors.GroupBy(t => t.Template, StringComparer.Ordinal))
        {
            // 'classifier.weight' has another shape in another class: the config's class decides, else the first.
            tensors.Add(same.FirstOrDefault(t => config.Architectures.Any(a => t.Classes.Any(c => a.EndsWith(c, StringComparison.Ordinal)))) ?? same.First());
        }
        Tensors = tensors;
        foreach (TensorData tensor in tensors)
        {
            string[] names = [.. Spellings(tensor, data)];
            _aliases[tensor.Template] = names[1..];
            foreach (string name in names)
            {
                string[] parts = name.Split('.');
                string key = Key(parts);
                if (!_byShape.TryGetValue(key, out var list)) _byShape.Add(key, list = []);
                list.Add((parts, tensor));
            }
        }
    }

    /// <summary>One tensor for each template.</summary>
    public IReadOnlyList<TensorData> Tensors { get; }

    /// <summary>Templates of the other names.</summary>
    public IReadOnlyList<string> Aliases(TensorData tensor) => _aliases[tensor.Template];

    public (TensorData Tensor, int? Layer, int? Expert)? Find(string name)
    {
        string[] parts = name.Split('.');
        if (!_byShape.TryGetValue(Key(parts), out var candidates)) return null;
        foreach ((string[] wanted, TensorData tensor) in candidates)
        {
            int? layer = null, expert = null;
            bool same = true;
            for (int i = 0; i < parts.Length && same; i++)
            {
                if (wanted[i] == "{layer}") layer = Number(parts[i]);
                else if (wanted[i] == "{expert}") expert = Number(parts[i]);
                else same = wanted[i] == parts[i];
            }
            if (same) return (tensor, layer, expert);
        }
        return null;
    }

    // The canonical name comes first.
    private static IEnumerable<string> Spellings(TensorData tensor, FamilyData data)
    {
        var names = new List<string> { tensor.Template };
        names.AddRange(tensor.Aliases);
        foreach ((string from, string to) in data.Spellings)
        {
            names.AddRange([.. names.Where(n => n.Contains(from, StringComparison.Ordinal)).Select(n => n.Replace(from, to, StringComparison.Ordinal))]);
        }
        foreach (string prefix in data.Prefixes)
        {
            names.AddRange([.. names.Where(n => n.StartsWith(prefix, StringComparison.Ordinal)).Select(n => n[prefix.Length..])]);
        }
        return names.Distinct(StringComparer.Ordinal);
    }

    private static string Key(string[] parts) => string.Join('.', parts.Select(p => p is "{layer}" or "{expert}" || Number(p) is not null ? "#" : p));

    // "007" is no layer number: writing it again would give another name.
    private static int? Number(string part) =>
        int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int n) && (part.Length == 1 || part[0] != '0') ? n : null;
}
