using System.Collections.Concurrent;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Budwood.Engine;

/// <summary>Between which keys one order statistic lies, and the bins of what was seen between them.</summary>
internal sealed class Bracket(int lo, int hi, int workers, int pieces) : IDisposable
{
    /// <summary>Bins of a bracket; their tables fit into the second-level cache beside the data.</summary>
    public const int Bins = 1 << 14;

    // Shares of pieces are kept while there are few: stored types leave few distinct values, and only equal ones have to be told apart.
    private const int MostOfPiece = 1024, MostInAll = 1 << 17;

    /// <summary>Bytes of one table, and of the shares of pieces.</summary>
    public const long TableBytes = Bins * 11L, ShareBytes = MostInAll * 8L;

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
            int count = sum.Counts[bin];
            if (position >= below + count)
            {
                below += count;
                continue;
            }
            if (!sum.Mixed[bin])
            {
                (IsFound, Key, Below, Equal, _bin) = (true, sum.Keys[bin], below, count, bin);
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

/// <summary>Counts of keys by bin, with the one key of a bin that has seen no other.</summary>
internal sealed class BinTable
{
    public int Lo { get; private set; }
    public int Hi { get; private set; }
    public int Shift { get; private set; }
    public int[] Counts { get; } = new int[Bracket.Bins];
    public int[] Keys { get; } = new int[Bracket.Bins];
    public bool[] Mixed { get; } = new bool[Bracket.Bins];
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
        if (Counts[bin]++ == 0)
        {
            Keys[bin] = key;
            Touched.Add((ushort)bin);
        }
        else if (Keys[bin] != key) Mixed[bin] = true;
    }

    public void Add(BinTable other)
    {
        Below += other.Below;
        foreach (ushort bin in other.Touched)
        {
            if (Counts[bin] == 0)
            {
                Keys[bin] = other.Keys[bin];
                Touched.Add(bin);
            }
            Mixed[bin] |= other.Mixed[bin] || Keys[bin] != other.Keys[bin];
            // Tensors have fewer elements than an int counts in pieces; a sum beyond is refused rather than wrong.
            Counts[bin] = checked(Counts[bin] + other.Counts[bin]);
        }
    }

    public (ushort, int)[] Shares()
    {
        var shares = new (ushort, int)[Touched.Count];
        for (int i = 0; i < shares.Length; i++) shares[i] = (Touched[i], Counts[Touched[i]]);
        return shares;
    }

    public void Clear()
    {
        foreach (ushort bin in Touched) (Counts[bin], Mixed[bin]) = (0, false);
        Touched.Clear();
        Below = 0;
    }
}

/// <summary>Where values lie to a bracket: vectors tell, and only what lies within is looked at one by one.</summary>
internal static class Ranges
{
    internal interface IKeys
    {
        static abstract Vector256<int> Of(Vector256<int> bits);
        static abstract int Of(int bits);
    }

    internal readonly struct Magnitudes : IKeys
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<int> Of(Vector256<int> bits) => bits & Vector256.Create(int.MaxValue);
        public static int Of(int bits) => bits & int.MaxValue;
    }

    internal readonly struct Values : IKeys
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<int> Of(Vector256<int> bits) => bits ^ ((bits >> 31) & Vector256.Create(int.MaxValue));
        public static int Of(int bits) => bits ^ ((bits >> 31) & int.MaxValue);
    }

    // Values that are looked at in a go: the places of those within the bracket are listed first.
    private const int Go = 2048;

    /// <summary>Counts what lies below the bracket of a table, and in the table what lies within.</summary>
    public static void Sort<K>(ReadOnlySpan<float> v, BinTable table) where K : struct, IKeys
    {
        ReadOnlySpan<int> bits = MemoryMarshal.Cast<float, int>(v);
        Span<ushort> within = stackalloc ushort[Go + 8];
        for (int from = 0; from < bits.Length; from += Go)
        {
            ReadOnlySpan<int> part = bits.Slice(from, Math.Min(Go, bits.Length - from));
            int found = List<K>(part, table, within);
            foreach (ushort i in within[..found]) table.See(K.Of(part[i]));
        }
    }

    // Lists places without a branch on whether there is one: where a few in a hundred lie within, a processor could not foresee which.
    private static int List<K>(ReadOnlySpan<int> bits, BinTable table, Span<ushort> within) where K : struct, IKeys
    {
        ref int at = ref MemoryMarshal.GetReference(bits);
        ref ushort list = ref MemoryMarshal.GetReference(within);
        Vector256<int> lo = Vector256.Create(table.Lo), hi = Vector256.Create(table.Hi), below = default;
        int i = 0, found = 0;
        for (; i <= bits.Length - 32; i += 32)
        {
            uint left = Within<K>(ref at, i, lo, hi, ref below) | (Within<K>(ref at, i + 8, lo, hi, ref below) << 8)
                | (Within<K>(ref at, i + 16, lo, hi, ref below) << 16) | (Within<K>(ref at, i + 24, lo, hi, ref below) << 24);
            int next = found + BitOperations.PopCount(left);
            for (int k = 0; k < 4; k++)
            {
                Unsafe.Add(ref list, found + k) = (ushort)(i + BitOperations.TrailingZeroCount(left));
                left &= left - 1;
            }
            for (found += 4; found < next; left &= left - 1) Unsafe.Add(ref list, found++) = (ushort)(i + BitOperations.TrailingZeroCount(left));
            found = next;
        }
        long under = Vector256.Sum(below);
        for (; i < bits.Length; i++)
        {
            int key = K.Of(bits[i]);
            if (key < table.Lo) under++;
            else if (key <= table.Hi) within[found++] = (ushort)i;
        }
        table.Below += under;
        return found;
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
