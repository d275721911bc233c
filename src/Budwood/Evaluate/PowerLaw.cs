using Budwood.Numbers.Linear;
using Budwood.Numbers.Random;

namespace Budwood.Evaluate;

/// <summary>A learning curve: error = alpha m^beta + gamma for m samples, with beta below 0.</summary>
/// <param name="Gamma">The error that no amount of data removes; 0 in the model without it.</param>
/// <param name="Squares">Weighted sum of squared residuals of log error, with weights of mean 1.</param>
/// <param name="Aicc">Akaike's criterion with its correction for few points; lower is better.</param>
public sealed record PowerLaw(double Alpha, double Beta, double Gamma, double Squares, double Aicc, int Points)
{
    /// <summary>The error at m.</summary>
    public double At(double m) => (Alpha * Math.Pow(m, Beta)) + Gamma;

    /// <summary>Samples at which the error reaches a target; infinite for a target at or below gamma, or a curve that does not fall (paper 70, step 8).</summary>
    public double SamplesFor(double error) =>
        error <= Gamma || Beta >= 0 ? double.PositiveInfinity : Math.Pow((error - Gamma) / Alpha, 1 / Beta);

    /// <summary>Root mean square of the residuals of log error.</summary>
    public double RootMeanSquare => Math.Sqrt(Squares / Points);

    /// <summary>The model without gamma: a straight line in logarithms (paper 70, step 5).</summary>
    /// <param name="weights">None for equal weights; inverse variances of log error otherwise.</param>
    public static PowerLaw WithoutFloor(ReadOnlySpan<double> m, ReadOnlySpan<double> error, ReadOnlySpan<double> weights = default)
    {
        (double[] x, double[] y) = Logs(m, error);
        StraightLine line = StraightLine.Fit(x, y, weights);
        return new PowerLaw(Math.Exp(line.Intercept), line.Slope, 0, line.ResidualSquares, Criterion(m.Length, line.ResidualSquares, 2), m.Length);
    }

    /// <summary>The model with gamma, alpha = e^a and gamma = e^g, from several starts (paper 70, step 5).</summary>
    public static PowerLaw WithFloor(ReadOnlySpan<double> m, ReadOnlySpan<double> error, ReadOnlySpan<double> weights = default)
    {
        (double[] x, double[] y) = Logs(m, error);
        double[] w = Normalised(weights, x.Length);
        double center = Vectors.Mean(x), least = y.Min();

        // p: log alpha at the centre, beta, log gamma.
        void Residuals(double[] p, double[] r)
        {
            for (int i = 0; i < x.Length; i++)
            {
                double a = p[0] + (p[1] * (x[i] - center)), high = Math.Max(a, p[2]);
                r[i] = Math.Sqrt(w[i]) * (high + Math.Log(Math.Exp(a - high) + Math.Exp(p[2] - high)) - y[i]);
            }
        }

        LevenbergMarquardt? best = null;
        foreach (double share in (double[])[0.01, 0.5, 0.9])
        {
            double floor = share * Math.Exp(least);
            double[] above = [.. y.Select(v => Math.Log(Math.Exp(v) - floor))];
            StraightLine line = StraightLine.Fit(x, above, w);
            LevenbergMarquardt fit = LevenbergMarquardt.Fit(Residuals, x.Length, [line.At(center), line.Slope, Math.Log(floor)]);
            if (best is null || fit.Squares < best.Squares) best = fit;
        }
        double[] q = best!.Parameters;
        return new PowerLaw(Math.Exp(q[0] - (q[1] * center)), q[1], Math.Exp(q[2]), best.Squares, Criterion(x.Length, best.Squares, 3), x.Length);
    }

