using System.Runtime.Intrinsics;
using Budwood.Methods;
using Budwood.Numbers;
using Budwood.Numbers.Kernels;

namespace Budwood.Merge;

/// <summary>Parameters of the DARE methods.</summary>
public record DareParameters : TaskVectorParameters
{
    /// <summary>Probability that an element of the task vector stays; 1 keeps all of them and draws nothing.</summary>
    [PerModel, Unit("probability"), Range(0, double.PositiveInfinity)]
    public double Density { get; init; } = 1;

    /// <summary>How what stays is scaled up for what was dropped. Without a value: inverse (1/density), as the paper has it; with --compat mergekit l1. True is
    /// l1, the peer's rescaling; false is none.</summary>
    public Rescale? Rescale { get; init; }
}

/// <summary>The drop of DARE: every element stays with the same probability, whatever its size.</summary>
public abstract class RandomDrop<P> : TaskVectors<P> where P : DareParameters, new()
{
    protected override bool Drops(P p) => p.Density < 1;
    protected override Rescale RescaleOf(P p, Arithmetic mode) => p.Rescale ?? (mode == Arithmetic.Ours ? Rescale.Inverse : Rescale.L1);
    protected override double Share(P p) => p.Density;
    protected internal override int Draws(Slot at, P p) => p.Density < 1 ? 1 : 0;

    // The peer works in float32 for F16 tensors here.
    protected override DType Norms(DType working) => working == DType.BF16 ? DType.BF16 : DType.F32;

    protected override void Keep<Q>(int input, in Block at, P p, in Operands x, Measured m, Span<float> delta)
    {
        Delta<Q>(x, input, delta);
        Span<byte> mask = m.Mask(x.Count + input, at, out bool known);
        if (known)
        {
            Masks.Apply(mask, delta[..at.Count]);
            return;
        }
        ReadOnlySpan<float> uniform = x.Uniform(input);
        float probability = (float)p.Density;
        Vector256<float> keep = Vector256.Create(Q.DType == DType.BF16 ? Q.Round(probability) : probability);
        for (int i = 0; i < delta.Length; i += Operands.Step)
        {
            Vector256<float> stays = Vector256.LessThan(Operands.Get(uniform, i), keep);
            Operands.Put(delta, i, Operands.Get(delta, i) & stays);
            if (!mask.IsEmpty && i < at.Count) mask[i >> 3] = (byte)stays.ExtractMostSignificantBits();
        }
    }
}
