using System.Runtime.Intrinsics;
using Budwood.Methods;
using Budwood.Numbers;
using Budwood.Numbers.Kernels;

namespace Budwood.Merge;

/// <summary>Karcher mean: the point of the sphere whose arcs to the directions of all models are shortest in the sum of squares, at the models' mean length.</summary>
/// <use>SLERP for any number of models on an equal footing: no base, no weights, no order.</use>
/// <notfor>Models without a common ancestor, or models that should count differently (multislerp has weights).</notfor>
/// <cost>Reads every input twice (inner products, merge), writes once; the iteration runs on the inner products alone. In compat with BF16 and F16 tensors a whole tensor
/// of every input stands in memory.</cost>
/// <differs>The mean lies in the span of the inputs, so the iteration works on its coefficients in float64; mergekit iterates on tensors of the storage type. A zero tensor
/// (norm up to tol) has no direction: it shortens the result but does not turn it, as in mergekit. A model opposite to the mean has no shortest arc and is left out of that step.</differs>
/// <formula>u_i = x_i/|x_i|; u = mean(u_i)/|mean(u_i)|; repeat T = mean_i (a_i/sin a_i)(u_i - cos a_i u), cos a_i = u.u_i, u = cos|T| u + sin|T| T/|T| until |T| &lt; tol; y = u mean(|x_i|)</formula>
[Method("karcher", Room.Merge)]
[Source("mergekit", Where = "merge_method: karcher")]
[Inert("int8_mask", "normalize", "rescale", "lambda", "weight", "density", "t")]
public sealed partial class Karcher : Rule<Karcher.Parameters>
{
    /// <summary>Parameters of <c>karcher</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>Most steps of the iteration.</summary>
        [Unit("steps"), Range(0, 1_000_000)]
        public long MaxIter { get; init; } = 10;

