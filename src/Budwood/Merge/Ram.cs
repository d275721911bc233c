using System.Runtime.Intrinsics;
using Budwood.Methods;
using Budwood.Numbers;

namespace Budwood.Merge;

/// <summary>RAM: keeps what only one model changed at full strength and averages what several changed.</summary>
/// <use>Merging agents tuned by reinforcement learning, whose task vectors are sparse: an average over all models would weaken what one of them alone has learned.</use>
/// <notfor>Dense task vectors: nearly every element is shared, and the result is the plain average of the models.</notfor>
/// <cost>Reads every input once, writes once; bound by memory bandwidth.</cost>
/// <differs>Differences, their mean and the sum stay in float32 until the end; mergekit rounds each to the storage type.</differs>
/// <formula>d_i = x_i - b; m_i = |d_i| > epsilon; c = sum_i m_i; y = b + sum_i m_i d_i / max(c, 1)</formula>
[Method("ram", Room.Merge)]
[Source("mergekit", Where = "merge_method: ram")]
[Inert("int8_mask", "normalize", "rescale", "lambda", "weight", "density", "r", "alpha", "t")]
public sealed partial class Ram : Rule<Ram.Parameters>
{
    /// <summary>Parameters of <c>ram</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>A change up to this counts as none.</summary>
        [Unit("magnitude"), Range(0, double.PositiveInfinity)]
        public double Epsilon { get; init; } = 1e-5;
    }

    public override Arity Arity { get; } = new(1, int.MaxValue, NeedsBase: true);

    /// <summary>All bits set where model k changed an element.</summary>
    internal static Vector256<float> Changed<Q>(in Operands x, int k, int i, Vector256<float> epsilon) where Q : struct, IRounding =>
        Vector256.GreaterThan(Vector256.Abs(x.Delta<Q>(k, i)), epsilon);

    /// <summary>How many models changed each of eight elements.</summary>
    internal static Vector256<float> Count<Q>(in Operands x, int i, Vector256<float> epsilon) where Q : struct, IRounding
    {
        Vector256<float> count = Vector256<float>.Zero;
        for (int k = 0; k < x.Count; k++) if (k != x.BaseIndex) count += Changed<Q>(x, k, i, epsilon) & Vector256<float>.One;
        return count;
    }

    protected internal override void Apply<Q>(in Block at, ReadOnlySpan<Parameters> p, in Operands x, Measured m, Span<float> y)
    {
        if (x.Count == 1)
        {
            x[0].CopyTo(y);
            return;
        }
        Vector256<float> epsilon = Vector256.Create(Q.Round((float)p[0].Epsilon));
        for (int i = 0; i < y.Length; i += Operands.Step)
        {
            Vector256<float> count = Vector256.Max(Count<Q>(x, i, epsilon), Vector256<float>.One), sum = Vector256<float>.Zero;
            for (int k = 0; k < x.Count; k++)
                if (k != x.BaseIndex) sum += Q.Round(x.Delta<Q>(k, i) / count) & Changed<Q>(x, k, i, epsilon);
            Operands.Put(y, i, Q.Round(x.Base(i) + Q.Round(sum)));
        }
    }
}
