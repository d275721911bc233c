using Budwood.Checkpoints;
using Budwood.Methods;

namespace Budwood.Merge;

/// <summary>Averages those of the models that help: starting from the best, each next one stays in when the average with it scores no worse.</summary>
/// <use>Fine-tunes of one base (other data, seeds or learning rates) and a score on held-out data: rarely worse than the best of them, and as cheap to run.</use>
/// <notfor>Models that do not share an ancestor. Reporting a result on the data that the score comes from: choosing on it makes it too good.</notfor>
/// <cost>Scores 2n - 1 times for n models; writes each average to the system's temporary folder (TMPDIR) for as long as it is scored.</cost>
/// <differs>'linear' with weight 1 for all is the uniform soup: no score is asked for. Averages are computed in float32 and stored in the models' type before they
/// are scored, so that what is scored is what is written.</differs>
/// <formula>S = {best}; for each next x by descending score: S = S + {x} if score(mean(S + {x})) &gt;= score(mean(S)); y = mean(S)</formula>
[Method("greedy_soup", Room.Merge, MayCopy = true)]
[Paper("points", "greedy-soup over data-set variants (B.2)")]
public sealed partial class GreedySoup : Job<GreedySoup.Parameters>
{
    /// <summary>Parameters of <c>greedy_soup</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>Shell command that prints a score in the last line of its standard output; {model} in it becomes the quoted path of a model folder.</summary>
        [Required]
        public string Score { get; init; } = "";

        /// <summary>A larger score is better; set it to false for a loss.</summary>
        public bool Maximize { get; init; } = true;
    }

    public override Ports Ports { get; } = new(
        [new Port("models", ArtifactKind.Checkpoint, "the models to choose from", Many: true)], new Port("out", ArtifactKind.Checkpoint, "the average of those that help"));

    protected internal override void Run(Desk desk, Parameters p)
    {
        IReadOnlyList<Checkpoint> models = desk.Checkpoints("models");
        if (models.Count < 2) throw MergeFaults.SoupOfOne(models.Count);
        // All that cannot be averaged is said before the first score, which may take hours.
        Average(desk, models);

        (Checkpoint Model, double Score)[] alone = [.. models.Select(m => (m, desk.Score(p.Score, m)))];
        // Stable: of equal scores the first listed comes first.
        alone = [.. p.Maximize ? alone.OrderByDescending(s => s.Score) : alone.OrderBy(s => s.Score)];
        var tried = new Table("tried", new Column("model"), new Column("score alone", true), new Column("score with it", true), new Column("kept"));
        List<Checkpoint> kept = [alone[0].Model];
        double best = alone[0].Score;
        tried.Add(alone[0].Model.Label, best, best, true);
        foreach ((Checkpoint model, double score) in alone.Skip(1))
        {
            double with = desk.Score(p.Score, Average(desk, [.. kept, model]));
            bool helps = p.Maximize ? with >= best : with <= best;
            tried.Add(model.Label, score, with, helps);
            if (!helps) continue;
            kept.Add(model);
            best = with;
        }
        tried.Notes.Add(kept.Count == 1 ? $"no average scores as well as '{kept[0].Label}' alone" : $"the average of {kept.Count} of {models.Count} models");
        desk.Show(tried);
        desk.Emit("out", Average(desk, kept));
    }

    private static Checkpoint Average(Desk desk, IReadOnlyList<Checkpoint> models) => desk.Call("linear", models, ("weight", "1"));
}
