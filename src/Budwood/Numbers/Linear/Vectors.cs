using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Budwood.Numbers.Linear;

/// <summary>Sums and updates of float64 vectors, with the same bits on every machine.</summary>
/// <remarks>Element-wise forms do not depend on the width of registers; a dot product has eight fixed lanes, added in a fixed order. Nothing is fused.</remarks>
public static class Vectors
{
    /// <summary>Inner product of two vectors of one length.</summary>
    public static double Dot(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        if (x.Length != y.Length) throw new ArgumentException($"vectors of length {x.Length} and {y.Length} have no inner product");
        ref double a = ref MemoryMarshal.GetReference(x), b = ref MemoryMarshal.GetReference(y);
        Vector256<double> s0 = default, s1 = default;
        int i = 0;
        for (; i <= x.Length - 8; i += 8)
        {
            s0 += Vector256.LoadUnsafe(ref a, (nuint)i) * Vector256.LoadUnsafe(ref b, (nuint)i);
            s1 += Vector256.LoadUnsafe(ref a, (nuint)(i + 4)) * Vector256.LoadUnsafe(ref b, (nuint)(i + 4));
        }
        s0 += s1;
        double sum = s0[0] + s0[2] + (s0[1] + s0[3]);
        for (; i < x.Length; i++) sum += x[i] * y[i];
        return sum;
    }

    /// <summary><c>y += a x</c>.</summary>
    public static void Axpy(double a, ReadOnlySpan<double> x, Span<double> y)
    {
        if (x.Length > y.Length) throw new ArgumentException($"a vector of length {x.Length} does not fit one of {y.Length}");
        ref double from = ref MemoryMarshal.GetReference(x), to = ref MemoryMarshal.GetReference(y);
        Vector256<double> factor = Vector256.Create(a);
        int i = 0;
        for (; i <= x.Length - 4; i += 4)
            (Vector256.LoadUnsafe(ref to, (nuint)i) + (factor * Vector256.LoadUnsafe(ref from, (nuint)i))).StoreUnsafe(ref to, (nuint)i);
        for (; i < x.Length; i++) y[i] += a * x[i];
    }

    /// <summary>Plane rotation: <c>(x, y) := (c x - s y, s x + c y)</c>.</summary>
    public static void Rotate(Span<double> x, Span<double> y, double c, double s)
    {
        if (x.Length != y.Length) throw new ArgumentException($"vectors of length {x.Length} and {y.Length} span no planes");
        ref double a = ref MemoryMarshal.GetReference(x), b = ref MemoryMarshal.GetReference(y);
        Vector256<double> cosine = Vector256.Create(c), sine = Vector256.Create(s);
        int i = 0;
        for (; i <= x.Length - 4; i += 4)
        {
            Vector256<double> p = Vector256.LoadUnsafe(ref a, (nuint)i), q = Vector256.LoadUnsafe(ref b, (nuint)i);
            ((cosine * p) - (sine * q)).StoreUnsafe(ref a, (nuint)i);
            ((sine * p) + (cosine * q)).StoreUnsafe(ref b, (nuint)i);
        }
        for (; i < x.Length; i++) (x[i], y[i]) = ((c * x[i]) - (s * y[i]), (s * x[i]) + (c * y[i]));
    }

    /// <summary>Multiplies in place.</summary>
    public static void Scale(Span<double> x, double by)
    {
        for (int i = 0; i < x.Length; i++) x[i] *= by;
    }

    /// <summary>Sum in index order of eight fixed lanes.</summary>
    public static double Sum(ReadOnlySpan<double> x)
    {
        Span<double> lanes = stackalloc double[8];
        lanes.Clear();
        for (int i = 0; i < x.Length; i++) lanes[i & 7] += x[i];
        return lanes[0] + lanes[4] + (lanes[2] + lanes[6]) + (lanes[1] + lanes[5] + (lanes[3] + lanes[7]));
    }

    /// <summary>Euclidean length; safe from overflow and underflow.</summary>
    public static double Norm(ReadOnlySpan<double> x)
    {
        double square = Dot(x, x);
        if (square is > 1e-280 and < 1e280) return Math.Sqrt(square);
        double most = 0;
        foreach (double v in x) most = Math.Max(most, Math.Abs(v));
        if (most == 0 || !double.IsFinite(most)) return most;
        double sum = 0;
        foreach (double v in x) sum += v / most * (v / most);
        return most * Math.Sqrt(sum);
    }

    /// <summary>Arithmetic mean; not a number for an empty vector.</summary>
    public static double Mean(ReadOnlySpan<double> x) => Sum(x) / x.Length;

    /// <summary>Variance about the mean in two passes, divided by <c>n - less</c>: 1 for a sample, 0 for a population.</summary>
    public static double Variance(ReadOnlySpan<double> x, int less = 1)
    {
        double mean = Mean(x), sum = 0;
        foreach (double v in x) sum += (v - mean) * (v - mean);
        return sum / (x.Length - less);
    }

    /// <summary>The value below which a share of sorted values lies, interpolated between neighbours (type 7 of Hyndman and Fan 1996).</summary>
    public static double Quantile(ReadOnlySpan<double> sorted, double share)
    {
        if (sorted.Length == 0) return double.NaN;
        double at = share * (sorted.Length - 1);
        int low = Math.Clamp((int)Math.Floor(at), 0, sorted.Length - 1), high = Math.Min(low + 1, sorted.Length - 1);
        return sorted[low] + ((at - low) * (sorted[high] - sorted[low]));
    }
}
