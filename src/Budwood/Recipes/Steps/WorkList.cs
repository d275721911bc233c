using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Budwood.Files;
using Budwood.Methods;

namespace Budwood.Recipes.Steps;

/// <summary>A recipe laid out as a list of items for any number of processes, on one machine or many that share the store.</summary>
/// <param name="Since">What the store has from before is made again; null takes whatever it has.</param>
/// <remarks>Outputs are addressed by content, so an item that is run twice is run for nothing and does no harm.</remarks>
public sealed record WorkList(string File, string Text, string Profile, long Seed, DateTimeOffset? Since, IReadOnlyList<string> Items)
{
    /// <summary>The list of a recipe.</summary>
    public static WorkList Of(Recipe recipe, string profile, long seed, DateTimeOffset? since, RecipeRunner runner) =>
        new(recipe.File, recipe.Text, profile, seed, since, [.. runner.Instances.Select(i => i.Label)]);

    /// <summary>Writes the list as JSON.</summary>
    public void Write(string path, bool replace)
    {
        var json = new JsonObject
        {
            ["budwood_plan"] = 1, ["recipe"] = File, ["text"] = Text, ["profile"] = Profile, ["seed"] = Seed, ["since"] = Since?.ToString("o", CultureInfo.InvariantCulture), ["items"] = new JsonArray([.. Items.Select(i => (JsonNode)JsonValue.Create(i))]),
        };
        WholeFile.Write(path, Encoding.UTF8.GetBytes(json.ToJsonString(new JsonSerializerOptions { WriteIndented = true }) + "\n"), replace);
    }

    /// <summary>Reads a list.</summary>
    public static WorkList Read(string path)
    {
        if (!System.IO.File.Exists(path)) throw FileFaults.Missing(path, "file", FileFaults.Siblings(path));
        try
        {
            JsonNode json = JsonNode.Parse(System.IO.File.ReadAllText(path))!;
            if ((int?)json["budwood_plan"] != 1) throw new FormatException("it has no 'budwood_plan: 1'");
            return new WorkList((string)json["recipe"]!, (string)json["text"]!, (string)json["profile"]!, (long)json["seed"]!, json["since"] is { } since ? DateTimeOffset.Parse((string)since!, CultureInfo.InvariantCulture) : null, [.. json["items"]!.AsArray().Select(i => (string)i!)]);
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or NullReferenceException)
        {
            throw new Fault("BW1231", ExitCode.Usage, "this is no work list", path, e.Message, "Write one with 'budwood plan RECIPE -o plan.json'.", e);
        }
    }

    /// <summary>The recipe, and its runs laid out in the same order as when the list was written.</summary>
    public (Recipe Recipe, RecipeRunner Runner) Open(Func<string, Method?> find, IEnumerable<string> methods, WorkMeans means)
    {
        Recipe recipe = RecipeReader.Read(Text, File, find, methods);
        var runner = new RecipeRunner(recipe, new RecipeOptions { Profile = Profile, Seed = Seed, Means = means });
        return runner.Instances.Select(i => i.Label).SequenceEqual(Items) ? (recipe, runner)
            : throw new Fault("BW1232", ExitCode.Usage, "the work list was written by another version", File, null, "Write it again with 'budwood plan'.");
    }

    /// <summary>Runs items until all that were chosen are done, taking those whose inputs are there and which no other process makes.</summary>
    /// <param name="chosen">Positions; null for all.</param>
    /// <param name="start">Where in the list this process begins, so that several spread out.</param>
    public static int Work(RecipeRunner runner, StepWork work, IReadOnlyList<int>? chosen, int start, Action<double, string>? progress, CancellationToken stop)
    {
        IReadOnlyList<StepInstance> all = runner.Instances;
        HashSet<int> left = [.. chosen ?? [.. Enumerable.Range(0, all.Count)]];
        var failed = new Dictionary<StepInstance, Fault>();
        int made = 0, asked = left.Count;
        while (left.Count > 0)
        {
            int before = left.Count;
            foreach (int i in Enumerable.Range(0, all.Count).Select(k => (k + start) % all.Count))
            {
                stop.ThrowIfCancellationRequested();
                StepInstance instance = all[i];
                if (failed.ContainsKey(instance)) continue;
                // What others made is looked at only where something waits for it.
                bool known = work.Look(instance, stop);
                if (known || !left.Contains(i))
                {
                    if (known) left.Remove(i);
                    continue;
                }
                StepInstance[] reads = [.. instance.Inputs.Values.SelectMany(v => v).Select(v => v.Instance).OfType<StepInstance>()];
                if (reads.FirstOrDefault(failed.ContainsKey) is { } broken)
                {
                    failed[instance] = failed[broken];
                    left.Remove(i);
                    continue;
                }
                if (reads.Any(r => !work.Look(r, stop)) || work.IsBusy(instance, stop)) continue;
                progress?.Invoke(1 - ((double)left.Count / asked), instance.Label);
                try
                {
                    work.Run(instance, stop);
                    made++;
                }
                catch (Fault fault)
                {
                    failed[instance] = fault;
                }
                left.Remove(i);
            }
            if (left.Count == before) stop.WaitHandle.WaitOne(50);
        }
        return failed.Count == 0 ? made : throw Fault.Several([.. failed.Values.Distinct()]);
    }
}
