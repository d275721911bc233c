using System.CommandLine;
using System.Text.Json.Nodes;
using Budwood.Checkpoints;
using Budwood.Engine;
using Budwood.Methods;
using Budwood.Recipes;
using Budwood.Recipes.Steps;

namespace Budwood.Cli.Verbs;

/// <summary><c>run METHOD port=PATH key=value -o OUT</c>, and the verbs that stand for it.</summary>
internal static class RunVerb
{
    public static Command Command()
    {
        var method = new Argument<string>("METHOD") { HelpName = "METHOD", Description = "A recipe file (.yml), or a method; 'budwood methods' lists them, 'budwood run METHOD --help' shows a card." };
        method.CompletionSources.Add(_ => Catalogue.All.Select(m => new System.CommandLine.Completions.CompletionItem(m.Card.Name, detail: m.Card.Summary)));
        var words = Words();
        words.CompletionSources.Add(context => context.ParseResult.GetResult(method) is { Tokens: [var name, ..] } && Catalogue.Find(name.Value) is { } of ? Named(of) : []);
        var command = new Command("run") { method, words, SharedOptions.Out };
        Finish(command);
        foreach (Option option in new Option[] { ReproduceVerb.Profile, ReproduceVerb.Fresh, ReproduceVerb.Jobs }) command.Options.Add(option);
        command.SetAction(p => CommandLine.Guard(p, (terminal, stop) => p.GetValue(method)! is var name && IsFile(name) ? RunFile(name, p, terminal, stop)
            : Run(Find(name), [.. p.GetValue(words) ?? [], .. p.UnmatchedTokens], p, terminal, stop)));
        return command;
    }

    private static bool IsFile(string name) => Path.GetExtension(name) is ".yml" or ".yaml";

    private static ExitCode RunFile(string file, ParseResult parsed, Terminal terminal, CancellationToken stop)
    {
        if (!File.Exists(file)) throw RecipeFaults.FileNotFound(file, Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(file))) ? Directory.EnumerateFiles(Path.GetDirectoryName(Path.GetFullPath(file))!).Select(f => Path.GetFileName(f)) : []);
        string text = File.ReadAllText(file);
        if (!RecipeReader.IsRecipe(text, file) && text.Contains("merge_method", StringComparison.Ordinal))
            throw new Fault("BW1238", ExitCode.Usage, "this is a merge file, not a recipe", file, null, $"Run 'budwood merge {file} OUT'.");
        return ReproduceVerb.Run(RecipeBook.Read(text, file), parsed, terminal, stop);
    }

    /// <summary>The verb of a method that people use daily.</summary>
    public static Command Alias(Method method)
    {
        var words = Words();
        words.CompletionSources.Add(_ => Named(method));
        var command = new Command(method.Card.Verb!, method.Card.Summary) { words, SharedOptions.Out };
        Finish(command);
        command.SetAction(p => CommandLine.Guard(p, (terminal, stop) => Run(method, [.. p.GetValue(words) ?? [], .. p.UnmatchedTokens], p, terminal, stop)));
        return command;
    }

    // Inputs and parameters as they are written: port=, key=.
    private static IEnumerable<System.CommandLine.Completions.CompletionItem> Named(Method method) =>
        method.Ports.Inputs.Select(p => new System.CommandLine.Completions.CompletionItem(p.Name + "=", detail: p.Doc))
            .Concat(method.Card.Parameters.Select(p => new System.CommandLine.Completions.CompletionItem(p.Name + "=", detail: p.Doc)));

    private static Argument<string[]> Words() => new("INPUTS") { HelpName = "INPUTS", Description = "Inputs and parameters: port=PATH, key=value; a bare path is the first input.", Arity = ArgumentArity.ZeroOrMore };

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
        ArtifactKind main = method.Ports.Output.Kind;
        if (output is null && main != ArtifactKind.Table && !parsed.GetValue(SharedOptions.DryRun))
            throw new Fault("BW1009", ExitCode.Usage, $"'{method.Card.Name}' writes {(main == ArtifactKind.Checkpoint ? "a checkpoint" : "arrays")} and needs a place for {(main == ArtifactKind.Checkpoint ? "it" : "them")}", null, null,
                main == ArtifactKind.Checkpoint ? "Add '-o OUT'." : method.Ports.Outputs.Count == 1 ? "Add '-o OUT.safetensors'." : "Add '-o FOLDER'.");
        if (method is Job job) return RunJob(job, line, output, parsed, terminal, stop);
        return MergeVerb.Merge(MergeFile.Parse(line.ToMergeFile(), "command line"), output ?? "dry-run", parsed, terminal, stop);
    }

    private static ExitCode RunJob(Job job, RunLine line, string? output, ParseResult parsed, Terminal terminal, CancellationToken stop)
    {
        object parameters = line.ReadParameters();
        bool force = parsed.GetValue(SharedOptions.Force);
        ArtifactOutput? files = output is null || job.Ports.Output.Kind == ArtifactKind.Checkpoint ? null : ArtifactOutput.At(output, job.Ports, force);
        var inputs = new Dictionary<string, IReadOnlyList<Artifact>>(StringComparer.Ordinal);
        try
        {
            foreach (Port port in job.Ports.Inputs)
                if (line.Ports.TryGetValue(port.Name, out IReadOnlyList<string>? paths)) inputs[port.Name] = [.. paths.Select(p => ModelFinder.Artifact(port.Kind, p))];
            JobOutcome outcome = Runner.Run(job, parameters, inputs, new JobOptions
            {
                Run = MergeVerb.Options(parsed, output ?? "", "", terminal),
                Seed = parsed.GetValue(SharedOptions.Seed),
                Plan = (rule, models, values) => RunLine.Plan(
                    Catalogue.Rules.Single(r => r.Card.Name == rule), models, values, SharedOptions.Arithmetic(parsed, null),
                    [.. SharedOptions.Allowed(parsed), "unchanged"]),
            }, stop);
            foreach (string note in outcome.Table?.Notes ?? []) terminal.Result(note);
            if (outcome.Table is { } table) terminal.Show(table);
            IReadOnlyList<string> written = files?.Write(outcome.Outputs) ?? [];
            if (outcome.Written is { } made) MergeVerb.ShowReceipt(made, output!, terminal, outcome.Table);
            else
            {
                if (outcome.Checkpoint is { } digest) terminal.Result($"written: {output} ({digest})");
                foreach (string file in written) terminal.Result($"written: {file}");
                JsonObject json = outcome.Table is null ? [] : TableJson.Of(outcome.Table);
                if (written.Count > 0) json["written"] = new JsonArray([.. written.Select(f => (JsonNode)JsonValue.Create(f))]);
                terminal.Json(json);
            }
            return ExitCode.Done;
        }
        finally
        {
            foreach (Artifact a in inputs.Values.SelectMany(v => v)) (a.Content as Checkpoint)?.Dispose();
        }
    }
}
