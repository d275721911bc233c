using System.Text.Json;
using Budwood.Files;

namespace Budwood.Checkpoints.Audit;

/// <summary>How to compare.</summary>
/// <param name="Progress">Called with the bytes that were read since the last call, from any thread; at most both checkpoints come together.</param>
/// <param name="Cache">Where digests are remembered; the user's cache when null.</param>
public sealed record DiffOptions(int Threads, Action<long>? Progress = null, DigestCache? Cache = null);

/// <summary>Holds two checkpoints against each other, tensor by tensor and field by field.</summary>
/// <remarks>
/// Tensors are matched by the names that their family uses today. What has equal digests is not read again; the rest is read once, piece by piece, in
/// buffers of less than 32 MB together. Sums are float64 over blocks of 4096, added pairwise: threads change no bit.
/// </remarks>
public static class CheckpointDiff
{
    private const int ShownValue = 80;

    /// <summary>What changed from <paramref name="a"/> to <paramref name="b"/>.</summary>
    public static DiffReport Compare(Checkpoint a, Checkpoint b, DiffOptions options, CancellationToken stop = default)
    {
        var store = new DigestStore(options.Cache ?? DigestCache.Default);
        store.Load(a);
        store.Load(b);
        List<(CheckpointTensor? A, CheckpointTensor? B)> pairs = Pairs(a, b);
        var compared = new Dictionary<string, TensorPair>(StringComparer.Ordinal);
        var reads = new List<TensorRead>();
        foreach ((CheckpointTensor? x, CheckpointTensor? y) in pairs)
        {
            Digest digestX = default, digestY = default;
            bool knownX = x is null || store.TryGet(x.Source, out digestX), knownY = y is null || store.TryGet(y.Source, out digestY);
            if (x is not null && y is not null && knownX && knownY && digestX == digestY) continue;
            if (x is not null && y is not null && x.Shape == y.Shape && TensorPair.CanCompare(x.DType, y.DType))
            {
                compared[x.Name] = TensorPair.Whole(x.Source, y.Source, hashA: !knownX, hashB: !knownY);
                continue;
            }
            if (!knownX) reads.Add(new TensorRead(x!.Source, values: false));
            if (!knownY) reads.Add(new TensorRead(y!.Source, values: false));
            if (x is not null && y is not null && CommonRows(x, y) is { } elements) compared[x.Name] = TensorPair.Common(x.Source, y.Source, elements);
        }
        TensorScan.Run([.. reads, .. compared.Values], options.Threads, options.Progress, stop);
        foreach (TensorRead read in reads) store[read.Tensor] = read.Digest;
        foreach (TensorPair pair in compared.Values)
        {
            if (pair.DigestA is { } digestA) store[pair.A] = digestA;
            if (pair.DigestB is { } digestB) store[pair.B] = digestB;
        }
        store.Keep(a);
        store.Keep(b);

        TensorDifference[] different = [.. pairs.Where(p => !Same(p.A, p.B, store)).Select(p => Describe(p.A, p.B, a, b, compared))];
        return new DiffReport(a.Label, b.Label, store.Of(a), store.Of(b), pairs.Count - different.Length, different, Fields(a.Config, b.Config),
            ByRole(pairs, different));
    }

    // In the order of the first checkpoint; what only the second has comes where that one has it, after all others.
    private static List<(CheckpointTensor? A, CheckpointTensor? B)> Pairs(Checkpoint a, Checkpoint b)
    {
        var pairs = new List<(CheckpointTensor?, CheckpointTensor?)>();
        foreach (CheckpointTensor tensor in TensorOrder.InOrder(a)) pairs.Add((tensor, b.TryGet(tensor.Name, out CheckpointTensor? other) ? other : null));
        foreach (CheckpointTensor tensor in TensorOrder.InOrder(b)) if (!a.TryGet(tensor.Name, out _)) pairs.Add((null, tensor));
        return pairs;
    }

    private static bool Same(CheckpointTensor? a, CheckpointTensor? b, DigestStore store) =>
        a is not null && b is not null && store[a.Source] == store[b.Source];

    /// <summary>Elements of the rows that both have, where only the number of rows differs and rows are tokens or positions.</summary>
    private static long? CommonRows(CheckpointTensor a, CheckpointTensor b)
    {
        if (a.Role.Group() is not (RoleGroup.Embedding or RoleGroup.Head) || a.Shape.Rank == 0 || a.Shape.Rank != b.Shape.Rank) return null;
        if (!a.Shape.Sizes[1..].SequenceEqual(b.Shape.Sizes[1..]) || !TensorPair.CanCompare(a.DType, b.DType)) return null;
        return a.Shape.With(0, Math.Min(a.Shape[0], b.Shape[0])).Count;
    }

