using System.Runtime.InteropServices;
using Budwood.Methods;
using Budwood.Numbers.Kernels;

namespace Budwood.Engine;

/// <summary>Finds exact order statistics of a tensor by counting: usually one pass over the data after a look at a sample, never a sort.</summary>
/// <remarks>
/// A sample says between which two keys each wanted element almost certainly lies. The pass counts what is smaller (vectors), and sorts only what lies between into bins.
/// A bin of one key is the answer; otherwise the next pass looks into that bin. Where the sample was wrong the next pass looks at the other side.
/// When some of several equal elements stay, the pieces' shares of the bin are their numbers of equal ones; where those were too many to keep, one more pass counts them.
/// </remarks>
internal sealed class Selector : IDisposable
{
    private readonly MeasureRequest _request;
    private readonly bool _magnitude;
    private readonly long _count;
    private readonly long[] _positions; // ascending positions in the sorted order, 0-based
    private readonly long[]? _zeros; // of each piece, while a share of the others is asked for and their number is not known
    private long _keeps; // how many stay, once known
    private readonly Bracket[] _brackets; // one for each of them
    private readonly int _workers;
    private List<int>? _sample;
    private bool _countsTies, _zerosKnown;
    private long[]? _lowTies, _highTies;
    private Selection? _selection;

    public Selector(MeasureRequest request, long count, int workers, int pieces, bool samples)
    {
        _request = request;
        _count = count;
        _workers = workers;
        _magnitude = request.Kind != MeasureKind.Ordered;
        _positions = request.Kind switch
        {
            MeasureKind.Keep when request.A > 0 && request.A < count => [count - request.A],
            MeasureKind.KeepShare when count > 0 => [0], // known after the first pass
            MeasureKind.Band when request.A + request.B < count && request.A + request.B > 0 => [request.A, count - request.B - 1],
            MeasureKind.Ordered => [.. request.Positions!.Select(p => Math.Clamp(p, 0, count - 1))],
            _ => [],
        };
        IsDone = _positions.Length == 0;
        _keeps = request.A;
        if (request.Kind == MeasureKind.KeepShare) _zeros = new long[pieces];
        _brackets = [.. _positions.Select(_ => new Bracket(Least, int.MaxValue, workers, pieces))];
        if (samples && !IsDone) _sample = [];
    }

    private int Least => _magnitude ? 0 : int.MinValue;

    public int Quantity => _request.Quantity;

    /// <summary>Nothing is left to count.</summary>
    public bool IsDone { get; private set; }

    /// <summary>It wants a sample before its first pass.</summary>
    public bool WantsSample => _sample is not null;

    /// <summary>Takes note of values of a sample.</summary>
    public void Sample(ReadOnlySpan<float> v)
    {
        foreach (float x in v) _sample!.Add(Key(x));
    }

    /// <summary>Draws the brackets from the sample.</summary>
    public void EndSample()
    {
        if (_sample is not { Count: > 0 } keys) return;
        Span<int> sample = CollectionsMarshal.AsSpan(keys);
        for (int k = 0; k < _positions.Length; k++)
        {
            double share = (_positions[k] + 0.5) / _count, spread = 0;
            if (_zeros is not null)
            {
                double others = keys.Count(key => key != 0) / (double)keys.Count;
                (share, spread) = (1 - (others * _request.Share), _request.Share * Deviation(keys.Count, others));
            }
            double at = share * keys.Count;
            // Five standard deviations of a random sample, and some: neighbours resemble each other.
            double reach = (5 * (Deviation(keys.Count, share) + spread)) + 12;
            (int from, int to) = ((int)Math.Floor(at - reach), (int)Math.Ceiling(at + reach));
            _brackets[k].Place(from < 0 ? Least : Ranking.Nth(sample, from), to >= keys.Count ? int.MaxValue : Ranking.Nth(sample, to));
        }
        _sample = null;
    }

    private static double Deviation(int count, double share) => Math.Sqrt(count * Math.Max(0, share * (1 - share)));

    /// <summary>Counts one block of values in the current pass.</summary>
    public void Count(int worker, int piece, ReadOnlySpan<float> v)
    {
        if (_countsTies)
        {
            (long low, long high) = Ranges.Equal(v, (int)_selection!.LowKey, (int)Math.Min(_selection.HighKey, int.MaxValue));
            _lowTies![piece] += low;
            _highTies![piece] += high;
            return;
        }
        if (_zeros is not null && !_zerosKnown) _zeros[piece] += v.Length - Reductions.NonZero(v);
        for (int k = 0; k < _brackets.Length; k++)
        {
            if (_brackets[k].IsFound || IsTwin(k)) continue;
            if (_magnitude) Ranges.Sort<Ranges.Magnitudes>(v, _brackets[k].Table(worker));
            else Ranges.Sort<Ranges.Values>(v, _brackets[k].Table(worker));
        }
    }

