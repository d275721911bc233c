using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Budwood.Numbers;

namespace Budwood.Methods;

/// <summary>An exact selection by magnitude: thresholds as bit patterns, and which of the equal ones at a threshold stay.</summary>
/// <remarks>Kept is <c>low &lt; |v| &lt; high</c>; of the elements equal to a threshold those whose number in index order lies in its range.</remarks>
internal sealed class Selection
{
    public bool Everything { get; init; }
    public bool Nothing { get; init; }
    public uint LowKey { get; init; }
    public long LowFrom { get; init; }
    public long LowTo { get; init; } = long.MaxValue;
    public uint HighKey { get; init; } = uint.MaxValue;
    public long HighTo { get; init; } = long.MaxValue;

    /// <summary>Set when only some of the equal ones stay: their number before each piece of work.</summary>
    public long[]? LowTies { get; set; }
    public long[]? HighTies { get; set; }

    public long LowTiesBefore(int piece) => LowTies?[piece] ?? 0;
    public long HighTiesBefore(int piece) => HighTies?[piece] ?? 0;

    public const uint Magnitude = 0x7FFFFFFF;

    /// <summary>Sets to zero what does not stay; returns how many of the equal ones there are up to the end of the block.</summary>
    public unsafe (long Low, long High) Apply(Span<float> v, int count, long low, long high) => Apply<Plain>(null, null, v, count, low, high);

    /// <summary>The same of values, or of differences that are taken on the way.</summary>
    /// <param name="from">Where the values are differences: what they are taken from; otherwise null, and <paramref name="v"/> has them.</param>
    /// <param name="minus">What is subtracted.</param>
    /// <param name="v">The values, with padding that is left alone (of differences, which are as long as it: written).</param>
    /// <param name="count">Values without padding.</param>
    /// <param name="low">Elements of the tensor before the block that equal the lower threshold.</param>
    /// <param name="high">The same of the upper one.</param>
    public unsafe (long Low, long High) Apply<Q>(float* from, float* minus, Span<float> v, int count, long low, long high) where Q : struct, IRounding
    {
        // Few blocks have the border in them up to which equal ones stay: in all others all of them stay, or none does.
        bool lowStays = low >= LowFrom && low + count <= LowTo, highStays = high + count <= HighTo;
        if (count != v.Length || !(lowStays || low + count <= LowFrom || low >= LowTo) || !(highStays || high >= HighTo))
        {
            for (int i = 0; from != null && i < v.Length; i += Operands.Step) Operands.Put(v, i, Q.Round(Vector256.Load(from + i) - Vector256.Load(minus + i)));
            return ApplyOneByOne(v, count, low, high);
        }
        ref float at = ref MemoryMarshal.GetReference(v);
        int upper = (int)Math.Min(HighKey, Magnitude);
        Vector256<int> magnitude = Vector256.Create((int)Magnitude), lowKey = Vector256.Create((int)LowKey), highKey = Vector256.Create(upper);
        Vector256<int> above = Vector256.Create((int)LowKey - (lowStays ? 1 : 0)), upTo = Vector256.Create(upper - (highStays ? 0 : 1)), lows = default, highs = default;
        for (int i = 0; i < v.Length; i += Operands.Step)
        {
            Vector256<float> value = from == null ? Vector256.LoadUnsafe(ref at, (nuint)i) : Q.Round(Vector256.Load(from + i) - Vector256.Load(minus + i));
            Vector256<int> x = value.AsInt32(), key = x & magnitude;
            Vector256.AndNot(x & Vector256.GreaterThan(key, above), Vector256.GreaterThan(key, upTo)).AsSingle().StoreUnsafe(ref at, (nuint)i);
            lows -= Vector256.Equals(key, lowKey);
            highs -= Vector256.Equals(key, highKey);
        }
        return (low + Vector256.Sum(lows), high + Vector256.Sum(highs));
    }

    private (long Low, long High) ApplyOneByOne(Span<float> v, int count, long low, long high)
    {
        ref float at = ref MemoryMarshal.GetReference(v);
        Vector256<int> lowKey = Vector256.Create((int)LowKey), highKey = Vector256.Create((int)Math.Min(HighKey, Magnitude));
        bool open = HighKey > Magnitude; // no upper threshold: keep every larger pattern, infinities included
        for (int i = 0; i < v.Length; i += Operands.Step)
        {
            Vector256<float> x = Vector256.LoadUnsafe(ref at, (nuint)i);
            Vector256<int> key = x.AsInt32() & Vector256.Create((int)Magnitude);
            Vector256<int> keep = Vector256.GreaterThan(key, lowKey);
            Vector256<int> tie = Vector256.Equals(key, lowKey);
            if (!open)
            {
                keep &= Vector256.LessThan(key, highKey);
                tie |= Vector256.Equals(key, highKey);
            }
            (x.AsInt32() & keep).AsSingle().StoreUnsafe(ref at, (nuint)i);
            uint ties = tie.ExtractMostSignificantBits();
            while (ties != 0)
            {
                int lane = BitOperations.TrailingZeroCount(ties);
                ties &= ties - 1;
                if (i + lane >= count) break;
                bool isLow = (uint)key[lane] == LowKey;
                bool isHigh = !open && (uint)key[lane] == HighKey;
                bool stays = (!isLow || (low >= LowFrom && low < LowTo)) && (!isHigh || high < HighTo);
                if (isLow) low++;
                if (isHigh) high++;
                if (stays) v[i + lane] = x[lane];
            }
        }
        return (low, high);
    }
}