    /// <summary>The better of both models by AICc; with fewer than five points the one without gamma.</summary>
    /// <exception cref="ArithmeticException">Fewer than four points.</exception>
    public static PowerLaw Fit(ReadOnlySpan<double> m, ReadOnlySpan<double> error, ReadOnlySpan<double> weights = default)
    {
        if (m.Length < 4) throw new ArithmeticException($"a power law needs four points in its region, not {m.Length}");
        PowerLaw plain = WithoutFloor(m, error, weights);
        if (m.Length < 5) return plain; // AICc of three parameters is not defined
        PowerLaw floored = WithFloor(m, error, weights);
        return floored.Aicc < plain.Aicc ? floored : plain;
    }

    /// <summary>Curves fitted again to errors made of this curve and its own residuals, drawn anew: the spread of what the data say (paper 70, step 5).</summary>
    public IReadOnlyList<PowerLaw> Bootstrap(double[] m, double[] error, double[]? weights, RandomStream random, int resamples = 1000)
    {
        double[] w = Normalised(weights, m.Length), residuals = new double[m.Length], drawn = new double[m.Length];
        for (int i = 0; i < m.Length; i++) residuals[i] = Math.Sqrt(w[i]) * (Math.Log(error[i]) - Math.Log(At(m[i])));
        double mean = Vectors.Mean(residuals);
        // Residuals of a fit are smaller than the noise: n - k of them are free.
        double stretch = Math.Sqrt((double)m.Length / Math.Max(1, m.Length - (Gamma > 0 ? 3 : 2)));
        var curves = new List<PowerLaw>(resamples);
        for (int b = 0; b < resamples; b++)
        {
            for (int i = 0; i < m.Length; i++) drawn[i] = At(m[i]) * Math.Exp(stretch * (residuals[random.Below(m.Length)] - mean) / Math.Sqrt(w[i]));
            curves.Add(Gamma > 0 ? WithFloor(m, drawn, weights) : WithoutFloor(m, drawn, weights));
        }
        return curves;
    }

    /// <summary>Interval of any figure of the curve over its bootstrap.</summary>
    public static (double Low, double High) Interval(IReadOnlyList<PowerLaw> curves, Func<PowerLaw, double> figure, double confidence = 0.95)
    {
        double[] sorted = [.. curves.Select(figure).Where(v => !double.IsNaN(v)).Order()];
        double tail = 0.5 * (1 - confidence);
        return (Vectors.Quantile(sorted, tail), Vectors.Quantile(sorted, 1 - tail));
    }

    /// <summary>Weights for errors that are shares of wrong answers among n: log error has the variance (1 - e)/(n e).</summary>
    public static double[] CountingWeights(ReadOnlySpan<double> error, double samples)
    {
        double[] w = new double[error.Length];
        for (int i = 0; i < w.Length; i++) w[i] = samples * error[i] / Math.Max(1e-12, 1 - error[i]);
        return w;
    }

    // n log(squares/n) + 2k + 2k(k+1)/(n-k-1), without constants that both models share (Hurvich and Tsai 1989).
    private static double Criterion(int n, double squares, int k) =>
        n - k - 1 < 1 ? double.PositiveInfinity : (n * Math.Log(Math.Max(squares, 1e-300) / n)) + (2 * k) + (2.0 * k * (k + 1) / (n - k - 1));

    private static double[] Normalised(ReadOnlySpan<double> weights, int n)
    {
        if (weights.IsEmpty) return [.. Enumerable.Repeat(1.0, n)];
        double[] w = weights.ToArray();
        Vectors.Scale(w, n / Vectors.Sum(w));
        return w;
    }

    private static (double[] X, double[] Y) Logs(ReadOnlySpan<double> m, ReadOnlySpan<double> error)
    {
        if (m.Length != error.Length) throw new ArgumentException($"{m.Length} sizes for {error.Length} errors");
        double[] x = new double[m.Length], y = new double[m.Length];
        for (int i = 0; i < x.Length; i++)
        {
            if (!(m[i] > 0 && error[i] > 0)) throw new ArithmeticException($"point {i} of the curve has no logarithm: {m[i]} samples, error {error[i]}");
            (x[i], y[i]) = (Math.Log(m[i]), Math.Log(error[i]));
        }
        return (x, y);
    }
}
