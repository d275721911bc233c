using Budwood.Numbers.Linear;
using Budwood.Numbers.Random;

namespace Budwood.Evaluate;

/// <summary>How a success curve bends against the task scaling law.</summary>
public enum EmergenceClass
{
    /// <summary>log(-log PU) is convex in log N: growth is slower than the law.</summary>
    SubScaling,

    /// <summary>The curvature cannot be told from 0.</summary>
    ScalingLaw,

    /// <summary>log(-log PU) is concave in log N: accelerated emergence.</summary>
    SuperScaling,
}

/// <summary>The curvature of a success curve with an interval, and what it means.</summary>
/// <param name="Curvature">b2 of log(-log PU) = b0 + b1 log N + b2 (log N)^2.</param>
public sealed record EmergenceVerdict(EmergenceClass Class, double Curvature, double Low, double High);

/// <summary>Success as a mixture of two circuits, each with its own law: PU(N) = w exp(-c1 N^-a1) + (1-w) exp(-c2 N^-a2).</summary>
/// <param name="Squares">Sum of squared residuals of log(-log PU).</param>
/// <param name="Aic">n log(squares/n) + 2 x 4, to compare with the same figure for the line and the parabola.</param>
public sealed record TwoCircuits(double C1, double Alpha1, double C2, double Alpha2, double Squares, double Aic, double LineAic, double ParabolaAic);

/// <summary>Whether ability grows faster or slower with size than the task scaling law says (paper 29, steps 6 and 7).</summary>
public static class Emergence
{
    /// <summary>Curvature b2 of log(-log chance) over log size by least squares; chances of 0 and 1 are left out.</summary>
    /// <exception cref="ArithmeticException">Fewer than three sizes are left.</exception>
    public static double Curvature(ReadOnlySpan<double> sizes, ReadOnlySpan<double> chances) => Parabola(sizes, chances).Curvature;

    /// <summary>Classifies the mean curve, with the interval of its curvature by resampling questions.</summary>
    /// <param name="chances">One row a question, one column a size.</param>
    public static EmergenceVerdict Classify(ReadOnlySpan<double> sizes, Matrix chances, RandomStream random, int resamples = 1000, double confidence = 0.95)
    {
        double curvature = Curvature(sizes, SuccessLaw.Means(chances));
        var drawn = new List<double>();
        double[] mean = new double[chances.Columns];
        for (int b = 0; b < resamples; b++)
        {
            Array.Clear(mean);
            for (int i = 0; i < chances.Rows; i++) Vectors.Axpy(1.0 / chances.Rows, chances.Row(random.Below(chances.Rows)), mean);
            // Of rare successes a sample may hold none at too many sizes: it says nothing.
            if (mean.Count(p => p is > 0 and < 1) >= 3) drawn.Add(Curvature(sizes, mean));
        }
        double[] sorted = [.. drawn.Order()];
        double tail = 0.5 * (1 - confidence), low = Vectors.Quantile(sorted, tail), high = Vectors.Quantile(sorted, 1 - tail);
        EmergenceClass found = high < 0 ? EmergenceClass.SuperScaling : low > 0 ? EmergenceClass.SubScaling : EmergenceClass.ScalingLaw;
        return new EmergenceVerdict(found, curvature, low, high);
    }

    /// <summary>Fits two circuits to mean chances.</summary>
    /// <param name="softmax">Weights the circuits by the softmax of their chances; else both weigh one half. The paper's form of the weights is not known to us.</param>
    public static TwoCircuits FitTwoCircuits(double[] sizes, double[] chances, bool softmax = false)
    {
        int[] inside = [.. Enumerable.Range(0, sizes.Length).Where(i => chances[i] is > 0 and < 1)];
        if (inside.Length < 4) throw new ArithmeticException("two circuits need chances between 0 and 1 at four sizes or more");
        double[] x = [.. inside.Select(i => Math.Log(sizes[i]))], y = [.. inside.Select(i => SuccessLaw.Scale(chances[i]))];
        double center = Vectors.Mean(x);
        StraightLine line = StraightLine.Fit(x, y);

        // p: log of -log PU at the centre, and exponent, of each circuit.
        void Residuals(double[] p, double[] r)
        {
            for (int i = 0; i < x.Length; i++)
                r[i] = LogLog(-Math.Exp(p[0] - (p[1] * (x[i] - center))), -Math.Exp(p[2] - (p[3] * (x[i] - center))), softmax) - y[i];
        }

        LevenbergMarquardt? best = null;
        double middle = line.At(center);
        foreach (double apart in (double[])[0.3, 1, 3])
        {
            foreach (double ratio in (double[])[0.3, 1, 3])
            {
                // One circuit alone at half weight has log 2 to make up for.
                double[] start = [middle - 0.5, -line.Slope * ratio, middle + apart, -line.Slope * 2 / ratio];
                LevenbergMarquardt fit = LevenbergMarquardt.Fit(Residuals, x.Length, start);
                if (best is null || fit.Squares < best.Squares) best = fit;
            }
        }
        double[] q = best!.Parameters;
        if (q[3] < q[1]) q = [q[2], q[3], q[0], q[1]]; // the slower circuit first
        int n = x.Length;
        return new TwoCircuits(Math.Exp(q[0] + (q[1] * center)), q[1], Math.Exp(q[2] + (q[3] * center)), q[3], best.Squares,
            Aic(n, best.Squares, 4), Aic(n, line.ResidualSquares, 2), Aic(n, Parabola(sizes, chances).Squares, 3));
    }

    /// <summary>n log(squares/n) + 2 parameters (Akaike 1974).</summary>
    public static double Aic(int n, double squares, int parameters) => (n * Math.Log(Math.Max(squares, 1e-300) / n)) + (2 * parameters);

    private static (double Curvature, double Squares) Parabola(ReadOnlySpan<double> sizes, ReadOnlySpan<double> chances)
    {
        var points = new List<(double X, double Y)>();
        for (int i = 0; i < sizes.Length; i++) if (chances[i] is > 0 and < 1) points.Add((Math.Log(sizes[i]), SuccessLaw.Scale(chances[i])));
        if (points.Select(p => p.X).Distinct().Count() < 3) throw new ArithmeticException("a curvature needs chances between 0 and 1 at three sizes or more");
        double center = points.Average(p => p.X); // the curvature does not depend on it, its rounding does
        var design = Matrix.Of(points.Count, 3, (i, k) => Math.Pow(points[i].X - center, k));
        double[] y = [.. points.Select(p => p.Y)], b = LeastSquares.FullRank(design, y), fitted = design * b;
        double squares = 0;
        for (int i = 0; i < y.Length; i++) squares += (y[i] - fitted[i]) * (y[i] - fitted[i]);
        return (b[2], squares);
    }

    // log(-log of the mixture), from the logs of both chances.
    private static double LogLog(double first, double second, bool softmax)
    {
        double w = softmax ? 1 / (1 + Math.Exp(Math.Exp(second) - Math.Exp(first))) : 0.5;
        double most = Math.Max(first, second);
        double log = most + Math.Log((w * Math.Exp(first - most)) + ((1 - w) * Math.Exp(second - most)));
        return Math.Log(-log);
    }
}
