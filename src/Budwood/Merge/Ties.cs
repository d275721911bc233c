using Budwood.Methods;

namespace Budwood.Merge;

/// <summary>TIES: trims each task vector to its largest elements, elects a sign for every parameter, and averages what agrees.</summary>
/// <use>Merging several fine-tunes of one base that were trained on different tasks and get in each other's way when averaged.</use>
/// <notfor>Models without a common base; a single fine-tune (nothing to elect).</notfor>
/// <cost>Reads every input two to four times (exact selection by counting, then the merge), writes once; no sort and no tensor in memory.</cost>
/// <differs>Of equal magnitudes at the cut those with the lowest index stay; the peer's choice is an accident of its sort. A density that keeps less than
/// one element keeps one, as mergekit 0.1.5 has it (0.1.4 refuses).</differs>
/// <formula>d_i = x_i - b trimmed to the share density of largest |d_i|; s = sign(sum_i w_i d_i); y = b + lambda * sum_{sign(w_i d_i) = s} w_i d_i / sum_{same i} w_i</formula>
[Method("ties", Room.Merge)]
[Paper("breadcrumbs", "baseline 'ties'")]
[Source("mergekit", Where = "merge_method: ties")]
[Inert("int8_mask", "gamma", "epsilon", "t")]
public sealed partial class Ties : TaskVectors<Ties.Parameters>
{
    /// <summary>Parameters of <c>ties</c>.</summary>
    public sealed record Parameters : SparseParameters
    {
        public Parameters() => Normalize = true;
    }

    protected override bool Elects => true;
    protected override bool Drops(Parameters p) => p.Density < 1;
    protected override bool Selects(Parameters p) => true;
    protected override Rescale RescaleOf(Parameters p, Arithmetic mode) => p.Rescale;
    protected override double Share(Parameters p) => p.Density;

    protected internal override void Check(Slot at, ReadOnlySpan<Parameters> p)
    {
        for (int i = 0; i < p.Length; i++)
            if (i != at.Base && at.Arithmetic == Arithmetic.Mergekit014 && Kept(at, p[i].Density) == 0) throw MergeFaults.NothingKept(at, at.Inputs[i].Label, p[i].Density);
    }

    protected override void AskSelection(Slot at, int input, Parameters p, Measures ask) =>
        ask.Keep(input, p.Density <= 0 ? 0 : Math.Max(1, Kept(at, p.Density)));

    protected override void Keep<Q>(int input, in Block at, Parameters p, in Operands x, Measured m, Span<float> delta) => m.Select<Q>(input, at, x, delta);

    private static long Kept(Slot at, double density) => (long)Math.Floor(density * at.Shape.Count);
}
