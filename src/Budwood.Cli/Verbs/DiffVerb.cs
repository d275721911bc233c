using System.CommandLine;
using System.Text.Json.Nodes;
using Budwood.Checkpoints;
using Budwood.Checkpoints.Audit;
using Budwood.Engine;

namespace Budwood.Cli.Verbs;

/// <summary><c>diff A B</c>: which tensors differ, by how much, by role.</summary>
internal static class DiffVerb
{
    public static Command Command()
    {
        var a = new Argument<string>("A") { Description = "A model folder, or MODEL+ADAPTER." };
        var b = new Argument<string>("B") { Description = "Another one." };
        var tensors = new Option<bool>("--tensors") { Description = "One row a tensor that differs, too." };
        var command = new Command("diff") { a, b, tensors, SharedOptions.Threads };
        SharedOptions.AddTalking(command);
        command.SetAction(p => CommandLine.Guard(p, (terminal, stop) => Show(p.GetValue(a)!, p.GetValue(b)!, SharedOptions.ThreadCount(p), p.GetValue(tensors), terminal, stop)));
        return command;
    }

    public static ExitCode Show(string pathA, string pathB, int threads, bool tensors, Terminal terminal, CancellationToken stop)
    {
        using Checkpoint a = ModelFinder.Open(pathA);
        using Checkpoint b = ModelFinder.Open(pathB);
        long done = 0, all = a.Weights.TotalBytes + b.Weights.TotalBytes;
        DiffReport report;
        using (var progress = new ProgressLine(terminal, "diff")) report = CheckpointDiff.Compare(a, b, new DiffOptions(threads, n => progress.Report(Interlocked.Add(ref done, n), all)), stop);
        foreach (string line in report.Lines()) terminal.Result(line);
        if (!report.WeightsIdentical) terminal.Show(report.ByRole);
        if (tensors && !report.WeightsIdentical) terminal.Show(report.ByTensor());
        if (report.Config.Count > 0) terminal.Show(report.ByField());
        terminal.Json(new JsonObject
        {
            ["identical"] = report.Identical,
            ["changed"] = report.Changed,
            ["same"] = report.Same,
            ["added"] = report.Added,
            ["removed"] = report.Removed,
            ["digest_a"] = report.DigestA.ToString(),
            ["digest_b"] = report.DigestB.ToString(),
            ["roles"] = Runner.Rows(report.ByRole),
            ["tensors"] = Runner.Rows(report.ByTensor()),
            ["config"] = Runner.Rows(report.ByField()),
        });
        return ExitCode.Done;
    }
}
