using System.CommandLine;
using System.Text.Json.Nodes;
using Budwood.Checkpoints.Audit;

namespace Budwood.Cli.Verbs;

/// <summary><c>check PATH</c>: everything that is wrong with a folder, at once.</summary>
internal static class CheckVerb
{
    public static Command Command()
    {
        var path = new Argument<string>("MODEL") { Description = "A model or adapter folder." };
        var headers = new Option<bool>("--headers-only") { Description = "Do not read the weights: no search for NaN, no comparison of tied tensors." };
        var command = new Command("check") { path, headers, SharedOptions.Threads };
        SharedOptions.AddTalking(command);
        command.SetAction(p => CommandLine.Guard(p, (terminal, stop) => Show(ModelFinder.Folder(p.GetValue(path)!), SharedOptions.ThreadCount(p), !p.GetValue(headers), terminal, stop)));
        return command;
    }

    private static ExitCode Show(string folder, int threads, bool values, Terminal terminal, CancellationToken stop)
    {
        long done = 0, all = Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*.safetensors").Sum(f => new FileInfo(f).Length) : 0;
        CheckReport report;
        using (var progress = new ProgressLine(terminal, "check")) report = CheckpointCheck.Run(folder, new CheckOptions(threads, n => progress.Report(Interlocked.Add(ref done, n), all), values), stop);
        foreach (Finding finding in report.Findings)
        {
            terminal.Result($"{finding.Severity.ToString().ToLowerInvariant()}[{finding.Code}]: {(finding.Where is null ? "" : finding.Where + ": ")}{finding.What}");
            if (finding.Found is not null) terminal.Result($"  found: {finding.Found}");
            if (finding.Next is not null) terminal.Result($"  next:  {finding.Next}");
        }
        terminal.Result(report.Passed ? $"{folder}: good{(report.Warnings > 0 ? $", {report.Warnings} warnings" : "")}" : $"{folder}: {report.Errors} error{(report.Errors == 1 ? "" : "s")}, {report.Warnings} warning{(report.Warnings == 1 ? "" : "s")}");
        terminal.Json(new JsonObject
        {
            ["folder"] = folder,
            ["passed"] = report.Passed,
            ["digest"] = report.Digest?.ToString(),
            ["findings"] = new JsonArray([.. report.Findings.Select(f => (JsonNode)new JsonObject
            {
                ["severity"] = f.Severity.ToString().ToLowerInvariant(), ["code"] = f.Code, ["what"] = f.What, ["where"] = f.Where, ["found"] = f.Found, ["next"] = f.Next,
            })]),
        });
        return report.Passed ? ExitCode.Done : ExitCode.Input;
    }
}
