using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Budwood.Numbers.Kernels;

/// <summary>One bit an element: which ones stay.</summary>
public static class Masks
{
    /// <summary>Sets to zero what has no bit; bits stand from the lowest of the first byte on.</summary>
    public static void Apply(ReadOnlySpan<byte> bits, Span<float> v)
    {
        ref float at = ref MemoryMarshal.GetReference(v);
        Vector256<int> lane = Vector256.Create(1, 2, 4, 8, 16, 32, 64, 128);
        int i = 0;
        for (; i <= v.Length - 8; i += 8)
        {
            Vector256<int> stays = Vector256.Equals(Vector256.Create((int)bits[i >> 3]) & lane, lane);
            (Vector256.LoadUnsafe(ref at, (nuint)i).AsInt32() & stays).AsSingle().StoreUnsafe(ref at, (nuint)i);
        }
        for (; i < v.Length; i++) if ((bits[i >> 3] & (1 << (i & 7))) == 0) v[i] = 0;
    }

    /// <summary>All bits of a value for each bit that is set, none for the others; values beyond the bits are left alone.</summary>
    public static void Spread(ReadOnlySpan<byte> bits, Span<float> v)
    {
        ref float at = ref MemoryMarshal.GetReference(v);
        Vector256<int> lane = Vector256.Create(1, 2, 4, 8, 16, 32, 64, 128);
        for (int k = 0; k < bits.Length && (k * 8) + 8 <= v.Length; k++)
            Vector256.Equals(Vector256.Create((int)bits[k]) & lane, lane).AsSingle().StoreUnsafe(ref at, (nuint)(k * 8));
        for (int i = v.Length & ~7; i < Math.Min(v.Length, bits.Length * 8); i++) v[i] = BitConverter.Int32BitsToSingle((bits[i >> 3] & (1 << (i & 7))) != 0 ? -1 : 0);
    }

    /// <summary>The sign bits of values: what <see cref="Spread"/> gives back.</summary>
    public static void Gather(ReadOnlySpan<float> v, Span<byte> bits)
    {
        ref float at = ref MemoryMarshal.GetReference(v);
        for (int k = 0; k < bits.Length; k++)
        {
            if ((k * 8) + 8 <= v.Length) bits[k] = (byte)Vector256.LoadUnsafe(ref at, (nuint)(k * 8)).ExtractMostSignificantBits();
            else
            {
                bits[k] = 0;
                for (int i = k * 8; i < v.Length; i++) if (float.IsNegative(v[i])) bits[k] |= (byte)(1 << (i & 7));
            }
        }
    }
}
