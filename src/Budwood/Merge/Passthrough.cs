using System.Runtime.Intrinsics;
using Budwood.Methods;

namespace Budwood.Merge;

/// <summary>Takes every tensor from one model as it is, or times a number: layers of several models stacked by slices, or one model copied.</summary>
/// <use>Frankenmerges (slices of layers, repeated or from several models), copies in another type, layers that start as the identity (scale 0 on o_proj and down_proj).</use>
/// <notfor>Blending tensors; every slice has one source.</notfor>
/// <cost>Copies bytes where no scale and no other type is asked for; otherwise reads once, writes once.</cost>
/// <differs>A scale of 1 copies bytes. Tensors of types without arithmetic (integers, flags, 8-bit floats) are copied too. A base_model that is not the source
/// is no second model, which mergekit refuses: it gives configuration and tokenizer, and is what the receipt compares with.</differs>
/// <formula>y = x, or y = scale x</formula>
[Method("passthrough", Room.Merge, MayCopy = true)]
[Source("mergekit", Where = "merge_method: passthrough")]
[Inert("int8_mask", "normalize", "rescale", "lambda", "weight", "density", "t")]
public sealed partial class Passthrough : Rule<Passthrough.Parameters>
{
    /// <summary>Parameters of <c>passthrough</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>Factor of every value; without it the values stay as they are.</summary>
        [PerModel, Unit("1"), Range(double.NegativeInfinity, double.PositiveInfinity)]
        public double? Scale { get; init; }
    }

    public override Arity Arity { get; } = new(1, 1, BaseCounts: true);

    protected internal override bool Copies(Parameters p) => p.Scale is null or 1;

    protected internal override void Apply<Q>(in Block at, ReadOnlySpan<Parameters> p, in Operands x, Measured m, Span<float> y)
    {
        if (Copies(p[0]))
        {
            x[0].CopyTo(y);
            return;
        }
        Vector256<float> scale = Vector256.Create((float)p[0].Scale!.Value);
        for (int i = 0; i < y.Length; i += Operands.Step) Operands.Put(y, i, Q.Round(x.At(0, i) * scale));
    }
}
