using Budwood.Methods;
using Budwood.Numbers.Random;

namespace Budwood.Lab.Worlds;

/// <summary>Draws learning curves error = alpha m^beta + gamma with known constants and noise of known size.</summary>
/// <use>Tests of the fitter of learning curves; beta 0 is the null world, in which data do not help.</use>
/// <notfor>Saying anything about a model: there is none in it.</notfor>
/// <cost>One draw a point.</cost>
/// <differs>Constants are drawn for every curve unless they are given.</differs>
[Method("synthetic_curves", Room.Evaluate)]
[Paper("scaling-predictable", "claim on the fitter")]
public sealed partial class SyntheticCurves : Job<SyntheticCurves.Parameters>
{
    /// <summary>Parameters of <c>synthetic_curves</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>Number of curves.</summary>
        [Unit("curves"), Range(1, 100_000)]
        public int Curves { get; init; } = 100;

        /// <summary>Points a curve, each with twice the data of the one before.</summary>
        [Unit("points"), Range(2, 60)]
        public int Points { get; init; } = 10;

        /// <summary>Samples at the first point.</summary>
        [Unit("samples"), Range(1, 1e12)]
        public double First { get; init; } = 64;

        /// <summary>Standard deviation of the noise of log error.</summary>
        [Unit("1"), Range(0, 10)]
        public double Noise { get; init; } = 0.03;

        /// <summary>Steepest exponent that is drawn.</summary>
        [Unit("1"), Range(-10, 0)]
        public double BetaSteep { get; init; } = -0.5;

        /// <summary>Flattest exponent that is drawn.</summary>
        [Unit("1"), Range(-10, 0)]
        public double BetaFlat { get; init; } = -0.07;

        /// <summary>Largest irreducible error, as a share of the error at the last point without it.</summary>
        [Unit("1"), Range(0, 100)]
        public double Floor { get; init; } = 1;
    }

    public override Ports Ports { get; } = new([],
        new Port("curve", ArtifactKind.Table, "series, samples, error"), new Port("truth", ArtifactKind.Table, "series, alpha, beta, gamma"));

    protected override void Run(Desk desk, Parameters p)
    {
        var curve = new Table("curve", new Column("series"), new Column("samples", true), new Column("error", true));
        var truth = new Table("truth", new Column("series"), new Column("alpha", true), new Column("beta", true), new Column("gamma", true));
        for (int c = 0; c < p.Curves; c++)
        {
            RandomStream random = desk.Random($"curve {c}");
            double beta = random.Uniform(p.BetaSteep, p.BetaFlat), alpha = random.Uniform(1, 3), last = p.First * Math.Pow(2, p.Points - 1);
            double gamma = random.Uniform() * p.Floor * alpha * Math.Pow(last, beta);
            truth.Add($"{c}", alpha, beta, gamma);
            for (int i = 0; i < p.Points; i++)
            {
                double m = p.First * Math.Pow(2, i);
                curve.Add($"{c}", m, ((alpha * Math.Pow(m, beta)) + gamma) * Math.Exp(p.Noise * random.Normal()));
            }
        }
        desk.Emit("curve", curve);
        desk.Emit("truth", truth);
    }
}
