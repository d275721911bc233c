using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

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
        ArgumentOutOfRangeException.ThrowIfNotEqual(y.Length, reference.Length);
        ushort nothing = 0;
        return Of<AsTheyAre>(ref MemoryMarshal.GetReference(y), reference, ref nothing);
    }

    /// <summary>Rounds values to the stored type, writes them little-endian, and compares what was written: <see cref="Conversion.Narrow"/> and <see cref="Of"/>, of bfloat16 in one go.</summary>
    /// <param name="type">F16, BF16, F32 or F64.</param>
    /// <param name="y">The values; they are not what they were afterwards.</param>
    /// <param name="reference">Values of the stored type, as many.</param>
    /// <param name="bytes">Room for as many elements.</param>
    public static Comparison OfStored(DType type, Span<float> y, ReadOnlySpan<float> reference, Span<byte> bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(y.Length, reference.Length);
        if (type == DType.BF16) return Of<ToBF16>(ref MemoryMarshal.GetReference(y), reference, ref MemoryMarshal.GetReference(MemoryMarshal.Cast<byte, ushort>(bytes)[..y.Length]));
        Rounding.To(type, y);
        Conversion.Narrow(type, y, bytes);
        return Of(y, reference);
    }

    // What becomes of values before they are compared.
    private interface IStep
    {
        static abstract bool Rounds { get; }
    }

    private readonly struct AsTheyAre : IStep
    {
        public static bool Rounds => false;
    }

    private readonly struct ToBF16 : IStep
    {
        public static bool Rounds => true;
    }

    private static Comparison Of<S>(ref float y, ReadOnlySpan<float> reference, ref ushort to) where S : struct, IStep
    {
        int whole = reference.Length & -16;
        Span<double> lanes = stackalloc double[32];
        ref float r = ref MemoryMarshal.GetReference(reference);
        (long same, bool odd) = Vector512.IsHardwareAccelerated && Avx512F.IsSupported
            ? Lanes512<S>(ref y, ref r, ref to, whole, ref lanes[0]) : Lanes256<S>(ref y, ref r, ref to, whole, ref lanes[0]);
        long changed = whole - same, bad = 0;
        if (odd) for (int k = 0; k < whole; k++) if (!float.IsFinite(S.Rounds ? Rounding.ToBF16(Unsafe.Add(ref y, k)) : Unsafe.Add(ref y, k))) bad++;
        double difference = Reductions.Total(lanes), square = Reductions.Total(lanes[16..]);
        for (int k = whole; k < reference.Length; k++)
        {
            float v = Unsafe.Add(ref y, k);
            if (S.Rounds)
            {
                v = Rounding.ToBF16(v);
                Unsafe.Add(ref to, k) = (ushort)(BitConverter.SingleToUInt32Bits(v) >> 16);
            }
            if (v != reference[k] && BitConverter.SingleToUInt32Bits(v) != BitConverter.SingleToUInt32Bits(reference[k])) changed++;
            if (!float.IsFinite(v)) bad++;
            double d = v - reference[k];
            difference += d * d;
            square += (double)reference[k] * reference[k];
        }
        return new(changed, bad, difference, square);
    }

    // Lanes of the squared differences, then of the squares of the reference. Squares of widened float32 are exact: fused or not, the sums have the same bits.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static (long Same, bool Odd) Lanes512<S>(ref float py, ref float pr, ref ushort to, int whole, ref double lanes) where S : struct, IStep
    {
        Vector512<double> d0 = default, d1 = default, r0 = default, r1 = default;
        Vector512<float> odd = default;
        long same = 0;
        for (int i = 0; i < whole; i += 16)
        {
            Vector512<float> v = Vector512.LoadUnsafe(ref py, (nuint)i), r = Vector512.LoadUnsafe(ref pr, (nuint)i);
            if (S.Rounds)
            {
                Vector512<uint> bits = Rounding.BF16Bits(v);
                Avx512F.ConvertToVector256UInt16(bits >>> 16).StoreUnsafe(ref to, (nuint)i);
                v = (bits & Vector512.Create(0xFFFF0000u)).AsSingle();
            }
            same += BitOperations.PopCount((Vector512.Equals(v.AsInt32(), r.AsInt32()) | Vector512.Equals(v, r).AsInt32()).ExtractMostSignificantBits());
            odd += v - v;
            Vector512<float> d = v - r;
            Vector512<double> x0 = Avx512F.ConvertToVector512Double(d.GetLower()), x1 = Avx512F.ConvertToVector512Double(d.GetUpper());
            Vector512<double> y0 = Avx512F.ConvertToVector512Double(r.GetLower()), y1 = Avx512F.ConvertToVector512Double(r.GetUpper());
            d0 = Vector512.MultiplyAddEstimate(x0, x0, d0);
            d1 = Vector512.MultiplyAddEstimate(x1, x1, d1);
            r0 = Vector512.MultiplyAddEstimate(y0, y0, r0);
            r1 = Vector512.MultiplyAddEstimate(y1, y1, r1);
        }
        d0.StoreUnsafe(ref lanes);
        d1.StoreUnsafe(ref lanes, 8);
        r0.StoreUnsafe(ref lanes, 16);
        r1.StoreUnsafe(ref lanes, 24);
        return (same, !Vector512.EqualsAll(odd, Vector512<float>.Zero));
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static (long Same, bool Odd) Lanes256<S>(ref float py, ref float pr, ref ushort to, int whole, ref double lanes) where S : struct, IStep
    {
        Vector256<double> d0 = default, d1 = default, d2 = default, d3 = default, r0 = default, r1 = default, r2 = default, r3 = default;
        Vector256<int> same = default;
        Vector256<float> odd = default;
        for (int i = 0; i < whole; i += 16)
        {
            Vector256<float> a = Vector256.LoadUnsafe(ref py, (nuint)i), b = Vector256.LoadUnsafe(ref py, (nuint)i + 8);
            if (S.Rounds)
            {
                Vector256<uint> low = Rounding.BF16Bits(a), high = Rounding.BF16Bits(b), upper = Vector256.Create(0xFFFF0000u);
                Vector256.Narrow(low >>> 16, high >>> 16).StoreUnsafe(ref to, (nuint)i);
                (a, b) = ((low & upper).AsSingle(), (high & upper).AsSingle());
            }
            Vector256<float> p = Vector256.LoadUnsafe(ref pr, (nuint)i), q = Vector256.LoadUnsafe(ref pr, (nuint)i + 8);
            same -= Same(a, p) + Same(b, q);
            odd += (a - a) + (b - b);
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
        Reductions.Put(ref lanes, 0, d0, d1, d2, d3);
        Reductions.Put(ref lanes, 16, r0, r1, r2, r3);
        return (Vector256.Sum(same), !Vector256.EqualsAll(odd, Vector256<float>.Zero));
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
}
