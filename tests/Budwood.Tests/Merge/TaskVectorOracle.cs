using Budwood.Numbers;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Merge;

/// <summary>The end that all task-vector methods share, as a naive loop in double: weigh, elect, sum, add to the base.</summary>
internal static class TaskVectorOracle
{
    /// <summary>Differences of the models from the first.</summary>
    public static double[][] Deltas(float[][] x) => [.. x.Skip(1).Select(v => v.Zip(x[0], (a, b) => (double)(a - b)).ToArray())];

    /// <summary>The merged tensor for deltas that are dropped and scaled already.</summary>
    public static double[] Merge(float[] start, double[][] deltas, double[] weights, bool elects, bool normalize = false, double lambda = 1)
    {
        double[] y = new double[start.Length];
        for (int i = 0; i < y.Length; i++)
        {
            double vote = 0, sum = 0, divisor = 0;
            for (int k = 0; k < deltas.Length; k++) vote += weights[k] * deltas[k][i];
            for (int k = 0; k < deltas.Length; k++)
            {
                double v = weights[k] * deltas[k][i];
                if (elects && Math.Sign(v) != (vote >= 0 ? 1 : -1)) continue;
                sum += v;
                divisor += weights[k];
            }
            y[i] = start[i] + (lambda * (normalize ? sum / (Math.Abs(divisor) < 1e-8 ? 1 : divisor) : sum));
        }
        return y;
    }

    public static void Close(double[] expected, float[] found, double tolerance = 2e-6)
    {
        for (int i = 0; i < expected.Length; i++) Assert.True(Math.Abs(expected[i] - found[i]) <= tolerance, $"[{i}]: {found[i]:R} for {expected[i]:R}");
    }

    public static RuleHarness.Settings BF16 { get; } = new() { DType = DType.BF16 };
    public static RuleHarness.Settings Threaded { get; } = new() { Threads = 3, PieceBytes = 8192 };
}
