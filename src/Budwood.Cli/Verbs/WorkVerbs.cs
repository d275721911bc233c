using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Budwood.Files;
using Budwood.Recipes.Steps;

namespace Budwood.Cli.Verbs;

/// <summary><c>plan</c>, <c>work</c> and <c>gather</c>: a recipe on several processes or machines that share BUDWOOD_HOME.</summary>
internal static class WorkVerbs
{
    public static Command Plan()
    {
        var recipe = new Argument<string>("RECIPE") { Description = "A recipe file, or the slug or number of a paper." };
        var command = new Command("plan") { recipe, SharedOptions.Out };
        foreach (Option option in new Option[] { ReproduceVerb.Profile, ReproduceVerb.Fresh, SharedOptions.Seed, SharedOptions.Force }) command.Options.Add(option);
        SharedOptions.AddTalking(command);
        command.SetAction(p => CommandLine.Guard(p, (terminal, _) =>
        {
            string word = p.GetValue(recipe)!;
            Recipe read = File.Exists(word) ? RecipeBook.Read(File.ReadAllText(word), word) : RecipeBook.Open(RecipeBook.Find(word) ?? throw Missing(word));
            string profile = p.GetValue(ReproduceVerb.Profile)!;
            long seed = p.GetValue(SharedOptions.Seed);
            var runner = new RecipeRunner(read, new RecipeOptions { Profile = profile, Seed = seed, Means = new WorkMeans { Store = Engine.Store.OfUser(terminal.Say), Find = Catalogue.Find } });
            WorkList list = WorkList.Of(read, profile, seed, ReproduceVerb.Since(p), runner);
            string output = p.GetValue(SharedOptions.Out)?.ToString() ?? "plan.json";
            if (File.Exists(output) && !p.GetValue(SharedOptions.Force)) throw FileFaults.OutputExists(output, "found a file of that name");
            list.Write(output, replace: true);
            terminal.Result($"{list.Items.Count} items of {read.Name}, {runner.Seeds.Count} seed{(runner.Seeds.Count == 1 ? "" : "s")}: {output}");
            terminal.Result($"next:    'budwood work {output}' as often and wherever you like, then 'budwood gather {output}'");
            terminal.Json(new JsonObject { ["plan"] = output, ["items"] = new JsonArray([.. list.Items.Select(i => (JsonNode)JsonValue.Create(i))]) });
            return ExitCode.Done;
        }));
        return command;
    }

    public static Command Work()
    {
        var plan = new Argument<string>("PLAN") { Description = "A work list." };
        var items = new Option<string?>("--items") { Description = "Only these positions, such as 0-9 or 3,5: for job arrays. Waits for what they read.", HelpName = "RANGE" };
        var from = new Option<int>("--from") { Description = "Begin at this position, so that several processes spread out.", HelpName = "N" };
        var command = new Command("work") { plan, items, from };
        foreach (Option option in new Option[] { SharedOptions.Threads, SharedOptions.Memory }) command.Options.Add(option);
        SharedOptions.AddTalking(command);
        command.SetAction(p => CommandLine.Guard(p, (terminal, stop) =>
        {
            WorkList list = WorkList.Read(p.GetValue(plan)!);
            WorkMeans means = ReproduceVerb.Means(p, terminal, list.Since);
            (Recipe recipe, RecipeRunner runner) = list.Open(Catalogue.Find, Catalogue.All.Select(m => m.Card.Name), means);
            using var progress = new ProgressLine(terminal, recipe.Name);
            int made = WorkList.Work(runner, new StepWork(recipe, means), Positions(p.GetValue(items), list.Items.Count), p.GetValue(from), (share, what) => progress.Report(share, what), stop);
            progress.Dispose();
            terminal.Result($"{made} items made here, the others were there");
            terminal.Json(new JsonObject { ["made"] = made, ["items"] = list.Items.Count });
            return ExitCode.Done;
        }));
        return command;
    }

    public static Command Gather()
    {
        var plan = new Argument<string>("PLAN") { Description = "A work list whose items are done." };
        var command = new Command("gather") { plan, SharedOptions.Out };
        foreach (Option option in new Option[] { SharedOptions.Threads, SharedOptions.Memory }) command.Options.Add(option);
        SharedOptions.AddTalking(command);
        command.SetAction(p => CommandLine.Guard(p, (terminal, stop) =>
        {
            WorkList list = WorkList.Read(p.GetValue(plan)!);
            (_, RecipeRunner runner) = list.Open(Catalogue.Find, Catalogue.All.Select(m => m.Card.Name), ReproduceVerb.Means(p, terminal, list.Since));
            return ReproduceVerb.Show(runner.Gather(stop), p.GetValue(SharedOptions.Out)?.ToString(), terminal);
        }));
        return command;
    }

    private static Fault Missing(string word) => new("BW1236", ExitCode.Usage, $"'{word}' is neither a file nor a paper with a recipe", null, null, Nearest.Hint(word, RecipeBook.Names.Select(n => n[3..])) ?? "Name a recipe file.");

    private static IReadOnlyList<int>? Positions(string? text, int count)
    {
        if (text is null) return null;
        var positions = new List<int>();
        foreach (string part in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            string[] ends = part.Split('-', 2);
            if (!int.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out int first) || !int.TryParse(ends[^1], NumberStyles.None, CultureInfo.InvariantCulture, out int last) || first > last || last >= count)
                throw new Fault("BW1237", ExitCode.Usage, "--items is no range of positions", null, $"found '{part}', the list has 0 to {count - 1}", "Write 0-9 or 3,5.");
            positions.AddRange(Enumerable.Range(first, last - first + 1));
        }
        return positions;
    }
}