    // Shares the table of its neighbour.
    private bool IsTwin(int k) => k > 0 && !_brackets[k - 1].IsFound && _brackets[k].Lo == _brackets[k - 1].Lo && _brackets[k].Hi == _brackets[k - 1].Hi;

    /// <summary>A worker has gone through a piece in the current pass.</summary>
    public void EndPiece(int worker, int piece)
    {
        if (IsDone || _countsTies) return;
        for (int k = 0; k < _brackets.Length; k++) if (!_brackets[k].IsFound && !IsTwin(k)) _brackets[k].Gather(worker, piece);
    }

    /// <summary>Ends a pass: reads the tables off and decides whether another pass is needed.</summary>
    public void EndPass(int pieces)
    {
        if (IsDone) return;
        if (_countsTies)
        {
            (_selection!.LowTies, _selection.HighTies) = (Prefix(_lowTies!), Prefix(_highTies!));
            IsDone = true;
            return;
        }
        if (_zeros is not null && !_zerosKnown && !PlaceShare()) return;
        // From the last: a twin reads the table of the one before it while that still stands.
        for (int k = _brackets.Length - 1; k >= 0; k--)
        {
            if (_brackets[k].IsFound) continue;
            int own = k;
            while (IsTwin(own)) own--;
            _brackets[k].Read(_brackets[own], _positions[k], Least);
        }
        foreach (Bracket b in _brackets) b.Reset();
        if (!Array.TrueForAll(_brackets, b => b.IsFound)) return;
        _selection = _magnitude ? Threshold() : null;
        IsDone = _selection is null || !IsSplit(_selection);
        if (IsDone) return;
        _lowTies = _brackets[0].PieceCounts(pieces);
        _highTies = _selection!.HighKey == uint.MaxValue ? new long[pieces] : _brackets[^1].PieceCounts(pieces);
        if (_lowTies is not null && _highTies is not null)
        {
            (_selection.LowTies, _selection.HighTies) = (Prefix(_lowTies), Prefix(_highTies));
            IsDone = true;
            return;
        }
        (_lowTies, _highTies, _countsTies) = (new long[pieces], new long[pieces], true);
    }

    // The position of the cut, now that the zeros are counted; false where there is nothing to cut.
    private bool PlaceShare()
    {
        _zerosKnown = true;
        _keeps = (long)Math.Floor((_count - _zeros!.Sum()) * _request.Share);
        _positions[0] = _count - _keeps;
        if (_keeps > 0 && _keeps < _count) return true;
        IsDone = true;
        _selection = new Selection { Everything = _keeps >= _count, Nothing = _keeps <= 0 };
        foreach (Bracket b in _brackets) b.Reset();
        return false;
    }

    /// <summary>Hands the result to the tensor's measures.</summary>
    public void Give(MeasuredTensor to)
    {
        if (_request.Kind == MeasureKind.Ordered)
        {
            to.Ordered[Quantity] = Array.ConvertAll(_brackets, b => Value(b.Key));
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
        Bracket low = _brackets[0], high = _brackets[^1];
        // Keep: of the elements equal to the smallest kept one, the first in index order stay.
        if (_request.Kind != MeasureKind.Band) return new Selection { LowKey = (uint)low.Key, LowTo = _keeps - (_count - low.Below - low.Equal) };
        // Band: sorted ascending and stable, positions [bottom, n - top) stay.
        bool hasTop = _request.B > 0;
        return new Selection
        {
            LowKey = (uint)low.Key,
            LowFrom = _request.A - low.Below,
            HighKey = hasTop ? (uint)high.Key : uint.MaxValue,
            HighTo = hasTop ? _count - _request.B - high.Below : long.MaxValue,
        };
    }

    private bool IsSplit(Selection s) => s.LowFrom > 0 || s.LowTo < _brackets[0].Equal || (s.HighKey != uint.MaxValue && s.HighTo < _brackets[^1].Equal);

    private static long[] Prefix(long[] counts)
    {
        long sum = 0;
        for (int i = 0; i < counts.Length; i++) (counts[i], sum) = (sum, sum + counts[i]);
        return counts;
    }

    // Keys are integers in the order of the values (or magnitudes): patterns of negative floats are turned round.
    private int Key(float v)
    {
        int b = BitConverter.SingleToInt32Bits(v);
        return _magnitude ? b & int.MaxValue : b ^ ((b >> 31) & int.MaxValue);
    }

    private static float Value(int key) => BitConverter.Int32BitsToSingle(key ^ ((key >> 31) & int.MaxValue));

    public void Dispose()
    {
        foreach (Bracket b in _brackets) b.Dispose();
    }
}
