using Budwood.Evaluate;
using Budwood.Lab.Worlds;
using Budwood.Methods;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Evaluate;

public class EvaluateJobTests
{
    [Fact]
    public void From_counted_tries_to_a_forecast()
    {
        Dictionary<string, Artifact> world = TestDesk.Run(new SuccessCounts(), new SuccessCounts.Parameters { Questions = 60 }, 3);
        Dictionary<string, Artifact> measured = TestDesk.Run(new PassUntilEvaluator(), new PassUntilEvaluator.Parameters(), 3, ("tries", world["tries"]));
        Table means = measured["means"].Table;
        double[] truth = [.. world["chances"].Table.Numbers("chance").Zip(world["chances"].Table.Numbers("size")).GroupBy(p => p.Second).OrderBy(g => g.Key).Select(g => g.Average(p => p.First))];
        double[] low = means.Numbers("low"), high = means.Numbers("high");
        Assert.True(truth.Zip(low.Zip(high)).Count(t => t.First >= t.Second.First && t.First <= t.Second.Second) >= 6, "intervals of the means miss the truth");

        Table forecast = TestDesk.Run(new TaskScalingLaw(), new TaskScalingLaw.Parameters { FitUpTo = 2e9 }, 0, ("chances", world["chances"]))["forecast"].Table;
        double Off(string column) => Math.Abs(Math.Log(forecast.Numbers(column)[^1] / truth[^1]));
        Assert.True(Off("instance") < 1e-9, "laws of single questions are exact for exact chances");
        Assert.True(Off("instance") < Off("dataset"));
        Assert.Equal(false, forecast.Rows[^1][5]);
    }

    [Theory]
    [InlineData(SuccessMechanism.Steps, "sub_scaling")]
    [InlineData(SuccessMechanism.Circuits, "super_scaling")]
    public void Mechanisms_are_told_apart(SuccessMechanism mechanism, string expected)
    {
        Artifact chances = TestDesk.Run(new SuccessCounts(), new SuccessCounts.Parameters { Mechanism = mechanism, Draws = 10 }, 1)["chances"];
        Table verdict = TestDesk.Run(new EmergenceClassifier(), new EmergenceClassifier.Parameters { Resamples = 200 }, 1, ("chances", chances))["verdict"].Table;
        Assert.True(verdict.Texts("class").Count(c => c == expected) >= 9, string.Join(", ", verdict.Texts("class")));
        Table fit = TestDesk.Run(new TwoCircuitFit(), new TwoCircuitFit.Parameters(), 1, ("chances", chances))["fit"].Table;
        Assert.Equal(10, fit.Rows.Count);
    }

    [Fact]
    public void Runs_that_are_none_and_holes_are_refused()
    {
        Tables.Refused("BW3603", () => TestDesk.Run(new PassUntilEvaluator(), new PassUntilEvaluator.Parameters(), 0, ("tries", Tables.Of(["question", "tries"], ["a", 1]))));
        Tables.Refused("BW3602", () => TestDesk.Run(new TaskScalingLaw(), new TaskScalingLaw.Parameters(), 0, ("chances", Tables.Of(["size", "question", "chance"], [1, "a", 0.1], [2, "a", 0.2], [1, "b", 0.1]))));
        Tables.Refused("BW3601", () => TestDesk.Run(new EmergenceClassifier(), new EmergenceClassifier.Parameters(), 0, ("chances", Tables.Of(["size", "chance"], [1, 0.1], [2, 0.2]))));
        Tables.Refused("BW3601", () => TestDesk.Run(new PowerLawFit(), new PowerLawFit.Parameters(), 0, ("curve", Tables.Of(["samples", "error"], [1, 0.1], [2, 0.05]))));
        Tables.Refused("BW3604", () => TestDesk.Run(new RequirementPlanner(), new RequirementPlanner.Parameters(), 0, ("fits", Tables.Of(["series"]))));
    }

