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
        if (method is Job job) return RunJob(job, line, terminal, stop);
        if (output is null && !parsed.GetValue(SharedOptions.DryRun)) throw new Fault("BW1009", ExitCode.Usage, $"'{method.Card.Name}' writes a checkpoint and needs a place for it", null, null, "Add '-o OUT'.");
        return MergeVerb.Merge(MergeFile.Parse(line.ToMergeFile(), "command line"), output ?? "dry-run", parsed, terminal, stop);
    }

    private static ExitCode RunJob(Job job, RunLine line, Terminal terminal, CancellationToken stop)
    {
        object parameters = line.ReadParameters();
        var inputs = new Dictionary<string, Checkpoint>(StringComparer.Ordinal);
        try
        {
            foreach ((string port, IReadOnlyList<string> paths) in line.Ports) inputs[port] = ModelFinder.Open(paths[0]);
            Table table = Runner.Run(job, parameters, inputs, stop);
            foreach (string note in table.Notes) terminal.Result(note);
            terminal.Show(table);
            terminal.Json(TableJson.Of(table));
            return ExitCode.Done;
        }
        finally
        {
            foreach (Checkpoint checkpoint in inputs.Values) checkpoint.Dispose();
        }
    }
}
