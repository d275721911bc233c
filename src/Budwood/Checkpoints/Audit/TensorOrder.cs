using System.Globalization;

namespace Budwood.Checkpoints.Audit;

/// <summary>The order in which people read the tensors of a model: layer by layer as the family's table has it, numbers as numbers.</summary>
internal static class TensorOrder
{
    public static IReadOnlyList<CheckpointTensor> InOrder(Checkpoint checkpoint)
    {
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (ExpectedTensor expected in checkpoint.Model?.Tensors ?? []) places.TryAdd(expected.Name, places.Count);
        return [.. checkpoint.Tensors.OrderBy(t => places.GetValueOrDefault(t.Name, int.MaxValue)).ThenBy(t => t.Name, ByNumbers.Instance)];
    }

    /// <summary>"layers.2" before "layers.10".</summary>
    internal sealed class ByNumbers : IComparer<string>
    {
        public static ByNumbers Instance { get; } = new();

        public int Compare(string? x, string? y)
        {
            string[] a = (x ?? "").Split('.'), b = (y ?? "").Split('.');
            for (int i = 0; i < Math.Min(a.Length, b.Length); i++)
            {
                int order = Number(a[i]) is { } m && Number(b[i]) is { } n ? m.CompareTo(n) : string.CompareOrdinal(a[i], b[i]);
                if (order != 0) return order;
            }
            return a.Length != b.Length ? a.Length.CompareTo(b.Length) : string.CompareOrdinal(x, y);
        }

        private static long? Number(string part) => long.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out long n) ? n : null;
    }
}
