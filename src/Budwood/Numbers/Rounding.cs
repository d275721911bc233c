using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Budwood.Numbers;

/// <summary>What happens to a float32 after each operation of a formula: nothing in our arithmetic, rounding to the storage type in a peer's.</summary>
/// <remarks>One text of a formula serves both: it writes <c>Q.Round</c> where a peer stores an intermediate tensor.</remarks>
public interface IRounding
{
    /// <summary>Rounds eight values to the nearest representable ones, ties to even.</summary>
    static abstract Vector256<float> Round(Vector256<float> v);

    /// <summary>Rounds one value to the nearest representable one, ties to even.</summary>
    static abstract float Round(float v);

    /// <summary><c>a * b + c</c>: fused in our arithmetic; a peer rounds the product to its type and adds in float32.</summary>
    static abstract Vector256<float> MultiplyAdd(Vector256<float> a, Vector256<float> b, Vector256<float> c);

    /// <summary>The type whose values <see cref="Round(float)"/> yields.</summary>
    static abstract DType DType { get; }

    /// <summary>True where a peer's order of roundings is followed.</summary>
    static abstract bool FollowsPeer { get; }
}

/// <summary>Our arithmetic: float32 throughout, fused multiply-add, one rounding when the result is stored.</summary>
public readonly struct Plain : IRounding
{
    public static DType DType => DType.F32;
    public static bool FollowsPeer => false;
    public static Vector256<float> Round(Vector256<float> v) => v;
    public static float Round(float v) => v;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> MultiplyAdd(Vector256<float> a, Vector256<float> b, Vector256<float> c) => Rounding.FusedMultiplyAdd(a, b, c);
}

/// <summary>A peer's arithmetic on F32 tensors: every operation rounds to float32, nothing is fused.</summary>
public readonly struct PeerF32 : IRounding
{
    public static DType DType => DType.F32;
    public static bool FollowsPeer => true;
    public static Vector256<float> Round(Vector256<float> v) => v;
    public static float Round(float v) => v;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> MultiplyAdd(Vector256<float> a, Vector256<float> b, Vector256<float> c) => (a * b) + c;
}

