using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Budwood.Numbers.Kernels;

/// <summary>Which elements of a row stay when each does with a probability that grows with the rank of its magnitude: exactly as ranking all of them would tell, without doing so.</summary>
/// <remarks>
/// A count of leading bits bounds the rank of each element, and so its probability: a uniform number below the lower bound keeps it, one above the upper drops it.
/// The bounds nearly always agree; only where they do not is the rank itself counted.
/// </remarks>
public sealed class RankedDrop
{
    private const int Bins = 1024, Low = 16;

    /// <summary>Rows longer than this are better sorted.</summary>
    public const int Longest = 1 << 14;

    [ThreadStatic] private static RankedDrop? s_last;

    private readonly int[] _starts = new int[Bins + 1], _odd = new int[Bins + 1];
    private readonly ushort[] _bins;
    private readonly float[] _keep;
    private readonly (float Least, float Greatest)[] _bounds = new (float, float)[Bins];
    private readonly (int, double, double, Type) _for;

    private RankedDrop(int count, (int, double, double, Type) made, Func<int, float> keep)
    {
        _for = made;
        _bins = new ushort[count + 16];
        _keep = new float[count];
        for (int r = 0; r < count; r++) _keep[r] = keep(r);
    }

    /// <summary>For rows of so many elements; the last one of this thread is used again.</summary>
    /// <param name="keep">The probability by rank: never smaller for a larger one.</param>
    public static RankedDrop For<W>(int count, double density, double epsilon, Func<int, float> keep) where W : struct, IRounding
    {
        (int, double, double, Type) key = (count, density, epsilon, typeof(W));
        if (s_last is null || s_last._for != key) s_last = new RankedDrop(count, key, keep);
        return s_last;
    }

    /// <summary>Sets to zero what does not stay.</summary>
    /// <param name="mask">Told which ones stay, one bit each; may be empty.</param>
    public void Apply(Span<float> v, ReadOnlySpan<float> uniform, Span<byte> mask)
    {
        int n = _keep.Length;
        ref float at = ref MemoryMarshal.GetReference(v);
        ref float u = ref MemoryMarshal.GetReference(uniform);
        Count(ref at, n);
        ReadOnlySpan<int> bits = MemoryMarshal.Cast<float, int>(v[..n]);
        int i = 0;
        // Elements already set to zero would be ranked wrongly: zeros are written once all of the row is decided.
        Span<uint> stays = stackalloc uint[(n + 31) / 32];
        stays.Clear();
        Bound();
        for (; i <= n - 8; i += 8)
        {
            Vector256<float> x = Vector256.LoadUnsafe(ref u, (nuint)i);
            (Vector256<float> surely, Vector256<float> perhaps) = Bounds(i);
            uint kept = Vector256.LessThan(x, surely).ExtractMostSignificantBits();
            uint open = Vector256.LessThan(x, perhaps).ExtractMostSignificantBits() & ~kept;
            for (; open != 0; open &= open - 1)
            {
                int lane = BitOperations.TrailingZeroCount(open);
                if (Unsafe.Add(ref u, i + lane) < _keep[Rank(bits, i + lane)]) kept |= 1u << lane;
            }
            stays[i >> 5] |= kept << (i & 31);
        }
        for (; i < n; i++) if (Stays(bits, i, uniform[i])) stays[i >> 5] |= 1u << (i & 31);
        Masks.Apply(MemoryMarshal.AsBytes(stays), v[..n]);
        if (!mask.IsEmpty) MemoryMarshal.AsBytes(stays)[..mask.Length].CopyTo(mask);
    }

