using Budwood.Methods;

namespace Budwood.Reuse;

/// <summary>Says for each thing that an engineer wants to know of a model whether the folder proves it, claims it, lacks it, or contradicts itself.</summary>
/// <use>Choosing between models, and before publishing one's own: what is missing is what people will ask for.</use>
/// <notfor>Whether a claim is true: what a card says without proof counts as claimed, and only digests and counts of the folder itself are verified.</notfor>
/// <cost>Reads every weight once where there is a run.json with digests, headers and texts otherwise.</cost>
/// <differs>The study lists the factors and weighs none; here all factors of an attribute weigh the same. Words in a card's text are found by patterns, in English.</differs>
/// <formula>score = 100 (verified + claimed_counts claimed) / factors</formula>
[Method("provenance_report", Room.Reuse)]
[Paper("ptm-reuse", "attributes of section V; requirements P1 and P2 of the sheet")]
public sealed partial class ProvenanceReport : Job<ProvenanceReport.Parameters>
{
    /// <summary>Parameters of <c>provenance_report</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>What a factor that is claimed and not verified counts.</summary>
        [Unit("1"), Range(0, 1)]
        public double ClaimedCounts { get; init; } = 0.5;
    }

    public override Ports Ports { get; } = new([new Port("folder", ArtifactKind.Folder, "the model folder")],
        new Port("factors", ArtifactKind.Table, "attribute, factor, status, evidence, what, and 1 where it is verified"),
        new Port("scores", ArtifactKind.Table, "score of each attribute, 0 to 100", Optional: true));

    protected internal override void Run(Desk desk, Parameters p)
    {
        IReadOnlyList<Factor> factors = AttributeFactors.Of(desk.Folder("folder"), desk.Stop);
        var table = new Table("factors", new Column("attribute"), new Column("factor"), new Column("status"), new Column("evidence"), new Column("what"), new Column("verified", true));
        foreach (Factor f in factors) table.Add(f.Attribute, f.Name, f.Status.ToString().ToLowerInvariant(), f.Evidence, f.What, f.Status == FactorStatus.Verified ? 1L : 0L);
        var scores = new Table("scores", new Column("attribute"), new Column("score", true), new Column("verified", true), new Column("claimed", true), new Column("missing", true), new Column("contradicted", true));
        foreach (string attribute in factors.Select(f => f.Attribute).Distinct())
        {
            long Of(FactorStatus s) => factors.LongCount(f => f.Attribute == attribute && f.Status == s);
            double score = AttributeFactors.Score(factors, attribute, p.ClaimedCounts);
            scores.Add(attribute, score, Of(FactorStatus.Verified), Of(FactorStatus.Claimed), Of(FactorStatus.Missing), Of(FactorStatus.Contradicted));
            table.Notes.Add(FormattableString.Invariant($"{attribute}: {score:F0} of 100"));
        }
        foreach (Factor f in factors.Where(f => f.Status == FactorStatus.Contradicted)) table.Notes.Add($"contradicted: {f.Evidence}: {f.What}");
        desk.Emit("factors", table);
        desk.Emit("scores", scores);
    }
}
