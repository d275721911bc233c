using System.Runtime.Intrinsics;
using Budwood.Methods;
using Budwood.Numbers;
using Budwood.Numbers.Kernels;

namespace Budwood.Merge;

/// <summary>Arcee Fusion: takes over from the fine-tune only those elements that changed conspicuously; all others stay the base's.</summary>
/// <use>One fine-tune whose side effects on everything else are to be kept out: some percent of the elements carry over, without a number to choose.</use>
/// <notfor>More than one fine-tune, or fine-tunes whose changes are even: where no score stands out little carries over.</notfor>
/// <cost>Reads both inputs three times (two to count for the exact quartiles, one to merge), two exponentials an element each time; a row of both in memory.</cost>
/// <differs>The quartiles are exact for tensors of any size; mergekit draws a random million of the scores above 1,000,000 elements, in compat they are exact too. The divergence
/// is a float64 sum of the exact softmax, without the 1e-8 that mergekit adds to each probability: its float32 sum of nearly equal terms leaves few digits. The output
/// has the storage type of the inputs; in mergekit (and in compat) the mask makes it F32. Where nothing stands out because all scores are equal (identical models, single elements), the fine-tune is taken.</differs>
/// <formula>s = |x - b| KL(softmax(x), softmax(b)) with the divergence of the element's row; y = x where s >= median(s) + 1.5 (q3(s) - q1(s)), else b</formula>
[Method("arcee_fusion", Room.Merge)]
[Source("mergekit", Where = "merge_method: arcee_fusion")]
[Inert("int8_mask", "normalize", "rescale", "lambda", "weight", "density", "t")]
public sealed partial class ArceeFusion : Rule<ArceeFusion.Parameters>
{
    /// <summary>Parameters of <c>arcee_fusion</c>: none.</summary>
    public sealed record Parameters;

    public override Arity Arity { get; } = new(1, 1, NeedsBase: true);
    public override RowMismatch Rows => RowMismatch.Common;
    public override Extent Extent(Arithmetic mode) => Methods.Extent.Row;
    public override int Scratch(int inputs) => 3;
    public override DType Result(Arithmetic mode, DType working) => mode == Arithmetic.Ours ? working : DType.F32;

    protected internal override void Measure(int round, Slot at, ReadOnlySpan<Parameters> p, Measured m, Measures ask)
    {
        long last = at.Shape.Count - 1;
        if (round == 0 && at.Inputs.Count > 1) ask.Ordered(0, (long)(0.25 * last), (long)(0.5 * last), (long)(0.75 * last));
    }

    // Quantity 0: the scores of a row.
    protected internal override void View<Q>(int quantity, in Block at, ReadOnlySpan<Parameters> p, in Operands x, Measured m, Span<float> v)
    {
        float divergence = Q.FollowsPeer ? PeersDivergence<Q>(at.Count, x) : (float)Divergence(at.Count, x);
        Vector256<float> d = Vector256.Create(divergence);
        for (int i = 0; i < v.Length; i += Operands.Step) Operands.Put(v, i, Q.Round(Vector256.Abs(x.Delta<Q>(1 - x.BaseIndex, i)) * d));
    }

    protected internal override void Apply<Q>(in Block at, ReadOnlySpan<Parameters> p, in Operands x, Measured m, Span<float> y)
    {
        if (x.Count == 1)
        {
            x[0].CopyTo(y);
            return;
        }
        int tuned = 1 - x.BaseIndex;
        float spread = Q.Round(m.Ordered(0, 2) - m.Ordered(0, 0));
        Vector256<float> threshold = Vector256.Create(Q.Round(m.Ordered(0, 1) + Q.Round(spread * 1.5f)));
        Span<float> score = x.Scratch(2);
        View<Q>(0, at, p, x, m, score);
        for (int i = 0; i < y.Length; i += Operands.Step)
        {
            // The peer's mask is float32, so that the sum is not rounded to the inputs' type.
            Vector256<float> taken = Q.FollowsPeer ? x.Base(i) + x.Delta<Q>(tuned, i) : x.At(tuned, i);
            Operands.Put(y, i, Vector256.ConditionalSelect(Vector256.GreaterThanOrEqual(Operands.Get(score, i), threshold), taken, x.Base(i)));
        }
    }