        /// <summary>A step shorter than this ends the iteration; norms and angles below it count as zero.</summary>
        [Unit("rad"), Range(0, double.PositiveInfinity)]
        public double Tol { get; init; } = 1e-5;
    }

    private const double Antipode = 1e-6;

    public override Arity Arity { get; } = new(1, int.MaxValue, BaseCounts: true);
    public override RowMismatch Rows => RowMismatch.Common;
    public override bool MayCopy(int models) => models == 1;
    public override int Scratch(int inputs) => inputs + 2;

    // Where the peer's roundings are coarse its iteration is followed step by step; otherwise the result is a combination of the inputs.
    private static bool Steps(Slot at) => at.Arithmetic != Arithmetic.Ours && at.Working is DType.BF16 or DType.F16;
    protected internal override Extent Extent(Slot at, ReadOnlySpan<Parameters> p) => Steps(at) ? Methods.Extent.Whole : Methods.Extent.Block;

    protected internal override void Measure(int round, Slot at, ReadOnlySpan<Parameters> p, Measured m, Measures ask)
    {
        if (at.Inputs.Count == 1 || Steps(at)) return;
        if (round == 0) ask.Gram(Of.Values);
        if (round == 1) Coefficients(at.Inputs.Count, p[0], m);
    }

    // The mean as a combination of the inputs: a holds its coefficients, dot its inner products with all inputs.
    private static void Coefficients(int n, Parameters p, Measured m)
    {
        Span<double> norm = stackalloc double[n], a = stackalloc double[n], tangent = stackalloc double[n], dot = stackalloc double[n];
        double length = 0;
        int valid = 0, first = -1;
        for (int i = 0; i < n; i++)
        {
            norm[i] = Math.Sqrt(m.Gram(i, i));
            length += norm[i] / n;
            if (!(norm[i] > p.Tol)) continue;
            valid++;
            if (first < 0) first = i;
        }
        for (int i = 0; i < n; i++) a[i] = norm[i] > p.Tol ? 1 / (valid * norm[i]) : 0;
        if (valid > 0 && Multiply(m, a, dot) <= p.Tol * p.Tol)
        {
            a.Clear();
            a[first] = 1 / norm[first];
        }
        for (long step = 0; step < p.MaxIter && valid > 0; step++)
        {
            Scale(a, 1 / Math.Sqrt(Multiply(m, a, dot)));
            Multiply(m, a, dot);
            tangent.Clear();
            for (int i = 0; i < n; i++)
            {
                if (!(norm[i] > p.Tol)) continue;
                double cosine = Math.Clamp(dot[i] / norm[i], -1, 1), angle = Math.Acos(cosine);
                if (angle < p.Tol || angle > Math.PI - Antipode) continue;
                double pull = angle / Math.Sin(angle) / valid;
                tangent[i] += pull / norm[i];
                for (int k = 0; k < n; k++) tangent[k] -= pull * cosine * a[k];
            }
            double turn = Math.Sqrt(Math.Max(0, Multiply(m, tangent, dot)));
            if (turn < p.Tol || turn == 0) break;
            for (int k = 0; k < n; k++) a[k] = (Math.Cos(turn) * a[k]) + (Math.Sin(turn) / turn * tangent[k]);
        }
        double square = Multiply(m, a, dot);
        Scale(a, square > 0 ? length / Math.Sqrt(square) : 0);
        for (int i = 0; i < n; i++) m.Scalars.Add(a[i]);
    }

    // Inner products of the combination with all inputs; returns its squared norm.
    private static double Multiply(Measured m, ReadOnlySpan<double> a, Span<double> dot)
    {
        double square = 0;
        for (int i = 0; i < a.Length; i++)
        {
            dot[i] = 0;
            for (int k = 0; k < a.Length; k++) dot[i] += m.Gram(i, k) * a[k];
            square += a[i] * dot[i];
        }
        return square;
    }

    private static void Scale(Span<double> a, double by)
    {
        for (int i = 0; i < a.Length; i++) a[i] *= by;
    }

    protected internal override void Apply<Q>(in Block at, ReadOnlySpan<Parameters> p, in Operands x, Measured m, Span<float> y)
    {
        if (x.Count == 1) x[0].CopyTo(y);
        else if (Steps(at.Slot)) Iterate<Q>(p[0], at.Slot.Arithmetic == Arithmetic.Mergekit014, x, y);
        else
        {
            Span<float> w = stackalloc float[x.Count];
            for (int k = 0; k < w.Length; k++) w[k] = (float)m.Scalars[k];
            Combination.Of<Plain>(x, w, 1, y);
        }
    }

    // The peer's iteration on tensors, norms in float32. 0.1.4 rounds every product of a cosine to the type, 0.1.5 only their sum.
    private static void Iterate<Q>(Parameters p, bool eachProduct, in Operands x, Span<float> y) where Q : struct, IRounding
    {
        int n = x.Count, valid = 0, first = 0;
        Span<float> norm = stackalloc float[n], u = x.Scratch(n), tangent = x.Scratch(n + 1);
        double length = 0;
        for (int i = n - 1; i >= 0; i--)
        {
            norm[i] = Norm(x[i]);
            length += norm[i] / (double)n;
            if (!(norm[i] > p.Tol)) continue;
            (valid, first) = (valid + 1, i);
            x[i].CopyTo(x.Scratch(i));
            Divide<Q>(x.Scratch(i), norm[i]);
        }
        if (valid == 0)
        {
            y.Clear(); // nothing has a direction, and scratch holds no numbers
            return;
        }
        u.Clear();
        float share = (float)(1.0 / valid);
        for (int i = 0; i < n; i++) if (norm[i] > p.Tol) Add<Q>(u, share, x.Scratch(i));
        float start = Norm(u);
        if (start < p.Tol) x.Scratch(first).CopyTo(u);
        else Divide<Q>(u, start);
        for (long step = 0; step < p.MaxIter; step++)
        {
            tangent.Clear();
            for (int i = 0; i < n; i++) if (norm[i] > p.Tol) Pull<Q>(p.Tol, eachProduct, share, u, x.Scratch(i), tangent, y);
            float turn = Norm(tangent);
            if (turn < p.Tol || turn == 0) break;
            Divide<Q>(tangent, turn);
            Vector256<float> cos = Vector256.Create(Q.Round(MathF.Cos(turn))), sin = Vector256.Create(Q.Round(MathF.Sin(turn)));
            for (int k = 0; k < u.Length; k += Operands.Step) Operands.Put(u, k, Q.Round(Q.Round(cos * Operands.Get(u, k)) + Q.Round(sin * Operands.Get(tangent, k))));
            float now = Norm(u);
            if (now > p.Tol) Divide<Q>(u, now);
        }
        Vector256<float> scale = Vector256.Create((float)length);
        for (int k = 0; k < y.Length; k += Operands.Step) Operands.Put(y, k, Q.Round(Operands.Get(u, k) * scale));
    }

    // Adds to the tangent where one direction lies from the mean; 'products' is room.
    private static void Pull<Q>(double tol, bool eachProduct, float share, ReadOnlySpan<float> u, ReadOnlySpan<float> direction, Span<float> tangent, Span<float> products) where Q : struct, IRounding
    {
        for (int k = 0; eachProduct && k < u.Length; k += Operands.Step) Operands.Put(products, k, Q.Round(Operands.Get(u, k) * Operands.Get(direction, k)));
        double dot = eachProduct ? Reductions.Sum(products) : Reductions.Dot(u, direction);
        float cosine = Math.Clamp(Q.Round((float)dot), -1, 1), angle = Q.Round(MathF.Acos(cosine)), sine = Q.Round(MathF.Sin(angle));
        if (angle < tol || sine == 0) return;
        Vector256<float> pull = Vector256.Create(Q.Round(share * Q.Round(angle / sine))), c = Vector256.Create(cosine);
        for (int k = 0; k < u.Length; k += Operands.Step)
        {
            Vector256<float> across = Q.Round(Operands.Get(direction, k) - Q.Round(c * Operands.Get(u, k)));
            Operands.Put(tangent, k, Q.Round(Operands.Get(tangent, k) + Q.Round(pull * across)));
        }
    }

    private static float Norm(ReadOnlySpan<float> v) => (float)Math.Sqrt(Reductions.Dot(v, v));

    private static void Add<Q>(Span<float> to, float share, ReadOnlySpan<float> v) where Q : struct, IRounding
    {
        for (int k = 0; k < to.Length; k += Operands.Step) Operands.Put(to, k, Q.Round(Operands.Get(to, k) + Q.Round(Vector256.Create(share) * Operands.Get(v, k))));
    }

    private static void Divide<Q>(Span<float> v, float by) where Q : struct, IRounding
    {
        for (int k = 0; k < v.Length; k += Operands.Step) Operands.Put(v, k, Q.Round(Operands.Get(v, k) / Vector256.Create(by)));
    }
}
