using Budwood.Numbers.Special;

namespace Budwood.Recipes.Claims;

/// <summary>A function that claims may use.</summary>
/// <param name="Arguments">How many it takes.</param>
/// <param name="Doc">What it gives, in a few words.</param>
/// <param name="Compute">Value from columns; aggregates give one number, others one a row.</param>
/// <param name="Range">The smallest and largest value it can have, from those of its arguments.</param>
internal sealed record Function(int Arguments, string Doc, Func<IReadOnlyList<double[]>, double[]> Compute, Func<IReadOnlyList<(double Low, double High)>, (double Low, double High)> Range);

/// <summary>Aggregates and elementary functions of claims.</summary>
internal static class Functions
{
    private const double Most = double.PositiveInfinity;

    public static IReadOnlyDictionary<string, Function> Known { get; } = new Dictionary<string, Function>(StringComparer.Ordinal)
    {
        ["mean"] = One("mean of the rows", v => v.Average(), a => a),
        ["sum"] = One("sum of the rows", v => v.Sum(), a => (a.Low < 0 ? double.NegativeInfinity : 0, a.High > 0 ? Most : 0)),
        ["count"] = One("number of rows", v => v.Length, _ => (1, Most)),
        ["min"] = One("smallest row", v => v.Min(), a => a),
        ["max"] = One("largest row", v => v.Max(), a => a),
        ["median"] = One("median of the rows", v => Quantile(v, 0.5), a => a),
        ["std"] = One("standard deviation of the rows (n - 1)", Deviation, _ => (0, Most)),
        ["sem"] = One("standard error of the mean", v => Deviation(v) / Math.Sqrt(v.Length), _ => (0, Most)),
        ["ci_low"] = One("lower end of the 95 % confidence interval of the mean (Student)", v => v.Average() - Half(v), _ => (double.NegativeInfinity, Most)),
        ["ci_high"] = One("upper end of the 95 % confidence interval of the mean (Student)", v => v.Average() + Half(v), _ => (double.NegativeInfinity, Most)),
        ["first"] = One("first row", v => v[0], a => a),
        ["last"] = One("last row", v => v[^1], a => a),
        ["quantile"] = new(2, "quantile of the rows (linear between order statistics)", a => [Quantile(a[0], Single(a[1], "quantile"))], r => r[0]),
        ["rank_corr"] = new(2, "rank correlation of two columns (Spearman)", a => [Correlation(Ranks(a[0]), Ranks(a[1]))], _ => (-1, 1)),
        ["corr"] = new(2, "correlation of two columns (Pearson)", a => [Correlation(a[0], a[1])], _ => (-1, 1)),
        ["slope"] = new(2, "least-squares slope of the second column on the first", a => [Slope(a[0], a[1])], _ => (double.NegativeInfinity, Most)),
        ["win_rate"] = new(2, "share of rows in which the first column is larger; a tie counts half", a => [Wins(a[0], a[1])], _ => (0, 1)),
        ["floor"] = Each("largest whole number not above", Math.Floor, a => (Math.Floor(a.Low), Math.Floor(a.High))),
        ["abs"] = Each("absolute value", Math.Abs, a => a.Low >= 0 ? a : a.High <= 0 ? (-a.High, -a.Low) : (0, Math.Max(-a.Low, a.High))),
        ["log"] = Each("natural logarithm", Math.Log, a => (a.Low > 0 ? Math.Log(a.Low) : double.NegativeInfinity, a.High > 0 ? Math.Log(a.High) : double.NegativeInfinity)),
        ["log10"] = Each("logarithm to base 10", Math.Log10, a => (a.Low > 0 ? Math.Log10(a.Low) : double.NegativeInfinity, a.High > 0 ? Math.Log10(a.High) : double.NegativeInfinity)),
        ["exp"] = Each("exponential", Math.Exp, a => (Math.Exp(a.Low), Math.Exp(a.High))),
        ["sqrt"] = Each("square root", Math.Sqrt, a => (a.Low > 0 ? Math.Sqrt(a.Low) : 0, a.High > 0 ? Math.Sqrt(a.High) : 0)),
    };

    /// <summary>Aggregates that may stand under <c>over</c>.</summary>
    public static IReadOnlyList<string> OverSeeds { get; } = ["mean", "min", "max", "median", "ci_low", "ci_high", "pooled"];

    private static Function One(string doc, Func<double[], double> compute, Func<(double Low, double High), (double, double)> range) => new(1, doc, a => [compute(a[0])], r => range(r[0]));

    private static Function Each(string doc, Func<double, double> compute, Func<(double Low, double High), (double, double)> range) =>
        new(1, doc, a => Array.ConvertAll(a[0], v => compute(v)), r => range(r[0]));

    public static double Deviation(double[] v)
    {
        if (v.Length < 2) throw new FormatException("a spread needs two rows or more");
        double mean = v.Average();
        return Math.Sqrt(v.Sum(x => (x - mean) * (x - mean)) / (v.Length - 1));
    }

    private static double Half(double[] v) => Student.Quantile(0.975, v.Length - 1) * Deviation(v) / Math.Sqrt(v.Length);

    public static double Quantile(double[] v, double q)
    {
        if (q is not (>= 0 and <= 1)) throw new FormatException("a quantile lies between 0 and 1");
        double[] sorted = [.. v.Order()];
        double at = q * (sorted.Length - 1);
        int i = (int)at;
        return i + 1 < sorted.Length ? sorted[i] + ((at - i) * (sorted[i + 1] - sorted[i])) : sorted[^1];
    }

    private static double Single(double[] v, string of) => v.Length == 1 ? v[0] : throw new FormatException($"the second argument of '{of}' is one number");

    // Equal values share the mean of their ranks.
    private static double[] Ranks(double[] v)
    {
        int[] order = [.. Enumerable.Range(0, v.Length).OrderBy(i => v[i])];
        var ranks = new double[v.Length];
        for (int i = 0; i < order.Length;)
        {
            int j = i;
            while (j + 1 < order.Length && v[order[j + 1]] == v[order[i]]) j++;
            for (int k = i; k <= j; k++) ranks[order[k]] = (i + j) / 2.0;
            i = j + 1;
        }
        return ranks;
    }

    private static double Correlation(double[] x, double[] y)
    {
        (double xx, double xy, double yy) = Moments(x, y);
        return xx > 0 && yy > 0 ? Math.Clamp(xy / Math.Sqrt(xx * yy), -1, 1) : throw new FormatException("a correlation needs columns that are not constant");
    }

    private static double Slope(double[] x, double[] y)
    {
        (double xx, double xy, _) = Moments(x, y);
        return xx > 0 ? xy / xx : throw new FormatException("a slope needs a first column that is not constant");
    }

    private static (double, double, double) Moments(double[] x, double[] y)
    {
        if (x.Length != y.Length) throw new FormatException($"columns of {x.Length} and {y.Length} rows do not pair");
        double mx = x.Average(), my = y.Average(), xx = 0, xy = 0, yy = 0;
        for (int i = 0; i < x.Length; i++)
        {
            xx += (x[i] - mx) * (x[i] - mx);
            xy += (x[i] - mx) * (y[i] - my);
            yy += (y[i] - my) * (y[i] - my);
        }
        return (xx, xy, yy);
    }

    private static double Wins(double[] x, double[] y)
    {
        if (x.Length != y.Length) throw new FormatException($"columns of {x.Length} and {y.Length} rows do not pair");
        return x.Zip(y, (a, b) => a > b ? 1.0 : a == b ? 0.5 : 0).Average();
    }
}
