using System.Runtime.InteropServices;
using Budwood.Methods;
using Budwood.Numbers.Kernels;

namespace Budwood.Merge;

/// <summary>What the elements of a mask are ranked among.</summary>
public enum MaskScope
{
    /// <summary>All elements of the tensor.</summary>
    Tensor,
    /// <summary>The elements of one row (along the last axis; a vector is one row), as the authors' code has it.</summary>
    Row,
}

/// <summary>Which cut of a two-sided mask comes first.</summary>
public enum MaskOrder
{
    /// <summary>Remove the largest, then keep the largest of what is left.</summary>
    RemoveFirst,
    /// <summary>Keep the largest, then remove the largest of those: density - gamma stays.</summary>
    KeepFirst,
}

/// <summary>Parameters of the breadcrumbs methods.</summary>
public record BreadcrumbsParameters : SparseParameters
{
    /// <summary>Share of the elements, the largest ones, that is removed; the paper's 1 - gamma.</summary>
    [PerModel, Unit("share of elements"), Range(0, 1)]
    public double Gamma { get; init; } = 0.01;

    /// <summary>Whether the shares are of the whole tensor or of each row.</summary>
    public MaskScope Per { get; init; }

    /// <summary>Which cut comes first.</summary>
    public MaskOrder Order { get; init; }
}

/// <summary>The two-sided mask of Model Breadcrumbs: of each task vector neither the smallest nor the few largest elements stay.</summary>
public abstract class MiddleBand<P> : TaskVectors<P> where P : BreadcrumbsParameters, new()
{
    protected override bool Drops(P p) => p.Density < 1;
    protected override bool Selects(P p) => p.Per == MaskScope.Tensor;
    protected override Rescale RescaleOf(P p, Arithmetic mode) => p.Rescale;
    protected override double Share(P p) => p.Order == MaskOrder.RemoveFirst ? p.Density : p.Density - p.Gamma;
    protected internal override Extent Extent(Slot at, ReadOnlySpan<P> p) => p[0].Per == MaskScope.Row ? Methods.Extent.Row : Methods.Extent.Block;

    protected override void AskSelection(Slot at, int input, P p, Measures ask)
    {
        if (p.Per == MaskScope.Row) return;
        (long bottom, long top) = Cuts(at, p, at.Shape.Count);
        ask.Band(input, bottom, top);
    }

    protected override void Keep<Q>(int input, in Block at, P p, in Operands x, Measured m, Span<float> delta)
    {
        if (p.Per == MaskScope.Tensor)
        {
            m.Select<Q>(input, at, x, delta);
            return;
        }
        Delta<Q>(x, input, delta);
        if (at.Slot.Shape.Rank == 0) return; // the authors' code leaves single numbers whole
        (long bottom, long top) = Cuts(at.Slot, p, at.Count);
        using var ranks = new Ranking(at.Count);
        ranks.ByMagnitude(MemoryMarshal.Cast<float, uint>(delta[..at.Count]));
        for (int i = 0; i < at.Count; i++)
            if (ranks[i] < bottom || ranks[i] >= at.Count - top) delta[i] = 0;
    }

    /// <summary>How many of n elements are cut off at the lower and at the upper end.</summary>
    internal static (long Bottom, long Top) Cuts(Slot at, P p, long n)
    {
        long target = (long)Math.Floor(p.Density * n), top = (long)Math.Floor(p.Gamma * n), bottom = n - target;
        if (p.Order == MaskOrder.KeepFirst) return (bottom, Math.Min(top, target));
        bottom -= top;
        // Density wins where both cuts do not fit.
        if (bottom < 0) (bottom, top) = (0, top + bottom);
        // 0.1.4 ends the kept range at -0, which empties it.
        return top == 0 && at.Arithmetic == Arithmetic.Mergekit014 ? (n, 0) : (bottom, top);
    }
}

/// <summary>Model Breadcrumbs: of each task vector the smallest and the few largest elements are dropped, and the weighted sum of the rest is added to the base.</summary>
/// <use>Merging many fine-tunes of one base with numbers that were tuned on a few of them: one density, gamma and scale keep working as models are added.</use>
/// <notfor>Models without a common base. Very small tensors are masked by the same shares: a share of less than one element cuts nothing off.</notfor>
/// <cost>Reads every input two to four times (exact selection by counting, then the merge), writes once; no sort and no tensor in memory. per: row ranks each row.</cost>
/// <differs>Parameters are mergekit's: the paper's beta, gamma, alpha are 1 - density - gamma, 1 - gamma, lambda here. Where floor(gamma n) is 0 mergekit 0.1.4
/// drops the whole task vector, by accident; here, as in 0.1.5, nothing is cut off at the top. The authors' code ranks within rows: per: row.</differs>
/// <formula>d_i = x_i - b; of n elements by |d_i| the largest floor(gamma n) and all below the next floor(density n) become 0; y = b + lambda * sum_i w_i d_i</formula>
[Method("breadcrumbs", Room.Merge)]
[Paper("breadcrumbs", "theta = theta_0 + alpha sum_t m_t tau_t, masks by layer")]
[Source("mergekit", Where = "merge_method: breadcrumbs")]
[Inert("int8_mask", "epsilon", "t")]
public sealed partial class Breadcrumbs : MiddleBand<Breadcrumbs.Parameters>
{
    /// <summary>Parameters of <c>breadcrumbs</c>.</summary>
    public sealed record Parameters : BreadcrumbsParameters;

    protected override bool Elects => false;
}
