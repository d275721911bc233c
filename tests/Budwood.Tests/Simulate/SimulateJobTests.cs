using Budwood.Lab.Worlds;
using Budwood.Methods;
using Budwood.Numbers;
using Budwood.Simulate;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Simulate;

public class SimulateJobTests
{
    private static Arrays Pairs(int points = 128, double noise = 0, int members = 0, long seed = 0, double correlation = 0, int pairs = 5) =>
        TestDesk.Run(new KsPairs(), new KsPairs.Parameters { Points = points, Period = 50, SpinUp = 30, Between = 3, Pairs = pairs, Noise = noise, Members = members, Correlation = correlation }, seed)["pairs"].Arrays;

    [Fact]
    public void A_travelling_wave_is_solved_on_a_field_of_ones_own()
    {
        double[] u = [.. Enumerable.Range(0, 32).Select(i => Math.Sin(2 * Math.PI * i / 32))];
        var out1 = TestDesk.Run(new Etdrk4(), new Etdrk4.Parameters { Field = "height", Period = 32, Step = 0.25, Steps = 8, Every = 4 }, 0,
            ("start", Artifact.Of(new Arrays { ["height"] = NdArray.Of(u) })), ("terms", Tables.Equation(("u_x", -1))));
        Arrays states = out1["states"].Arrays;
        Assert.Equal([0, 1, 2], states["t"].Values);
        Assert.Equal(new Shape(3, 32), states["u"].Shape);
        for (int i = 0; i < 32; i++) Assert.Equal(u[(i + 30) % 32], states["u"].Row(2)[i], 1e-12); // moved by 2 points
    }

    [Fact]
    public void What_cannot_be_solved_is_refused()
    {
        Artifact start = Artifact.Of(new Arrays { ["u"] = NdArray.Of([.. Enumerable.Range(0, 16).Select(i => Math.Cos(2 * Math.PI * i / 16) + 2)]) });
        Tables.Refused("BW3902", () => TestDesk.Run(new Etdrk4(), new Etdrk4.Parameters { Period = 1 }, 0, ("start", start), ("terms", Tables.Equation(("v_x", 1)))));
        Tables.Refused("BW3904", () => TestDesk.Run(new Etdrk4(), new Etdrk4.Parameters { Period = 1, Step = 0.1, Steps = 1000 }, 0, ("start", start), ("terms", Tables.Equation(("u^2", 5)))));
        Tables.Refused("BW2301", () => TestDesk.Run(new Etdrk4(), new Etdrk4.Parameters { Field = "w" }, 0, ("start", start), ("terms", Tables.Equation(("u_x", 1)))));
        Artifact unlike = Artifact.Of(new Arrays { ["observed"] = NdArray.Of(new double[4]), ["modelled"] = NdArray.Of(new double[5]) });
        Tables.Refused("BW3901", () => TestDesk.Run(new Medida(), new Medida.Parameters(), 0, ("pairs", unlike)));
        Artifact still = Artifact.Of(new Arrays { ["observed"] = NdArray.Of(new double[16]), ["modelled"] = NdArray.Of(new double[16]) });
        Tables.Refused("BW3903", () => TestDesk.Run(new Medida(), new Medida.Parameters(), 0, ("pairs", still)));
    }

    [Fact]
    public void A_missing_term_is_found_and_the_model_corrected()
    {
        Artifact model = Tables.Equation(("uu_x", -1), ("u_xxxx", -1));
        Arrays stepped = TestDesk.Run(new Cnab2(), new Cnab2.Parameters { Period = 50, Step = 5e-3 }, 0, ("states", Artifact.Of(Pairs())), ("terms", model))["out"].Arrays;
        Dictionary<string, Artifact> found = TestDesk.Run(new Medida(), new Medida.Parameters { Period = 50, Step = 5e-3, Sweep = [10, 1e4] }, 0, ("pairs", Artifact.Of(stepped)), ("model", model));
        Dictionary<string, double> terms = found["terms"].Table.ByTerm();
        Assert.Equal(["u_{xx}"], terms.Keys);
        Assert.Equal(-1, terms["u_{xx}"], 0.05);
        Assert.Equal(-1, found["corrected"].Table.ByTerm()["u_{xx}"], 0.05);
        Assert.Equal(2, found["curve"].Table.Rows.Count);

        // The baselines: least squares keeps everything, thresholded ridge few terms.
        Table all = TestDesk.Run(new Medida(), new Medida.Parameters { Period = 50, Step = 5e-3, Regression = MismatchRegression.LeastSquares }, 0, ("pairs", Artifact.Of(stepped)))["terms"].Table;
        Assert.Equal(24, all.Rows.Count);
        Table ridge = TestDesk.Run(new Medida(), new Medida.Parameters { Period = 50, Step = 5e-3, Regression = MismatchRegression.ThresholdedRidge }, 0, ("pairs", Artifact.Of(stepped)))["terms"].Table;
        Assert.True(ridge.Rows.Count < 24);
    }

