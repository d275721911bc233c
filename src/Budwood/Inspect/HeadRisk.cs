using Budwood.Numbers.Linear;
using Budwood.Numbers.Random;

namespace Budwood.Inspect;

/// <summary>Test risk of a linear head that is fitted on frozen features: closed forms over the ratio of width to labels, and simulation.</summary>
/// <remarks>Paper 51, steps 2-5, in the form of Hastie, Montanari, Rosset and Tibshirani 2022 (ridgeless least squares). Risk is the excess over the noise, summed
/// over outputs; gamma is width over labels, r^2 the squared norm of the true head, s^2 the summed variance of the label noise.</remarks>
public static class HeadRisk
{
    /// <summary>Risk for independent features of variance 1; infinite at gamma = 1 (step 3).</summary>
    public static double Isotropic(double gamma, double signal, double noise) =>
        gamma < 1 ? noise * gamma / (1 - gamma) : gamma > 1 ? (signal * (1 - (1 / gamma))) + (noise / (gamma - 1)) : double.PositiveInfinity;

    /// <summary>The minimum beyond the peak: gamma* = sqrt(S)/(sqrt(S) - 1) with risk s (2r - s), for S = r^2/s^2 above 1; null otherwise.</summary>
    public static (double Gamma, double Risk)? LocalMinimum(double signal, double noise)
    {
        if (!(signal > noise)) return null;
        double root = Math.Sqrt(signal / noise), s = Math.Sqrt(noise);
        return (root / (root - 1), s * ((2 * Math.Sqrt(signal)) - s));
    }

    /// <summary>Bias and variance for features with a spectrum (step 4); gamma above 1 also gives c0 of the formula.</summary>
    /// <param name="eigenvalues">Eigenvalues of the covariance of the features.</param>
    /// <param name="shares">Share of each among all eigenvalues; sums to 1.</param>
    /// <param name="signalShares">Share of the squared norm of the true head along each.</param>
    public static (double C0, double Bias, double Variance) Correlated(double gamma, ReadOnlySpan<double> eigenvalues, ReadOnlySpan<double> shares,
        ReadOnlySpan<double> signalShares, double signal, double noise)
    {
        if (gamma <= 1) return (double.NaN, 0, Isotropic(gamma, 0, noise));
        double[] lambda = eigenvalues.ToArray(), h = shares.ToArray();
        double target = 1 - (1 / gamma);
        double Left(double c0) => Sum(lambda, h, l => 1 / (1 + (c0 * gamma * l))) - target; // falls from 1/gamma
        double high = 1;
        while (Left(high) > 0) high *= 2;
        double solved = Numbers.Special.Roots.Increasing(c => -Left(c), 0, high);
        double Weight(double l) => 1 / ((1 + (solved * gamma * l)) * (1 + (solved * gamma * l)));
        double q = Sum(lambda, h, l => l * l * Weight(l)) / Sum(lambda, h, l => l * Weight(l)), factor = solved * gamma * q;
        return (solved, signal * (1 + factor) * Sum(lambda, signalShares.ToArray(), l => l * Weight(l)), noise * factor);
    }

    /// <summary>Excess risk of a fitted head for fresh features of a covariance: tr((B^ - B)' Sigma (B^ - B)).</summary>
    /// <param name="covariance">Sigma; null for the identity.</param>
    public static double Excess(Matrix fitted, Matrix truth, Matrix? covariance = null)
    {
        Matrix d = fitted - truth;
        return Vectors.Dot(d.Values, (covariance is null ? d : covariance * d).Values);
    }

    /// <summary>Risks of heads fitted to drawn independent features, one a repeat.</summary>
    /// <param name="width">p, the number of features.</param>
    /// <param name="labels">n, the number of labelled examples.</param>
    /// <param name="outputs">m; the noise of each output has the variance noise/m.</param>
    /// <param name="penalty">Ridge penalty; 0 for the minimum-norm solution.</param>
    public static double[] Simulated(int width, int labels, int outputs, double signal, double noise, int repeats, RandomStream random, double penalty = 0)
    {
        double[] risks = new double[repeats];
        for (int i = 0; i < repeats; i++)
        {
            Matrix x = Drawn(labels, width, 1, random), truth = Truth(width, outputs, signal, random);
            Matrix y = (x * truth) + Drawn(labels, outputs, Math.Sqrt(noise / outputs), random);
            risks[i] = Excess(Head(x, y, penalty), truth);
        }
        return risks;
    }

    /// <summary>The head for features [n, p] and targets [n, m]: minimum norm, or ridge with a penalty.</summary>
    public static Matrix Head(Matrix features, Matrix targets, double penalty = 0) =>
        penalty > 0 ? LeastSquares.Ridge(features, targets, penalty) : LeastSquares.MinimumNorm(features, targets);

    /// <summary>A true head of a given squared norm in a random direction [p, m].</summary>
    public static Matrix Truth(int width, int outputs, double signal, RandomStream random)
    {
        Matrix b = Drawn(width, outputs, 1, random);
        return Math.Sqrt(signal) / b.FrobeniusNorm() * b;
    }

    /// <summary>Independent normal values [rows, columns].</summary>
    public static Matrix Drawn(int rows, int columns, double deviation, RandomStream random)
    {
        var m = new Matrix(rows, columns);
        for (int i = 0; i < m.Values.Length; i++) m.Values[i] = deviation * random.Normal();
        return m;
    }

    private static double Sum(double[] values, double[] shares, Func<double, double> f)
    {
        double sum = 0;
        for (int i = 0; i < values.Length; i++) sum += shares[i] * f(values[i]);
        return sum;
    }
}
