using System.Buffers;

namespace Budwood.Numbers.Kernels;

/// <summary>Ranks of a row's elements by magnitude, ascending, equal ones by index: a stable radix sort of the bit patterns.</summary>
public sealed class Ranking : IDisposable
{
    private const int Digit = 11, Buckets = 1 << Digit;
    private readonly int _count;
    private readonly int[] _ranks, _order, _other;

    public Ranking(int count)
    {
        _count = count;
        _ranks = ArrayPool<int>.Shared.Rent(count);
        _order = ArrayPool<int>.Shared.Rent(count);
        _other = ArrayPool<int>.Shared.Rent(count);
    }

    /// <summary>Rank of element i, from 0 for the smallest magnitude.</summary>
    public int this[int i] => _ranks[i];

    /// <summary>Ranks float32 bit patterns; the sign is ignored.</summary>
    public void ByMagnitude(ReadOnlySpan<uint> bits)
    {
        int[] from = _order, to = _other;
        for (int i = 0; i < _count; i++) from[i] = i;
        Span<int> starts = stackalloc int[Buckets];
        for (int shift = 0; shift < 31; shift += Digit)
        {
            starts.Clear();
            for (int i = 0; i < _count; i++) starts[Key(bits[i], shift)]++;
            // Values that a narrower type can hold have equal low digits: nothing to sort there.
            if (_count > 0 && starts[Key(bits[0], shift)] == _count) continue;
            int sum = 0;
            for (int b = 0; b < Buckets; b++) (starts[b], sum) = (sum, sum + starts[b]);
            for (int i = 0; i < _count; i++) to[starts[Key(bits[from[i]], shift)]++] = from[i];
            (from, to) = (to, from);
        }
        for (int r = 0; r < _count; r++) _ranks[from[r]] = r;
    }

    /// <summary>The key that would stand at a position if the keys were sorted; they are moved about. Quickselect: a step for each key and some, not a sort.</summary>
    /// <param name="keys">At least one more than <paramref name="position"/>.</param>
    public static int Nth(Span<int> keys, int position)
    {
        int low = 0, high = keys.Length - 1;
        while (low < high)
        {
            int first = keys[low], middle = keys[(low + high) >>> 1], last = keys[high];
            int pivot = Math.Max(Math.Min(first, middle), Math.Min(Math.Max(first, middle), last)), i = low, j = high;
            while (i <= j)
            {
                while (keys[i] < pivot) i++;
                while (keys[j] > pivot) j--;
                if (i > j) break;
                (keys[i], keys[j]) = (keys[j], keys[i]);
                (i, j) = (i + 1, j - 1);
            }
            if (position <= j) high = j;
            else if (position >= i) low = i;
            else break;
        }
        return keys[position];
    }

    private static int Key(uint bits, int shift) => (int)((bits & 0x7FFFFFFFu) >> shift) & (Buckets - 1);

    public void Dispose()
    {
        ArrayPool<int>.Shared.Return(_ranks);
        ArrayPool<int>.Shared.Return(_order);
        ArrayPool<int>.Shared.Return(_other);
    }
}
