using System.Numerics;
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
        long changed = 0, bad = 0;
        int i = 0;
        for (; i <= y.Length - 16; i += 16)
        {
            Vector256<float> a = Vector256.LoadUnsafe(ref py, (nuint)i), b = Vector256.LoadUnsafe(ref py, (nuint)i + 8);
            Vector256<float> p = Vector256.LoadUnsafe(ref pr, (nuint)i), q = Vector256.LoadUnsafe(ref pr, (nuint)i + 8);
            uint same = Same(a, p) | (Same(b, q) << 8);
            changed += 16 - BitOperations.PopCount(same);
            uint finite = Vector256.Equals(a - a, Vector256<float>.Zero).ExtractMostSignificantBits() | (Vector256.Equals(b - b, Vector256<float>.Zero).ExtractMostSignificantBits() << 8);
            bad += 16 - BitOperations.PopCount(finite);
            (Vector256<double> x0, Vector256<double> x1) = Vector256.Widen(a - p);
            (Vector256<double> x2, Vector256<double> x3) = Vector256.Widen(b - q);
            (Vector256<double> y0, Vector256<double> y1) = Vector256.Widen(p);
            (Vector256<double> y2, Vector256<double> y3) = Vector256.Widen(q);
            d0 += x0 * x0;
            d1 += x1 * x1;
            d2 += x2 * x2;
            d3 += x3 * x3;
            r0 += y0 * y0;
            r1 += y1 * y1;
            r2 += y2 * y2;
            r3 += y3 * y3;
        }
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
        int i = 0;
        Vector256<float> sum = default;
        // x - x is zero for finite values and NaN for all others: one look at the end of a block is enough.
        for (; i <= v.Length - 8; i += 8)
        {
            Vector256<float> x = Vector256.LoadUnsafe(ref at, (nuint)i);
            sum += x - x;
        }
        bool clean = Vector256.EqualsAll(sum, Vector256<float>.Zero);
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

    private static uint Same(Vector256<float> a, Vector256<float> b) =>
        (Vector256.Equals(a.AsUInt32(), b.AsUInt32()).AsSingle() | Vector256.Equals(a, b)).ExtractMostSignificantBits();

    private static double Total(Vector256<double> a, Vector256<double> b, Vector256<double> c, Vector256<double> d)
    {
        Vector256<double> s = (a + b) + (c + d);
        return (s[0] + s[1]) + (s[2] + s[3]);
    }
}
