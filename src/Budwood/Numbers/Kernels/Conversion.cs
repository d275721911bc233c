using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Budwood.Numbers.Kernels;

/// <summary>Between stored bytes and float32 values, at memory speed.</summary>
public static class Conversion
{
    /// <summary>Widens stored elements to float32, exactly (F64 is rounded to float32, ties to even).</summary>
    /// <param name="type">F16, BF16, F32 or F64; anything else throws <see cref="NotSupportedException"/>.</param>
    /// <param name="bytes">Little-endian elements, <c>values.Length</c> of them.</param>
    public static void Widen(DType type, ReadOnlySpan<byte> bytes, Span<float> values)
    {
        switch (type)
        {
            case DType.F32:
                MemoryMarshal.Cast<byte, float>(bytes)[..values.Length].CopyTo(values);
                break;
            case DType.BF16:
                WidenBF16(MemoryMarshal.Cast<byte, ushort>(bytes), values);
                break;
            case DType.F16:
                WidenF16(MemoryMarshal.Cast<byte, ushort>(bytes), values);
                break;
            case DType.F64:
                ReadOnlySpan<double> wide = MemoryMarshal.Cast<byte, double>(bytes);
                for (int i = 0; i < values.Length; i++) values[i] = (float)wide[i];
                break;
            default:
                throw new NotSupportedException($"{type.Name()} has no arithmetic.");
        }
    }

    /// <summary>Rounds float32 values to the stored type, ties to even, and writes them little-endian.</summary>
    public static void Narrow(DType type, ReadOnlySpan<float> values, Span<byte> bytes)
    {
        switch (type)
        {
            case DType.F32:
                values.CopyTo(MemoryMarshal.Cast<byte, float>(bytes));
                break;
            case DType.BF16:
                NarrowBF16(values, MemoryMarshal.Cast<byte, ushort>(bytes));
                break;
            case DType.F16:
                NarrowF16(values, MemoryMarshal.Cast<byte, ushort>(bytes));
                break;
            case DType.F64:
                Span<double> wide = MemoryMarshal.Cast<byte, double>(bytes);
                for (int i = 0; i < values.Length; i++) wide[i] = values[i];
                break;
            default:
                throw new NotSupportedException($"{type.Name()} has no arithmetic.");
        }
    }

    private static void WidenBF16(ReadOnlySpan<ushort> from, Span<float> to)
    {
        ref ushort s = ref MemoryMarshal.GetReference(from);
        ref float d = ref MemoryMarshal.GetReference(to);
        int i = 0;
        if (Vector512.IsHardwareAccelerated && Avx512F.IsSupported)
        {
            for (; i <= to.Length - 32; i += 32)
            {
                (Avx512F.ConvertToVector512UInt32(Vector256.LoadUnsafe(ref s, (nuint)i)) << 16).AsSingle().StoreUnsafe(ref d, (nuint)i);
                (Avx512F.ConvertToVector512UInt32(Vector256.LoadUnsafe(ref s, (nuint)i + 16)) << 16).AsSingle().StoreUnsafe(ref d, (nuint)i + 16);
            }
        }
        for (; i <= to.Length - 16; i += 16)
        {
            (Vector256<uint> low, Vector256<uint> high) = Vector256.Widen(Vector256.LoadUnsafe(ref s, (nuint)i));
            (low << 16).AsSingle().StoreUnsafe(ref d, (nuint)i);
            (high << 16).AsSingle().StoreUnsafe(ref d, (nuint)i + 8);
        }
        for (; i < to.Length; i++) to[i] = BitConverter.UInt32BitsToSingle((uint)from[i] << 16);
    }

    private static void WidenF16(ReadOnlySpan<ushort> from, Span<float> to)
    {
        ref ushort s = ref MemoryMarshal.GetReference(from);
        ref float d = ref MemoryMarshal.GetReference(to);
        int i = 0;
        for (; i <= to.Length - 16; i += 16)
        {
            (Vector256<uint> low, Vector256<uint> high) = Vector256.Widen(Vector256.LoadUnsafe(ref s, (nuint)i));
            Rounding.FromF16Bits(low).StoreUnsafe(ref d, (nuint)i);
            Rounding.FromF16Bits(high).StoreUnsafe(ref d, (nuint)i + 8);
        }
        for (; i < to.Length; i++) to[i] = (float)BitConverter.UInt16BitsToHalf(from[i]);
    }

    private static void NarrowBF16(ReadOnlySpan<float> from, Span<ushort> to)
    {
        ref float s = ref MemoryMarshal.GetReference(from);
        ref ushort d = ref MemoryMarshal.GetReference(to);
        int i = 0;
        for (; i <= from.Length - 16; i += 16)
        {
            Vector256<uint> low = Rounding.BF16Bits(Vector256.LoadUnsafe(ref s, (nuint)i)) >>> 16;
            Vector256<uint> high = Rounding.BF16Bits(Vector256.LoadUnsafe(ref s, (nuint)i + 8)) >>> 16;
            Vector256.Narrow(low, high).StoreUnsafe(ref d, (nuint)i);
        }
        for (; i < from.Length; i++) to[i] = (ushort)(BitConverter.SingleToUInt32Bits(Rounding.ToBF16(from[i])) >> 16);
    }

    private static void NarrowF16(ReadOnlySpan<float> from, Span<ushort> to)
    {
        ref float s = ref MemoryMarshal.GetReference(from);
        ref ushort d = ref MemoryMarshal.GetReference(to);
        int i = 0;
        for (; i <= from.Length - 16; i += 16)
        {
            Vector256<uint> low = Rounding.F16Bits(Vector256.LoadUnsafe(ref s, (nuint)i));
            Vector256<uint> high = Rounding.F16Bits(Vector256.LoadUnsafe(ref s, (nuint)i + 8));
            Vector256.Narrow(low, high).StoreUnsafe(ref d, (nuint)i);
        }
        for (; i < from.Length; i++) to[i] = BitConverter.HalfToUInt16Bits((Half)from[i]);
    }
}
