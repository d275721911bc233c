using System.Runtime.InteropServices;
using Budwood.Methods;

namespace Budwood.Engine;

/// <summary>Finds exact order statistics of a tensor by counting bit patterns: at most three passes over the data, never a sort.</summary>
/// <remarks>Pass 1 counts the upper 16 bits of each key, pass 2 the lower 16 bits inside the bins that hold a wanted position, pass 3, only
/// when some of several equal elements stay, how many equal ones each piece of work has.</remarks>
internal sealed class Selector
{
    private const int Bins = 1 << 16;
    private readonly MeasureRequest _request;
    private readonly bool _magnitude;
    private readonly long _count;
    private readonly long[] _positions; // ascending positions in the sorted order, 0-based
    private readonly uint[] _keys;
    private readonly long[] _below; // elements smaller than the key found
    private readonly long[] _equal; // elements equal to it
    private readonly int[]?[] _high; // by worker
    private readonly int[]?[][] _low; // by wanted position, worker
    private readonly int[] _bins;
    private int _pass;
    private long[]? _lowTies, _highTies;
    private Selection? _selection;

    public Selector(MeasureRequest request, long count, int workers)
    {
        _request = request;
        _count = count;
        _magnitude = request.Kind != MeasureKind.Ordered;
        _positions = request.Kind switch
        {
            MeasureKind.Keep when request.A > 0 && request.A < count => [count - request.A],
            MeasureKind.Band when request.A + request.B < count && request.A + request.B > 0 => [request.A, count - request.B - 1],
            MeasureKind.Ordered => [.. request.Positions!.Select(p => Math.Clamp(p, 0, count - 1))],
            _ => [],
        };
        _keys = new uint[_positions.Length];
        _below = new long[_positions.Length];
        _equal = new long[_positions.Length];
        _bins = new int[_positions.Length];
        _high = new int[workers][];
        _low = [.. _positions.Select(_ => new int[workers][])];
        IsDone = _positions.Length == 0;
    }

    public int Quantity => _request.Quantity;

    /// <summary>Nothing is left to count.</summary>
    public bool IsDone { get; private set; }

    /// <summary>Counts one block of values in the current pass.</summary>
    public void Count(int worker, int piece, ReadOnlySpan<float> v)
    {
        ReadOnlySpan<uint> bits = MemoryMarshal.Cast<float, uint>(v);
        if (_pass == 0)
        {
            int[] h = _high[worker] ??= new int[Bins];
            if (_magnitude) foreach (uint b in bits) h[(b & Selection.Magnitude) >> 16]++;
            else foreach (uint b in bits) h[Signed(b) >> 16]++;
            return;
        }
        if (_pass == 1)
        {
            for (int k = 0; k < _positions.Length; k++)
            {
                if (k > 0 && _bins[k] == _bins[k - 1]) continue; // shares the table of its neighbour
                int[] h = _low[k][worker] ??= new int[Bins];
                uint bin = (uint)_bins[k];
                foreach (uint b in bits)
                {
                    uint key = _magnitude ? b & Selection.Magnitude : Signed(b);
                    if (key >> 16 == bin) h[key & 0xFFFF]++;
                }
            }
            return;
        }
        uint low = _selection!.LowKey, high = _selection.HighKey;
        long l = 0, t = 0;
        foreach (uint b in bits)
        {
            uint key = b & Selection.Magnitude;
            if (key == low) l++;
            if (key == high) t++;
        }
        _lowTies![piece] += l;
        _highTies![piece] += t;
    }

    /// <summary>Ends a pass: reads the tables off and decides whether another pass is needed.</summary>
    public void EndPass(int pieces)
    {
        if (IsDone) return;
        switch (_pass++)
        {
            case 0:
                int[] high = Merge(_high);
                for (int k = 0; k < _positions.Length; k++) (_bins[k], _below[k]) = Find(high, _positions[k]);
                Array.Clear(_high);
                break;
            case 1:
                int[]? low = null;
                for (int k = 0; k < _positions.Length; k++)
                {
                    if (k == 0 || _bins[k] != _bins[k - 1]) low = Merge(_low[k]);
                    (int bin, long below) = Find(low!, _positions[k] - _below[k]);
                    _keys[k] = ((uint)_bins[k] << 16) | (uint)bin;
                    _below[k] += below;
                    _equal[k] = low![bin];
                    _low[k] = [];
                }
                _selection = _magnitude ? Threshold() : null;
                IsDone = _selection is null || !IsSplit(_selection);
                if (!IsDone) (_lowTies, _highTies) = (new long[pieces], new long[pieces]);
                break;
            default:
                (_selection!.LowTies, _selection.HighTies) = (Prefix(_lowTies!), Prefix(_highTies!));
                IsDone = true;
                break;
        }
    }

    /// <summary>Hands the result to the tensor's measures.</summary>
    public void Give(MeasuredTensor to)
    {
        if (_request.Kind == MeasureKind.Ordered)
        {
            to.Ordered[Quantity] = Array.ConvertAll(_keys, Unsigned);
            return;
        }
        if (_positions.Length > 0) to.Selections[Quantity] = _selection!;
        else
        {
            bool everything = _request.Kind == MeasureKind.Keep ? _request.A >= _count : _request.A + _request.B == 0;
            to.Selections[Quantity] = new Selection { Everything = everything, Nothing = !everything };
        }
    }

    private Selection Threshold()
    {
        // Keep: of the elements equal to the smallest kept one, the first in index order stay.
        if (_request.Kind == MeasureKind.Keep) return new Selection { LowKey = _keys[0], LowTo = _request.A - (_count - _below[0] - _equal[0]) };
        // Band: sorted ascending and stable, positions [bottom, n - top) stay.
        bool hasTop = _request.B > 0;
        return new Selection
        {
            LowKey = _keys[0],
            LowFrom = _request.A - _below[0],
            HighKey = hasTop ? _keys[1] : uint.MaxValue,
            HighTo = hasTop ? _count - _request.B - _below[1] : long.MaxValue,
        };
    }

    private bool IsSplit(Selection s) => s.LowFrom > 0 || s.LowTo < _equal[0] || (s.HighKey != uint.MaxValue && s.HighTo < _equal[^1]);

    private static (int Bin, long Below) Find(int[] counts, long position)
    {
        long below = 0;
        for (int bin = 0; bin < counts.Length; bin++)
        {
            if (position < below + counts[bin]) return (bin, below);
            below += counts[bin];
        }
        throw new InvalidOperationException("An order statistic lies outside the counted elements.");
    }

    private static int[] Merge(int[]?[] tables)
    {
        int[] sum = new int[Bins];
        foreach (int[]? table in tables)
            if (table is not null) for (int i = 0; i < Bins; i++) sum[i] += table[i];
        return sum;
    }

    private static long[] Prefix(long[] counts)
    {
        long sum = 0;
        for (int i = 0; i < counts.Length; i++) (counts[i], sum) = (sum, sum + counts[i]);
        return counts;
    }

    // Float patterns in the order of their values: negative ones reversed and below.
    private static uint Signed(uint b) => (b & 0x80000000u) != 0 ? ~b : b | 0x80000000u;
    private static float Unsigned(uint key) => BitConverter.UInt32BitsToSingle((key & 0x80000000u) != 0 ? key & 0x7FFFFFFFu : ~key);
}