/// <summary>A peer's arithmetic on BF16 tensors: every operation rounds to bfloat16.</summary>
public readonly struct PeerBF16 : IRounding
{
    public static DType DType => DType.BF16;
    public static bool FollowsPeer => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Round(Vector256<float> v) => Rounding.ToBF16(v);
    public static float Round(float v) => Rounding.ToBF16(v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> MultiplyAdd(Vector256<float> a, Vector256<float> b, Vector256<float> c) => Rounding.ToBF16(a * b) + c;
}

/// <summary>A peer's arithmetic on F16 tensors: every operation rounds to float16, overflow gives infinity.</summary>
public readonly struct PeerF16 : IRounding
{
    public static DType DType => DType.F16;
    public static bool FollowsPeer => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Round(Vector256<float> v) => Rounding.ToF16(v);
    public static float Round(float v) => Rounding.ToF16(v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> MultiplyAdd(Vector256<float> a, Vector256<float> b, Vector256<float> c) => Rounding.ToF16(a * b) + c;
}

/// <summary>Rounding of float32 values to the narrower storage types, values kept as float32.</summary>
public static class Rounding
{
    /// <summary><c>a * b + c</c> with one rounding; exact on machines without the instruction too.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> FusedMultiplyAdd(Vector256<float> a, Vector256<float> b, Vector256<float> c) =>
        Fma.IsSupported ? Fma.MultiplyAdd(a, b, c) : FusedByElement(a, b, c);

    private static Vector256<float> FusedByElement(Vector256<float> a, Vector256<float> b, Vector256<float> c)
    {
        Vector256<float> r = default;
        for (int i = 0; i < Vector256<float>.Count; i++) r = r.WithElement(i, MathF.FusedMultiplyAdd(a[i], b[i], c[i]));
        return r;
    }

    /// <summary>Nearest bfloat16 values, ties to even; subnormals kept, NaN stays NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ToBF16(Vector256<float> v) => (BF16Bits(v) & Vector256.Create(0xFFFF0000u)).AsSingle();

    /// <summary>Nearest bfloat16 value, ties to even.</summary>
    public static float ToBF16(float v)
    {
        uint b = BitConverter.SingleToUInt32Bits(v);
        b = float.IsNaN(v) ? b | 0x00400000u : b + 0x7FFFu + ((b >> 16) & 1);
        return BitConverter.UInt32BitsToSingle(b & 0xFFFF0000u);
    }

    /// <summary>The upper 16 bits of each lane are the nearest bfloat16; the lower ones are to be ignored.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<uint> BF16Bits(Vector256<float> v)
    {
        Vector256<uint> b = v.AsUInt32();
        Vector256<uint> rounded = b + Vector256.Create(0x7FFFu) + ((b >>> 16) & Vector256<uint>.One);
        return Vector256.ConditionalSelect(Vector256.Equals(v, v).AsUInt32(), rounded, b | Vector256.Create(0x00400000u));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<uint> BF16Bits(Vector512<float> v)
    {
        Vector512<uint> b = v.AsUInt32();
        Vector512<uint> rounded = b + Vector512.Create(0x7FFFu) + ((b >>> 16) & Vector512<uint>.One);
        return Vector512.ConditionalSelect(Vector512.Equals(v, v).AsUInt32(), rounded, b | Vector512.Create(0x00400000u));
    }

    /// <summary>Nearest float16 values, ties to even; overflow gives infinity, subnormals kept.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ToF16(Vector256<float> v) => FromF16Bits(F16Bits(v));

    /// <summary>Nearest float16 value, ties to even.</summary>
    public static float ToF16(float v) => (float)(Half)v;

    // The float16 pattern of each lane in its lower 16 bits. Subnormals: adding 0.5 aligns the mantissa so that the adder itself rounds.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<uint> F16Bits(Vector256<float> v)
    {
        Vector256<uint> bits = v.AsUInt32();
        Vector256<uint> sign = bits & Vector256.Create(0x80000000u);
        Vector256<uint> mag = bits ^ sign;
        Vector256<uint> normal = (mag + Vector256.Create(0xC8000FFFu) + ((mag >>> 13) & Vector256<uint>.One)) >>> 13;
        Vector256<uint> small = (mag.AsSingle() + Vector256.Create(0.5f)).AsUInt32() - Vector256.Create(0x3F000000u);
        Vector256<uint> r = Vector256.ConditionalSelect(Vector256.LessThan(mag, Vector256.Create(0x38800000u)), small, normal);
        r = Vector256.ConditionalSelect(Vector256.GreaterThanOrEqual(mag, Vector256.Create(0x47800000u)), Vector256.Create(0x7C00u), r);
        r = Vector256.ConditionalSelect(Vector256.GreaterThan(mag, Vector256.Create(0x7F800000u)), Vector256.Create(0x7E00u), r);
        return r | (sign >>> 16);
    }

    // Multiplying by 2^112 moves the exponent bias; it is exact for subnormals as well.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<float> FromF16Bits(Vector256<uint> h)
    {
        Vector256<uint> sign = (h & Vector256.Create(0x8000u)) << 16;
        Vector256<uint> em = (h & Vector256.Create(0x7FFFu)) << 13;
        Vector256<uint> f = (em.AsSingle() * Vector256.Create(BitConverter.UInt32BitsToSingle(0x77800000u))).AsUInt32();
        Vector256<uint> special = Vector256.GreaterThanOrEqual(em, Vector256.Create(0x0F800000u)) & Vector256.Create(0x7F800000u);
        return (f | special | sign).AsSingle();
    }

    /// <summary>Rounds in place to the values of a narrower type; F32 and F64 leave the values as they are.</summary>
    public static void To(DType type, Span<float> values)
    {
        if (type is not (DType.BF16 or DType.F16)) return;
        ref float at = ref System.Runtime.InteropServices.MemoryMarshal.GetReference(values);
        int i = 0;
        for (; i <= values.Length - 8; i += 8)
        {
            Vector256<float> v = Vector256.LoadUnsafe(ref at, (nuint)i);
            (type == DType.BF16 ? ToBF16(v) : ToF16(v)).StoreUnsafe(ref at, (nuint)i);
        }
        for (; i < values.Length; i++) values[i] = type == DType.BF16 ? ToBF16(values[i]) : ToF16(values[i]);
    }
}