    [Fact]
    public void The_fitter_recovers_exponents_of_synthetic_curves()
    {
        Dictionary<string, Artifact> world = TestDesk.Run(new SyntheticCurves(), new SyntheticCurves.Parameters { Curves = 30, Floor = 0 }, 2);
        Table fits = TestDesk.Run(new PowerLawFit(), new PowerLawFit.Parameters { Resamples = 20, Floor = CurveFloor.Without }, 2, ("curve", world["curve"]))["fits"].Table;
        double[] off = [.. fits.Numbers("beta").Zip(world["truth"].Table.Numbers("beta"), (a, b) => Math.Abs(a - b))];
        Assert.True(off.Count(d => d <= 0.03) >= 27, $"worst {off.Max()}");
    }

    [Fact]
    public void From_runs_to_a_plan()
    {
        // Two families, error 2 m^-0.3 and 4 m^-0.3, sizes 3 m^0.6 on a grid of powers of 2.
        var rows = new List<object?[]>();
        foreach ((string family, double alpha) in ((string, double)[])[("relu", 2), ("tanh", 4)])
        {
            for (int i = 6; i < 15; i++)
            {
                double m = Math.Pow(2, i), enough = 3 * Math.Pow(m, 0.6);
                for (double s = 16; s < 4096; s *= 2)
                    foreach (double noise in (double[])[0.999, 1.001]) rows.Add([family, m, s, noise * alpha * Math.Pow(m, -0.3) * (s >= enough ? 1 : 1.2)]);
            }
        }
        Artifact curve = TestDesk.Run(new LearningCurveStudy(), new LearningCurveStudy.Parameters(), 0, ("runs", Tables.Of(["series", "samples", "model_size", "error"], [.. rows])))["curve"];
        Assert.All(curve.Table.Texts("region"), r => Assert.Equal("power_law", r));
        Dictionary<string, Artifact> fitted = TestDesk.Run(new PowerLawFit(), new PowerLawFit.Parameters { FitUpTo = 5000, Resamples = 50, Samples = [1e6] }, 0, ("curve", curve));
        Assert.All(fitted["fits"].Table.Numbers("beta"), b => Assert.Equal(-0.3, b, 1e-6));
        Table forecast = fitted["forecast"].Table;
        Assert.Equal(6, forecast.Rows.Count); // 2 left out and 1 asked for, of each family
        Assert.Contains(forecast.Notes, n => n.Contains("ten times", StringComparison.Ordinal));
        Assert.Equal(Math.Pow(2, -1 / 0.3), fitted["comparison"].Table.Numbers("data_factor")[0], 1e-3);

        Artifact sizes = TestDesk.Run(new ModelSizeCurve(), new ModelSizeCurve.Parameters(), 0, ("curve", curve))["sizes"];
        Assert.All(sizes.Table.Numbers("beta_p"), b => Assert.Equal(0.6, b, 0.06));
        Table plan = TestDesk.Run(new RequirementPlanner(), new RequirementPlanner.Parameters { Targets = [0.1] }, 0, ("fits", fitted["fits"]), ("sizes", sizes))["plan"].Table;
        Assert.Equal(Math.Pow(20, 1 / 0.3), plan.Numbers("samples")[0], 1);
        Assert.True(plan.Numbers("model_size")[0] > 100);
    }

    [Fact]
    public void Targets_below_the_irreducible_error_are_out_of_reach()
    {
        Artifact fits = Tables.Of(["series", "alpha", "beta", "gamma", "largest"], ["a", 1, -0.5, 0.1, 100]);
        Table plan = TestDesk.Run(new RequirementPlanner(), new RequirementPlanner.Parameters { Targets = [0.05, 0.2] }, 0, ("fits", fits))["plan"].Table;
        Assert.Null(plan.Rows[0][2]);
        Assert.Equal(100, (double)plan.Rows[1][2]!, 1e-9);
    }
}
