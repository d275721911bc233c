using System.Collections.Concurrent;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Budwood.Engine;

/// <summary>Between which keys one order statistic lies, and the bins of what was seen between them.</summary>
internal sealed class Bracket(int lo, int hi, int workers, int pieces) : IDisposable
{
    /// <summary>Bins of a bracket; their tables fit into the second-level cache beside the data.</summary>
    public const int Bins = 1 << 14;

    // Shares of pieces are kept while there are few: stored types leave few distinct values, and only equal ones have to be told apart.
    private const int MostOfPiece = 1024, MostInAll = 1 << 17;

    /// <summary>Bytes of one table, and of the shares of pieces.</summary>
    public const long TableBytes = Bins * 10L, ShareBytes = MostInAll * 8L;

    private static readonly ConcurrentBag<BinTable> s_spare = [];
    private readonly BinTable?[] _tables = new BinTable?[workers];
    private readonly object _gate = new();
    private BinTable? _sum;
    private (ushort Bin, int Count)[]?[]? _shares;
    private int _kept;
    private int _bin;

    public int Lo { get; private set; } = lo;
    public int Hi { get; private set; } = hi;

    /// <summary>The key is known, with how many are smaller and equal.</summary>
    public bool IsFound { get; private set; }
    public int Key { get; private set; }
    public long Below { get; private set; }
    public long Equal { get; private set; }

    public void Place(int from, int to) => (Lo, Hi) = (from, to);

    /// <summary>The table that a worker fills during a piece.</summary>
    public BinTable Table(int worker) => _tables[worker] ??= NewTable();

    private BinTable NewTable()
    {
        if (!s_spare.TryTake(out BinTable? table)) table = new BinTable();
        table.Place(Lo, Hi);
        return table;
    }

    /// <summary>Adds what a worker saw in a piece to the sum.</summary>
    public void Gather(int worker, int piece)
    {
        BinTable table = Table(worker);
        (ushort, int)[]? share = table.Touched.Count <= MostOfPiece ? table.Shares() : null;
        lock (_gate)
        {
            if (_sum is null)
            {
                _sum = NewTable();
                _shares = new (ushort, int)[]?[pieces];
            }
            _sum.Add(table);
            if (share is null || (_kept += share.Length) > MostInAll) _shares = null;
            else if (_shares is not null) _shares[piece] = share;
        }
        table.Clear();
    }

    /// <summary>Finds a position among what <paramref name="from"/> has counted: the key itself, or where to look next.</summary>
    public void Read(Bracket from, long position, int least)
    {
        BinTable sum = from._sum ?? throw new InvalidOperationException("An order statistic is read before anything was counted.");
        long below = sum.Below;
        if (position < below)
        {
            (Lo, Hi) = (least, from.Lo - 1);
            return;
        }
        for (int bin = 0; bin < Bins; bin++)
        {
            int count = sum[bin].Count;
            if (position >= below + count)
            {
                below += count;
                continue;
            }
            if (!sum[bin].IsMixed)
            {
                (IsFound, Key, Below, Equal, _bin) = (true, sum[bin].Key, below, count, bin);
                _shares = from._shares;
                return;
            }
            long first = from.Lo + ((long)bin << sum.Shift);
            (Lo, Hi) = ((int)first, (int)Math.Min(from.Hi, first + (1L << sum.Shift) - 1));
            return;
        }
        if (from.Hi == int.MaxValue) throw new InvalidOperationException("An order statistic lies outside the counted elements.");
        (Lo, Hi) = (from.Hi + 1, int.MaxValue);
    }

    /// <summary>How many elements equal to the key each piece has; null where that was not kept.</summary>
    public long[]? PieceCounts(int count)
    {
        if (_shares is null) return null;
        long[] counts = new long[count];
        for (int p = 0; p < count; p++)
            foreach ((ushort bin, int n) in _shares[p] ?? []) if (bin == _bin) counts[p] = n;
        return counts;
    }

    /// <summary>Clears the tables for the next pass, or gives them back.</summary>
    public void Reset()
    {
        for (int i = 0; i < _tables.Length; i++) Return(ref _tables[i]);
        Return(ref _sum);
        if (!IsFound) _shares = null;
        _kept = 0;
    }

