using Budwood.Methods;
using Budwood.Numbers.Random;
using Budwood.Reuse;

namespace Budwood.Lab.Worlds;

/// <summary>Models of a known accuracy are evaluated again and again, under cards that claim more than is true.</summary>
/// <use>Knowing how often a check of claims calls an honest card false, and an inflated one true, for a size of test set.</use>
/// <notfor>Models whose errors come in clusters: here every example is right or wrong by itself.</notfor>
/// <cost>One binomial draw an evaluation.</cost>
/// <differs>The sheet trains six tiny classifiers; all that their test scores can tell is a binomial count, which is drawn directly.</differs>
[Method("discrepancy_trial", Room.Simulate)]
[Source("textbook", Where = "binomial counts")]
public sealed partial class DiscrepancyTrial : Job<DiscrepancyTrial.Parameters>
{
    /// <summary>Parameters of <c>discrepancy_trial</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>The true accuracy.</summary>
        [Unit("1"), Range(0, 1)]
        public double Accuracy { get; init; } = 0.8;

        /// <summary>By how many points the card says more than is true.</summary>
        [Unit("points"), Range(-100, 100)]
        public double Overstated { get; init; }

        /// <summary>Factor on what is overstated: 0 makes all cards honest.</summary>
        [Unit("1"), Range(-10, 10)]
        public double Inflation { get; init; } = 1;

        /// <summary>Points that every card says more, whatever it overstates.</summary>
        [Unit("points"), Range(-100, 100)]
        public double Extra { get; init; }

        /// <summary>Examples of the test set.</summary>
        [Unit("examples"), Range(1, 10_000_000)]
        public int Examples { get; init; } = 2000;

        /// <summary>Evaluations.</summary>
        [Unit("trials"), Range(1, 100_000)]
        public int Trials { get; init; } = 20;
    }

    public override Ports Ports { get; } = new([], new Port("scores", ArtifactKind.Table, "trial, claimed, score (0 or 1) and how many examples have it"));

    protected override void Run(Desk desk, Parameters p)
    {
        var table = new Table("scores", new Column("trial"), new Column("claimed", true), new Column("score", true), new Column("count", true));
        RandomStream random = desk.Random(FormattableString.Invariant($"trials of {p.Examples} at {p.Overstated}"));
        double claimed = p.Accuracy + (((p.Overstated * p.Inflation) + p.Extra) / 100);
        for (int t = 0; t < p.Trials; t++)
        {
            long right = ScoreInterval.Binomial(p.Examples, p.Accuracy, random);
            table.Add($"{t + 1}", claimed, 1.0, right);
            table.Add($"{t + 1}", claimed, 0.0, p.Examples - right);
        }
        desk.Emit("scores", table);
    }
}
