using Budwood.Checkpoints.Audit;
using Budwood.Methods;

namespace Budwood.Inspect;

/// <summary>Counts and measures what differs between two checkpoints, one row a tensor that both have.</summary>
/// <use>As a step of a recipe: how many elements an edit, a mask or a merge touched, and by how much, as a table that claims can read.</use>
/// <notfor>Looking at a difference at the terminal: `budwood diff` also shows configuration, roles and tensors that only one has.</notfor>
/// <cost>Reads what differs once; tensors with equal digests are not read again.</cost>
/// <differs>Equal tensors have a row too, with 0 changed elements, so that a claim over all tensors misses none.</differs>
/// <formula>relative norm = |after - before| / |before|, sums in float64</formula>
[Method("diff_checkpoints", Room.Inspect)]
[Paper("hf-reuse-challenges", "requirement R4 (model understanding)")]
public sealed partial class DiffCheckpoints : Job<DiffCheckpoints.Parameters>
{
    /// <summary>Parameters of <c>diff_checkpoints</c>: none.</summary>
    public sealed record Parameters;

    public override Ports Ports { get; } = new(
        [new Port("before", ArtifactKind.Checkpoint, "the model as it was"), new Port("after", ArtifactKind.Checkpoint, "the model as it is")],
        new Port("tensors", ArtifactKind.Table, "one row a tensor that both have"));

    protected internal override void Run(Desk desk, Parameters p)
    {
        var (before, after) = (desk.Checkpoint("before"), desk.Checkpoint("after"));
        DiffReport report = CheckpointDiff.Compare(before, after, new DiffOptions(Threads: 1), desk.Stop);
        Dictionary<string, TensorDifference> different = report.Tensors.ToDictionary(t => t.Name, StringComparer.Ordinal);
        var table = new Table("tensors", new Column("tensor"), new Column("role"), new Column("elements", true), new Column("changed", true), new Column("relative_norm", true), new Column("largest", true));
        foreach (var tensor in before.Tensors.OrderBy(t => t.Name, StringComparer.Ordinal))
        {
            if (!after.TryGet(tensor.Name, out _)) continue;
            TensorDifference? d = different.GetValueOrDefault(tensor.Name);
            table.Add(tensor.Name, tensor.Role.ToString().ToLowerInvariant(), tensor.Shape.Count, d is null ? 0L : d.Changed, d is null ? 0.0 : d.RelativeNorm, d is null ? 0.0 : d.Largest);
        }
        foreach (string line in report.Lines()) table.Notes.Add(line);
        desk.Emit("tensors", table);
    }
}
