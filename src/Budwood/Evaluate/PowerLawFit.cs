using Budwood.Methods;
using Budwood.Numbers.Linear;

namespace Budwood.Evaluate;

/// <summary>Which model of a learning curve is fitted.</summary>
public enum CurveFloor
{
    /// <summary>With irreducible error where AICc asks for it.</summary>
    Auto,

    /// <summary>With irreducible error.</summary>
    With,

    /// <summary>Without.</summary>
    Without,
}

/// <summary>Fits error = alpha m^beta + gamma to learning curves, with intervals, forecasts and comparisons of families.</summary>
/// <use>Errors or losses over growing data, four points or more in the power-law region: from a table of your own or from 'learning_curve_study'.</use>
/// <notfor>Curves of one model size, whose plateau is capacity. gamma near 0 or from half a decade of data: it is not identifiable, look at beta.</notfor>
/// <cost>One small search a resample: a second for a thousand.</cost>
/// <differs>Residuals are of log error, so that every decade counts alike; test-set noise enters by 'test_samples' or a column se. Fewer than
/// four points are refused.</differs>
/// <formula>minimise sum of w (log(alpha m^beta + gamma) - log error)^2; gamma = 0 or not by AICc</formula>
[Method("power_law_fit", Room.Evaluate)]
[Paper("scaling-predictable", "learning-curve fit, step 5")]
public sealed partial class PowerLawFit : Job<PowerLawFit.Parameters>
{
    /// <summary>Parameters of <c>power_law_fit</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>Whether the curve has irreducible error.</summary>
        public CurveFloor Floor { get; init; } = CurveFloor.Auto;

        /// <summary>Rows with at most so many samples are fitted; the rest is forecast and compared.</summary>
        [Unit("samples"), Range(0, double.PositiveInfinity, MinimumOpen = true)]
        public double FitUpTo { get; init; } = double.PositiveInfinity;

        /// <summary>Size of the test set if errors are shares of wrong answers: small errors are then known less well. 0 weighs all rows alike.</summary>
        [Unit("samples"), Range(0, double.PositiveInfinity)]
        public double TestSamples { get; init; }

        /// <summary>Leaves out rows whose column region says other than power_law.</summary>
        public bool Regions { get; init; } = true;

        /// <summary>Data sizes to forecast; those left out of the fit are forecast besides.</summary>
        public IReadOnlyList<double> Samples { get; init; } = [];