    private static TensorDifference Describe(CheckpointTensor? x, CheckpointTensor? y, Checkpoint a, Checkpoint b, Dictionary<string, TensorPair> compared)
    {
        CheckpointTensor either = (x ?? y)!;
        TensorChange change = x is null ? TensorChange.Added : y is null ? TensorChange.Removed : TensorChange.Changed;
        var result = new TensorDifference(either.Name, change, either.Role, either.Layer,
            x is null ? null : (x.DType, x.Shape), y is null ? null : (y.DType, y.Shape));
        if (x is null || y is null)
        {
            // A head that one file stores and the other ties is worth a word: nothing is lost.
            Checkpoint lacking = x is null ? a : b;
            return lacking.TiedTo(either.Name) is { } tie ? result with { Remark = $"tied to {tie} in {lacking.Label}" } : result;
        }
        if (!compared.TryGetValue(either.Name, out TensorPair? pair))
            return result with { Remark = x.Shape != y.Shape ? "not compared: the shapes differ" : "not compared: no common arithmetic" };
        string? remark = x.Shape == y.Shape ? null : $"compared in the {Counts.Of(Math.Min(x.Shape[0], y.Shape[0]), "row")} that both have";
        if (pair.Skipped > 0)
        {
            string left = $"norms leave out {Counts.Of(pair.Skipped, "element")} that {(pair.Skipped == 1 ? "is" : "are")} not finite";
            remark = remark is null ? left : $"{remark}; {left}";
        }
        return result with
        {
            Compared = pair.Compared,
            Changed = pair.Changed,
            Difference = pair.Difference,
            Reference = pair.Reference,
            Largest = pair.Largest,
            NaN = pair.NaN,
            Infinite = pair.Infinite,
            Remark = remark,
        };
    }

    private static Table ByRole(IReadOnlyList<(CheckpointTensor? A, CheckpointTensor? B)> pairs, IReadOnlyList<TensorDifference> different)
    {
        var table = new Table("roles", new Column("role"), new Column("tensors", Numeric: true), new Column("changed", Numeric: true),
            new Column("added", Numeric: true), new Column("removed", Numeric: true), new Column("changed elements", Numeric: true),
            new Column("relative norm", Numeric: true, "|b-a| / |a|, changed tensors"));
        ILookup<RoleGroup, TensorDifference> byGroup = different.ToLookup(d => d.Role.Group());
        foreach (IGrouping<RoleGroup, (CheckpointTensor? A, CheckpointTensor? B)> group in pairs.GroupBy(p => (p.A ?? p.B)!.Role.Group()).OrderBy(g => g.Key))
        {
            TensorDifference[] own = [.. byGroup[group.Key]], normed = [.. own.Where(d => d.Difference is not null)];
            double? norm = normed.Length > 0 ? TensorDifference.Norm(normed.Sum(d => d.Difference!.Value), normed.Sum(d => d.Reference!.Value))
                : own.Any(d => d.Change == TensorChange.Changed) ? null : 0;
            long Of(TensorChange change) => own.LongCount(d => d.Change == change);
            table.Add(group.Key.Text(), (long)group.Count(), Of(TensorChange.Changed), Of(TensorChange.Added), Of(TensorChange.Removed),
                own.Sum(d => d.Changed ?? 0), norm);
        }
        return table;
    }

    private static IReadOnlyList<ConfigDifference> Fields(ModelConfig? a, ModelConfig? b)
    {
        var result = new List<ConfigDifference>();
        foreach (string field in (a?.Fields ?? []).Union(b?.Fields ?? [], StringComparer.Ordinal))
        {
            JsonElement x = default, y = default;
            bool inA = a?.TryGet(field, out x) == true, inB = b?.TryGet(field, out y) == true;
            if (inA && inB && JsonElement.DeepEquals(x, y)) continue;
            // One fact under its older and its newer key.
            if (field is "torch_dtype" or "dtype" && inA != inB && a?.DType is { } type && type == b?.DType) continue;
            result.Add(new ConfigDifference(field, inA ? Show(x) : null, inB ? Show(y) : null));
        }
        return result;
    }

    private static string Show(JsonElement value)
    {
        string text = Compact(value);
        return text.Length <= ShownValue ? text : text[..(ShownValue - 1)] + "…";
    }

    // Files are indented; a table wants one line.
    private static string Compact(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "{" + string.Join(", ", value.EnumerateObject().Select(p => $"{p.Name}: {Compact(p.Value)}")) + "}",
        JsonValueKind.Array => "[" + string.Join(", ", value.EnumerateArray().Select(Compact)) + "]",
        _ => value.GetRawText(),
    };
}
