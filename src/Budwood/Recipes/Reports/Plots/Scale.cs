namespace Budwood.Recipes.Reports.Plots;

/// <summary>The way from numbers to places on the paper, straight or logarithmic.</summary>
/// <param name="Low">Number at <paramref name="From"/>.</param>
/// <param name="High">Number at <paramref name="To"/>.</param>
internal sealed record Scale(double Low, double High, double From, double To, bool Log = false)
{
    /// <summary>The place of a number; those beyond the ends stay at the ends, since infinity has no place.</summary>
    public double Map(double v)
    {
        double share = Log ? Math.Log(Math.Max(v, double.Epsilon) / Low) / Math.Log(High / Low) : (v - Low) / (High - Low);
        return From + (Math.Clamp(share, 0, 1) * (To - From));
    }

    /// <summary>Marks of the axis.</summary>
    public Ticks Ticks(int about) => Log ? Plots.Ticks.Logarithmic(Low, High, about) : Plots.Ticks.Linear(Low, High, about);

    /// <summary>The range of an axis that shows all numbers and leaves some air around them.</summary>
    /// <param name="air">Share of the range that is added at each end.</param>
    public static (double Low, double High) Around(IEnumerable<double> values, bool log = false, double air = 0.05)
    {
        double low = double.PositiveInfinity, high = double.NegativeInfinity;
        foreach (double v in values)
        {
            if (!double.IsFinite(v) || (log && v <= 0)) continue;
            // Beyond these, neither a span nor a factor can be computed with; Map leaves such numbers at the ends.
            double near = Math.Clamp(v, log ? 1e-300 : -1e300, 1e300);
            (low, high) = (Math.Min(low, near), Math.Max(high, near));
        }
        if (low > high) return log ? (1, 10) : (0, 1);
        if (log)
        {
            double more = Math.Max(Math.Pow(high / low, air), 1.05);
            return (low / more, Math.Min(high * more, double.MaxValue));
        }
        double span = high - low;
        // One number alone gets a range of its own size.
        double pad = span > Math.Max(Math.Abs(low), Math.Abs(high)) * 1e-12 ? span * air : Math.Abs(low) < 1e-300 ? 1 : Math.Abs(low) / 2;
        return (low - pad, high + pad);
    }
}