    private static void Return(ref BinTable? table)
    {
        if (table is null) return;
        table.Clear();
        s_spare.Add(table);
        table = null;
    }

    public void Dispose() => Reset();
}

/// <summary>What was seen of one bin: how many, the first key, and whether another one came. One place in memory, so that it is fetched once.</summary>
internal struct Bin
{
    private const uint Mixed = 1u << 31;

    private uint _seen;

    public int Key { get; private set; }
    public readonly int Count => (int)(_seen & ~Mixed);
    public readonly bool IsMixed => _seen >= Mixed;

    /// <summary>Counts a key; true of the first one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool See(int key)
    {
        if (_seen++ == 0)
        {
            Key = key;
            return true;
        }
        if (Key != key) _seen |= Mixed;
        return false;
    }

    /// <summary>Adds what another table has seen of the bin; true where this one had seen nothing.</summary>
    public bool Add(in Bin other)
    {
        bool first = _seen == 0;
        if (first) Key = other.Key;
        bool mixed = IsMixed || other.IsMixed || Key != other.Key;
        // Tensors have fewer elements than an int counts in pieces; a sum beyond is refused rather than wrong.
        _seen = (uint)checked(Count + other.Count) | (mixed ? Mixed : 0);
        return first;
    }
}

/// <summary>Counts of keys by bin, with the one key of a bin that has seen no other.</summary>
internal sealed class BinTable
{
    private readonly Bin[] _bins = new Bin[Bracket.Bins];

    public int Lo { get; private set; }
    public int Hi { get; private set; }
    public int Shift { get; private set; }
    public ref readonly Bin this[int bin] => ref _bins[bin];
    public List<ushort> Touched { get; } = [];

    /// <summary>Elements below the bracket.</summary>
    public long Below { get; set; }

    public void Place(int from, int to)
    {
        (Lo, Hi) = (from, to);
        Shift = Math.Max(0, BitOperations.Log2((uint)(to - from)) + 1 - BitOperations.Log2(Bracket.Bins));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void See(int key)
    {
        uint bin = (uint)(key - Lo) >> Shift;
        if (_bins[bin].See(key)) Touched.Add((ushort)bin);
    }

    public void Add(BinTable other)
    {
        Below += other.Below;
        foreach (ushort bin in other.Touched) if (_bins[bin].Add(other._bins[bin])) Touched.Add(bin);
    }

    public (ushort, int)[] Shares()
    {
        var shares = new (ushort, int)[Touched.Count];
        for (int i = 0; i < shares.Length; i++) shares[i] = (Touched[i], _bins[Touched[i]].Count);
        return shares;
    }

    public void Clear()
    {
        foreach (ushort bin in Touched) _bins[bin] = default;
        Touched.Clear();
        Below = 0;
    }
}

/// <summary>Where values lie to a bracket: vectors tell, and only what lies within is looked at one by one.</summary>
internal static class Ranges
{
    internal interface IKeys
    {
        static abstract Vector512<int> Of(Vector512<int> bits);
        static abstract Vector256<int> Of(Vector256<int> bits);
        static abstract int Of(int bits);
    }

    internal readonly struct Magnitudes : IKeys
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<int> Of(Vector512<int> bits) => bits & Vector512.Create(int.MaxValue);
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<int> Of(Vector256<int> bits) => bits & Vector256.Create(int.MaxValue);
        public static int Of(int bits) => bits & int.MaxValue;
    }

