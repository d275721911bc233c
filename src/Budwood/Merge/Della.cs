using System.Runtime.InteropServices;
using Budwood.Methods;
using Budwood.Numbers;
using Budwood.Numbers.Kernels;

namespace Budwood.Merge;

/// <summary>Parameters of the DELLA methods.</summary>
public record DellaParameters : SparseParameters
{
    public DellaParameters() => Rescale = Rescale.L1;

    /// <summary>Half the spread of the keep probability: from density - epsilon for the smallest to density + epsilon for the largest element of a row.</summary>
    [PerModel, Unit("probability"), Range(0, 1, MaximumOpen = true)]
    public double Epsilon { get; init; } = 0.15;
}

/// <summary>MagPrune, the drop of DELLA: within each row an element stays with a probability that grows with the rank of its magnitude.</summary>
public abstract class MagnitudePruning<P> : TaskVectors<P> where P : DellaParameters, new()
{
    public override Extent Extent(Arithmetic mode) => Methods.Extent.Row;
    protected override bool Drops(P p) => p.Density < 1;

    // An element's share is its own probability: the drop itself divides by it.
    protected override Rescale RescaleOf(P p, Arithmetic mode) => p.Rescale == Rescale.Inverse ? Rescale.None : p.Rescale;

    protected override DType Norms(DType working) => working == DType.BF16 ? DType.BF16 : DType.F32;
    protected internal override int Draws(Slot at, P p) => p.Density is > 0 and < 1 ? 1 : 0;

    protected internal override void Check(Slot at, ReadOnlySpan<P> p)
    {
        for (int i = 0; i < p.Length; i++)
        {
            (double d, double e) = (p[i].Density, p[i].Epsilon);
            if (d <= 0 && at.Arithmetic == Arithmetic.Mergekit015) continue; // nothing stays
            if (i != at.Base && d < 1 && (d - e <= 0 || d + e >= 1)) throw MergeFaults.EpsilonTooWide(at, at.Inputs[i].Label, d, e);
        }
    }

    protected override void Keep<Q>(int input, in Block at, P p, in Operands x, Measured m, Span<float> delta)
    {
        Delta<Q>(x, input, delta);
        if (p.Density <= 0)
        {
            delta.Clear();
            return;
        }
        Span<byte> mask = m.Mask(x.Count + input, at, out bool known);
        // The peer works in float32 for F16 tensors here, and in bfloat16 for BF16 ones, where ranks above 256 are rounded.
        if (known) Masks.Apply(mask, delta[..at.Count]);
        else if (Q.DType == DType.BF16) Drop<PeerBF16>(at.Count, p, x.Uniform(input), delta, mask, middle: false);
        else Drop<PeerF32>(at.Count, p, x.Uniform(input), delta, mask, middle: !Q.FollowsPeer);
    }

    // A row of one element is neither smallest nor largest: the middle in our arithmetic (the peer divides zero by zero and drops it).
    private static void Drop<W>(int count, P p, ReadOnlySpan<float> uniform, Span<float> delta, Span<byte> mask, bool middle) where W : struct, IRounding
    {
        if (count > 1 && count <= RankedDrop.Longest && p.Rescale != Rescale.Inverse)
        {
            RankedDrop.For<W, P>(count, p.Density, p.Epsilon, p, static (p, n, rank) => Keep<W>(n, p, rank)).Apply(delta, uniform, mask);
            return;
        }
        using var ranks = new Ranking(count);
        ranks.ByMagnitude(MemoryMarshal.Cast<float, uint>(delta[..count]));
        mask.Clear();
        for (int i = 0; i < count; i++)
        {
            float keep = middle && count == 1 ? Keep<W>(0.5f, p) : Keep<W>(count, p, ranks[i]);
            if (!(uniform[i] < keep))
            {
                delta[i] = 0;
                continue;
            }
            if (!mask.IsEmpty) mask[i >> 3] |= (byte)(1 << (i & 7));
            if (p.Rescale == Rescale.Inverse) delta[i] = W.Round(delta[i] / keep);
        }
    }

    // The probability that an element stays, by its rank among so many.
    private static float Keep<W>(int count, P p, int rank) where W : struct, IRounding
    {
        float first = 1, span = W.Round(W.Round((float)count) - first);
        return Keep<W>(W.Round(W.Round(W.Round(W.Round((float)rank) + 1) - first) / span), p);
    }

    private static float Keep<W>(float share, P p) where W : struct, IRounding =>
        W.Round(W.Round(W.Round(share * 2) * (float)p.Epsilon) + W.Round((float)(p.Density - p.Epsilon)));
}

/// <summary>DELLA: drops elements of each task vector at random, small ones more often, rescales, elects signs and averages what agrees.</summary>
/// <use>Merging fine-tunes of one base where trimming by magnitude alone (TIES) or at random alone (DARE) loses too much.</use>
/// <notfor>Comparing single runs: the result depends on the seed. Give several.</notfor>
/// <cost>Reads every input twice (magnitudes before and after, merge), ranks every row, writes once.</cost>
/// <differs>Random numbers come from a counter-based stream keyed by seed, model position and tensor, so that threads and order do not matter; the sums for the
/// rescaling are float64. With --compat mergekit the peer's single generator is replayed. rescale: inverse divides every element that stays by its own probability.</differs>
/// <formula>p_j = density - epsilon + 2 epsilon (rank_j - 1) / (n - 1) within a row; d_i kept where u &lt; p, times |d|_1 / |kept|_1; then as ties</formula>
[Method("della", Room.Merge)]
[Source("mergekit", Where = "merge_method: della")]
[Inert("int8_mask", "gamma", "t")]
public sealed partial class Della : MagnitudePruning<Della.Parameters>
{
    /// <summary>Parameters of <c>della</c>.</summary>
    public sealed record Parameters : DellaParameters
    {
        public Parameters() => Normalize = true;
    }

    protected override bool Elects => true;
}
