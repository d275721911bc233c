using Budwood.Numbers.Linear;

namespace Budwood.Evaluate;

/// <summary>Parts of a learning curve.</summary>
public enum CurveRegion
{
    /// <summary>Too few samples: the error is that of the best guess.</summary>
    SmallData,

    /// <summary>The error falls as a power of the number of samples.</summary>
    PowerLaw,

    /// <summary>More data do not help.</summary>
    Irreducible,
}

/// <summary>Finds the three regions of a learning curve (paper 70, step 4).</summary>
public static class LearningCurve
{
    /// <summary>The region of each point; points are in ascending order of samples.</summary>
    /// <param name="guess">Error of the best constant guess; not a number where it is not known.</param>
    /// <param name="guessShare">A point counts as small data from this share of the guess on.</param>
    /// <param name="plateauShare">A point counts as irreducible when the slope that leads to it is below this share of the middle slope.</param>
    public static CurveRegion[] Regions(ReadOnlySpan<double> m, ReadOnlySpan<double> error, double guess, double guessShare = 0.95, double plateauShare = 0.25)
    {
        int n = m.Length, first = 0, last = n;
        while (first < n && error[first] >= guessShare * guess) first++;
        var slopes = new List<double>();
        for (int i = first + 1; i < n; i++) slopes.Add(Slope(m, error, i));
        if (slopes.Count > 0)
        {
            double middle = Math.Abs(Vectors.Quantile([.. slopes.Order()], 0.5));
            // A rise at the end is no fall either.
            while (last > first + 1 && -Slope(m, error, last - 1) < plateauShare * middle) last--;
        }
        var regions = new CurveRegion[n];
        for (int i = 0; i < n; i++) regions[i] = i < first ? CurveRegion.SmallData : i >= last ? CurveRegion.Irreducible : CurveRegion.PowerLaw;
        return regions;
    }

    /// <summary>How many times the data one family of models needs for the errors of another: exp of (log alpha_A - log alpha_B)/beta, at their mean beta (step 7).</summary>
    public static double EquivalentData(PowerLaw a, PowerLaw b) => Math.Exp((Math.Log(b.Alpha) - Math.Log(a.Alpha)) / (0.5 * (a.Beta + b.Beta)));

    private static double Slope(ReadOnlySpan<double> m, ReadOnlySpan<double> error, int i) => Math.Log(error[i] / error[i - 1]) / Math.Log(m[i] / m[i - 1]);
}
