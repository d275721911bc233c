using Budwood.Checkpoints;
using Budwood.Methods;

namespace Budwood.Reuse;

/// <summary>Looks through a model folder for what runs, lies or is hidden in it, without running or loading anything of it.</summary>
/// <use>Before a downloaded model is loaded by any program: critical findings mean that loading it may run its maker's code, or that a file is not what it says.</use>
/// <notfor>Proof of innocence: models that behave badly, and payloads in the low bits of weights trained in float32, leave no mark that a scan could see.</notfor>
/// <cost>Reads every weight once; pickles and archives are walked, not unpacked beyond 64 MB.</cost>
/// <differs>The study had an antivirus, which flagged nothing; these checks are the threats that it names. Every global of a pickle outside the list is critical, harmless or not.</differs>
/// <formula>foreign share = 256 mean(c of the emptier 128 bins) / sum c, c the counts of the lowest 8 mantissa bits</formula>
[Method("risk_scan", Room.Reuse)]
[Paper("ptm-reuse", "threats of section VI; requirement P7 of the sheet")]
public sealed partial class RiskScan : Job<RiskScan.Parameters>
{
    /// <summary>Parameters of <c>risk_scan</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>Names of models and makers that the folder's name is held against.</summary>
        public IReadOnlyList<string> Trusted { get; init; } = [];

        /// <summary>Read the weights for values that are not finite, constants, twins and low bits; without it headers, pickles and texts only.</summary>
        public bool Weights { get; init; } = true;
    }

    public override Ports Ports { get; } = new([new Port("folder", ArtifactKind.Folder, "the folder or file to look through")],
        new Port("findings", ArtifactKind.Table, "file, check, severity, what, where"),
        new Port("counts", ArtifactKind.Table, "files, and findings of each severity", Optional: true),
        new Port("tensors", ArtifactKind.Table, "what was measured of each tensor", Optional: true));

    protected internal override void Run(Desk desk, Parameters p)
    {
        ModelFolder folder = desk.Folder("folder");
        var risks = new Risks();
        risks.Formats(folder, desk.Stop);
        risks.Texts(folder, p.Trusted);
        Table tensors = risks.Weights(folder, p.Weights, desk.Stop);
        Table findings = risks.Findings(folder);
        var counts = new Table("counts", new Column("files", true), new Column("critical", true), new Column("warning", true), new Column("note", true));
        counts.Add((long)folder.Names.Count, risks.Critical, risks.Warnings, risks.Noted);
        desk.Emit("findings", findings);
        desk.Emit("counts", counts);
        desk.Emit("tensors", tensors);
    }
}