    [Fact]
    public void In_a_world_without_error_nothing_is_found_but_the_error_of_the_step()
    {
        Arrays stepped = TestDesk.Run(new Cnab2(), new Cnab2.Parameters { Period = 50, Step = 5e-3 }, 0, ("states", Artifact.Of(Pairs())), ("terms", Tables.Equation(("uu_x", -1), ("u_xx", -1), ("u_xxxx", -1))))["out"].Arrays;
        Dictionary<string, double> terms = TestDesk.Run(new Medida(), new Medida.Parameters { Period = 50, Step = 5e-3 }, 0, ("pairs", Artifact.Of(stepped)))["terms"].Table.ByTerm();
        Assert.All(terms.Values, c => Assert.True(Math.Abs(c) < 0.05));
    }

    [Fact]
    public void Ensembles_move_noisy_observations_towards_the_truth_by_every_scheme()
    {
        Arrays clean = Pairs(64, pairs: 2), noisy = Pairs(64, noise: 0.3, members: 200, correlation: 1, pairs: 2);
        double noise = noisy["noise"].Values[0];
        double Off(double[] u) => Math.Sqrt(u.Zip(clean["observed"].Values, (a, b) => (a - b) * (a - b)).Average());
        Arrays members = TestDesk.Run(new Cnab2(), new Cnab2.Parameters { Period = 50, Step = 5e-3, Old = "old_ensemble", Now = "now_ensemble", Next = "ensemble" }, 0,
            ("states", Artifact.Of(noisy)), ("terms", Tables.Equation(("uu_x", -1), ("u_xx", -1), ("u_xxxx", -1))))["out"].Arrays;
        foreach (AnalysisScheme scheme in Enum.GetValues<AnalysisScheme>())
        {
            Arrays analysis = TestDesk.Run(new EnsembleKalmanFilter(), new EnsembleKalmanFilter.Parameters { Scheme = scheme, Noise = noise }, 0, ("forecast", Artifact.Of(members)))["analysis"].Arrays;
            double after = Off(analysis["analysis_mean"].Values);
            Assert.True(after < Off(analysis["forecast_mean"].Values) && after < Off(noisy["observed"].Values), $"{scheme}: {after}");
            Assert.Equal(members["ensemble"].Shape, analysis["ensemble"].Shape);
        }
        Tables.Refused("BW3905", () => TestDesk.Run(new EnsembleKalmanFilter(), new EnsembleKalmanFilter.Parameters(), 0,
            ("forecast", Artifact.Of(new Arrays { ["ensemble"] = new NdArray(new Shape(1, 2), [1, 2]), ["observed"] = NdArray.Of([1, 2]) }))));
    }

    [Fact]
    public void Some_points_may_be_observed_through_an_operator()
    {
        // Two members, one point seen: the scalar Kalman gain is known.
        var forecast = new Arrays { ["ensemble"] = new NdArray(new Shape(2, 2), [0, 1, 2, 3]), ["observed"] = NdArray.Of([3]), ["operator"] = new NdArray(new Shape(1, 2), [1, 0]) };
        Arrays analysis = TestDesk.Run(new EnsembleKalmanFilter(), new EnsembleKalmanFilter.Parameters { Scheme = AnalysisScheme.Serial, Noise = Math.Sqrt(2) }, 0, ("forecast", Artifact.Of(forecast)))["analysis"].Arrays;
        // B = [[2, 2], [2, 2]], R = 2: the gain is one half for both points.
        Assert.Equal([2, 3], analysis["analysis_mean"].Values.Select(v => Math.Round(v, 12)));
    }

    [Fact]
    public void A_regression_runs_on_any_table()
    {
        var random = new Budwood.Numbers.Random.RandomStream(1, "rows");
        object?[][] rows = [.. Enumerable.Range(0, 200).Select(_ =>
        {
            double a = random.Normal(), b = random.Normal(), c = random.Normal();
            return new object?[] { a, b, c, 5 + (3 * b) + (0.1 * random.Normal()) };
        })];
        Artifact table = Tables.Of(["a", "b", "c", "y"], rows);
        Table weights = TestDesk.Run(new RelevanceVectorMachine(), new RelevanceVectorMachine.Parameters { Target = "y" }, 0, ("table", table))["weights"].Table;
        Assert.Equal(["b"], weights.Texts("feature"));
        Assert.Equal(3, weights.Numbers("weight")[0], 0.05);
        Assert.Contains("intercept 5.0", weights.Notes[0].Replace("4.99", "5.0"), StringComparison.Ordinal);
        Tables.Refused("BW2311", () => TestDesk.Run(new RelevanceVectorMachine(), new RelevanceVectorMachine.Parameters { Target = "z" }, 0, ("table", table)));
        Tables.Refused("BW3903", () => TestDesk.Run(new RelevanceVectorMachine(), new RelevanceVectorMachine.Parameters { Target = "y" }, 0, ("table", Tables.Of(["x", "y"], [1, 1], [1, 2], [1, 3]))));
    }
}
