namespace Budwood.Numbers.Random;

/// <summary>Random numbers one after another from a named stream; the same names and seed give the same numbers on every machine.</summary>
public sealed class RandomStream
{
    private readonly Philox _source;
    private readonly uint[] _words = new uint[4];
    private ulong _block;
    private int _at = 4;
    private double? _spare;

    /// <summary>The stream of (seed, names ...), from its start.</summary>
    public RandomStream(long seed, params ReadOnlySpan<string> names) => _source = Philox.For(seed, names);

    /// <summary>32 random bits.</summary>
    public uint Bits()
    {
        if (_at == 4)
        {
            _source.Block(_block++, _words);
            _at = 0;
        }
        return _words[_at++];
    }

    /// <summary>A number in [0, 1) with 53 random bits.</summary>
    public double Uniform()
    {
        ulong high = Bits() >> 5, low = Bits() >> 6;
        return ((high << 26) | low) * (1.0 / (1UL << 53));
    }

    /// <summary>A number in [low, high).</summary>
    public double Uniform(double low, double high) => low + ((high - low) * Uniform());

    /// <summary>A standard normal number (Box and Muller 1958; both numbers of a pair are used).</summary>
    public double Normal()
    {
        if (_spare is { } spare)
        {
            _spare = null;
            return spare;
        }
        // 1 - u lies in (0, 1]: the logarithm is finite.
        double radius = Math.Sqrt(-2 * Math.Log(1 - Uniform())), angle = 2 * Math.PI * Uniform();
        _spare = radius * Math.Sin(angle);
        return radius * Math.Cos(angle);
    }

    /// <summary>Standard normal numbers, as many as asked for.</summary>
    public double[] Normals(int count)
    {
        var values = new double[count];
        for (int i = 0; i < count; i++) values[i] = Normal();
        return values;
    }

    /// <summary>A whole number in [0, count), each with the same probability.</summary>
    public int Below(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        // Lemire 2019: the high word of a product, with the few values refused that would favour some results.
        uint n = (uint)count, refused = (0u - n) % n;
        while (true)
        {
            ulong product = (ulong)Bits() * n;
            if ((uint)product >= refused) return (int)(product >> 32);
        }
    }

    /// <summary>Puts items into random order (Fisher and Yates).</summary>
    public void Shuffle<T>(Span<T> items)
    {
        for (int i = items.Length - 1; i > 0; i--)
        {
            int j = Below(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    /// <summary>Position of a draw from probabilities that sum to one.</summary>
    public int Pick(ReadOnlySpan<double> probabilities)
    {
        double u = Uniform(), sum = 0;
        for (int i = 0; i < probabilities.Length - 1; i++)
        {
            sum += probabilities[i];
            if (u < sum) return i;
        }
        return probabilities.Length - 1;
    }
}
