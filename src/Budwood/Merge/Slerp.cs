using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Budwood.Methods;
using Budwood.Numbers;

namespace Budwood.Merge;

/// <summary>Spherical linear interpolation between the base and one other model, each tensor as one vector.</summary>
/// <use>Blending two models of one family while keeping the length of the weights; the gradient recipe over attention and MLP layers.</use>
/// <notfor>More than two models (multislerp, karcher), or models with different ancestors.</notfor>
/// <cost>Reads both inputs twice (inner products, then the blend), writes once.</cost>
/// <differs>Norms and the angle are float64 sums, so that no summation order shows; the peer's float32 sums differ in the last place.</differs>
/// <formula>y = sin((1-t) a)/sin(a) x_base + sin(t a)/sin(a) x_other with a the angle between them; y = (1-t) x_base + t x_other where |cos a| > 0.9995</formula>
[Method("slerp", Room.Merge)]
[Paper("breadcrumbs", "baseline 'slerp'")]
[Source("mergekit", Where = "merge_method: slerp")]
[Inert("int8_mask", "normalize", "rescale", "lambda", "weight", "density")]
public sealed partial class Slerp : Rule<Slerp.Parameters>
{
    /// <summary>Parameters of <c>slerp</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>Position between the base (0) and the other model (1); outside it extrapolates.</summary>
        [Required, Unit("share of the way"), Range(double.NegativeInfinity, double.PositiveInfinity)]
        public double T { get; init; }
    }

    private const double Parallel = 0.9995, Zero = 1e-8;

    public override Arity Arity { get; } = new(1, 1, NeedsBase: true);
    public override RowMismatch Rows => RowMismatch.Common;
    public override Promotion Promotion(Arithmetic mode) => Methods.Promotion.Base;

    // The peer computes in float32 whatever the storage type and rounds once.
    public override DType? Rounds(Arithmetic mode, DType working) => mode == Arithmetic.Ours ? null : DType.F32;

    protected internal override void Measure(int round, Slot at, ReadOnlySpan<Parameters> p, Measured m, Measures ask)
    {
        if (round == 0)
        {
            ask.Gram(Of.Values);
            return;
        }
        (int from, int to) = (at.Base, 1 - at.Base);
        (double n0, double n1) = (Math.Sqrt(m.Gram(from, from)), Math.Sqrt(m.Gram(to, to)));
        double t = p[0].T, cosine = m.Gram(from, to) / ((n0 > Zero ? n0 : 1) * (n1 > Zero ? n1 : 1));
        if (Math.Abs(cosine) > Parallel || double.IsNaN(cosine))
        {
            m.Scalars.Add(1 - t);
            m.Scalars.Add(t);
            return;
        }
        double angle = Math.Acos(cosine), sine = Math.Sin(angle);
        m.Scalars.Add(Math.Sin((1 - t) * angle) / sine);
        m.Scalars.Add(Math.Sin(t * angle) / sine);
    }

    protected internal override void Apply<Q>(in Block at, ReadOnlySpan<Parameters> p, in Operands x, Measured m, Span<float> y)
    {
        Vector256<float> s0 = Vector256.Create((float)m.Scalars[0]), s1 = Vector256.Create((float)m.Scalars[1]);
        ref float from = ref MemoryMarshal.GetReference(x[x.BaseIndex]), other = ref MemoryMarshal.GetReference(x[1 - x.BaseIndex]), to = ref MemoryMarshal.GetReference(y);
        for (int i = 0; i < y.Length; i += Operands.Step)
            Q.MultiplyAdd(s1, Vector256.LoadUnsafe(ref other, (nuint)i), s0 * Vector256.LoadUnsafe(ref from, (nuint)i)).StoreUnsafe(ref to, (nuint)i);
    }
}
