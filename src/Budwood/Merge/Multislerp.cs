using System.Runtime.Intrinsics;
using Budwood.Methods;
using Budwood.Numbers;

namespace Budwood.Merge;

/// <summary>Weighted mean of directions of any number of models, or of their task vectors when a base is named, with the weighted mean of their lengths.</summary>
/// <use>SLERP for more than two models: the average does not shrink as a plain one does when directions differ.</use>
/// <notfor>Models without a common ancestor; directions that cancel, for which there is no mean.</notfor>
/// <cost>Reads every input twice (inner products, merge), writes once; no tensor in memory.</cost>
/// <differs>The directions' mean is the point in whose tangent space they are averaged, and there their mean is zero but for rounding: mergekit adds that rounding, here it is left out.
/// All norms are float64 sums. Directions that cancel (mean shorter than eps or 1e-7) are averaged in a line for any number of models, where mergekit stops with an error from three on.
/// In compat with BF16 and F16 tensors each step rounds as the peer's does, which reads every input five times.</differs>
/// <formula>v = w / sum w; u_i = x_i / (|x_i| + eps); y = sum_i v_i u_i / |sum_i v_i u_i| * sum_i v_i |x_i|, plus the base when x are deltas</formula>
[Method("multislerp", Room.Merge)]
[Source("mergekit", Where = "merge_method: multislerp")]
[Inert("int8_mask", "normalize", "rescale", "lambda", "density", "t")]
public sealed partial class Multislerp : Rule<Multislerp.Parameters>
{
    /// <summary>Parameters of <c>multislerp</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>Weight of the model.</summary>
        [PerModel, Required, Unit("1"), Range(double.NegativeInfinity, double.PositiveInfinity)]
        public double Weight { get; init; }

        /// <summary>Divide the weights by their sum.</summary>
        public bool NormalizeWeights { get; init; } = true;

