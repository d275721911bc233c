using Budwood.Methods;

namespace Budwood.Lab.Worlds;

/// <summary>Puts published accuracies back into the counts that they were computed from: how many examples were right, and how many wrong.</summary>
/// <use>Judging a published re-evaluation with an interval, where only its percentages were published.</use>
/// <notfor>Scores that are no share of right answers.</notfor>
/// <cost>None.</cost>
/// <differs>A percentage with one decimal fixes the count to within 0.05 % of the examples; the nearest is taken.</differs>
[Method("published_scores", Room.Simulate)]
[Paper("ptm-reuse", "re-evaluation in the study's artifact")]
public sealed partial class PublishedScores : Job<PublishedScores.Parameters>
{
    /// <summary>Parameters of <c>published_scores</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>Names of the models.</summary>
        public IReadOnlyList<string> Models { get; init; } = [];

        /// <summary>Accuracies that their cards claim.</summary>
        [Unit("percent"), Range(0, 100)]
        public IReadOnlyList<double> Claimed { get; init; } = [];

        /// <summary>Accuracies that were measured.</summary>
        [Unit("percent"), Range(0, 100)]
        public IReadOnlyList<double> Measured { get; init; } = [];

        /// <summary>Examples that they were measured on.</summary>
        [Unit("examples"), Range(1, 10_000_000)]
        public int Examples { get; init; } = 50_000;
    }

    public override Ports Ports { get; } = new([], new Port("scores", ArtifactKind.Table, "model, claimed, score (0 or 1) and how many examples have it"));

    protected override void Run(Desk desk, Parameters p)
    {
        if (p.Models.Count == 0 || p.Models.Count != p.Claimed.Count || p.Models.Count != p.Measured.Count)
            throw new Fault("BW3961", ExitCode.Usage, "models and accuracies are not as many", "published_scores", $"{p.Models.Count} models, {p.Claimed.Count} claimed, {p.Measured.Count} measured", "Give one of each for every model.");
        var table = new Table("scores", new Column("model"), new Column("claimed", true), new Column("score", true), new Column("count", true));
        for (int i = 0; i < p.Models.Count; i++)
        {
            long right = (long)Math.Round(p.Measured[i] / 100 * p.Examples);
            table.Add(p.Models[i], p.Claimed[i] / 100, 1.0, right);
            table.Add(p.Models[i], p.Claimed[i] / 100, 0.0, p.Examples - right);
        }
        desk.Emit("scores", table);
    }
}
