using System.Text.Json;
using Budwood.Evaluate;
using Budwood.Numbers.Linear;
using Budwood.Numbers.Random;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Evaluate;

public class PassUntilTests
{
    [Fact]
    public void Estimators_intervals_and_laws()
    {
        ScienceGoldens g = ScienceGoldens.Open("science/passuntil");
        double[] k = g.Real("K"), p = g.Real("true_p");
        SuccessEstimate[] unbiased = [.. k.Select(v => PassUntil.Estimate((long)v, 2, 2))];
        g.Check("unbiased", unbiased.Select(e => e.Value).ToArray());
        g.Check("mle", k.Select(v => PassUntil.Estimate((long)v, 2, 2, PassUntilEstimator.Mle).Value).ToArray());
        g.Check("interval_low", unbiased.Select(e => e.Low).ToArray());
        g.Check("interval_high", unbiased.Select(e => e.High).ToArray());
        g.CheckValues("expectation_of_mle", p.Select(v => PassUntil.ExpectationOfMle(2, v)));
        foreach (JsonProperty bound in g.Value("censored_zero_upper_bound").EnumerateObject())
        {
            g.CheckValue("censored_zero_upper_bound", bound.Value, PassUntil.UpperBoundWithoutSuccess(long.Parse(bound.Name)));
            g.CheckValue("censored_zero_upper_bound", bound.Value, PassUntil.Estimate(long.Parse(bound.Name), 0, 2).High);
        }

        double[] sizes = g.Real("N");
        Matrix chances = g.Matrix("instance_p");
        SuccessLaw law = SuccessLaw.OfMeans(sizes, chances);
        JsonElement wanted = g.Value("dataset_level");
        g.CheckValue("dataset_level", wanted.GetProperty("alpha"), law.Alpha);
        g.CheckValue("dataset_level", wanted.GetProperty("c"), law.C);
        g.CheckValue("dataset_level", wanted.GetProperty("prediction"), law.At(2.4e9));
        IReadOnlyList<SuccessLaw?> each = SuccessLaw.OfEach(sizes, chances);
        wanted = g.Value("instance_level");
        g.CheckValue("instance_level", wanted.GetProperty("alpha_first"), each[0]!.Alpha);
        g.CheckValue("instance_level", wanted.GetProperty("c_first"), each[0]!.C);
        g.CheckValue("instance_level", wanted.GetProperty("prediction"), SuccessLaw.PredictMean(each, chances, 2.4e9));
        g.CheckValue("quadratic_b2", Emergence.Curvature(sizes, SuccessLaw.Means(chances)));
    }

    [Theory]
    [InlineData(1, 0.01)]
    [InlineData(2, 0.3)]
    [InlineData(3, 0.2)]
    [InlineData(3, 0.8)]
    public void The_expectation_is_the_sum_over_all_tries(int r, double p)
    {
        double sum = 0, chance = Math.Pow(p, r);
        for (int k = r; k < 20_000; k++)
        {
            sum += chance * r / k;
            chance *= (1 - p) * k / (k - r + 1);
        }
        Assert.Equal(sum, PassUntil.ExpectationOfMle(r, p), 1e-9);
    }

    [Fact]
    public void Intervals_cover_what_they_promise_and_the_unbiased_estimator_is()
    {
        var random = new RandomStream(4, "tries");
        const double P = 0.03;
        int covered = 0;
        double sum = 0;
        for (int i = 0; i < 4000; i++)
        {
            SuccessEstimate e = PassUntil.Estimate(random.Geometric(P) + random.Geometric(P), 2, 2);
            if (e.Low <= P && P <= e.High) covered++;
            sum += e.Value;
        }
        Assert.InRange(covered / 4000.0, 0.94, 1); // exact intervals cover at least 95 %
        Assert.Equal(P, sum / 4000, 0.003);
    }

    [Fact]
    public void Runs_that_were_cut_off_are_marked()
    {
        SuccessEstimate e = PassUntil.Estimate(1000, 1, 2);
        Assert.True(e.Censored);
        Assert.Equal(1e-3, e.Value, 1e-12);
        Assert.True(e.Low < 1e-3 && e.High > 1e-3);
        Assert.Throws<ArgumentException>(() => PassUntil.Estimate(3, 4, 4));
    }

    [Fact]
    public void Products_of_laws_are_convex_and_two_circuits_concave()
    {
        double[] sizes = [.. Enumerable.Range(0, 7).Select(i => 3e7 * Math.Pow(2, i))];
        Matrix Of(Func<double, double, double> chance)
        {
            var random = new RandomStream(8, "questions");
            double[] shift = [.. Enumerable.Range(0, 40).Select(_ => Math.Exp(0.05 * random.Normal()))];
            return Matrix.Of(40, sizes.Length, (i, j) => chance(sizes[j], shift[i]));
        }

        Matrix steps = Of((n, s) => Math.Exp(-((10 * s * Math.Pow(n / 3e7, -0.1)) + (2 * s * Math.Pow(n / 3e7, -0.9)))));
        Matrix circuits = Of((n, s) => (0.5 * Math.Exp(-8 * s * Math.Pow(n / 3e7, -0.05))) + (0.5 * Math.Exp(-40 * s * Math.Pow(n / 3e7, -0.8))));
        Matrix law = Of((n, s) => Math.Exp(-5 * Math.Pow(n / 3e7, -0.3)) * (1 + (1e-9 * s)));
        Assert.Equal(EmergenceClass.SubScaling, Emergence.Classify(sizes, steps, new RandomStream(1, "b"), 200).Class);
        Assert.Equal(EmergenceClass.SuperScaling, Emergence.Classify(sizes, circuits, new RandomStream(1, "b"), 200).Class);
        Assert.True(Math.Abs(Emergence.Classify(sizes, law, new RandomStream(1, "b"), 200).Curvature) < 1e-6);
        double[] means = [.. sizes.Select(n => (0.5 * Math.Exp(-8 * Math.Pow(n / 3e7, -0.05))) + (0.5 * Math.Exp(-40 * Math.Pow(n / 3e7, -0.8))))];
        TwoCircuits fit = Emergence.FitTwoCircuits(sizes, means);
        Assert.Equal(0.05, fit.Alpha1, 0.01);
        Assert.Equal(0.8, fit.Alpha2, 0.01);
        Assert.True(fit.Aic < fit.ParabolaAic && fit.ParabolaAic < fit.LineAic);
    }
}
