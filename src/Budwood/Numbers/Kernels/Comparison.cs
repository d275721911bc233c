using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Budwood.Numbers.Kernels;

/// <summary>How one block of values differs from another.</summary>
/// <param name="Changed">Elements with another value; zeros of either sign are equal, and so are NaN of one pattern.</param>
/// <param name="NotFinite">NaN and infinities in the first block.</param>
/// <param name="Difference">Sum of squared differences.</param>
/// <param name="Reference">Sum of squares of the second block.</param>
public readonly record struct Comparison(long Changed, long NotFinite, double Difference, double Reference)
{
    /// <summary>Compares two blocks of equal length; float64 sums on 16 fixed lanes.</summary>
    public static Comparison Of(ReadOnlySpan<float> y, ReadOnlySpan<float> reference)
    {
        ref float py = ref MemoryMarshal.GetReference(y);
        ref float pr = ref MemoryMarshal.GetReference(reference);
        Vector256<double> d0 = default, d1 = default, d2 = default, d3 = default, r0 = default, r1 = default, r2 = default, r3 = default;
        Vector256<int> same = default;
        Vector256<float> odd = default;
        int i = 0;
        for (; i <= y.Length - 16; i += 16)
        {
            Vector256<float> a = Vector256.LoadUnsafe(ref py, (nuint)i), b = Vector256.LoadUnsafe(ref py, (nuint)i + 8);
            Vector256<float> p = Vector256.LoadUnsafe(ref pr, (nuint)i), q = Vector256.LoadUnsafe(ref pr, (nuint)i + 8);
            same -= Same(a, p) + Same(b, q);
            odd += (a - a) + (b - b);
            // Squares of widened float32 are exact: fused or not, the sums have the same bits.
            (Vector256<double> x0, Vector256<double> x1) = Vector256.Widen(a - p);
            (Vector256<double> x2, Vector256<double> x3) = Vector256.Widen(b - q);
            d0 = Vector256.MultiplyAddEstimate(x0, x0, d0);
            d1 = Vector256.MultiplyAddEstimate(x1, x1, d1);
            d2 = Vector256.MultiplyAddEstimate(x2, x2, d2);
            d3 = Vector256.MultiplyAddEstimate(x3, x3, d3);
            Vector256<double> y0 = Reductions.Wide(ref pr, i), y1 = Reductions.Wide(ref pr, i + 4), y2 = Reductions.Wide(ref pr, i + 8), y3 = Reductions.Wide(ref pr, i + 12);
            r0 = Vector256.MultiplyAddEstimate(y0, y0, r0);
            r1 = Vector256.MultiplyAddEstimate(y1, y1, r1);
            r2 = Vector256.MultiplyAddEstimate(y2, y2, r2);
            r3 = Vector256.MultiplyAddEstimate(y3, y3, r3);
        }
        long changed = i - Vector256.Sum(same), bad = 0;
        if (!Vector256.EqualsAll(odd, Vector256<float>.Zero)) for (int k = 0; k < i; k++) if (!float.IsFinite(y[k])) bad++;
        double difference = Total(d0, d1, d2, d3), square = Total(r0, r1, r2, r3);
        for (; i < y.Length; i++)
        {
            if (y[i] != reference[i] && BitConverter.SingleToUInt32Bits(y[i]) != BitConverter.SingleToUInt32Bits(reference[i])) changed++;
            if (!float.IsFinite(y[i])) bad++;
            double d = y[i] - reference[i];
            difference += d * d;
            square += (double)reference[i] * reference[i];
        }
        return new(changed, bad, difference, square);
    }

    /// <summary>Number of NaN and infinities.</summary>
    public static (long NaN, long Infinite) NotFiniteIn(ReadOnlySpan<float> v)
    {
        ref float at = ref MemoryMarshal.GetReference(v);
        Vector256<float> zero = Vector256<float>.Zero, a = zero, b = zero, c = zero, d = zero;
        int i = 0;
        // 0 x is zero for finite values and NaN for all others: one look at the end of a block is enough.
        for (; i <= v.Length - 32; i += 32)
        {
            a = Vector256.MultiplyAddEstimate(Vector256.LoadUnsafe(ref at, (nuint)i), zero, a);
            b = Vector256.MultiplyAddEstimate(Vector256.LoadUnsafe(ref at, (nuint)i + 8), zero, b);
            c = Vector256.MultiplyAddEstimate(Vector256.LoadUnsafe(ref at, (nuint)i + 16), zero, c);
            d = Vector256.MultiplyAddEstimate(Vector256.LoadUnsafe(ref at, (nuint)i + 24), zero, d);
        }
        bool clean = Vector256.EqualsAll((a + b) + (c + d), zero);
        for (; i < v.Length; i++) clean &= float.IsFinite(v[i]);
        if (clean) return default;
        long nan = 0, infinite = 0;
        foreach (float x in v)
        {
            if (float.IsNaN(x)) nan++;
            else if (float.IsInfinity(x)) infinite++;
        }
        return (nan, infinite);
    }

    // All bits of a lane, which is minus one, where the values are equal.
    private static Vector256<int> Same(Vector256<float> a, Vector256<float> b) => Vector256.Equals(a.AsInt32(), b.AsInt32()) | Vector256.Equals(a, b).AsInt32();

    private static double Total(Vector256<double> a, Vector256<double> b, Vector256<double> c, Vector256<double> d)
    {
        Vector256<double> s = (a + b) + (c + d);
        return (s[0] + s[1]) + (s[2] + s[3]);
    }
}
