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
        uint[] state = new uint[Length];
        long block = Restore(start / Length, state);
        int at = (int)(start % Length);
        for (int i = 0; i < into.Length; i++)
        {
            if (at == Length)
            {
                Twist(state);
                block++;
                at = 0;
            }
            into[i] = (Temper(state[at++]) & 0xFFFFFF) * (1f / (1 << 24));
        }
    }

    private long Restore(long block, uint[] into)
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
        return block;
    }

    private static void Twist(uint[] s)
    {
        for (int i = 0; i < Length; i++)
        {
            uint y = (s[i] & 0x80000000u) | (s[(i + 1) % Length] & 0x7FFFFFFFu);
            s[i] = s[(i + 397) % Length] ^ (y >> 1) ^ ((y & 1) * 0x9908B0DFu);
        }
    }

    private static uint Temper(uint y)
    {
        y ^= y >> 11;
        y ^= (y << 7) & 0x9D2C5680u;
        y ^= (y << 15) & 0xEFC60000u;
        return y ^ (y >> 18);
    }
}
