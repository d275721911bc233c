using Budwood.Numbers.Linear;
using Budwood.Numbers.Random;

namespace Budwood.Tests.Numbers.Random;

public class DistributionsTests
{
    private const int Draws = 40_000;

    // Mean and variance within five standard errors, for distributions with a kurtosis below 30.
    private static void Moments(string what, Func<RandomStream, double> draw, double mean, double variance)
    {
        var random = new RandomStream(11, what);
        double[] x = [.. Enumerable.Range(0, Draws).Select(_ => draw(random))];
        Assert.True(Math.Abs(Vectors.Mean(x) - mean) < 5 * Math.Sqrt(variance / Draws), $"{what}: mean {Vectors.Mean(x)} for {mean}");
        Assert.True(Math.Abs(Vectors.Variance(x) - variance) < 5 * variance * Math.Sqrt(30.0 / Draws), $"{what}: variance {Vectors.Variance(x)} for {variance}");
    }

    [Fact]
    public void Moments_are_those_of_the_distributions()
    {
        Moments("normal", r => r.Normal(), 0, 1);
        Moments("exponential", r => r.Exponential(), 1, 1);
        Moments("gamma 0.3", r => r.Gamma(0.3), 0.3, 0.3);
        Moments("gamma 7", r => r.Gamma(7), 7, 7);
        Moments("beta", r => r.Beta(2, 3), 0.4, 0.04);
        Moments("geometric", r => r.Geometric(0.1), 10, 90);
        Moments("rare", r => r.Geometric(1e-3), 1000, 999_000);
    }

    [Fact]
    public void Shares_sum_to_one_whatever_the_concentration()
    {
        var random = new RandomStream(1, "shares");
        double[] x = new double[20];
        foreach (double c in (double[])[1e-4, 0.2, 50])
        {
            random.Dirichlet(c, x);
            Assert.Equal(1, x.Sum(), 1e-12);
            Assert.All(x, v => Assert.True(v >= 0));
        }
    }

    [Fact]
    public void The_same_names_give_the_same_draws() =>
        Assert.Equal(new RandomStream(3, "a").Gamma(2), new RandomStream(3, "a").Gamma(2));

    [Fact]
    public void Wrong_parameters_are_refused()
    {
        var random = new RandomStream(1, "x");
        Assert.Throws<ArgumentOutOfRangeException>(() => random.Gamma(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => random.Geometric(0));
        Assert.Equal(1, random.Geometric(1));
    }
}
