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

    /// <summary>Inner products of two blocks of equal length with themselves and each other: to the bit what <see cref="Dot"/> gives, and each value is widened once.</summary>
    public static (double XX, double XY, double YY) Products(ReadOnlySpan<float> x, ReadOnlySpan<float> y)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(x.Length, y.Length);
        if (x.Length % 16 != 0) return (Dot(x, x), Dot(x, y), Dot(y, y));
        Span<double> lanes = stackalloc double[3 * 16];
        ref float px = ref MemoryMarshal.GetReference(x);
        ref float py = ref MemoryMarshal.GetReference(y);
        if (Vector512.IsHardwareAccelerated && Avx512F.IsSupported) OfTwo512(ref px, ref py, x.Length, ref lanes[0]);
        else OfTwo(ref px, ref py, x.Length, ref lanes[0]);
        return (Total(lanes), Total(lanes[16..]), Total(lanes[32..]));
    }

    /// <summary>Inner products of three blocks of equal length: (0,0), (0,1), (0,2), (1,1), (1,2), (2,2), to the bit what <see cref="Dot"/> gives.</summary>
    public static void Products(ReadOnlySpan<float> x, ReadOnlySpan<float> y, ReadOnlySpan<float> z, Span<double> products)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(x.Length, y.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(x.Length, z.Length);
        if (x.Length % 16 == 0 && Vector512.IsHardwareAccelerated && Avx512F.IsSupported)
        {
            Span<double> lanes = stackalloc double[6 * 16];
            OfThree512(ref MemoryMarshal.GetReference(x), ref MemoryMarshal.GetReference(y), ref MemoryMarshal.GetReference(z), x.Length, ref lanes[0]);
            for (int k = 0; k < 6; k++) products[k] = Total(lanes[(k * 16)..]);
            return;
        }
        // Six products of four lanes each do not fit into sixteen registers.
        (products[0], products[1], products[3]) = Products(x, y);
        products[2] = Dot(x, z);
        products[4] = Dot(y, z);
        products[5] = Dot(z, z);
    }

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

    // Sixteen lanes, added as those of one product are.
    internal static double Total(ReadOnlySpan<double> lanes)
    {
        Vector256<double> s = (Vector256.Create(lanes[..4]) + Vector256.Create(lanes[4..8])) + (Vector256.Create(lanes[8..12]) + Vector256.Create(lanes[12..16]));
        return (s[0] + s[1]) + (s[2] + s[3]);
    }

    // Sixteen lanes of each of three products, four at a time: with what they are made of they just fit into sixteen registers.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void OfTwo(ref float px, ref float py, int length, ref double lanes)
    {
        Vector256<double> xx0 = default, xx1 = default, xx2 = default, xx3 = default, xy0 = default, xy1 = default, xy2 = default, xy3 = default, yy0 = default, yy1 = default, yy2 = default, yy3 = default;
        for (int i = 0; i < length; i += 16)
        {
            Vector256<double> x = Wide(ref px, i), y = Wide(ref py, i);
            xx0 = Vector256.MultiplyAddEstimate(x, x, xx0);
            xy0 = Vector256.MultiplyAddEstimate(x, y, xy0);
            yy0 = Vector256.MultiplyAddEstimate(y, y, yy0);
            (x, y) = (Wide(ref px, i + 4), Wide(ref py, i + 4));
            xx1 = Vector256.MultiplyAddEstimate(x, x, xx1);
            xy1 = Vector256.MultiplyAddEstimate(x, y, xy1);
            yy1 = Vector256.MultiplyAddEstimate(y, y, yy1);
            (x, y) = (Wide(ref px, i + 8), Wide(ref py, i + 8));
            xx2 = Vector256.MultiplyAddEstimate(x, x, xx2);
            xy2 = Vector256.MultiplyAddEstimate(x, y, xy2);
            yy2 = Vector256.MultiplyAddEstimate(y, y, yy2);
            (x, y) = (Wide(ref px, i + 12), Wide(ref py, i + 12));
            xx3 = Vector256.MultiplyAddEstimate(x, x, xx3);
            xy3 = Vector256.MultiplyAddEstimate(x, y, xy3);
            yy3 = Vector256.MultiplyAddEstimate(y, y, yy3);
        }
        Put(ref lanes, 0, xx0, xx1, xx2, xx3);
        Put(ref lanes, 16, xy0, xy1, xy2, xy3);
        Put(ref lanes, 32, yy0, yy1, yy2, yy3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Put(ref double lanes, nuint at, Vector256<double> a, Vector256<double> b, Vector256<double> c, Vector256<double> d)
    {
        a.StoreUnsafe(ref lanes, at);
        b.StoreUnsafe(ref lanes, at + 4);
        c.StoreUnsafe(ref lanes, at + 8);
        d.StoreUnsafe(ref lanes, at + 12);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void OfTwo512(ref float px, ref float py, int length, ref double lanes)
    {
        Vector512<double> xx0 = default, xx1 = default, xy0 = default, xy1 = default, yy0 = default, yy1 = default;
        for (int i = 0; i < length; i += 16)
        {
            Vector512<double> x0 = Wide512(ref px, i), x1 = Wide512(ref px, i + 8), y0 = Wide512(ref py, i), y1 = Wide512(ref py, i + 8);
            xx0 = Vector512.MultiplyAddEstimate(x0, x0, xx0);
            xx1 = Vector512.MultiplyAddEstimate(x1, x1, xx1);
            xy0 = Vector512.MultiplyAddEstimate(x0, y0, xy0);
            xy1 = Vector512.MultiplyAddEstimate(x1, y1, xy1);
            yy0 = Vector512.MultiplyAddEstimate(y0, y0, yy0);
            yy1 = Vector512.MultiplyAddEstimate(y1, y1, yy1);
        }
        Put(ref lanes, 0, xx0, xx1);
        Put(ref lanes, 16, xy0, xy1);
        Put(ref lanes, 32, yy0, yy1);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void OfThree512(ref float px, ref float py, ref float pz, int length, ref double lanes)
    {
        Vector512<double> xx0 = default, xx1 = default, xy0 = default, xy1 = default, xz0 = default, xz1 = default;
        Vector512<double> yy0 = default, yy1 = default, yz0 = default, yz1 = default, zz0 = default, zz1 = default;
        for (int i = 0; i < length; i += 16)
        {
            Vector512<double> x0 = Wide512(ref px, i), x1 = Wide512(ref px, i + 8), y0 = Wide512(ref py, i), y1 = Wide512(ref py, i + 8), z0 = Wide512(ref pz, i), z1 = Wide512(ref pz, i + 8);
            xx0 = Vector512.MultiplyAddEstimate(x0, x0, xx0);
            xx1 = Vector512.MultiplyAddEstimate(x1, x1, xx1);
            xy0 = Vector512.MultiplyAddEstimate(x0, y0, xy0);
            xy1 = Vector512.MultiplyAddEstimate(x1, y1, xy1);
            xz0 = Vector512.MultiplyAddEstimate(x0, z0, xz0);
            xz1 = Vector512.MultiplyAddEstimate(x1, z1, xz1);
            yy0 = Vector512.MultiplyAddEstimate(y0, y0, yy0);
            yy1 = Vector512.MultiplyAddEstimate(y1, y1, yy1);
            yz0 = Vector512.MultiplyAddEstimate(y0, z0, yz0);
            yz1 = Vector512.MultiplyAddEstimate(y1, z1, yz1);
            zz0 = Vector512.MultiplyAddEstimate(z0, z0, zz0);
            zz1 = Vector512.MultiplyAddEstimate(z1, z1, zz1);
        }
        Put(ref lanes, 0, xx0, xx1);
        Put(ref lanes, 16, xy0, xy1);
        Put(ref lanes, 32, xz0, xz1);
        Put(ref lanes, 48, yy0, yy1);
        Put(ref lanes, 64, yz0, yz1);
        Put(ref lanes, 80, zz0, zz1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(ref double lanes, nuint at, Vector512<double> a, Vector512<double> b)
    {
        a.StoreUnsafe(ref lanes, at);
        b.StoreUnsafe(ref lanes, at + 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<double> Wide512(ref float from, int at) => Avx512F.ConvertToVector512Double(Vector256.LoadUnsafe(ref from, (nuint)at));

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
