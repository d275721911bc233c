using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Budwood.Numbers.Kernels;

/// <summary>Which elements of a row stay when each does with a probability that grows with the rank of its magnitude: exactly as ranking all of them would tell, without doing so.</summary>
/// <remarks>
/// A count of leading bits bounds the rank of each element, and so its probability: a uniform number below the lower bound keeps it, one above the upper drops it.
/// The bounds nearly always agree. Only where they do not is the rank itself counted: in a bin of one magnitude, as differences of bfloat16 make most of them, that is how
/// many of the bin stand before.
/// </remarks>
public sealed class RankedDrop
{
    private const int Bins = 1024, Low = 16;

    // A bin has two places to be counted at: one for the number that its leading bits are, one for what has further bits.
    // There is room between them for the rank at which the last bin ends.
    private const int Further = Bins + 8, Table = 2 * Further;

    /// <summary>Rows longer than this are better sorted.</summary>
    public const int Longest = 1 << 14;

    [ThreadStatic] private static RankedDrop? s_last;

    // Counts of a row fit into 16 bits. Two tables: equal neighbours would wait for each other's increment.
    private readonly ushort[] _counts = new ushort[2 * Table];
    private readonly ushort[] _starts = new ushort[Table], _seen = new ushort[Bins], _seenTo = new ushort[Bins];
    private readonly int[] _asked = new int[Bins]; // the last row in which a bin was asked for
    private readonly ushort[] _places, _open;
    private int _row;
    private readonly float[] _keep;
    private readonly float _slope, _least, _most; // a line by rank below all probabilities, and one above them, at the rank behind
    private readonly int _count;
    private readonly (int, double, double, Type) _for;

    private RankedDrop(int count, (int, double, double, Type) made, Func<int, float> keep)
    {
        _for = made;
        _count = count;
        _places = new ushort[count + 16];
        _open = new ushort[count + 8];
        _keep = new float[count];
        for (int r = 0; r < count; r++) _keep[r] = keep(r);
        _slope = (_keep[^1] - _keep[0]) / Math.Max(1, count - 1);
        double below = 0, above = 0;
        for (int r = 0; r < count; r++)
        {
            double off = _keep[r] - ((double)_slope * r);
            (below, above) = r == 0 ? (off, off) : (Math.Min(below, off), Math.Max(above, off));
        }
        // Products and sums are rounded, too.
        double rounding = 4 * float.Epsilon + (1e-6 * (Math.Abs(below) + Math.Abs(above) + Math.Abs((double)_slope * count)));
        (_least, _most) = ((float)(below - rounding), (float)(above + rounding - _slope));
    }

    /// <summary>For rows of so many elements; the last one of this thread is used again.</summary>
    /// <param name="from">What <paramref name="keep"/> needs besides.</param>
    /// <param name="keep">The probability by number of elements and rank: never smaller for a larger rank.</param>
    public static RankedDrop For<W, T>(int count, double density, double epsilon, T from, Func<T, int, int, float> keep) where W : struct, IRounding
    {
        (int, double, double, Type) key = (count, density, epsilon, typeof(W));
        return s_last is { } last && last._for == key ? last : Make(key, from, keep);
    }

    private static RankedDrop Make<T>((int Count, double, double, Type) key, T from, Func<T, int, int, float> keep) =>
        s_last = new RankedDrop(key.Count, key, rank => keep(from, key.Count, rank));

    /// <summary>Sets to zero what does not stay.</summary>
    /// <param name="mask">Told which ones stay, one bit each; may be empty.</param>
    public void Apply(Span<float> v, ReadOnlySpan<float> uniform, Span<byte> mask)
    {
        int n = _count;
        Count(ref MemoryMarshal.GetReference(v), n);
        // Elements already set to zero would be ranked wrongly: zeros are written once all of the row is decided.
        Span<uint> stays = stackalloc uint[(n + 31) / 32];
        stays.Clear();
        int open = Decide(uniform, stays);
        Settle(MemoryMarshal.Cast<float, int>(v[..n]), uniform, stays, open);
        Masks.Apply(MemoryMarshal.AsBytes(stays), v[..n]);
        if (!mask.IsEmpty) MemoryMarshal.AsBytes(stays)[..mask.Length].CopyTo(mask);
    }

