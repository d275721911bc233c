using Budwood.Methods;
using Budwood.Numbers;
using Budwood.Numbers.Linear;
using Budwood.Numbers.Random;

namespace Budwood.Simulate;

/// <summary>How members of an ensemble are corrected.</summary>
public enum AnalysisScheme
{
    /// <summary>Every member moves towards its own perturbed observation.</summary>
    Stochastic,

    /// <summary>Anomalies are transformed by a symmetric square root; no random numbers.</summary>
    Transform,

    /// <summary>One observation after another with a reduced gain; no random numbers.</summary>
    Serial,
}

/// <summary>Corrects ensembles of forecasts by noisy observations.</summary>
/// <use>Noisy data before a regression ('medida'), state estimation with any model that can run an ensemble.</use>
/// <notfor>Strongly non-Gaussian errors. Ensembles much smaller than the state without 'radius'.</notfor>
/// <cost>Stochastic: members n^2 and n^3/3 a case. Transform: 9 members^3. Serial: observations n members.</cost>
/// <differs>All three agree on the mean for a linear model; they differ in the spread. The repository of the paper perturbs the true state and takes noise of 0.01
/// without the field's deviation; here observations are taken as given.</differs>
/// <formula>K = B H' (H B H' + R)^-1; member += K (y + noise - H member)</formula>
[Method("ensemble_kalman_filter", Room.Simulate)]
[Paper("medida-ks", "EnKF analysis of noisy observations")]
public sealed partial class EnsembleKalmanFilter : Job<EnsembleKalmanFilter.Parameters>
{
    /// <summary>Parameters of <c>ensemble_kalman_filter</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>How members are corrected.</summary>
        public AnalysisScheme Scheme { get; init; } = AnalysisScheme.Stochastic;

        /// <summary>Standard deviation of the errors of the observations.</summary>
        [Required, Unit("units of the state"), Range(0, double.PositiveInfinity, MinimumOpen = true)]
        public double Noise { get; init; } = 1;

        /// <summary>Factor of the anomalies of the forecast, for errors of the model that its spread does not show.</summary>
        [Unit("1"), Range(1, 10)]
        public double Inflation { get; init; } = 1;

        /// <summary>Half the distance at which covariances are cut to zero, on a ring of points; 0 for no cut. Stochastic only.</summary>
        [Unit("points"), Range(0, double.PositiveInfinity)]
        public double Radius { get; init; }

        /// <summary>Name of the array with the forecasts: members along the axis before the last, points along the last.</summary>
        public string Ensemble { get; init; } = "ensemble";

        /// <summary>Name of the array with the observations of each case.</summary>
        public string Observed { get; init; } = "observed";
    }

    public override Ports Ports { get; } = new(
        [new Port("forecast", ArtifactKind.Arrays, "ensembles [cases, members, points], observations [cases, observed], and operator [observed, points] unless all points are observed")],
        new Port("analysis", ArtifactKind.Arrays, "the corrected ensemble, analysis_mean and forecast_mean"));

    protected internal override void Run(Desk desk, Parameters p)
    {
        Arrays given = desk.Arrays("forecast");
        NdArray ensemble = given[p.Ensemble], observed = given[p.Observed];
        bool single = ensemble.Shape.Rank == 2;
        if (!single && ensemble.Shape.Rank != 3) given.Get(p.Ensemble, 3);
        int rank = ensemble.Shape.Rank, n = (int)ensemble.Shape[rank - 1], members = (int)ensemble.Shape[rank - 2], cases = single ? 1 : (int)ensemble.Shape[0], seen = (int)observed.Shape.Columns;
        if (members < 2) throw SimulateFaults.TooFewMembers(given.Label, members);
        Matrix h = Matrix.Identity(n);
        if (given.TryGet("operator", out NdArray? map)) h = new Matrix((int)given.Get("operator", 2).Shape[0], (int)map.Shape[1], map.Values);
        if (observed.Shape.Rows != cases || h.Rows != seen || h.Columns != n)
            throw SimulateFaults.ShapesDisagree(given.Label, p.Ensemble, ensemble.Shape, p.Observed, observed.Shape, $"{cases} x {h.Rows} observations of {h.Columns} points");

        NdArray analysis = TermTable.Empty(ensemble.Shape), after = TermTable.Empty(new Shape(cases, n)), before = TermTable.Empty(new Shape(cases, n));
        RandomStream[] streams = [.. Enumerable.Range(0, cases).Select(c => desk.Random($"observations {c}"))];
        desk.ForEach(cases, c =>
        {
            Matrix x = Matrix.Of(n, members, (i, m) => ensemble.Values[(((c * members) + m) * n) + i]);
            EnsembleAnalysis.Mean(x).CopyTo(TermTable.Field(before, c));
            if (p.Inflation != 1) x = EnsembleAnalysis.Inflated(x, p.Inflation);
            Matrix corrected = Corrected(x, h, observed.Values.AsSpan(c * seen, seen), p, streams[c]);
            EnsembleAnalysis.Mean(corrected).CopyTo(TermTable.Field(after, c));
            for (int m = 0; m < members; m++)
                for (int i = 0; i < n; i++) analysis.Values[(((c * members) + m) * n) + i] = corrected[i, m];
        });
        desk.Emit("analysis", new Arrays { [p.Ensemble] = analysis, ["analysis_mean"] = after, ["forecast_mean"] = before });
    }

    private static Matrix Corrected(Matrix x, Matrix h, ReadOnlySpan<double> y, Parameters p, RandomStream random)
    {
        double variance = p.Noise * p.Noise;
        Matrix noise = variance * Matrix.Identity(h.Rows);
        switch (p.Scheme)
        {
            case AnalysisScheme.Transform:
                return EnsembleAnalysis.Transform(x, h, y, noise).Analysis;
            case AnalysisScheme.Serial:
                return EnsembleAnalysis.Serial(x, h, y, [.. Enumerable.Repeat(variance, h.Rows)]);
            default:
                double[] given = y.ToArray();
                Matrix perturbed = Matrix.Of(h.Rows, x.Columns, (i, _) => given[i] + (p.Noise * random.Normal())), b = EnsembleAnalysis.Covariance(x);
                if (p.Radius > 0) b = EnsembleAnalysis.Localised(b, p.Radius);
                return EnsembleAnalysis.Stochastic(x, h, perturbed, EnsembleAnalysis.Gain(b, h, noise));
        }
    }
}
