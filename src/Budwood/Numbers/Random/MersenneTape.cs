using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Budwood.Numbers.Random;

/// <summary>The one sequence of 32-bit numbers that a seeded torch generator yields, readable at any position.</summary>
/// <remarks>MT19937 (Matsumoto and Nishimura 1998) with the initialisation by one word. The state is kept at regular positions as the tape is first
/// wound forward; a read starts from the nearest one before it. Safe to use from several threads.</remarks>
public sealed class MersenneTape
{
    private const int Length = 624;
    private const int Every = 1 << 9; // kept states are this many blocks of 624 numbers apart

    private readonly Lock _lock = new();
    private readonly List<uint[]> _kept = [];
    private readonly uint[] _state = new uint[Length];
    private long _block = -1; // block that _state stands for; -1: seeded, nothing twisted yet

    public MersenneTape(long seed)
    {
        _state[0] = (uint)seed;
        for (uint i = 1; i < Length; i++) _state[i] = (1812433253u * (_state[i - 1] ^ (_state[i - 1] >> 30))) + i;
    }

    /// <summary>Uniform numbers in [0, 1) with 24 bits: <c>(word and 0xFFFFFF) * 2^-24</c>, one word an element.</summary>
    public void Uniform(long start, Span<float> into)
    {
        if (into.Length == 0) return;
        Place place = At(start / Length);
        int at = (int)(start % Length);
        while (true)
        {
            int length = Math.Min(into.Length, Length - at);
            Units(place.State.AsSpan(at, length), into);
            into = into[length..];
            if (into.Length == 0) return;
            Twist(place.State);
            place.Block++;
            at = 0;
        }
    }

    /// <summary>Where a thread has read to: the next read mostly goes on there.</summary>
    private sealed class Place
    {
        public MersenneTape? Tape;
        public long Block;
        public readonly uint[] State = new uint[Length];
    }

    // One for each model that a thread draws for in turn, and some.
    [ThreadStatic] private static Place[]? s_places;
    [ThreadStatic] private static int s_oldest;

    private Place At(long block)
    {
        Place[] places = s_places ??= [.. Enumerable.Range(0, 16).Select(_ => new Place())];
        foreach (Place known in places)
        {
            if (known.Tape != this || known.Block > block || known.Block < block - 1) continue;
            for (; known.Block < block; known.Block++) Twist(known.State);
            return known;
        }
        Place place = places[s_oldest++ % places.Length];
        Restore(block, place.State);
        (place.Tape, place.Block) = (this, block);
        return place;
    }

    private void Restore(long block, uint[] into)
    {
        long from = block / Every;
        lock (_lock)
        {
            while (_kept.Count <= from)
            {
                do
                {
                    Twist(_state);
                    _block++;
                }
                while (_block % Every != 0);
                _kept.Add((uint[])_state.Clone());
            }
            _kept[(int)from].CopyTo(into, 0);
        }
        for (long b = from * Every; b < block; b++) Twist(into);
    }

    // Every word is made of itself, its neighbour and the word 397 further on, round the end: vectors do as long as none of them is made anew in the same step.
    private static void Twist(uint[] s)
    {
        const int shift = 397, turn = Length - shift;
        ref uint at = ref MemoryMarshal.GetArrayDataReference(s);
        int i = 0;
        for (; i <= turn - 8; i += 8) Mixed(ref at, i, Vector256.LoadUnsafe(ref at, (nuint)(i + shift))).StoreUnsafe(ref at, (nuint)i);
        for (; i < turn; i++) s[i] = s[i + shift] ^ Mixed(s[i], s[i + 1]);
        for (; i <= Length - 9; i += 8) Mixed(ref at, i, Vector256.LoadUnsafe(ref at, (nuint)(i - turn))).StoreUnsafe(ref at, (nuint)i);
        for (; i < Length; i++) s[i] = s[i - turn] ^ Mixed(s[i], s[(i + 1) % Length]);
    }

    private static uint Mixed(uint own, uint next)
    {
        uint y = (own & 0x80000000u) | (next & 0x7FFFFFFFu);
        return (y >> 1) ^ ((y & 1) * 0x9908B0DFu);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Mixed(ref uint at, int i, Vector256<uint> further)
    {
        Vector256<uint> y = (Vector256.LoadUnsafe(ref at, (nuint)i) & Vector256.Create(0x80000000u)) | (Vector256.LoadUnsafe(ref at, (nuint)i + 1) & Vector256.Create(0x7FFFFFFFu));
        Vector256<uint> odd = Vector256.Equals(y & Vector256<uint>.One, Vector256<uint>.One);
        return further ^ (y >>> 1) ^ (odd & Vector256.Create(0x9908B0DFu));
    }

    private static void Units(ReadOnlySpan<uint> state, Span<float> into)
    {
        ref uint from = ref MemoryMarshal.GetReference(state);
        ref float to = ref MemoryMarshal.GetReference(into);
        int i = 0;
        for (; i <= state.Length - 8; i += 8)
        {
            Vector256<uint> y = Vector256.LoadUnsafe(ref from, (nuint)i);
            y ^= y >>> 11;
            y ^= (y << 7) & Vector256.Create(0x9D2C5680u);
            y ^= (y << 15) & Vector256.Create(0xEFC60000u);
            y ^= y >>> 18;
            (Vector256.ConvertToSingle((y & Vector256.Create(0xFFFFFFu)).AsInt32()) * Vector256.Create(1f / (1 << 24))).StoreUnsafe(ref to, (nuint)i);
        }
        for (; i < state.Length; i++) into[i] = (Temper(state[i]) & 0xFFFFFF) * (1f / (1 << 24));
    }

    private static uint Temper(uint y)
    {
        y ^= y >> 11;
        y ^= (y << 7) & 0x9D2C5680u;
        y ^= (y << 15) & 0xEFC60000u;
        return y ^ (y >> 18);
    }
}
