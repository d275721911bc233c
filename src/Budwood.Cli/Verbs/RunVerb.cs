using System.CommandLine;
using Budwood.Checkpoints;
using Budwood.Engine;
using Budwood.Methods;
using Budwood.Recipes;

namespace Budwood.Cli.Verbs;

/// <summary><c>run METHOD port=PATH key=value -o OUT</c>, and the verbs that stand for it.</summary>
internal static class RunVerb
{
    public static Command Command()
    {
        var method = new Argument<string>("METHOD") { Description = "A method; 'budwood methods' lists them, 'budwood run METHOD --help' shows its card." };
        var words = Words();
        var command = new Command("run", "Run one method on inputs: port=PATH key=value, or --key value.") { method, words, SharedOptions.Out };
        Finish(command);
        command.SetAction(p => CommandLine.Guard(p, (terminal, stop) => Run(Find(p.GetValue(method)!), [.. p.GetValue(words) ?? [], .. p.UnmatchedTokens], p, terminal, stop)));
        return command;
    }

    /// <summary>The verb of a method that people use daily.</summary>
    public static Command Alias(Method method)
    {
        var words = Words();
        var command = new Command(method.Card.Verb!, method.Card.Summary) { words, SharedOptions.Out };
        Finish(command);
        command.SetAction(p => CommandLine.Guard(p, (terminal, stop) => Run(method, [.. p.GetValue(words) ?? [], .. p.UnmatchedTokens], p, terminal, stop)));
        return command;
    }

    private static Argument<string[]> Words() => new("INPUTS") { Description = "Inputs and parameters: port=PATH, key=value; a bare path is the first input.", Arity = ArgumentArity.ZeroOrMore };

    private static void Finish(Command command)
    {
        SharedOptions.AddWriting(command);
        SharedOptions.AddTalking(command);
        command.TreatUnmatchedTokensAsErrors = false;
    }

    private static Method Find(string name) => Catalogue.Find(name)
        ?? throw new Fault("BW1008", ExitCode.Usage, $"there is no method '{name}'", null, null, Nearest.Hint(name, Catalogue.All.Select(m => m.Card.Name)) ?? "'budwood methods' lists them.");

    private static ExitCode Run(Method method, string[] words, ParseResult parsed, Terminal terminal, CancellationToken stop)
    {
        RunLine line = RunLine.Parse(method, words);
        string? output = parsed.GetValue(SharedOptions.Out)?.ToString();
        if (method is Job { Ports.Output.Kind: ArtifactKind.Checkpoint } && parsed.GetValue(SharedOptions.DryRun))
            throw new Fault("BW1018", ExitCode.Usage, $"'{method.Card.Name}' has no plan before it has run", null, "--dry-run", "Run it without.");
        if (output is null && method.Ports.Output.Kind == ArtifactKind.Checkpoint && !parsed.GetValue(SharedOptions.DryRun)) throw new Fault("BW1009", ExitCode.Usage, $"'{method.Card.Name}' writes a checkpoint and needs a place for it", null, null, "Add '-o OUT'.");
        if (method is Job job) return RunJob(job, line, output ?? "", parsed, terminal, stop);
        return MergeVerb.Merge(MergeFile.Parse(line.ToMergeFile(), "command line"), output ?? "dry-run", parsed, terminal, stop);
    }

    private static ExitCode RunJob(Job job, RunLine line, string output, ParseResult parsed, Terminal terminal, CancellationToken stop)
    {
        object parameters = line.ReadParameters();
        var inputs = new Dictionary<string, IReadOnlyList<Checkpoint>>(StringComparer.Ordinal);
        var opened = new List<Checkpoint>();
        try
        {
            foreach ((string port, IReadOnlyList<string> paths) in line.Ports)
            {
                int first = opened.Count;
                foreach (string path in paths) opened.Add(ModelFinder.Open(path));
                inputs[port] = opened[first..];
            }
            JobOutcome outcome = Runner.Run(job, parameters, inputs, new JobOptions
            {
                Run = MergeVerb.Options(parsed, output, "", terminal),
                Plan = (rule, models, values) => RunLine.Plan(Catalogue.Rules.Single(r => r.Card.Name == rule), models, values, SharedOptions.Arithmetic(parsed, null), [.. SharedOptions.Allowed(parsed), "unchanged"]),
            }, stop);
            foreach (string note in outcome.Table?.Notes ?? []) terminal.Result(note);
            if (outcome.Table is { } table) terminal.Show(table);
            if (outcome.Written is { } written) MergeVerb.ShowReceipt(written, output, terminal, outcome.Table);
            else terminal.Json(TableJson.Of(outcome.Table!));
            return ExitCode.Done;
        }
        finally
        {
            foreach (Checkpoint checkpoint in opened) checkpoint.Dispose();
        }
    }
}
