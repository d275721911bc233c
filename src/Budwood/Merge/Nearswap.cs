using System.Runtime.Intrinsics;
using Budwood.Methods;

namespace Budwood.Merge;

/// <summary>Takes an element from the other model where it lies within a threshold of the base, and ever less of it the further away it lies.</summary>
/// <use>Giving a model some of the flavour of a close relative while whatever the relative changed strongly stays with the base.</use>
/// <notfor>Carrying over what a fine-tune learned: its largest changes are the ones left behind. More than two models.</notfor>
/// <cost>Reads both inputs once, writes once; bound by memory bandwidth.</cost>
/// <differs>mergekit 0.1.4 rounds the difference, its reciprocal, the weights and both products to the storage type; here everything is float32, the last
/// product and sum are fused, and there is one rounding. A negative threshold is refused; the peer returns the base.</differs>
/// <formula>y = w x_other + (1 - w) x_base with w = t / max(|x_base - x_other|, 1e-6), held between 0 and 1, for each element</formula>
[Method("nearswap", Room.Merge)]
[Source("mergekit", Where = "merge_method: nearswap")]
[Inert("int8_mask", "normalize", "rescale", "lambda", "weight", "density")]
public sealed partial class Nearswap : Rule<Nearswap.Parameters>
{
    /// <summary>Parameters of <c>nearswap</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>Distance from the base up to which the other model's element is taken whole.</summary>
        [Required, Unit("weight difference"), Range(0, double.PositiveInfinity)]
        public double T { get; init; }
    }

    private const float Smallest = 1e-6f;

    public override Arity Arity { get; } = new(1, 1, NeedsBase: true);
    public override Promotion Promotion(Arithmetic mode) => Methods.Promotion.Base;

    protected internal override void Apply<Q>(in Block at, ReadOnlySpan<Parameters> p, in Operands x, Measured m, Span<float> y)
    {
        // The base lacks this tensor: there is nothing to measure a distance from.
        if (x.Count == 1)
        {
            x[0].CopyTo(y);
            return;
        }
        int other = 1 - x.BaseIndex;
        Vector256<float> one = Vector256<float>.One, t = Vector256.Create((float)p[0].T), smallest = Vector256.Create(Q.Round(Smallest));
        for (int i = 0; i < y.Length; i += Operands.Step)
        {
            Vector256<float> distance = Vector256.Max(Vector256.Abs(x.Delta<Q>(other, i)), smallest);
            // A number divided by a tensor is, to torch, the tensor's reciprocal times the number: two roundings.
            Vector256<float> w = Vector256.Clamp(Q.Round(Q.Round(one / distance) * t), Vector256<float>.Zero, one);
            Operands.Put(y, i, Q.Round(Q.MultiplyAdd(w, x.At(other, i), Q.Round(Q.Round(one - w) * x.Base(i)))));
        }
    }
}
