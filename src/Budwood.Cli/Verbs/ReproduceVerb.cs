using System.CommandLine;
using System.Text.Json.Nodes;
using Budwood.Engine;
using Budwood.Files;
using Budwood.Recipes.Claims;
using Budwood.Recipes.Reports;
using Budwood.Recipes.Steps;

namespace Budwood.Cli.Verbs;

/// <summary><c>reproduce SLUG</c> and <c>run RECIPE.yml</c>: a recipe's steps, its claims, its verdicts.</summary>
internal static class ReproduceVerb
{
    public static readonly Option<string> Profile = new("--profile") { Description = "default, smoke (shows that the steps run, judges nothing), full (sweeps the grid), or one of the recipe's.", DefaultValueFactory = _ => "default", HelpName = "NAME" };
    public static readonly Option<bool> Fresh = new("--fresh") { Description = "Make everything again, whatever the store has." };
    public static readonly Option<int> Jobs = new("--jobs") { Description = "Processes that share the work.", DefaultValueFactory = _ => 1, HelpName = "N" };

    public static Command Command()
    {
        var what = new Argument<string>("PAPER") { HelpName = "PAPER", Description = "Slug or number of a paper, or all; 'budwood papers' lists them." };
        what.CompletionSources.Add(_ => RecipeBook.Names.Select(n => new System.CommandLine.Completions.CompletionItem(n[3..])));
        var command = new Command("reproduce") { what, SharedOptions.Out };
        AddRunning(command);
        SharedOptions.AddTalking(command);
        command.SetAction(p => CommandLine.Guard(p, (terminal, stop) => Reproduce(p.GetValue(what)!, p, terminal, stop)));
        return command;
    }

    /// <summary>Options of verbs that run recipes.</summary>
    public static void AddRunning(Command command)
    {
        foreach (Option option in new Option[] { Profile, Fresh, Jobs, SharedOptions.Seed, SharedOptions.Threads, SharedOptions.Memory }) command.Options.Add(option);
    }

    private static ExitCode Reproduce(string what, ParseResult parsed, Terminal terminal, CancellationToken stop)
    {
        if (what != "all") return Run(RecipeBook.Open(Find(what)), parsed, terminal, stop);
        ExitCode worst = ExitCode.Done;
        foreach (string name in RecipeBook.Names)
        {
            ExitCode code = Run(RecipeBook.Open(name), parsed, terminal, stop);
            if (code != ExitCode.Done) worst = code;
        }
        return worst;
    }

    private static string Find(string what) => RecipeBook.Find(what) ?? throw (Papers.Find(what) is { } paper
        ? new Fault("BW1233", ExitCode.Usage, $"paper {paper.Number} '{paper.Slug}' has no recipe", null, paper.WhyNoRecipe, $"There are recipes for {string.Join(", ", RecipeBook.Names)}.")
        : new Fault("BW1234", ExitCode.Usage, $"there is no paper '{what}'", null, null, Nearest.Hint(what, Papers.All.Select(p => p.Slug)) ?? "'budwood papers' lists them."));

    /// <summary>Runs a recipe, shows the verdicts, writes the report.</summary>
    public static ExitCode Run(Recipe recipe, ParseResult parsed, Terminal terminal, CancellationToken stop)
    {
        int jobs = parsed.GetValue(Jobs);
        if (jobs is < 1 or > 256) throw new Fault("BW1235", ExitCode.Usage, "--jobs must lie between 1 and 256", null, $"found {jobs}");
        string profile = parsed.GetValue(Profile)!;
        long seed = parsed.GetValue(SharedOptions.Seed);
        WorkMeans means = Means(parsed, terminal, Since(parsed));
        using var progress = new ProgressLine(terminal, recipe.Name);
        var runner = new RecipeRunner(recipe, new RecipeOptions { Profile = profile, Seed = seed, Means = means, Progress = (share, what) => progress.Report(share, what) });
        if (jobs > 1) LocalJobs.Run(WorkList.Of(recipe, profile, seed, means.Since, runner), jobs, parsed, terminal, stop);
        RecipeOutcome outcome = runner.Run(stop);
        progress.Dispose();
        return Show(outcome, parsed.GetValue(SharedOptions.Out)?.ToString(), terminal);
    }

    /// <summary>From when on stored outputs count, by <c>--fresh</c>: from now on, or whenever they were made.</summary>
    public static DateTimeOffset? Since(ParseResult parsed) => parsed.GetValue(Fresh) ? DateTimeOffset.UtcNow : null;

    /// <summary>What steps are run with.</summary>
    public static WorkMeans Means(ParseResult parsed, Terminal terminal, DateTimeOffset? since) => new()
    {
        Store = Store.OfUser(terminal.Say), Find = Catalogue.Find, Threads = SharedOptions.ThreadCount(parsed), Since = since,
        MemoryBytes = parsed.GetValue(SharedOptions.Memory) ?? (GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4), Detail = terminal.Detail,
    };

    // The colours of Okabe and Ito; each verdict has its mark as well.
    private static string? Colour(string cell) => Enum.GetValues<Verdict>().Where(v => cell == $"{RecipeReport.Mark(v)} {Judge.Text(v)}").Select(v => v switch
    {
        Verdict.Holds => "#009e73",
        Verdict.Refuted => "#d55e00",
        Verdict.Inconclusive => "#e69f00",
        Verdict.Void => "#cc79a7",
        _ => null,
    }).FirstOrDefault();

    /// <summary>The verdicts on the terminal, and the report in its folder.</summary>
    public static ExitCode Show(RecipeOutcome outcome, string? folder, Terminal terminal)
    {
        Recipe recipe = outcome.Recipe;
        string version = typeof(Recipe).Assembly.GetName().Version!.ToString(3);
        JsonObject json = RecipeReport.Json(outcome, version);
        folder ??= Path.Join(BudwoodHome.Folder!, "reports", recipe.Name);
        WholeFile.Write(Path.Join(folder, "report.json"), RecipeReport.Bytes(json), replace: true);
        WholeFile.Write(Path.Join(folder, "report.html"), HtmlReport.Bytes(outcome, version, recipe.Paper is { } paper ? Papers.Find(paper)?.Title : null), replace: true);

        Table verdicts = RecipeReport.Verdicts(outcome, Terminal.Width);
        if (recipe.About is not null) terminal.Result($"{recipe.Name}: {recipe.About}{(recipe.Reconstructed ? " (reconstructed: the paper's text was not at hand)" : "")}");
        if (outcome.Claims.Count > 0) terminal.Show(verdicts, Colour);
        else
            foreach (Table table in outcome.Tables.Values) terminal.Show(RecipeReport.Short(table));
        foreach (string note in verdicts.Notes) terminal.Result(note);
        foreach (Judged j in outcome.Claims)
            foreach ((string label, Measured measured) in j.Beside) terminal.Result($"{j.Claim.Id}, beside: {label}: {RecipeReport.Value(measured)}");
        if (outcome.Claims.Count > 0) terminal.Result($"{(recipe.Paper is null ? "verdict" : "paper")}: {Judge.Text(outcome.Word)}");
        terminal.Result($"steps:   {outcome.Made} made, {outcome.Hits} found in the store, {outcome.Elapsed.TotalSeconds:0.0} s; profile {outcome.Profile}, {outcome.Seeds.Count} seed{(outcome.Seeds.Count == 1 ? "" : "s")}");
        terminal.Result($"report:  {Path.Join(folder, "report.html")}");
        terminal.Json(json);
        return outcome.Exit;
    }
}
