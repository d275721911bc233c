using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Budwood.Methods;
using Budwood.Numbers;
using Budwood.Numbers.Kernels;

namespace Budwood.Merge;

/// <summary>SCE: selects the parameters that vary most between the task vectors, weighs each model by the energy of its task vector, and erases what disagrees in sign.</summary>
/// <use>Fusing several fine-tunes of one base when nothing is known of their relative worth: tensor by tensor, who changed more counts more.</use>
/// <notfor>Task vectors of usual size with the hope of unequal weights: where the mean squares of all models sum to less than 1e-6, all weigh the same.</notfor>
/// <cost>Reads every input twice, with select_topk below 1 three times (selection, energies, merge), rarely a fourth; no sort and no tensor in memory.</cost>
/// <differs>Of equal variances at the cut those with the lowest index stay; the peer's choice is an accident of its sort. The energies are float64 sums.</differs>
/// <formula>S: d_i = x_i - b where the variance over i is among the top share select_topk of the nonzero ones, else 0; C: w_i = mean(d_i^2) / sum_j mean(d_j^2); E: s = sign(sum_i d_i); y = b + sum_{sign d_i = s} w_i d_i / sum_{same i} w_i</formula>
[Method("sce", Room.Merge)]
[Source("mergekit", Where = "merge_method: sce")]
[Inert("int8_mask", "normalize", "rescale", "lambda", "weight", "density", "epsilon", "t")]
public sealed partial class Sce : Rule<Sce.Parameters>
{
    /// <summary>Parameters of <c>sce</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>Share of the elements that vary at all which stay, those of largest variance; 1 keeps every element.</summary>
        [Unit("share of elements"), Range(0, double.PositiveInfinity)]
        public double SelectTopk { get; init; } = 1;
    }

    private const float Least = 1e-6f;

    public override Arity Arity { get; } = new(1, int.MaxValue, NeedsBase: true);
    public override int Scratch(int inputs) => inputs + 1;

    private static bool Selects(ReadOnlySpan<Parameters> p) => p[0].SelectTopk < 1;

    // Quantity n is the variance over the models, quantity i the squared delta of model i, what is dropped being zero.
    protected internal override void Measure(int round, Slot at, ReadOnlySpan<Parameters> p, Measured m, Measures ask)
    {
        int n = at.Inputs.Count, energies = Selects(p) ? 1 : 0;
        if (n == 1) return;
        if (round < energies) ask.KeepShare(n, p[0].SelectTopk);
        else if (round == energies)
        {
            for (int i = 0; i < n; i++) if (i != at.Base) ask.Sum(i);
            if (Selects(p)) ask.Remember(n);
        }
    }

    protected internal override void View<Q>(int quantity, in Block at, ReadOnlySpan<Parameters> p, in Operands x, Measured m, Span<float> v)
    {
        if (quantity == x.Count)
        {
            Variance<Q>(x, v);
            return;
        }
        // One variance for all models of a block: views of a block come in the order of their quantities, and scratch stays as it is between them.
        Span<float> kept = x.Scratch(x.Count);
        if (Selects(p) && quantity == (x.BaseIndex == 0 ? 1 : 0)) Kept<Q>(at, x, m, kept);
        bool selects = Selects(p);
        ref float from = ref MemoryMarshal.GetReference(x[quantity]), origin = ref MemoryMarshal.GetReference(x[x.BaseIndex]), stays = ref MemoryMarshal.GetReference(kept);
        for (int i = 0; i < v.Length; i += Operands.Step)
        {
            Vector256<float> d = Q.Round(Vector256.LoadUnsafe(ref from, (nuint)i) - Vector256.LoadUnsafe(ref origin, (nuint)i));
            if (selects) d &= Vector256.LoadUnsafe(ref stays, (nuint)i);
            Operands.Put(v, i, Q.Round(d * d));
        }
    }

    // All bits set where an element stays. What stays varies: the selection never reaches down to zeros.
    private static void Kept<Q>(in Block at, in Operands x, Measured m, Span<float> kept) where Q : struct, IRounding
    {
        Span<byte> mask = m.Mask(x.Count, at, out bool known);
        if (known)
        {
            Masks.Spread(mask, kept);
            return;
        }
        Variance<Q>(x, kept);
        m.Select(x.Count, at, kept);
        int whole = mask.IsEmpty ? 0 : at.Count / 8;
        for (int i = 0; i < kept.Length; i += Operands.Step)
        {
            Vector256<float> stays = ~Vector256.Equals(Operands.Get(kept, i), Vector256<float>.Zero);
            Operands.Put(kept, i, stays);
            if (i >> 3 < whole) mask[i >> 3] = (byte)stays.ExtractMostSignificantBits();
        }
        if (whole < mask.Length) Masks.Gather(kept[(whole * 8)..at.Count], mask[whole..]);
    }

    private static void Variance<Q>(in Operands x, Span<float> v) where Q : struct, IRounding
    {
        if (x.Count == 3)
        {
            VarianceOfTwo<Q>(x, v);
            return;
        }
        // A division by a power of two is a product, to the bit.
        if (System.Numerics.BitOperations.IsPow2(x.Count - 1)) Variance<Q, Times>(x, Vector256.Create(1.0 / (x.Count - 1)), v);
        else Variance<Q, By>(x, Vector256.Create((double)(x.Count - 1)), v);
    }

    // What most merges are: both lie half their difference from the mean, and what that squared is, the variance is.
    private static void VarianceOfTwo<Q>(in Operands x, Span<float> v) where Q : struct, IRounding
    {
        (int first, int second) = Two(x.BaseIndex);
        ref float x0 = ref MemoryMarshal.GetReference(x[first]), x1 = ref MemoryMarshal.GetReference(x[second]), origin = ref MemoryMarshal.GetReference(x[x.BaseIndex]), to = ref MemoryMarshal.GetReference(v);
        for (int i = 0; i < v.Length; i += Operands.Step)
        {
            Vector256<float> o = Vector256.LoadUnsafe(ref origin, (nuint)i);
            Vector256<float> p = Q.Round(Vector256.LoadUnsafe(ref x0, (nuint)i) - o), q = Q.Round(Vector256.LoadUnsafe(ref x1, (nuint)i) - o);
            Q.Round(HalfDifferenceSquared(p, q)).StoreUnsafe(ref to, (nuint)i);
        }
    }

    // In float64, rounded once.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> HalfDifferenceSquared(Vector256<float> p, Vector256<float> q)
    {
        if (Vector512.IsHardwareAccelerated && Avx512F.IsSupported)
        {
            Vector512<double> h = (Avx512F.ConvertToVector512Double(p) - Avx512F.ConvertToVector512Double(q)) * Vector512.Create(0.5);
            return Avx512F.ConvertToVector256Single(h * h);
        }
        (Vector256<double> a, Vector256<double> b) = Vector256.Widen(p);
        (Vector256<double> c, Vector256<double> d) = Vector256.Widen(q);
        a = (a - c) * Vector256.Create(0.5);
        b = (b - d) * Vector256.Create(0.5);
        return Vector256.Narrow(a * a, b * b);
    }

    // The two of three inputs that are not the base.
    private static (int First, int Second) Two(int atBase) => (atBase == 0 ? 1 : 0, atBase == 2 ? 1 : 2);

    private interface IShare
    {
        static abstract Vector256<double> Of(Vector256<double> sum, Vector256<double> models);
    }

    private readonly struct By : IShare
    {
        public static Vector256<double> Of(Vector256<double> sum, Vector256<double> models) => sum / models;
    }

    private readonly struct Times : IShare
    {
        public static Vector256<double> Of(Vector256<double> sum, Vector256<double> models) => sum * models;
    }

    private static void Variance<Q, D>(in Operands x, Vector256<double> models, Span<float> v) where Q : struct, IRounding where D : struct, IShare
    {
        for (int i = 0; i < v.Length; i += Operands.Step)
        {
            (Vector256<double> low, Vector256<double> high) = (Vector256<double>.Zero, Vector256<double>.Zero);
            for (int k = 0; k < x.Count; k++)
            {
                if (k == x.BaseIndex) continue;
                (Vector256<double> a, Vector256<double> b) = Vector256.Widen(x.Delta<Q>(k, i));
                low += a;
                high += b;
            }
            (Vector256<double> meanLow, Vector256<double> meanHigh) = (D.Of(low, models), D.Of(high, models));
            (low, high) = (Vector256<double>.Zero, Vector256<double>.Zero);
            for (int k = 0; k < x.Count; k++)
            {
                if (k == x.BaseIndex) continue;
                (Vector256<double> a, Vector256<double> b) = Vector256.Widen(x.Delta<Q>(k, i));
                low += (a - meanLow) * (a - meanLow);
                high += (b - meanHigh) * (b - meanHigh);
            }
            Operands.Put(v, i, Q.Round(Vector256.Narrow(D.Of(low, models), D.Of(high, models))));
        }
    }

    protected internal override void Apply<Q>(in Block at, ReadOnlySpan<Parameters> p, in Operands x, Measured m, Span<float> y)
    {
        if (x.Count == 1)
        {
            x[0].CopyTo(y);
            return;
        }
        int n = x.Count;
        Span<float> w = stackalloc float[n], kept = x.Scratch(n);
        Weights<Q>(at.Slot, m, w);
        if (Selects(p)) Kept<Q>(at, x, m, kept);
        if (n == 3) MergeTwo<Q>(x, w, Selects(p) ? kept : default, y);
        else Merge<Q>(x, w, Selects(p) ? kept : default, y);
    }

    private static void Merge<Q>(in Operands x, ReadOnlySpan<float> w, ReadOnlySpan<float> kept, Span<float> y) where Q : struct, IRounding
    {
        Vector256<float> zero = Vector256<float>.Zero, least = Vector256.Create(Q.Round(Least));
        for (int i = 0; i < y.Length; i += Operands.Step)
        {
            Vector256<float> vote = zero, sum = zero, weights = zero;
            for (int k = 0; k < w.Length; k++)
            {
                if (k == x.BaseIndex) continue;
                Vector256<float> d = x.Delta<Q>(k, i);
                if (!kept.IsEmpty) d &= Operands.Get(kept, i);
                Operands.Put(x.Scratch(k), i, d);
                vote += d;
            }
            Vector256<float> plus = Vector256.GreaterThanOrEqual(Q.Round(vote), zero);
            for (int k = 0; k < w.Length; k++) if (k != x.BaseIndex) Count<Q>(Operands.Get(x.Scratch(k), i), Vector256.Create(w[k]), plus, ref sum, ref weights);
            Operands.Put(y, i, Q.Round(x.Base(i) + Q.Round(Q.Round(sum) / Vector256.Max(Q.Round(weights), least))));
        }
    }

    // The same for two models, whose deltas stay in registers.
    private static void MergeTwo<Q>(in Operands x, ReadOnlySpan<float> w, ReadOnlySpan<float> kept, Span<float> y) where Q : struct, IRounding
    {
        (int first, int second) = Two(x.BaseIndex);
        ref float x0 = ref MemoryMarshal.GetReference(x[first]), x1 = ref MemoryMarshal.GetReference(x[second]), origin = ref MemoryMarshal.GetReference(x[x.BaseIndex]);
        ref float stays = ref MemoryMarshal.GetReference(kept), to = ref MemoryMarshal.GetReference(y);
        bool selects = !kept.IsEmpty;
        Vector256<float> zero = Vector256<float>.Zero, least = Vector256.Create(Q.Round(Least)), w0 = Vector256.Create(w[first]), w1 = Vector256.Create(w[second]);
        for (int i = 0; i < y.Length; i += Operands.Step)
        {
            Vector256<float> o = Vector256.LoadUnsafe(ref origin, (nuint)i), sum = zero, weights = zero;
            Vector256<float> a = Q.Round(Vector256.LoadUnsafe(ref x0, (nuint)i) - o), b = Q.Round(Vector256.LoadUnsafe(ref x1, (nuint)i) - o);
            if (selects)
            {
                Vector256<float> those = Vector256.LoadUnsafe(ref stays, (nuint)i);
                (a, b) = (a & those, b & those);
            }
            Vector256<float> plus = Vector256.GreaterThanOrEqual(Q.Round(a + b), zero);
            Count<Q>(a, w0, plus, ref sum, ref weights);
            Count<Q>(b, w1, plus, ref sum, ref weights);
            Q.Round(o + Q.Round(Q.Round(sum) / Vector256.Max(Q.Round(weights), least))).StoreUnsafe(ref to, (nuint)i);
        }
    }

    // Adds a weighted delta and its weight where it has the elected sign.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Count<Q>(Vector256<float> d, Vector256<float> weight, Vector256<float> plus, ref Vector256<float> sum, ref Vector256<float> weights) where Q : struct, IRounding
    {
        weight &= Signs.Agree(d, plus);
        sum += Q.Round(d * weight);
        weights += weight;
    }

    // Mean squares over their sum; equal weights where the sum says nothing.
    private static void Weights<Q>(Slot at, Measured m, Span<float> w) where Q : struct, IRounding
    {
        float total = 0;
        for (int k = 0; k < w.Length; k++) if (k != at.Base) total += w[k] = Q.Round((float)(m.Sum(k) / at.Shape.Count));
        total = Q.Round(total);
        for (int k = 0; k < w.Length; k++) if (k != at.Base) w[k] = Q.Round(total < Least ? 1f / (w.Length - 1) : w[k] / total);
    }
}
