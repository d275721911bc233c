using System.Globalization;
using Budwood.Checkpoints;
using Budwood.Files;
using Budwood.Numbers;

namespace Budwood.Engine;

/// <summary>What a step did to the weights, compared with the base (or donor): counted, not believed.</summary>
public sealed class Receipt
{
    private Receipt(Plan plan, IReadOnlyList<SlotResult> results, Digest digest, IReadOnlyDictionary<string, Digest> digests)
    {
        (Reference, Digest, TensorDigests) = (plan.Reference.Label, digest, digests);
        foreach (SlotResult r in results)
        {
            if (r.Planned.Reference is null) Added++;
            else if (r.Changed > 0) Changed++;
            else Same++;
            if (r.Planned.Reference is not null) ElementsChanged += r.Changed;
            NotFinite += r.NotFinite;
        }
        Removed = plan.Removed.Count;
        Roles = ByRole(results);
        DTypes = [.. results.Where(r => r.Planned.ReferenceTensor is { } t && t.DType != r.Planned.Slot.Stored)
            .GroupBy(r => (From: r.Planned.ReferenceTensor!.DType, To: r.Planned.Slot.Stored)).Select(g => (g.Key.From, g.Key.To, g.Count()))];
        Vocabulary = results.Where(r => r.Planned.Slot.Role == Role.Embed && r.Planned.ReferenceTensor is null && plan.Reference.TryGet(r.Planned.Canonical, out _))
            .Select(r => plan.Reference.TryGet(r.Planned.Canonical, out CheckpointTensor? t) ? ((long From, long To)?)(t.Shape[0], r.Planned.Slot.Shape[0]) : null).FirstOrDefault();
    }

    /// <summary>The model that the output is compared with.</summary>
    public string Reference { get; }
    public int Changed { get; private set; }
    public int Same { get; private set; }
    public int Added { get; private set; }
    public int Removed { get; }
    public long ElementsChanged { get; private set; }
    public long NotFinite { get; private set; }
    public IReadOnlyList<(DType From, DType To, int Tensors)> DTypes { get; }
    public (long From, long To)? Vocabulary { get; }
    public Digest Digest { get; }
    public IReadOnlyDictionary<string, Digest> TensorDigests { get; }

    /// <summary>Tensors, changed and added ones, and the relative norm of the change, by role.</summary>
    public Table Roles { get; }

    /// <summary>No element differs and no tensor came or went.</summary>
    public bool IsIdentical => Changed == 0 && Added == 0;

    internal static Receipt Of(Plan plan, IReadOnlyList<SlotResult> results)
    {
        var digests = results.ToDictionary(r => r.Planned.Slot.Name, r => r.Digest!.Value, StringComparer.Ordinal);
        return new Receipt(plan, results, Digests.Checkpoint(results.Select(r => (r.Planned.Canonical, r.Digest!.Value))), digests);
    }

    private static Table ByRole(IReadOnlyList<SlotResult> results)
    {
        var table = new Table("changes", new Column("role"), new Column("tensors", true), new Column("changed", true), new Column("added", true), new Column("elements", true),
            new Column("changed elements", true), new Column("relative change", true, "|y-b| / |b|"));
        foreach (IGrouping<RoleGroup, SlotResult> group in results.GroupBy(r => r.Planned.Slot.Role.Group()).OrderBy(g => g.Key))
        {
            SlotResult[] known = [.. group.Where(r => r.Planned.Reference is not null)];
            double difference = known.Sum(r => r.Difference), reference = known.Sum(r => r.Reference);
            table.Add(group.Key.ToString().ToLowerInvariant(), (long)group.Count(), (long)known.Count(r => r.Changed > 0), (long)group.Count(r => r.Planned.Reference is null),
                group.Sum(r => r.Planned.Slot.Shape.Count), known.Sum(r => r.Changed), known.Length == 0 ? null : difference == 0 ? 0d : reference > 0 ? Math.Sqrt(difference / reference) : double.NaN);
        }
        return table;
    }

    /// <summary>The receipt in a few lines, for cards and terminals.</summary>
    public IReadOnlyList<string> Lines()
    {
        var lines = new List<string>
        {
            IsIdentical && Removed == 0
                ? $"identical to {Reference}: {Same.ToString("#,0", CultureInfo.InvariantCulture)} tensors"
                : $"against {Reference}: {Changed} tensors changed, {Same} same, {Added} added, {Removed} removed; {ElementsChanged.ToString("#,0", CultureInfo.InvariantCulture)} elements differ",
            NotFinite == 0 ? "no NaN or infinity" : $"{NotFinite.ToString("#,0", CultureInfo.InvariantCulture)} NaN or infinite values in the output",
        };
        foreach ((DType from, DType to, int n) in DTypes) lines.Add($"{n} tensors stored as {to.TorchName()} instead of {from.TorchName()}");
        if (Vocabulary is { } v) lines.Add($"vocabulary rows {v.From} -> {v.To}");
        return lines;
    }
}