        /// <summary>Added to every length before it divides; a mean direction shorter than this counts as none.</summary>
        [Unit("length"), Range(0, double.PositiveInfinity)]
        public double Eps { get; init; } = 1e-8;
    }

    private const double Lost = 1e-7; // shorter than what rounding to float32 leaves of directions that cancel

    public override Arity Arity { get; } = new(1, int.MaxValue);
    public override bool MayCopy(int models) => models == 1;
    public override int Scratch(int inputs) => 2;

    // Where the peer's roundings are coarse its steps are followed one by one; otherwise the result is a combination of the inputs.
    private static bool Steps(Slot at) => at.Arithmetic != Arithmetic.Ours && at.Working is DType.BF16 or DType.F16;

    protected internal override void Check(Slot at, ReadOnlySpan<Parameters> p)
    {
        if (at.Arithmetic != Arithmetic.Ours || at.Others == 1 || !p[0].NormalizeWeights) return;
        double sum = 0;
        for (int i = 0; i < p.Length; i++) if (i != at.Base) sum += p[i].Weight;
        if (Math.Abs((float)sum) < 1e-8) throw MergeFaults.WeightsSumToZero(at);
    }

    // Quantities: n the square of the mean direction, i its product with direction i, n + 1 the square of the mean tangent.
    protected internal override void Measure(int round, Slot at, ReadOnlySpan<Parameters> p, Measured m, Measures ask)
    {
        int n = at.Inputs.Count;
        if (at.Others == 1) return;
        if (round == 0) ask.Gram(at.Base < 0 ? Of.Values : Of.Deltas);
        else if (!Steps(at))
        {
            if (round == 1) Coefficients(at, p, m);
        }
        else if (round == 1) ask.Sum(n);
        else if (round == 2) { for (int i = 0; i < n; i++) if (i != at.Base) ask.Sum(i); }
        else if (round == 3) ask.Sum(n + 1);
    }

    private static void Coefficients(Slot at, ReadOnlySpan<Parameters> p, Measured m)
    {
        int n = at.Inputs.Count;
        Span<double> v = stackalloc double[n], a = stackalloc double[n];
        double sum = 0, length = 0, square = 0;
        for (int i = 0; i < n; i++) if (i != at.Base) sum += p[i].Weight;
        for (int i = 0; i < n; i++)
        {
            if (i == at.Base) continue;
            double norm = Math.Sqrt(m.Gram(i, i));
            v[i] = p[0].NormalizeWeights ? p[i].Weight / sum : p[i].Weight;
            a[i] = norm + p[0].Eps > 0 ? v[i] / (norm + p[0].Eps) : 0;
            length += v[i] * norm;
        }
        for (int i = 0; i < n; i++) for (int j = 0; j < n; j++) if (i != at.Base && j != at.Base) square += a[i] * a[j] * m.Gram(i, j);
        double mean = Math.Sqrt(Math.Max(0, square));
        bool line = mean <= Math.Max(Lost, p[0].Eps);
        for (int i = 0; i < n; i++) m.Scalars.Add(line ? v[i] : a[i] / mean * length);
    }

    protected internal override void View<Q>(int quantity, in Block at, ReadOnlySpan<Parameters> p, in Operands x, Measured m, Span<float> v)
    {
        int n = x.Count;
        Span<float> weight = stackalloc float[n], length = stackalloc float[n];
        Span<float> mean = quantity == n ? v : x.Scratch(0);
        Prepare<Q>(p, x, m, weight, length, mean);
        if (quantity != n) Divide<Q>(mean, Norm<Q>(m, n));
        if (quantity == n + 1) Tangent<Q>(x, m, weight, length, mean, v);
        for (int i = 0; i < v.Length; i += Operands.Step)
        {
            Vector256<float> u = Operands.Get(quantity < n ? mean : v, i);
            Operands.Put(v, i, quantity < n ? Q.Round(Unit<Q>(x, quantity, i, length) * u) : u * u);
        }
    }

    // Weights, lengths, and the mean of the directions, not yet divided by its norm.
    private static void Prepare<Q>(ReadOnlySpan<Parameters> p, in Operands x, Measured m, Span<float> weight, Span<float> length, Span<float> mean) where Q : struct, IRounding
    {
        float sum = 0, eps = Q.Round((float)p[0].Eps);
        for (int k = 0; k < weight.Length; k++) if (k != x.BaseIndex) sum += weight[k] = Q.Round((float)p[k].Weight);
        sum = Q.Round(sum);
        for (int k = 0; k < weight.Length; k++)
        {
            if (k == x.BaseIndex) continue;
            if (p[0].NormalizeWeights) weight[k] = Q.Round(weight[k] / sum);
            length[k] = Q.Round(Q.Round((float)Math.Sqrt(m.Gram(k, k))) + eps);
            if (length[k] == 0) length[k] = 1; // a zero tensor has no direction
        }
        for (int i = 0; i < mean.Length; i += Operands.Step)
        {
            Vector256<float> total = Vector256<float>.Zero;
            for (int k = 0; k < weight.Length; k++) if (k != x.BaseIndex) total += Q.Round(Unit<Q>(x, k, i, length) * Vector256.Create(weight[k]));
            Operands.Put(mean, i, Q.Round(total));
        }
    }

    private static Vector256<float> Value<Q>(in Operands x, int k, int i) where Q : struct, IRounding => x.BaseIndex < 0 ? x.At(k, i) : x.Delta<Q>(k, i);

    private static Vector256<float> Unit<Q>(in Operands x, int k, int i, ReadOnlySpan<float> length) where Q : struct, IRounding => Q.Round(Value<Q>(x, k, i) / Vector256.Create(length[k]));

    private static float Norm<Q>(Measured m, int quantity) where Q : struct, IRounding => Q.Round((float)Math.Sqrt(m.Sum(quantity)));

    private static void Divide<Q>(Span<float> v, float by) where Q : struct, IRounding
    {
        Vector256<float> divisor = Vector256.Create(by == 0 ? 1 : by);
        for (int i = 0; i < v.Length; i += Operands.Step) Operands.Put(v, i, Q.Round(Operands.Get(v, i) / divisor));
    }

    // Mean over the models of what their direction has across the mean: nothing but rounding.
    private static void Tangent<Q>(in Operands x, Measured m, ReadOnlySpan<float> weight, ReadOnlySpan<float> length, ReadOnlySpan<float> mean, Span<float> v) where Q : struct, IRounding
    {
        for (int i = 0; i < v.Length; i += Operands.Step)
        {
            Vector256<float> total = Vector256<float>.Zero, u = Operands.Get(mean, i);
            for (int k = 0; k < weight.Length; k++)
            {
                if (k == x.BaseIndex) continue;
                Vector256<float> across = Q.Round(Unit<Q>(x, k, i, length) - Q.Round(Vector256.Create(Q.Round((float)m.Sum(k))) * u));
                total += Q.Round(across * Vector256.Create(weight[k]));
            }
            Operands.Put(v, i, Q.Round(total));
        }
    }

    protected internal override void Apply<Q>(in Block at, ReadOnlySpan<Parameters> p, in Operands x, Measured m, Span<float> y)
    {
        if (at.Slot.Others == 1) x[x.BaseIndex == 0 ? 1 : 0].CopyTo(y);
        else if (Steps(at.Slot)) Follow<Q>(p, x, m, y);
        else
        {
            for (int i = 0; i < y.Length; i += Operands.Step)
            {
                Vector256<float> sum = x.BaseIndex < 0 ? Vector256<float>.Zero : x.Base(i);
                for (int k = 0; k < x.Count; k++) if (k != x.BaseIndex) sum = Plain.MultiplyAdd(Vector256.Create((float)m.Scalars[k]), Value<Plain>(x, k, i), sum);
                Operands.Put(y, i, sum);
            }
        }
    }

    private static void Follow<Q>(ReadOnlySpan<Parameters> p, in Operands x, Measured m, Span<float> y) where Q : struct, IRounding
    {
        int n = x.Count;
        Span<float> weight = stackalloc float[n], length = stackalloc float[n], mean = x.Scratch(0), tangent = x.Scratch(1);
        Prepare<Q>(p, x, m, weight, length, mean);
        float norm = Norm<Q>(m, n), eps = Q.Round((float)p[0].Eps), turn = Q.Round(Norm<Q>(m, n + 1) + eps), scale = 0;
        for (int k = 0; k < n; k++) if (k != x.BaseIndex) scale += Q.Round(Q.Round((float)Math.Sqrt(m.Gram(k, k))) * weight[k]);
        bool line = norm < p[0].Eps || norm == 0;
        Divide<Q>(mean, norm);
        Tangent<Q>(x, m, weight, length, mean, tangent);
        Vector256<float> cos = Vector256.Create(Q.Round(MathF.Cos(turn))), sin = Vector256.Create(turn == 0 ? 1 : Q.Round(Q.Round(MathF.Sin(turn)) / turn)), reach = Vector256.Create(Q.Round(scale));
        for (int i = 0; i < y.Length; i += Operands.Step)
        {
            Vector256<float> v = Vector256<float>.Zero;
            if (line) { for (int k = 0; k < n; k++) if (k != x.BaseIndex) v = Q.Round(v + Q.Round(Value<Q>(x, k, i) * Vector256.Create(weight[k]))); }
            else v = Q.Round(Q.Round(Q.Round(Operands.Get(mean, i) * cos) + Q.Round(Operands.Get(tangent, i) * sin)) * reach);
            Operands.Put(y, i, x.BaseIndex < 0 ? v : Q.Round(x.Base(i) + v));
        }
    }
}
