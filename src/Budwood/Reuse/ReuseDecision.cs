using Budwood.Checkpoints;
using Budwood.Checkpoints.Audit;
using Budwood.Methods;
using Budwood.Numbers;

namespace Budwood.Reuse;

/// <summary>Puts candidates for reuse side by side: size, licence, attributes, risks, what their cards claim, and what is still to be done before one is used.</summary>
/// <use>Choosing among downloaded models, with the same questions put to each.</use>
/// <notfor>Which one is best at your task: claims of cards are not measured; evaluate the two or three that are left.</notfor>
/// <cost>Reads every weight of every candidate once or twice.</cost>
/// <differs>The study describes how engineers decide; the order of the stages is theirs, and which items a folder can answer by itself is ours.</differs>
[Method("reuse_decision", Room.Reuse)]
[Paper("ptm-reuse", "decision workflow of section IV; requirements P3 and P9 of the sheet")]
public sealed partial class ReuseDecision : Job<ReuseDecision.Parameters>
{
    /// <summary>Parameters of <c>reuse_decision</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>Names of models and makers that the candidates' names are held against.</summary>
        public IReadOnlyList<string> Trusted { get; init; } = [];

        /// <summary>What a factor that is claimed and not verified counts.</summary>
        [Unit("1"), Range(0, 1)]
        public double ClaimedCounts { get; init; } = 0.5;
    }

    public override Ports Ports { get; } = new([new Port("candidates", ArtifactKind.Folder, "the models to choose from", Many: true)],
        new Port("comparison", ArtifactKind.Table, "one row a candidate"),
        new Port("checklist", ArtifactKind.Table, "candidate, stage, item, answer, evidence", Optional: true),
        new Port("claims", ArtifactKind.Table, "metrics that the cards claim, with the line", Optional: true));

    protected internal override void Run(Desk desk, Parameters p)
    {
        IReadOnlyList<ModelFolder> folders = desk.Folders("candidates");
        if (folders.Count == 0) throw ReuseFaults.NoCandidates();
        var table = new Table("candidates", new Column("candidate"), new Column("bytes", true), new Column("parameters", true), new Column("dtypes"), new Column("licence"),
            new Column("provenance", true), new Column("reproducibility", true), new Column("portability", true), new Column("critical", true), new Column("warnings", true), new Column("notes", true),
            new Column("claims", true), new Column("first_claim"));
        var list = new Table("checklist", new Column("candidate"), new Column("stage"), new Column("item"), new Column("answer"), new Column("evidence"));
        var claims = new Table("claims", new Column("candidate"), new Column("metric"), new Column("value", true), new Column("said"), new Column("task"), new Column("dataset"), new Column("split"),
            new Column("verified", true), new Column("where"));
        foreach (ModelFolder folder in folders)
        {
            var risks = new Risks();
            risks.Formats(folder, desk.Stop);
            risks.Texts(folder, p.Trusted);
            risks.Weights(folder, read: true, desk.Stop);
            IReadOnlyList<Factor> factors = AttributeFactors.Of(folder, desk.Stop);
            CardText card = folder.Card();
            IReadOnlyList<CardMetric> metrics = card.Metrics();
            var types = new Dictionary<DType, long>();
            foreach (FolderTensor t in folder.Tensors()) types[t.DType] = types.GetValueOrDefault(t.DType) + t.Shape.Count;
            string dtypes = string.Join(", ", types.OrderByDescending(t => t.Value).Select(t => t.Key.TorchName()));
            double Score(string attribute) => AttributeFactors.Score(factors, attribute, p.ClaimedCounts);
            CardMetric? first = metrics.Count > 0 ? metrics[0] : null;
            table.Add(folder.Label, folder.Bytes, types.Values.Sum(), dtypes, factors.Single(f => f.Name == "licence").What, Score(AttributeFactors.Provenance), Score(AttributeFactors.Reproducibility),
                Score(AttributeFactors.Portability), risks.Critical, risks.Warnings, risks.Noted, (long)metrics.Count, first is null ? "" : $"{first.Metric} {first.Said} on {first.Dataset ?? "?"}");
            foreach (CardMetric m in metrics) claims.Add(folder.Label, m.Metric, m.Value, m.Said, m.Task, m.Dataset, m.Split, m.Verified ? 1L : 0L, $"README.md:{m.Line}");
            Checklist(list, folder, card, factors, metrics, risks);
        }
        table.Notes.Add("claims are what the cards say; nothing was evaluated");
        desk.Emit("comparison", table);
        desk.Emit("checklist", list);
        desk.Emit("claims", claims);
    }

    // The four stages of the study's workflow; "open" is what no folder can answer.
    private static void Checklist(Table list, ModelFolder folder, CardText card, IReadOnlyList<Factor> factors, IReadOnlyList<CardMetric> metrics, Risks risks)
    {
        void Item(string stage, string item, string answer, string evidence) => list.Add(folder.Label, stage, item, answer, evidence);
        void FromFactor(string stage, string name)
        {
            Factor f = factors.Single(x => x.Name == name);
            Item(stage, name, f.Status.ToString().ToLowerInvariant(), f.Evidence);
        }
        const string Assess = "1 reusability", Select = "2 selection", Evaluate = "3 evaluation", Deploy = "4 deployment";
        (string task, long line) = card.Field("pipeline_tag") is [var tag, ..] ? tag : default;
        Item(Assess, "task", task is null ? "missing" : "claimed", task is null ? "" : $"README.md:{line} {task}");
        FromFactor(Assess, "licence");
        Item(Assess, "size", "verified", FormattableString.Invariant($"{folder.Bytes} bytes"));
        Item(Assess, "reuse or build", "open", "your task and data decide");
        FromFactor(Select, "architecture");
        FromFactor(Select, "data_set");
        FromFactor(Select, "performance_table");
        FromFactor(Select, "content_digests");
        Item(Select, "safe to load", risks.Critical > 0 ? "contradicted" : "verified", $"{risks.Critical} critical, {Counts.Of(risks.Warnings, "warning")}");
        Item(Evaluate, "claims that can be checked", metrics.Count > 0 ? "claimed" : "missing", metrics.Count > 0 ? $"README.md:{metrics[0].Line}" : "");
        Item(Evaluate, "measured on your data", "open", "claim_discrepancy holds claim and measurement against each other");
        FromFactor(Evaluate, "fine_tuning_instructions");
        FromFactor(Deploy, "framework_support");
        FromFactor(Deploy, "quantised_variants");
        FromFactor(Deploy, "latency");
        FromFactor(Deploy, "documentation");
    }
}
