using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Budwood.Numbers.Kernels;

/// <summary>Sums over a block of float32 values, in float64 on 16 fixed lanes, so that no split of the work changes a bit.</summary>
/// <remarks>Lane <c>i mod 16</c> takes element i; lanes are added pairwise at the end. A tensor's sum is the pairwise sum over its blocks.</remarks>
public static class Reductions
{
    /// <summary>Sum of the values.</summary>
    public static double Sum(ReadOnlySpan<float> x) => Reduce<Value>(x, x);

    /// <summary>Sum of the absolute values.</summary>
    public static double L1(ReadOnlySpan<float> x) => Reduce<Magnitude>(x, x);

    /// <summary>Sum of products of two blocks of equal length.</summary>
    public static double Dot(ReadOnlySpan<float> x, ReadOnlySpan<float> y) => Reduce<Product>(x, y);

    /// <summary>The largest absolute value; 0 of an empty block.</summary>
    public static float Largest(ReadOnlySpan<float> x)
    {
        float largest = 0;
        foreach (float v in x) largest = Math.Max(largest, Math.Abs(v));
        return largest;
    }

    /// <summary>Number of values that are not zero; NaN is none.</summary>
    public static long NonZero(ReadOnlySpan<float> x)
    {
        ref float at = ref MemoryMarshal.GetReference(x);
        Vector256<int> zeros = default;
        int i = 0;
        for (; i <= x.Length - 8; i += 8) zeros -= Vector256.Equals(Vector256.LoadUnsafe(ref at, (nuint)i), Vector256<float>.Zero).AsInt32();
        long count = x.Length - Vector256.Sum(zeros);
        for (; i < x.Length; i++) if (x[i] == 0) count--;
        return count;
    }

    /// <summary>Pairwise sum: halves are summed first, so that the error grows with the logarithm of the length.</summary>
    public static double Pairwise(ReadOnlySpan<double> x) => x.Length switch
    {
        0 => 0,
        1 => x[0],
        2 => x[0] + x[1],
        _ => Pairwise(x[..(x.Length / 2)]) + Pairwise(x[(x.Length / 2)..]),
    };

    // A term is added to a lane. A product of two widened float32 is exact in float64, so that fusing it with the sum changes no bit.
    private interface ITerm
    {
        static abstract bool OfTwo { get; }
        static abstract Vector256<double> Add(Vector256<double> sum, Vector256<double> x, Vector256<double> y);
        static abstract Vector512<double> Add(Vector512<double> sum, Vector512<double> x, Vector512<double> y);
    }

    private readonly struct Value : ITerm
    {
        public static bool OfTwo => false;
        public static Vector256<double> Add(Vector256<double> sum, Vector256<double> x, Vector256<double> y) => sum + x;
        public static Vector512<double> Add(Vector512<double> sum, Vector512<double> x, Vector512<double> y) => sum + x;
    }

    private readonly struct Magnitude : ITerm
    {
        public static bool OfTwo => false;
        public static Vector256<double> Add(Vector256<double> sum, Vector256<double> x, Vector256<double> y) => sum + Vector256.Abs(x);
        public static Vector512<double> Add(Vector512<double> sum, Vector512<double> x, Vector512<double> y) => sum + Vector512.Abs(x);
    }

    private readonly struct Product : ITerm
    {
        public static bool OfTwo => true;
        public static Vector256<double> Add(Vector256<double> sum, Vector256<double> x, Vector256<double> y) => Vector256.MultiplyAddEstimate(x, y, sum);
        public static Vector512<double> Add(Vector512<double> sum, Vector512<double> x, Vector512<double> y) => Vector512.MultiplyAddEstimate(x, y, sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double Reduce<T>(ReadOnlySpan<float> x, ReadOnlySpan<float> y) where T : struct, ITerm
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(x.Length, y.Length);
        ref float px = ref MemoryMarshal.GetReference(x);
        ref float py = ref MemoryMarshal.GetReference(y);
        int whole = x.Length & -16;
        (Vector256<double> a, Vector256<double> b, Vector256<double> c, Vector256<double> d) = Lanes<T>(ref px, ref py, whole);
        if (whole < x.Length)
        {
            // The tail goes to the lanes it would have had in a padded block: zeros add nothing.
            Span<float> tx = stackalloc float[16], ty = stackalloc float[16];
            x[whole..].CopyTo(tx);
            y[whole..].CopyTo(ty);
            ref float rx = ref MemoryMarshal.GetReference(tx);
            ref float ry = ref MemoryMarshal.GetReference(ty);
            a = T.Add(a, Wide(ref rx, 0), Wide(ref ry, 0));
            b = T.Add(b, Wide(ref rx, 4), Wide(ref ry, 4));
            c = T.Add(c, Wide(ref rx, 8), Wide(ref ry, 8));
            d = T.Add(d, Wide(ref rx, 12), Wide(ref ry, 12));
        }
        Vector256<double> s = (a + b) + (c + d);
        return (s[0] + s[1]) + (s[2] + s[3]);
    }

    // Stands alone: beside the calls of the tail the lanes would be kept in memory, and every sum would wait for that.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static (Vector256<double>, Vector256<double>, Vector256<double>, Vector256<double>) Lanes<T>(ref float px, ref float py, int whole) where T : struct, ITerm
    {
        if (Vector512.IsHardwareAccelerated && Avx512F.IsSupported)
        {
            // The same sixteen lanes in two registers.
            Vector512<double> ab = default, cd = default;
            for (int i = 0; i < whole; i += 16)
            {
                Vector512<double> x0 = Avx512F.ConvertToVector512Double(Vector256.LoadUnsafe(ref px, (nuint)i)), x1 = Avx512F.ConvertToVector512Double(Vector256.LoadUnsafe(ref px, (nuint)i + 8));
                ab = T.Add(ab, x0, T.OfTwo ? Avx512F.ConvertToVector512Double(Vector256.LoadUnsafe(ref py, (nuint)i)) : x0);
                cd = T.Add(cd, x1, T.OfTwo ? Avx512F.ConvertToVector512Double(Vector256.LoadUnsafe(ref py, (nuint)i + 8)) : x1);
            }
            return (ab.GetLower(), ab.GetUpper(), cd.GetLower(), cd.GetUpper());
        }
        Vector256<double> a = default, b = default, c = default, d = default;
        for (int i = 0; i < whole; i += 16)
        {
            Vector256<double> x0 = Wide(ref px, i), x1 = Wide(ref px, i + 4), x2 = Wide(ref px, i + 8), x3 = Wide(ref px, i + 12);
            a = T.Add(a, x0, T.OfTwo ? Wide(ref py, i) : x0);
            b = T.Add(b, x1, T.OfTwo ? Wide(ref py, i + 4) : x1);
            c = T.Add(c, x2, T.OfTwo ? Wide(ref py, i + 8) : x2);
            d = T.Add(d, x3, T.OfTwo ? Wide(ref py, i + 12) : x3);
        }
        return (a, b, c, d);
    }

    /// <summary>Four values from a place on, widened as they are loaded.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<double> Wide(ref float from, int at)
    {
        Vector128<float> x = Vector128.LoadUnsafe(ref from, (nuint)at);
        if (Avx.IsSupported) return Avx.ConvertToVector256Double(x);
        (Vector128<double> low, Vector128<double> high) = Vector128.Widen(x);
        return Vector256.Create(low, high);
    }
}
