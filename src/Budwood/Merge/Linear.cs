using Budwood.Methods;
using Budwood.Numbers;

namespace Budwood.Merge;

/// <summary>Weighted average of the models, tensor by tensor (a model soup with weights).</summary>
/// <use>Averaging fine-tunes of one base (weight 1 for all: the uniform soup; 'greedy_soup' leaves out those that do not help), checkpoints of one run, or
/// extrapolating with weights that are negative or above one.</use>
/// <notfor>Models that do not share an ancestor: their average is noise.</notfor>
/// <cost>Reads every input once, writes once; bound by memory bandwidth.</cost>
/// <differs>mergekit 0.1.4 rounds every product, the sum and the weights themselves to the storage type; here one float32 fused multiply-add chain in
/// model order, one division by the sum of the weights, one rounding, as mergekit 0.1.5 has it.</differs>
/// <formula>y = sum_i w_i x_i, divided by sum_i w_i when normalize</formula>
[Method("linear", Room.Merge)]
[Paper("breadcrumbs", "baseline 'linear'")]
[Source("mergekit", Where = "merge_method: linear")]
[Inert("int8_mask", "density", "lambda", "rescale", "t")]
public sealed partial class Linear : Rule<Linear.Parameters>
{
    /// <summary>Parameters of <c>linear</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>Weight of the model; relative when normalised.</summary>
        [PerModel, Required, Unit("1"), Range(double.NegativeInfinity, double.PositiveInfinity)]
        public double Weight { get; init; }

        /// <summary>Divide by the sum of the weights.</summary>
        public bool Normalize { get; init; } = true;
    }

    public override Arity Arity { get; } = new(1, int.MaxValue, BaseCounts: true);
    public override RowMismatch Rows => RowMismatch.Common;
    public override bool MayCopy(int models) => models == 1;

    // 0.1.5 computes in float32 whatever the storage type; only 0.1.4 rounds on the way.
    public override DType? Rounds(Arithmetic mode, DType working) => mode == Arithmetic.Mergekit014 ? working : null;

    protected internal override void Check(Slot at, ReadOnlySpan<Parameters> p)
    {
        if (!p[0].Normalize || at.Arithmetic == Arithmetic.Mergekit014) return;
        double sum = 0;
        foreach (Parameters one in p) sum += one.Weight;
        if (Math.Abs((float)sum) < 1e-8) throw MergeFaults.WeightsSumToZero(at);
    }

    protected internal override void Apply<Q>(in Block at, ReadOnlySpan<Parameters> p, in Operands x, Measured m, Span<float> y)
    {
        Span<float> w = stackalloc float[p.Length];
        float sum = 0;
        for (int k = 0; k < w.Length; k++) sum += w[k] = Q.Round((float)p[k].Weight);
        Combination.Of<Q>(x, w, p[0].Normalize ? Q.Round(sum) : 1, y);
    }
}
