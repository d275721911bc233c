namespace Budwood.Reuse;

/// <summary>What the lowest eight mantissa bits of a float32 tensor look like, and how much of them seems to come from elsewhere.</summary>
/// <param name="Elements">Elements that were counted.</param>
/// <param name="EntropyBits">Entropy of the eight bits, 0 to 8.</param>
/// <param name="ForeignShare">Estimated share of elements whose low bits are uniform.</param>
/// <remarks>
/// A hidden payload is uniform noise in low bits. Where the weights themselves leave a pattern there (values that came from bfloat16 or from a grid of few levels), the
/// histogram of the eight bits is that pattern plus a flat floor, and the height of the floor is the share of foreign elements. Low bits of weights that were trained in
/// float32 are flat already: noise in them changes no distribution, and no test of it can see any.
/// </remarks>
public sealed record LowBits(long Elements, double EntropyBits, double ForeignShare)
{
    /// <summary>Fewest elements that a floor can be told from chance with: eight to a bin.</summary>
    public const int Fewest = 2048;

    /// <summary>From this share on the bits are flat, whatever put them there.</summary>
    public const double Flat = 0.85;

    // Mean distance of the lower half of normal values from their middle, in deviations: sqrt(2 / pi).
    private const double HalfBelow = 0.79788456080286536;

    /// <summary>The largest share that such a floor may stand for: the emptier half of noisy bins lies below their mean, the more so the fewer elements there are.</summary>
    public double LargestShare
    {
        get
        {
            if (Elements == 0) return 0;
            double seen = ForeignShare * Elements / 256, root = (HalfBelow + Math.Sqrt((HalfBelow * HalfBelow) + (4 * seen))) / 2;
            return Math.Min(1, root * root * 256 / Elements);
        }
    }

    /// <summary>Below this share there is no floor worth a word.</summary>
    public const double Clean = 0.005;

    /// <summary>Whether the test can tell anything: enough elements, and a pattern to stand out from.</summary>
    public bool CanTell => Elements >= Fewest && LargestShare < Flat;

    /// <summary>A pattern with a floor under it.</summary>
    public bool Suspicious => CanTell && ForeignShare >= Clean;

    /// <summary>Reads the counts of the 256 values of the lowest eight bits.</summary>
    public static LowBits Of(ReadOnlySpan<long> counts)
    {
        long total = 0;
        foreach (long c in counts) total += c;
        if (total == 0) return new LowBits(0, 0, 0);
        double entropy = 0;
        foreach (long c in counts)
            if (c > 0) entropy -= c / (double)total * Math.Log2(c / (double)total);
        long[] sorted = counts.ToArray();
        Array.Sort(sorted);
        // The emptier half of the bins: a pattern of up to 128 values leaves it to the floor alone.
        double floor = 0;
        for (int i = 0; i < 128; i++) floor += sorted[i];
        return new LowBits(total, entropy, floor / 128 * 256 / total);
    }

    /// <summary>Counts the lowest eight bits of float32 values; zeros say nothing and are left out.</summary>
    public static LowBits Of(ReadOnlySpan<float> values)
    {
        Span<long> counts = stackalloc long[256];
        Count(values, counts);
        return Of(counts);
    }

    internal static void Count(ReadOnlySpan<float> values, Span<long> counts)
    {
        foreach (float v in values)
        {
            uint bits = BitConverter.SingleToUInt32Bits(v);
            if ((bits & 0x7FFFFFFF) != 0) counts[(int)(bits & 0xFF)]++;
        }
    }
}