    // KL(p, k) = sum p (x - b) - (log sum exp x - log sum exp b): no logarithm of a quotient, and exactly zero for equal rows.
    private static double Divergence(int count, in Operands x)
    {
        ReadOnlySpan<float> tuned = x[1 - x.BaseIndex], start = x[x.BaseIndex];
        float top = Max(tuned[..count]), baseTop = Max(start[..count]);
        Vector256<double> tops = Vector256.Create((double)top), baseTops = Vector256.Create((double)baseTop), sum = default, baseSum = default, moved = default;
        Span<float> a = stackalloc float[8], b = stackalloc float[8];
        for (int i = 0; i < count; i += 8)
        {
            // Beyond the end of the row there is minus infinity, which has no share in any sum.
            a.Fill(float.NegativeInfinity);
            b.Fill(float.NegativeInfinity);
            tuned[i..Math.Min(i + 8, count)].CopyTo(a);
            start[i..Math.Min(i + 8, count)].CopyTo(b);
            (Vector256<double> low, Vector256<double> high) = Vector256.Widen(Operands.Get(a, 0));
            (Vector256<double> baseLow, Vector256<double> baseHigh) = Vector256.Widen(Operands.Get(b, 0));
            (Vector256<double> dLow, Vector256<double> dHigh) = (Difference(tuned, start, i), Difference(tuned, start, i + 4));
            (low, high) = (Vector256.Exp(low - tops), Vector256.Exp(high - tops));
            sum += low + high;
            moved += (low * dLow) + (high * dHigh);
            baseSum += Vector256.Exp(baseLow - baseTops) + Vector256.Exp(baseHigh - baseTops);
        }
        double total = Vector256.Sum(sum), difference = (Math.Log(total) + top) - (Math.Log(Vector256.Sum(baseSum)) + baseTop);
        return Math.Max(0, (Vector256.Sum(moved) / total) - difference);
    }

    // Rows are padded with zeros: their difference is zero too.
    private static Vector256<double> Difference(ReadOnlySpan<float> x, ReadOnlySpan<float> b, int i) =>
        Vector256.Create((double)x[i] - b[i], (double)x[i + 1] - b[i + 1], (double)x[i + 2] - b[i + 2], (double)x[i + 3] - b[i + 3]);

    private static float Max(ReadOnlySpan<float> v)
    {
        float max = float.NegativeInfinity;
        foreach (float e in v) max = MathF.Max(max, e);
        return max;
    }

    // The peer's steps: probabilities plus 1e-8, and their logarithms, each rounded to the type.
    private static float PeersDivergence<Q>(int count, in Operands x) where Q : struct, IRounding
    {
        Span<float> p = x.Scratch(0), k = x.Scratch(1);
        Softmax<Q>(x[1 - x.BaseIndex], count, p);
        Softmax<Q>(x[x.BaseIndex], count, k);
        Vector256<float> least = Vector256.Create(Q.Round(1e-8f));
        for (int i = 0; i < p.Length; i += Operands.Step)
        {
            Vector256<float> a = Q.Round(Operands.Get(p, i) + least), b = Q.Round(Operands.Get(k, i) + least);
            Operands.Put(p, i, Q.Round(a * Q.Round(Vector256.Log(Q.Round(a / b)))));
        }
        return Q.Round((float)Reductions.Sum(p[..count]));
    }

    private static void Softmax<Q>(ReadOnlySpan<float> v, int count, Span<float> p) where Q : struct, IRounding
    {
        Vector256<float> top = Vector256.Create(Max(v[..count]));
        for (int i = 0; i < p.Length; i += Operands.Step) Operands.Put(p, i, Vector256.Exp(Operands.Get(v, i) - top));
        Vector256<float> sum = Vector256.Create((float)Reductions.Sum(p[..count]));
        for (int i = 0; i < p.Length; i += Operands.Step) Operands.Put(p, i, Q.Round(Operands.Get(p, i) / sum));
    }
}