    // Counts leading bits and makes of the counts the rank at which each bin starts.
    private void Count(ref float at, int n)
    {
        Vector256<int> magnitude = Vector256.Create(int.MaxValue), most = default;
        int i = 0;
        for (; i <= n - 8; i += 8) most = Vector256.Max(most, Vector256.LoadUnsafe(ref at, (nuint)i).AsInt32() & magnitude);
        int top = 0;
        for (int lane = 0; lane < 8; lane++) top = Math.Max(top, most[lane]);
        for (; i < n; i++) top = Math.Max(top, BitConverter.SingleToInt32Bits(Unsafe.Add(ref at, i)) & int.MaxValue);
        int first = Math.Max(0, (top >> Low) - (Bins - 1));

        Array.Clear(_starts);
        Array.Clear(_odd);
        ref ushort bins = ref MemoryMarshal.GetArrayDataReference(_bins);
        Vector256<int> from = Vector256.Create(first);
        for (i = 0; i <= n - 16; i += 16)
        {
            Vector256<int> a = Vector256.Max((Vector256.LoadUnsafe(ref at, (nuint)i).AsInt32() & magnitude) >> Low, from) - from;
            Vector256<int> b = Vector256.Max((Vector256.LoadUnsafe(ref at, (nuint)i + 8).AsInt32() & magnitude) >> Low, from) - from;
            Vector256.Narrow(a.AsUInt32(), b.AsUInt32()).StoreUnsafe(ref bins, (nuint)i);
        }
        for (; i < n; i++) _bins[i] = (ushort)(Math.Max((BitConverter.SingleToInt32Bits(Unsafe.Add(ref at, i)) & int.MaxValue) >> Low, first) - first);

        // Two tables: equal neighbours would wait for each other's increment.
        ref int even = ref MemoryMarshal.GetArrayDataReference(_starts), odd = ref MemoryMarshal.GetArrayDataReference(_odd);
        for (i = 0; i <= n - 2; i += 2)
        {
            Unsafe.Add(ref even, Unsafe.Add(ref bins, i) + 1)++;
            Unsafe.Add(ref odd, Unsafe.Add(ref bins, i + 1) + 1)++;
        }
        if (i < n) Unsafe.Add(ref even, Unsafe.Add(ref bins, i) + 1)++;
        int sum = 0;
        for (int b = 1; b <= Bins; b++) _starts[b] = sum += _starts[b] + _odd[b];
    }

    // The probabilities of the least and the greatest rank of each bin, side by side: one load finds both. An empty bin is never asked for.
    private void Bound()
    {
        ref float keep = ref MemoryMarshal.GetArrayDataReference(_keep);
        ref (float, float) bounds = ref MemoryMarshal.GetArrayDataReference(_bounds);
        int start = 0;
        for (int b = 0; b < Bins; b++)
        {
            int end = _starts[b + 1];
            if (end > start) Unsafe.Add(ref bounds, b) = (Unsafe.Add(ref keep, start), Unsafe.Add(ref keep, end - 1));
            start = end;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private unsafe (Vector256<float> Surely, Vector256<float> Perhaps) Bounds(int i)
    {
        ref ushort bins = ref MemoryMarshal.GetArrayDataReference(_bins);
        if (Avx2.IsSupported)
        {
            fixed ((float, float)* table = _bounds)
            {
                Vector128<ushort> at = Vector128.LoadUnsafe(ref bins, (nuint)i);
                (Vector128<uint> first, Vector128<uint> second) = Vector128.Widen(at);
                Vector256<float> a = Avx2.GatherVector256((double*)table, first.AsInt32(), 8).AsSingle(), b = Avx2.GatherVector256((double*)table, second.AsInt32(), 8).AsSingle();
                // Pairs (low, high) of four elements each: the halves of both are sorted apart.
                Vector256<float> low = Avx.Shuffle(a, b, 0b10_00_10_00), high = Avx.Shuffle(a, b, 0b11_01_11_01);
                return (Avx2.Permute4x64(low.AsDouble(), 0b11_01_10_00).AsSingle(), Avx2.Permute4x64(high.AsDouble(), 0b11_01_10_00).AsSingle());
            }
        }
        Span<float> lows = stackalloc float[8], highs = stackalloc float[8];
        for (int k = 0; k < 8; k++) (lows[k], highs[k]) = _bounds[Unsafe.Add(ref bins, i + k)];
        return (Vector256.Create<float>(lows), Vector256.Create<float>(highs));
    }

    private bool Stays(ReadOnlySpan<int> bits, int i, float u)
    {
        int bin = _bins[i];
        if (u < _keep[_starts[bin]]) return true;
        if (!(u < _keep[_starts[bin + 1] - 1])) return false;
        return u < _keep[Rank(bits, i)];
    }

    // Of equal ones those with the lower index rank lower.
    private static int Rank(ReadOnlySpan<int> bits, int i)
    {
        int key = bits[i] & int.MaxValue;
        return Smaller(bits[..i], key + 1) + Smaller(bits[(i + 1)..], key);
    }

    private static int Smaller(ReadOnlySpan<int> bits, int key)
    {
        ref int at = ref MemoryMarshal.GetReference(bits);
        Vector256<int> magnitude = Vector256.Create(int.MaxValue), than = Vector256.Create(key), count = default;
        int j = 0;
        for (; j <= bits.Length - 8; j += 8) count -= Vector256.LessThan(Vector256.LoadUnsafe(ref at, (nuint)j) & magnitude, than);
        int sum = Vector256.Sum(count);
        for (; j < bits.Length; j++) if ((bits[j] & int.MaxValue) < key) sum++;
        return sum;
    }
}

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
}
