using Budwood.Numbers.Special;

namespace Budwood.Numbers.Linear;

/// <summary>A weighted least-squares line y = intercept + slope x, with its uncertainty.</summary>
/// <param name="SlopeError">Standard error of the slope; not a number with two points.</param>
/// <param name="ResidualSquares">Weighted sum of squares that the line leaves, with weights of mean 1.</param>
/// <param name="Determination">R^2: share of the weighted variance that the line explains.</param>
public sealed record StraightLine(double Intercept, double Slope, double SlopeError, double ResidualSquares, double Determination, int Points)
{
    /// <summary>Fits a line through at least two different abscissas; no weights are equal weights.</summary>
    public static StraightLine Fit(ReadOnlySpan<double> x, ReadOnlySpan<double> y, ReadOnlySpan<double> weights = default)
    {
        int n = x.Length;
        if (y.Length != n || n < 2) throw new ArgumentException($"no line through {n} abscissas and {y.Length} ordinates");
        double total = weights.IsEmpty ? n : Vectors.Sum(weights), mx = 0, my = 0, xx = 0, xy = 0, yy = 0, rest = 0;
        for (int i = 0; i < n; i++)
        {
            mx += Weight(weights, i) * x[i] / total;
            my += Weight(weights, i) * y[i] / total;
        }
        for (int i = 0; i < n; i++)
        {
            double w = Weight(weights, i) * n / total;
            xx += w * (x[i] - mx) * (x[i] - mx);
            xy += w * (x[i] - mx) * (y[i] - my);
            yy += w * (y[i] - my) * (y[i] - my);
        }
        if (!(xx > 0)) throw new ArithmeticException("a line needs two different abscissas");
        double slope = xy / xx, intercept = my - (slope * mx);
        for (int i = 0; i < n; i++)
        {
            double r = y[i] - intercept - (slope * x[i]);
            rest += Weight(weights, i) * n / total * r * r;
        }
        return new StraightLine(intercept, slope, n > 2 ? Math.Sqrt(rest / (n - 2) / xx) : double.NaN, rest, yy > 0 ? 1 - (rest / yy) : 1, n);
    }

    /// <summary>The line at x.</summary>
    public double At(double x) => Intercept + (Slope * x);

    /// <summary>Half the width of the interval of the slope that covers it with this confidence, by Student's distribution.</summary>
    public double SlopeMargin(double confidence = 0.95) => Student.Quantile(0.5 + (0.5 * confidence), Points - 2) * SlopeError;

    private static double Weight(ReadOnlySpan<double> weights, int i) => weights.IsEmpty ? 1 : weights[i];
}
