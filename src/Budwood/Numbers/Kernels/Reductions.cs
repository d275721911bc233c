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

    private interface ITerm
    {
        static abstract Vector256<double> Of(Vector256<double> x, Vector256<double> y);
        static abstract Vector512<double> Of(Vector512<double> x, Vector512<double> y);
    }

    private readonly struct Value : ITerm
    {
        public static Vector256<double> Of(Vector256<double> x, Vector256<double> y) => x;
        public static Vector512<double> Of(Vector512<double> x, Vector512<double> y) => x;
    }

    private readonly struct Magnitude : ITerm
    {
        public static Vector256<double> Of(Vector256<double> x, Vector256<double> y) => Vector256.Abs(x);
        public static Vector512<double> Of(Vector512<double> x, Vector512<double> y) => Vector512.Abs(x);
    }

    private readonly struct Product : ITerm
    {
        public static Vector256<double> Of(Vector256<double> x, Vector256<double> y) => x * y;
        public static Vector512<double> Of(Vector512<double> x, Vector512<double> y) => x * y;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double Reduce<T>(ReadOnlySpan<float> x, ReadOnlySpan<float> y) where T : struct, ITerm
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(x.Length, y.Length);
        ref float px = ref MemoryMarshal.GetReference(x);
        ref float py = ref MemoryMarshal.GetReference(y);
        Vector256<double> a = default, b = default, c = default, d = default;
        int i = 0;
        if (Vector512.IsHardwareAccelerated && Avx512F.IsSupported)
        {
            // The same sixteen lanes in two registers.
            Vector512<double> ab = default, cd = default;
            for (; i <= x.Length - 16; i += 16)
            {
                ab += T.Of(Avx512F.ConvertToVector512Double(Vector256.LoadUnsafe(ref px, (nuint)i)), Avx512F.ConvertToVector512Double(Vector256.LoadUnsafe(ref py, (nuint)i)));
                cd += T.Of(Avx512F.ConvertToVector512Double(Vector256.LoadUnsafe(ref px, (nuint)i + 8)), Avx512F.ConvertToVector512Double(Vector256.LoadUnsafe(ref py, (nuint)i + 8)));
            }
            (a, b, c, d) = (ab.GetLower(), ab.GetUpper(), cd.GetLower(), cd.GetUpper());
        }
        for (; i <= x.Length - 16; i += 16)
        {
            (Vector256<double> x0, Vector256<double> x1) = Vector256.Widen(Vector256.LoadUnsafe(ref px, (nuint)i));
            (Vector256<double> x2, Vector256<double> x3) = Vector256.Widen(Vector256.LoadUnsafe(ref px, (nuint)i + 8));
            (Vector256<double> y0, Vector256<double> y1) = Vector256.Widen(Vector256.LoadUnsafe(ref py, (nuint)i));
            (Vector256<double> y2, Vector256<double> y3) = Vector256.Widen(Vector256.LoadUnsafe(ref py, (nuint)i + 8));
            a += T.Of(x0, y0);
            b += T.Of(x1, y1);
            c += T.Of(x2, y2);
            d += T.Of(x3, y3);
        }
        if (i < x.Length)
        {
            // The tail goes to the lanes it would have had in a padded block: zeros add nothing.
            Span<float> tx = stackalloc float[16], ty = stackalloc float[16];
            x[i..].CopyTo(tx);
            y[i..].CopyTo(ty);
            a += T.Of(Wide(tx, 0), Wide(ty, 0));
            b += T.Of(Wide(tx, 4), Wide(ty, 4));
            c += T.Of(Wide(tx, 8), Wide(ty, 8));
            d += T.Of(Wide(tx, 12), Wide(ty, 12));
        }
        Vector256<double> s = (a + b) + (c + d);
        return (s[0] + s[1]) + (s[2] + s[3]);
    }

    private static Vector256<double> Wide(ReadOnlySpan<float> x, int at) => Vector256.Create((double)x[at], x[at + 1], x[at + 2], x[at + 3]);
}
