namespace Budwood.Numbers.Special;

/// <summary>The normal distribution and the error function.</summary>
public static class Normal
{
    /// <summary>The chance that a standard normal variable stays below x; relative accuracy also in the lower tail.</summary>
    public static double Cumulative(double x) => 0.5 * ErrorComplement(-x / Math.Sqrt(2));

    /// <summary>The x below which a standard normal variable stays with chance p.</summary>
    /// <remarks>Newton steps in log Phi, which is concave: from the left they never overshoot.</remarks>
    public static double Quantile(double p)
    {
        if (!(p is >= 0 and <= 1)) return double.NaN;
        if (p == 0) return double.NegativeInfinity;
        if (p == 1) return double.PositiveInfinity;
        if (p > 0.5) return -Quantile(1 - p);
        // phi(x)/|x| bounds the tail from above, so this start lies left of the quantile.
        double x = p > 0.1 ? -1.3 : -Math.Sqrt(-2 * Math.Log(p)), target = Math.Log(p);
        for (int i = 0; i < 60; i++)
        {
            double cumulative = Cumulative(x), density = Math.Exp(-0.5 * x * x) / Math.Sqrt(2 * Math.PI);
            double step = (target - Math.Log(cumulative)) * cumulative / density;
            x += step;
            if (Math.Abs(step) <= 1e-15 * (1 + Math.Abs(x))) break;
        }
        return x;
    }

    /// <summary>erf(x).</summary>
    public static double Error(double x) => x < 0 ? -Error(-x) : x == 0 ? 0 : Gamma.Lower(0.5, x * x);

    /// <summary>1 - erf(x), without cancellation.</summary>
    public static double ErrorComplement(double x) => x < 0 ? 2 - ErrorComplement(-x) : x == 0 ? 1 : Gamma.Upper(0.5, x * x);
}
