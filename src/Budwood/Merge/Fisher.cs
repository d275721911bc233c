using System.Runtime.Intrinsics;
using Budwood.Methods;
using Budwood.Numbers;

namespace Budwood.Merge;

/// <summary>Average of the models in which each parameter of each model counts by its Fisher information: how much that model's output depends on it.</summary>
/// <use>Merging fine-tunes of one base for which the diagonal Fisher information was computed, so that a task keeps the parameters that it needs.</use>
/// <notfor>Models without Fisher information: 'linear' is this method with equal ones. Fisher information on different scales: one model then wins everywhere.</notfor>
/// <cost>Reads every model and every Fisher checkpoint once, writes once: twice the reading of 'linear'.</cost>
/// <differs>Often small Fisher values are raised to a floor such as 1e-6, which makes them all equal; here the floor is added, so that their order stays. With equal
/// Fisher information everywhere it is 'linear'.</differs>
/// <formula>y = sum_i w_i (F_i + floor) x_i / sum_i w_i (F_i + floor)</formula>
[Method("fisher", Room.Merge)]
[Paper("breadcrumbs", "baseline 'fisher'")]
public sealed partial class Fisher : Rule<Fisher.Parameters>
{
    /// <summary>Parameters of <c>fisher</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>Weight of the model, relative to the others.</summary>
        [PerModel, Unit("1"), Range(0, double.PositiveInfinity, MaximumOpen = true)]
        public double Weight { get; init; } = 1;

        /// <summary>Checkpoint (folder or safetensors file) with the diagonal Fisher information of the model, under the names of the model's tensors.</summary>
        [PerModel, Required]
        public string Fisher { get; init; } = "";

        /// <summary>Added to every Fisher value: parameters that no data has moved become the weighted average.</summary>
        [Unit("1"), Range(1e-30, 1e30)]
        public double Floor { get; init; } = 1e-10;
    }

    public override Arity Arity { get; } = new(1, int.MaxValue, BaseCounts: true);
    public override bool MayCopy(int models) => models == 1;

    // No peer has it: float32 whatever the storage type.
    public override DType? Rounds(Arithmetic mode, DType working) => null;

    protected internal override string? Companion(Parameters p) => p.Fisher;

    protected internal override void Check(Slot at, ReadOnlySpan<Parameters> p)
    {
        double sum = 0;
        foreach (Parameters one in p) sum += (float)one.Weight;
        if (sum == 0) throw MergeFaults.WeightsSumToZero(at);
    }

    protected internal override void Apply<Q>(in Block at, ReadOnlySpan<Parameters> p, in Operands x, Measured m, Span<float> y)
    {
        Vector256<float> floor = Vector256.Create((float)p[0].Floor), infinity = Vector256.Create(float.PositiveInfinity);
        Span<Vector256<float>> good = stackalloc Vector256<float>[p.Length];
        good.Fill(Vector256<float>.AllBitsSet);
        for (int i = 0; i < y.Length; i += Operands.Step)
        {
            Vector256<float> total = Vector256<float>.Zero, divisor = Vector256<float>.Zero;
            for (int k = 0; k < p.Length; k++)
            {
                Vector256<float> f = x.Companion(k, i);
                good[k] &= Vector256.GreaterThanOrEqual(f, Vector256<float>.Zero) & Vector256.LessThan(f, infinity);
                Vector256<float> share = (f + floor) * Vector256.Create((float)p[k].Weight);
                total = Q.MultiplyAdd(x.At(k, i), share, total);
                divisor += share;
            }
            Operands.Put(y, i, total / divisor);
        }
        for (int k = 0; k < p.Length; k++)
            if (good[k].ExtractMostSignificantBits() != 0xFF) throw MergeFaults.NotFisher(at.Slot.Inputs[k].Companion!);
    }
}