    internal readonly struct Values : IKeys
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<int> Of(Vector512<int> bits) => bits ^ ((bits >> 31) & Vector512.Create(int.MaxValue));
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<int> Of(Vector256<int> bits) => bits ^ ((bits >> 31) & Vector256.Create(int.MaxValue));
        public static int Of(int bits) => bits ^ ((bits >> 31) & int.MaxValue);
    }

    // Values that are looked at in a go: the keys of those within the bracket are gathered first.
    private const int Go = 2048;

    /// <summary>Counts what lies below the bracket of a table, and in the table what lies within.</summary>
    [SkipLocalsInit]
    public static void Sort<K>(ReadOnlySpan<float> v, BinTable table) where K : struct, IKeys
    {
        ReadOnlySpan<int> bits = MemoryMarshal.Cast<float, int>(v);
        Span<int> within = stackalloc int[Go + 16];
        for (int from = 0; from < bits.Length; from += Go)
        {
            int found = Gather<K>(bits.Slice(from, Math.Min(Go, bits.Length - from)), table, within);
            foreach (int key in within[..found]) table.See(key);
        }
    }

    // Gathers keys without a branch on whether there is one: where a few in a hundred lie within, a processor could not foresee which.
    private static int Gather<K>(ReadOnlySpan<int> bits, BinTable table, Span<int> within) where K : struct, IKeys
    {
        ref int at = ref MemoryMarshal.GetReference(bits);
        ref int list = ref MemoryMarshal.GetReference(within);
        (int i, int found, long under) = Vector512.IsHardwareAccelerated && Avx512F.IsSupported
            ? Gather512<K>(ref at, bits.Length, ref list, table.Lo, table.Hi) : Gather256<K>(ref at, bits.Length, ref list, table.Lo, table.Hi);
        for (; i < bits.Length; i++)
        {
            int key = K.Of(bits[i]);
            if (key < table.Lo) under++;
            else if (key <= table.Hi) within[found++] = key;
        }
        table.Below += under;
        return found;
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static (int Seen, int Found, long Under) Gather512<K>(ref int at, int length, ref int list, int from, int to) where K : struct, IKeys
    {
        Vector512<int> lo = Vector512.Create(from), hi = Vector512.Create(to);
        int i = 0, found = 0, under = 0;
        for (; i <= length - 16; i += 16)
        {
            Vector512<int> key = K.Of(Vector512.LoadUnsafe(ref at, (nuint)i));
            under += BitOperations.PopCount(Vector512.LessThan(key, lo).ExtractMostSignificantBits());
            Vector512<int> within = Vector512.GreaterThanOrEqual(key, lo) & Vector512.LessThanOrEqual(key, hi);
            Avx512F.Compress(key, within, key).StoreUnsafe(ref list, (nuint)found);
            found += BitOperations.PopCount(within.ExtractMostSignificantBits());
        }
        return (i, found, under);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static (int Seen, int Found, long Under) Gather256<K>(ref int at, int length, ref int list, int from, int to) where K : struct, IKeys
    {
        Vector256<int> lo = Vector256.Create(from), hi = Vector256.Create(to), below = default;
        int i = 0, found = 0;
        for (; i <= length - 32; i += 32)
        {
            uint left = Within<K>(ref at, i, lo, hi, ref below) | (Within<K>(ref at, i + 8, lo, hi, ref below) << 8)
                | (Within<K>(ref at, i + 16, lo, hi, ref below) << 16) | (Within<K>(ref at, i + 24, lo, hi, ref below) << 24);
            int next = found + BitOperations.PopCount(left);
            // Most often there are none to four; what is taken beyond those there are is written over.
            for (int k = 0; k < 4; k++)
            {
                Unsafe.Add(ref list, found + k) = K.Of(Unsafe.Add(ref at, i + (BitOperations.TrailingZeroCount(left) & 31)));
                left &= left - 1;
            }
            for (found += 4; found < next; left &= left - 1) Unsafe.Add(ref list, found++) = K.Of(Unsafe.Add(ref at, i + BitOperations.TrailingZeroCount(left)));
            found = next;
        }
        return (i, found, Vector256.Sum(below));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Within<K>(ref int at, int i, Vector256<int> lo, Vector256<int> hi, ref Vector256<int> below) where K : struct, IKeys
    {
        Vector256<int> key = K.Of(Vector256.LoadUnsafe(ref at, (nuint)i)), under = Vector256.LessThan(key, lo);
        below -= under;
        return ~(under | Vector256.GreaterThan(key, hi)).ExtractMostSignificantBits() & 0xFF;
    }

    /// <summary>How many magnitudes equal each of two keys.</summary>
    public static (long Low, long High) Equal(ReadOnlySpan<float> v, int low, int high)
    {
        ReadOnlySpan<int> bits = MemoryMarshal.Cast<float, int>(v);
        long l = 0, h = 0;
        foreach (int b in bits)
        {
            int key = b & int.MaxValue;
            if (key == low) l++;
            if (key == high) h++;
        }
        return (l, h);
    }
}
