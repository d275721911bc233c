using Budwood.Methods;
using Budwood.Numbers.Linear;
using Budwood.Numbers.Random;
using Budwood.Simulate;

namespace Budwood.Lab.Worlds;

/// <summary>Replaces noisy observations of Kuramoto-Sivashinsky pairs by the analysis of an ensemble that the imperfect model forecasts.</summary>
/// <use>The noisy arm of the recipe on discovered model errors: 'ks_pairs', 'cnab2' and 'ensemble_kalman_filter' in one, without storing the ensembles.</use>
/// <notfor>Ensembles of other models: run those and give them to 'ensemble_kalman_filter'.</notfor>
/// <cost>Members x a step a pair, and members x points^2 for the covariance: a second a pair at 256 points.</cost>
/// <differs>correlation 0 is the authors' white ensemble; above 0 perturbations are smooth, a departure that is shown beside it.</differs>
[Method("ks_assimilation", Room.Simulate)]
[Paper("medida-ks", "EnKF before the regression, step 8")]
public sealed partial class KsAssimilation : Job<KsAssimilation.Parameters>
{
    /// <summary>Parameters of <c>ks_assimilation</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>Length of the interval.</summary>
        [Unit("length"), Range(0, double.PositiveInfinity, MinimumOpen = true)]
        public double Period { get; init; } = 100;

        /// <summary>Time between the fields of a pair.</summary>
        [Unit("time"), Range(0, 1, MinimumOpen = true)]
        public double Step { get; init; } = 5e-3;

        /// <summary>Members over points.</summary>
        [Unit("1"), Range(0.01, 1000)]
        public double MembersByPoints { get; init; } = 10;

        /// <summary>Standard deviation of the members at the start.</summary>
        [Unit("units of the field"), Range(0, 100)]
        public double Spread { get; init; } = 0.25;

        /// <summary>Length over which perturbations are correlated; 0 for white ones.</summary>
        [Unit("length"), Range(0, 100)]
        public double Correlation { get; init; }
    }

    public override Ports Ports { get; } = new(
        [new Port("pairs", ArtifactKind.Arrays, "old, now, observed and noise of ks_pairs"), new Port("terms", ArtifactKind.Table, "the imperfect model")],
        new Port("out", ArtifactKind.Arrays, "observed: the analysis; modelled: the mean forecast [pairs, points]"));

    protected override void Run(Desk desk, Parameters p)
    {
        Arrays given = desk.Arrays("pairs");
        NdArray old = given.Get("old", 2), now = given.Get("now", 2), observed = given.Get("observed", 2);
        double noise = given["noise"].Values[0];
        int pairs = (int)now.Shape[0], n = (int)now.Shape[1], members = Math.Max(2, (int)Math.Round(p.MembersByPoints * n));
        (EvolutionTerm, double)[] terms = [.. desk.Table("terms").Texts("term").Zip(desk.Table("terms").Numbers("coefficient"), (t, c) => (EvolutionTerm.TryParse(t, out EvolutionTerm e) ? e : default, c))];
        RandomStream[] streams = [.. Enumerable.Range(0, pairs).Select(i => desk.Random($"members {i}"))];
        double[] analysis = new double[pairs * n], forecast = new double[pairs * n];
        desk.ForEach(pairs, pair =>
        {
            var equation = new PeriodicEquation(n, p.Period, terms);
            RandomStream random = streams[pair];
            var x = new Matrix(n, members);
            double[] a = new double[n], b = new double[n];
            for (int m = 0; m < members; m++)
            {
                desk.Stop.ThrowIfCancellationRequested();
                double[] move = EnsemblePerturbation.Draw(n, p.Period, p.Spread, p.Correlation, random);
                for (int i = 0; i < n; i++) (a[i], b[i]) = (old.Row(pair)[i] + move[i], now.Row(pair)[i] + move[i]);
                double[] next = equation.OneStep(a, b, p.Step);
                for (int i = 0; i < n; i++) x[i, m] = next[i];
            }
            Matrix h = Matrix.Identity(n);
            double[] y = observed.Row(pair).ToArray();
            Matrix gain = EnsembleAnalysis.Gain(EnsembleAnalysis.Covariance(x), h, noise * noise * h);
            Matrix perturbed = Matrix.Of(n, members, (i, _) => y[i] + (noise * random.Normal()));
            EnsembleAnalysis.Mean(x).CopyTo(forecast, pair * n);
            EnsembleAnalysis.Mean(EnsembleAnalysis.Stochastic(x, h, perturbed, gain)).CopyTo(analysis, pair * n);
        });
        desk.Emit("out", new Arrays { ["observed"] = new NdArray(now.Shape, analysis), ["modelled"] = new NdArray(now.Shape, forecast) });
    }
}