        /// <summary>Resamples of the residuals for intervals.</summary>
        [Unit("samples"), Range(10, 1_000_000)]
        public int Resamples { get; init; } = 1000;
    }

    public override Ports Ports { get; } = new(
        [new Port("curve", ArtifactKind.Table, "columns samples and error; se, region and series if there are any")],
        new Port("fits", ArtifactKind.Table, "alpha, beta, gamma with the interval of beta, a row a series"),
        new Port("forecast", ArtifactKind.Table, "errors of data sizes outside the fit, with intervals"),
        new Port("comparison", ArtifactKind.Table, "differences of beta between series, and how many times the data one needs", Optional: true));

    protected internal override void Run(Desk desk, Parameters p)
    {
        Table table = desk.Table("curve");
        var fits = new Table("fits", new Column("series"), new Column("alpha", true), new Column("beta", true), new Column("gamma", true), new Column("beta_low", true),
            new Column("beta_high", true), new Column("r2", true), new Column("rmse_log", true), new Column("points", true), new Column("largest", true));
        var forecast = new Table("forecast", new Column("series"), new Column("samples", true), new Column("error", true), new Column("low", true), new Column("high", true),
            new Column("measured", true), new Column("off", true, "%"));
        var done = new List<(string Name, PowerLaw Law, IReadOnlyList<PowerLaw> Drawn)>();
        foreach ((string series, Table part) in Series.Of(table))
        {
            double[] m = part.Numbers("samples"), error = part.Numbers("error");
            string[] region = p.Regions && part.Has("region") ? part.Texts("region") : [.. m.Select(_ => "power_law")];
            double[]? weights = Weights(part, error, p);
            int[] used = [.. Enumerable.Range(0, m.Length).Where(i => m[i] <= p.FitUpTo && region[i] == "power_law").OrderBy(i => m[i])];
            double[] x = [.. used.Select(i => m[i])], y = [.. used.Select(i => error[i])];
            double[]? w = weights is null ? null : [.. used.Select(i => weights[i])];
            try
            {
                PowerLaw law = Fit(x, y, w, p.Floor);
                IReadOnlyList<PowerLaw> drawn = law.Bootstrap(x, y, w, desk.Random("residuals " + series), p.Resamples);
                done.Add((series, law, drawn));
                (double low, double high) = PowerLaw.Interval(drawn, c => c.Beta);
                double[] logs = [.. y.Select(v => Math.Log(v))];
                fits.Add(series, law.Alpha, law.Beta, law.Gamma, low, high, 1 - (law.Squares / (Vectors.Variance(logs, 0) * logs.Length)), law.RootMeanSquare, (long)x.Length, x[^1]);
                foreach (double at in p.Samples.Concat(Enumerable.Range(0, m.Length).Where(i => m[i] > p.FitUpTo).Select(i => m[i])).Distinct().Order())
                {
                    (double from, double to) = PowerLaw.Interval(drawn, c => c.At(at));
                    double[] measured = [.. Enumerable.Range(0, m.Length).Where(i => m[i] == at).Select(i => error[i])];
                    double? seen = measured.Length > 0 ? measured.Average() : null;
                    forecast.Add(series, at, law.At(at), from, to, seen, seen is { } s ? 100 * Math.Abs(law.At(at) - s) / s : null);
                    if (at > 10 * x[^1]) forecast.Notes.Add(FormattableString.Invariant($"{series}: {at:G4} samples are more than ten times the largest fitted ({x[^1]:G4})"));
                }
            }
            catch (ArithmeticException e)
            {
                throw EvaluateFaults.NoLaw($"{table.Name}, series {series}", e.Message);
            }
        }
        desk.Emit("fits", fits);
        desk.Emit("forecast", forecast);
        if (done.Count > 1) desk.Emit("comparison", Compared(done));
    }

    private static PowerLaw Fit(double[] m, double[] error, double[]? weights, CurveFloor floor)
    {
        // The refusal of too few points is the same for all.
        PowerLaw chosen = PowerLaw.Fit(m, error, weights);
        return floor switch { CurveFloor.With => PowerLaw.WithFloor(m, error, weights), CurveFloor.Without => PowerLaw.WithoutFloor(m, error, weights), _ => chosen };
    }

    private static double[]? Weights(Table part, double[] error, Parameters p)
    {
        if (part.Has("se")) return [.. part.Numbers("se").Select((s, i) => error[i] / s * (error[i] / s))];
        return p.TestSamples > 0 ? PowerLaw.CountingWeights(error, p.TestSamples) : null;
    }

    private static Table Compared(List<(string Name, PowerLaw Law, IReadOnlyList<PowerLaw> Drawn)> done)
    {
        var table = new Table("comparison", new Column("a"), new Column("b"), new Column("beta_difference", true), new Column("low", true), new Column("high", true), new Column("data_factor", true));
        for (int i = 0; i < done.Count; i++)
        {
            for (int j = i + 1; j < done.Count; j++)
            {
                double[] differences = [.. done[i].Drawn.Zip(done[j].Drawn, (a, b) => a.Beta - b.Beta).Order()];
                table.Add(done[i].Name, done[j].Name, done[i].Law.Beta - done[j].Law.Beta, Vectors.Quantile(differences, 0.025), Vectors.Quantile(differences, 0.975), LearningCurve.EquivalentData(done[i].Law, done[j].Law));
            }
        }
        table.Notes.Add("data_factor: how many times the data series a needs for the errors of b");
        return table;
    }
}
