using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Budwood.Methods;
using Budwood.Numbers;
using Budwood.Numbers.Kernels;

namespace Budwood.Merge;

/// <summary>Model Stock: moves from the base towards the average of its fine-tunes, the further the more their task vectors agree in direction.</summary>
/// <use>Two or more fine-tunes of one base on the same task (other seeds, other data order): their average with an anchor, no weight to tune.</use>
/// <notfor>Fine-tunes for different tasks: nearly orthogonal task vectors leave little but the base. A single fine-tune.</notfor>
/// <cost>Reads every input twice (inner products, merge), writes once; by rows once, with a row of every input in memory.</cost>
/// <differs>Inner products and norms are float64 sums, and the result is base + t times the mean task vector in one float32 chain. As in mergekit the product of two
/// norms counts as at least 1e-6, so that tiny task vectors lean to the base; where the denominator of t is below 1e-6 the base stays (as in 0.1.5).</differs>
/// <formula>c = mean over pairs of cos(x_i - b, x_j - b); t = N c / ((N - 1) c + 1); y = t mean(x_i) + (1 - t) b</formula>
[Method("model_stock", Room.Merge)]
[Source("mergekit", Where = "merge_method: model_stock")]
[Inert("int8_mask", "normalize", "rescale", "lambda", "weight", "density", "t")]
public sealed partial class ModelStock : Rule<ModelStock.Parameters>
{
    /// <summary>Parameters of <c>model_stock</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>One angle and one t for every row (output feature) instead of one for the whole tensor.</summary>
        public bool FilterWise { get; init; }
    }

    private const double Least = 1e-6;

    public override Arity Arity { get; } = new(2, int.MaxValue, NeedsBase: true);
    public override RowMismatch Rows => RowMismatch.Common;
    public override int Scratch(int inputs) => inputs + 1;

    protected internal override Extent Extent(Slot at, ReadOnlySpan<Parameters> p) => p[0].FilterWise ? Methods.Extent.Row : Methods.Extent.Block;

    // Quantity i n + j is the product of deltas i and j, element by element, as the peer rounds it.
    protected internal override void Measure(int round, Slot at, ReadOnlySpan<Parameters> p, Measured m, Measures ask)
    {
        if (round > 0 || at.Inputs.Count == 1 || p[0].FilterWise) return;
        ask.Gram(Of.Deltas);
        if (at.Arithmetic == Arithmetic.Ours) return;
        int n = at.Inputs.Count;
        for (int i = 0; i < n; i++) for (int j = i + 1; j < n; j++) if (i != at.Base && j != at.Base) ask.Sum((i * n) + j);
    }

    protected internal override void View<Q>(int quantity, in Block at, ReadOnlySpan<Parameters> p, in Operands x, Measured m, Span<float> v)
    {
        (int first, int second) = Math.DivRem(quantity, x.Count);
        for (int i = 0; i < v.Length; i += Operands.Step) Operands.Put(v, i, Q.Round(x.Delta<Q>(first, i) * x.Delta<Q>(second, i)));
    }

    protected internal override void Apply<Q>(in Block at, ReadOnlySpan<Parameters> p, in Operands x, Measured m, Span<float> y)
    {
        if (x.Count == 1)
        {
            x[0].CopyTo(y);
            return;
        }
        int n = x.Count, models = n - 1;
        double cosines = p[0].FilterWise ? OfRow<Q>(at, p, x, m) : 0;
        for (int i = 0; i < n && !p[0].FilterWise; i++)
            for (int j = i + 1; j < n; j++)
                if (i != x.BaseIndex && j != x.BaseIndex) cosines += Cosine<Q>(Q.FollowsPeer ? m.Sum((i * n) + j) : m.Gram(i, j), m.Gram(i, i), m.Gram(j, j));
        double share = Share<Q>(cosines, models, at.Slot.Arithmetic);
        if (Q.FollowsPeer) Blend<Q>(x, (float)share, y);
        else Advance(x, (float)(share / models), y);
    }

    // The sum of the cosines of all pairs of one row.
    private double OfRow<Q>(in Block at, ReadOnlySpan<Parameters> p, in Operands x, Measured m) where Q : struct, IRounding
    {
        int n = x.Count;
        Span<double> square = stackalloc double[n];
        double cosines = 0;
        for (int i = 0; i < n; i++)
        {
            if (i == x.BaseIndex) continue;
            Span<float> d = x.Scratch(i), products = x.Scratch(n);
            for (int k = 0; k < d.Length; k += Operands.Step) Operands.Put(d, k, x.Delta<Q>(i, k));
            square[i] = Reductions.Dot(d, d);
            for (int j = 0; j < i; j++)
            {
                if (j == x.BaseIndex) continue;
                if (Q.FollowsPeer) View<Q>((j * n) + i, at, p, x, m, products);
                cosines += Cosine<Q>(Q.FollowsPeer ? Reductions.Sum(products) : Reductions.Dot(d, x.Scratch(j)), square[i], square[j]);
            }
        }
        return cosines;
    }

    private static double Cosine<Q>(double dot, double square, double other) where Q : struct, IRounding
    {
        if (!Q.FollowsPeer) return Math.Clamp(dot / Math.Max(Math.Sqrt(square * other), Least), -1, 1);
        float norms = Q.Round(Q.Round((float)Math.Sqrt(square)) * Q.Round((float)Math.Sqrt(other)));
        return Math.Clamp(Q.Round(Q.Round((float)dot) / Math.Max(norms, Q.Round((float)Least))), -1, 1);
    }

    // The interpolation ratio t. Mean cosines are at least -1/(N - 1): the denominator vanishes there and is never negative.
    private static double Share<Q>(double cosines, int models, Arithmetic mode) where Q : struct, IRounding
    {
        double mean = cosines / (models * (models - 1) / 2);
        if (!Q.FollowsPeer)
        {
            double whole = (mean * (models - 1)) + 1;
            return whole < Least ? 0 : mean * models / whole;
        }
        float c = Q.Round((float)mean), divisor = Q.Round(Q.Round(c * (models - 1)) + 1);
        return mode == Arithmetic.Mergekit015 && divisor < Least ? 0 : Q.Round(Q.Round(c * models) / divisor);
    }

    // base + (t / N) times the sum of the deltas: where nothing differs from the base, the base stays to the bit.
    private static void Advance(in Operands x, float step, Span<float> y)
    {
        Vector256<float> s = Vector256.Create(step);
        if (x.Count == 3)
        {
            ref float a = ref MemoryMarshal.GetReference(x[x.BaseIndex == 0 ? 1 : 0]), b = ref MemoryMarshal.GetReference(x[x.BaseIndex == 2 ? 1 : 2]);
            ref float origin = ref MemoryMarshal.GetReference(x[x.BaseIndex]), to = ref MemoryMarshal.GetReference(y);
            for (int i = 0; i < y.Length; i += Operands.Step)
            {
                Vector256<float> o = Vector256.LoadUnsafe(ref origin, (nuint)i);
                Vector256<float> sum = Vector256<float>.Zero + (Vector256.LoadUnsafe(ref a, (nuint)i) - o) + (Vector256.LoadUnsafe(ref b, (nuint)i) - o);
                Plain.MultiplyAdd(s, sum, o).StoreUnsafe(ref to, (nuint)i);
            }
            return;
        }
        for (int i = 0; i < y.Length; i += Operands.Step)
        {
            Vector256<float> sum = Vector256<float>.Zero;
            for (int k = 0; k < x.Count; k++) if (k != x.BaseIndex) sum += x.Delta<Plain>(k, i);
            Operands.Put(y, i, Plain.MultiplyAdd(s, sum, x.Base(i)));
        }
    }

    private static void Blend<Q>(in Operands x, float share, Span<float> y) where Q : struct, IRounding
    {
        Vector256<float> t = Vector256.Create(share), rest = Vector256.Create(Q.Round(1 - share)), models = Vector256.Create((float)(x.Count - 1));
        for (int i = 0; i < y.Length; i += Operands.Step)
        {
            Vector256<float> sum = Vector256<float>.Zero;
            for (int k = 0; k < x.Count; k++) if (k != x.BaseIndex) sum = Q.Round(sum + x.At(k, i));
            Vector256<float> average = Q.Round(sum / models);
            Operands.Put(y, i, Q.Round(Q.Round(t * average) + Q.Round(rest * x.Base(i))));
        }
    }
}