    // Counts leading bits, and makes of the counts the rank at which each bin starts.
    private void Count(ref float at, int n)
    {
        Vector256<int> magnitude = Vector256.Create(int.MaxValue), most = default;
        int i = 0;
        for (; i <= n - 8; i += 8) most = Vector256.Max(most, Vector256.LoadUnsafe(ref at, (nuint)i).AsInt32() & magnitude);
        int top = 0;
        for (int lane = 0; lane < 8; lane++) top = Math.Max(top, most[lane]);
        for (; i < n; i++) top = Math.Max(top, BitConverter.SingleToInt32Bits(Unsafe.Add(ref at, i)) & int.MaxValue);
        int first = Math.Max(0, (top >> Low) - (Bins - 1));

        ref ushort places = ref MemoryMarshal.GetArrayDataReference(_places);
        ref int bits = ref Unsafe.As<float, int>(ref at);
        Vector256<int> from = Vector256.Create(first);
        for (i = 0; i <= n - 16; i += 16)
        {
            Vector256<int> a = Vector256.LoadUnsafe(ref bits, (nuint)i), b = Vector256.LoadUnsafe(ref bits, (nuint)i + 8);
            Vector256.Narrow(Place(a, from).AsUInt32(), Place(b, from).AsUInt32()).StoreUnsafe(ref places, (nuint)i);
        }
        for (; i < n; i++)
        {
            int key = Unsafe.Add(ref bits, i) & int.MaxValue;
            _places[i] = (ushort)(Math.Max(key >> Low, first) - first + ((key & ((1 << Low) - 1)) != 0 ? Further : 0));
        }

        Array.Clear(_counts);
        ref ushort counts = ref MemoryMarshal.GetArrayDataReference(_counts);
        for (i = 0; i <= n - 4; i += 4)
        {
            Unsafe.Add(ref counts, Unsafe.Add(ref places, i))++;
            Unsafe.Add(ref counts, Table + Unsafe.Add(ref places, i + 1))++;
            Unsafe.Add(ref counts, Unsafe.Add(ref places, i + 2))++;
            Unsafe.Add(ref counts, Table + Unsafe.Add(ref places, i + 3))++;
        }
        for (; i < n; i++) Unsafe.Add(ref counts, Unsafe.Add(ref places, i))++;

        // Running sums, eight at a time, found from either place.
        ref ushort starts = ref MemoryMarshal.GetArrayDataReference(_starts);
        Vector128<ushort> before = default;
        for (i = 0; i < Bins; i += 8)
        {
            Vector128<ushort> sum = Vector128.LoadUnsafe(ref counts, (nuint)i) + Vector128.LoadUnsafe(ref counts, (nuint)(Further + i))
                + Vector128.LoadUnsafe(ref counts, (nuint)(Table + i)) + Vector128.LoadUnsafe(ref counts, (nuint)(Table + Further + i));
            sum += Vector128.Shuffle(sum, Vector128.Create((ushort)8, 0, 1, 2, 3, 4, 5, 6));
            sum += Vector128.Shuffle(sum, Vector128.Create((ushort)8, 8, 0, 1, 2, 3, 4, 5));
            sum += Vector128.Shuffle(sum, Vector128.Create((ushort)8, 8, 8, 8, 0, 1, 2, 3));
            sum += before;
            sum.StoreUnsafe(ref starts, (nuint)i + 1);
            before = Vector128.Shuffle(sum, Vector128.Create((ushort)7));
        }
        _starts.AsSpan(0, Bins + 1).CopyTo(_starts.AsSpan(Further));
        _row++;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Place(Vector256<int> bits, Vector256<int> from) => Vector256.Max((bits & Vector256.Create(int.MaxValue)) >> Low, from) - from
        + Vector256.AndNot(Vector256.Create(Further), Vector256.Equals(bits & Vector256.Create((1 << Low) - 1), default));

    // Sets the bits of what surely stays; lists what its bin leaves open.
    private int Decide(ReadOnlySpan<float> uniform, Span<uint> stays)
    {
        int n = _count, open = 0, i = 0;
        ref float u = ref MemoryMarshal.GetReference(uniform);
        ref ushort list = ref MemoryMarshal.GetArrayDataReference(_open);
        ref ushort starts = ref MemoryMarshal.GetArrayDataReference(_starts);
        ref ushort places = ref MemoryMarshal.GetArrayDataReference(_places);
        ref byte bits = ref MemoryMarshal.GetReference(MemoryMarshal.AsBytes(stays));
        Vector256<float> slope = Vector256.Create(_slope), least = Vector256.Create(_least), most = Vector256.Create(_most);
        for (; i <= n - 8; i += 8)
        {
            // The ranks at which the bin and its neighbour start stand side by side: one load finds both.
            Vector256<int> ends = Ends(ref starts, ref Unsafe.Add(ref places, i));
            Vector256<float> x = Vector256.LoadUnsafe(ref u, (nuint)i);
            Vector256<float> surely = (Vector256.ConvertToSingle(ends & Vector256.Create(0xFFFF)) * slope) + least;
            Vector256<float> perhaps = (Vector256.ConvertToSingle(ends >>> 16) * slope) + most;
            uint kept = Vector256.LessThan(x, surely).ExtractMostSignificantBits();
            Unsafe.Add(ref bits, i >> 3) = (byte)kept;
            for (uint left = Vector256.LessThan(x, perhaps).ExtractMostSignificantBits() & ~kept; left != 0; left &= left - 1)
                Unsafe.Add(ref list, open++) = (ushort)(i + BitOperations.TrailingZeroCount(left));
        }
        for (; i < n; i++) Unsafe.Add(ref list, open++) = (ushort)i;
        return open;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Ends(ref ushort starts, ref ushort bins) => Vector256.Create(
        End(ref starts, bins), End(ref starts, Unsafe.Add(ref bins, 1)), End(ref starts, Unsafe.Add(ref bins, 2)), End(ref starts, Unsafe.Add(ref bins, 3)),
        End(ref starts, Unsafe.Add(ref bins, 4)), End(ref starts, Unsafe.Add(ref bins, 5)), End(ref starts, Unsafe.Add(ref bins, 6)), End(ref starts, Unsafe.Add(ref bins, 7)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int End(ref ushort starts, ushort bin) => Unsafe.ReadUnaligned<int>(ref Unsafe.As<ushort, byte>(ref Unsafe.Add(ref starts, bin)));

    // Ranks what was left open.
    private void Settle(ReadOnlySpan<int> bits, ReadOnlySpan<float> uniform, Span<uint> stays, int open)
    {
        for (int k = 0; k < open; k++)
        {
            int i = _open[k];
            if (uniform[i] < _keep[Rank(bits, i)]) stays[i >> 5] |= 1u << i;
        }
    }

    // Of equal ones those with the lower index rank lower.
    private int Rank(ReadOnlySpan<int> bits, int i)
    {
        int place = _places[i], bin = place >= Further ? place - Further : place;
        // The first bin has everything below, too; others only what has further bits.
        if (bin == 0 || _counts[Further + bin] + _counts[Table + Further + bin] > 0) return Smaller(bits, i);
        if (_asked[bin] != _row) (_asked[bin], _seen[bin], _seenTo[bin]) = (_row, 0, 0);
        // Asked in index order: only what came since the last one is looked at.
        int whole = i & -16;
        ref ushort places = ref MemoryMarshal.GetArrayDataReference(_places);
        Vector256<ushort> those = Vector256.Create((ushort)bin), count = default;
        for (int j = _seenTo[bin]; j < whole; j += 16) count -= Vector256.Equals(Vector256.LoadUnsafe(ref places, (nuint)j), those);
        _seen[bin] += Vector256.Sum(count);
        _seenTo[bin] = (ushort)whole;
        Vector256<ushort> last = Vector256.Equals(Vector256.LoadUnsafe(ref places, (nuint)whole), those);
        uint before = Vector128.Narrow(last.GetLower(), last.GetUpper()).ExtractMostSignificantBits() & ((1u << (i - whole)) - 1);
        return _starts[bin] + _seen[bin] + BitOperations.PopCount(before);
    }

    // How many of the row rank below one of it.
    private static int Smaller(ReadOnlySpan<int> bits, int i)
    {
        ref int at = ref MemoryMarshal.GetReference(bits);
        int key = bits[i] & int.MaxValue, j = 0, whole = i & -16, end = bits.Length & -16;
        Vector256<int> magnitude = Vector256.Create(int.MaxValue), than = Vector256.Create(key + 1), count = default, second = default;
        for (; j < whole; j += 16)
        {
            count += Vector256.LessThan(Vector256.LoadUnsafe(ref at, (nuint)j) & magnitude, than);
            second += Vector256.LessThan(Vector256.LoadUnsafe(ref at, (nuint)j + 8) & magnitude, than);
        }
        int sum = 0;
        for (; j < bits.Length && j < whole + 16; j++) if ((bits[j] & int.MaxValue) is var other && (other < key || (other == key && j < i))) sum++;
        than = Vector256.Create(key);
        for (; j < end; j += 16)
        {
            count += Vector256.LessThan(Vector256.LoadUnsafe(ref at, (nuint)j) & magnitude, than);
            second += Vector256.LessThan(Vector256.LoadUnsafe(ref at, (nuint)j + 8) & magnitude, than);
        }
        for (; j < bits.Length; j++) if ((bits[j] & int.MaxValue) < key) sum++;
        return sum - Vector256.Sum(count + second);
    }
}
