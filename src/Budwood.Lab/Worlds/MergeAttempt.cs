using Budwood.Checkpoints;
using Budwood.Methods;

namespace Budwood.Lab.Worlds;

/// <summary>Merges models by a rule, once more for every number of the attempt.</summary>
/// <use>Holding a merge against itself: the store gives the same step only once, whatever a recipe calls it.</use>
/// <notfor>Making models: use the rule itself.</notfor>
/// <cost>That of the rule.</cost>
/// <differs>The attempt's number changes nothing but the step's identity.</differs>
[Method("merge_attempt", Room.Simulate)]
[Paper("ptm-reuse", "reproducibility of section V")]
public sealed partial class MergeAttempt : Job<MergeAttempt.Parameters>
{
    /// <summary>Parameters of <c>merge_attempt</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>Name of a rule that takes several models and no base.</summary>
        public string Rule { get; init; } = "linear";

        /// <summary>Weight of every model.</summary>
        [Unit("1"), Range(0, 10)]
        public double Weight { get; init; } = 1;

        /// <summary>Number of the attempt.</summary>
        [Unit("attempts"), Range(1, 1_000_000)]
        public int Attempt { get; init; } = 1;
    }

    public override Ports Ports { get; } = new([new Port("models", ArtifactKind.Checkpoint, "the models", Many: true)], new Port("out", ArtifactKind.Checkpoint, "what the rule makes of them"));

    protected override void Run(Desk desk, Parameters p)
    {
        Checkpoint made = desk.Call(p.Rule, desk.Checkpoints("models"), ("weight", p.Weight.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        desk.Emit("out", made);
    }
}
