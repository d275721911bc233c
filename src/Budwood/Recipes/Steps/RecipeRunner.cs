using System.Diagnostics;
using Budwood.Engine;
using Budwood.Recipes.Claims;

namespace Budwood.Recipes.Steps;

/// <summary>How a recipe is run.</summary>
public sealed record RecipeOptions
{
    /// <summary>Name of a profile: <c>default</c>, or one that the recipe has; <c>smoke</c> judges nothing, <c>full</c> sweeps the grid.</summary>
    public string Profile { get; init; } = "default";

    /// <summary>Run i uses this number + i.</summary>
    public long Seed { get; init; }

    public required WorkMeans Means { get; init; }

    /// <summary>Told the share that is done, and what is going on.</summary>
    public Action<double, string>? Progress { get; init; }
}

/// <summary>A recipe's world: the main one, one without the mechanism, or a point of the swept grid.</summary>
public sealed record World(string Name, StepGraph Graph);

/// <summary>What a recipe gave.</summary>
public sealed record RecipeOutcome
{
    public required Recipe Recipe { get; init; }
    public required string Profile { get; init; }
    public required IReadOnlyList<long> Seeds { get; init; }
    public required IReadOnlyList<Judged> Claims { get; init; }

    /// <summary>Table of each step of the main world that gives one.</summary>
    public required IReadOnlyDictionary<(string Step, string? Port), Table> Tables { get; init; }

    /// <summary>Entries of the main world's steps, in order.</summary>
    public required IReadOnlyList<(StepInstance Instance, StoreEntry Entry)> Steps { get; init; }

    public required int Hits { get; init; }
    public required int Made { get; init; }
    public required TimeSpan Elapsed { get; init; }

    public PaperWord Word => Judge.Word(Claims);

    /// <summary>5 where a claim is refuted or void.</summary>
    public ExitCode Exit => Claims.Any(c => c.Verdict is Verdict.Refuted or Verdict.Void) ? ExitCode.Refuted : ExitCode.Done;
}

/// <summary>Runs a recipe whole: every world, every seed, every step; then judges the claims.</summary>
public sealed class RecipeRunner
{
    private readonly Recipe _recipe;
    private readonly RecipeOptions _options;
    private readonly List<World> _worlds = [];

    /// <summary>Lays out the worlds of a recipe under a profile; nothing runs yet.</summary>
    public RecipeRunner(Recipe recipe, RecipeOptions options)
    {
        (_recipe, _options) = (recipe, options);
        string[] known = ["default", "smoke", "full", .. recipe.Profiles.Keys];
        if (!known.Contains(options.Profile)) throw StepFaults.UnknownProfile(options.Profile, known.Distinct());
        Overrides profile = recipe.Profiles.GetValueOrDefault(options.Profile) ?? new Overrides(options.Profile == "smoke" ? 1 : null, []);
        Seeds = [.. Enumerable.Range(0, profile.Seeds ?? recipe.Seeds).Select(i => options.Seed + i)];
        if (!Smoke)
            foreach (Claim claim in recipe.Claims)
                if (claim.Value is not null && !claim.Exact && Seeds.Count < 3) throw ClaimFaults.TooFewSeeds(claim.Node, claim.Id, Seeds.Count);
        _worlds.Add(new World("main world", StepGraph.Of(recipe, Seeds, "", profile)));
        foreach ((string name, Overrides world) in recipe.NullWorlds)
            if (recipe.Claims.Any(c => c.NullWorld == name)) _worlds.Add(new World(name, StepGraph.Of(recipe, Seeds, $"null world {name}", profile, world)));
        if (options.Profile == "full")
            foreach (Overrides point in Grid(recipe))
                _worlds.Add(new World("", StepGraph.Of(recipe, Seeds, "grid point " + string.Join(", ", point.Values.Select(v => $"{v.Step}.{v.Key}={(v.Value as YamlScalar)?.Text}")), profile, point)));
    }

    /// <summary>Seeds of the runs.</summary>
    public IReadOnlyList<long> Seeds { get; }

    /// <summary>All runs of all worlds, each after those that it reads.</summary>
    public IReadOnlyList<StepInstance> Instances => [.. _worlds.SelectMany(w => w.Graph.Instances)];

    private bool Smoke => _options.Profile == "smoke";

    private static IEnumerable<Overrides> Grid(Recipe recipe)
    {
        if (recipe.Sweep.Count == 0) return [];
        IEnumerable<IReadOnlyList<(string, string, YamlNode)>> points = [[]];
        foreach ((string step, string key, IReadOnlyList<YamlNode> values) in recipe.Sweep) points = [.. points.SelectMany(p => values.Select(v => (IReadOnlyList<(string, string, YamlNode)>)[.. p, (step, key, v)]))];
        return points.Select(p => new Overrides(null, p));
    }

    /// <summary>Runs what is not in the store, and judges.</summary>
    public RecipeOutcome Run(CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        var work = new StepWork(_recipe, _options.Means);
        IReadOnlyList<StepInstance> all = Instances;
        for (int i = 0; i < all.Count; i++)
        {
            stop.ThrowIfCancellationRequested();
            _options.Progress?.Invoke((double)i / all.Count, all[i].Label);
            work.Run(all[i], stop);
        }
        return Outcome(work, clock);
    }

    /// <summary>Judges from the store alone; a step that is not there is an error that names it.</summary>
    public RecipeOutcome Gather(CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        var work = new StepWork(_recipe, _options.Means);
        foreach (StepInstance instance in Instances)
            if (!work.Look(instance, stop)) throw StepFaults.NotRun(instance.Step.Node, instance.Label);
        return Outcome(work, clock);
    }

    private RecipeOutcome Outcome(StepWork work, Stopwatch clock)
    {
        _options.Means.Store.Trim();
        StepTables[] tables = [.. _worlds.Select(w => new StepTables(w.Graph, work))];
        StepTables main = tables[0];
        var judged = new List<Judged>();
        foreach (Claim claim in _recipe.Claims) judged.Add(Judged(claim, main, tables));
        var shown = new Dictionary<(string, string?), Table>();
        foreach (Step step in _recipe.Steps)
            foreach (Methods.Port port in step.Method.Ports.Outputs)
                // An optional output is a table of the report only where every run gave it.
                if (port.Kind == Methods.ArtifactKind.Table && _worlds[0].Graph.Of(step.Name).All(i => work[i].Outputs.Any(o => o.Port == port.Name))) shown[(step.Name, port.Name)] = main.Of(step.Name, port.Name);
        return new RecipeOutcome
        {
            Recipe = _recipe, Profile = _options.Profile, Seeds = Seeds, Claims = judged, Tables = shown,
            Steps = [.. _worlds[0].Graph.Instances.Select(i => (i, work[i]))], Hits = work.Hits, Made = work.Made, Elapsed = clock.Elapsed,
        };
    }

    private Judged Judged(Claim claim, StepTables main, StepTables[] worlds)
    {
        if (claim.Value is null) return new Judged { Claim = claim, Verdict = Verdict.NotTestable, Note = claim.NotTestable };
        Measured measured = Measure(claim, claim.Value, main);
        IReadOnlyList<(string, Measured)> beside = [.. claim.Beside.Select(b => (b.Label, Measure(claim, b.Value, main)))];
        Measured? without = claim.NullWorld is { } name ? Measure(claim, claim.Value, worlds[_worlds.FindIndex(w => w.Name == name)]) : null;
        (int, int)? grid = null;
        StepTables[] points = [.. worlds.Where((_, i) => _worlds[i].Name.Length == 0)];
        if (claim.Kind == ClaimKind.Toy && points.Length > 0) grid = (points.Count(p => Judge.Of(claim, Measure(claim, claim.Value, p).Value) == Verdict.Holds), points.Length);
        (Verdict verdict, string? note) = Smoke ? (Verdict.NotJudged, "the smoke profile shows that the steps run") : Judge.Of(claim, measured, without, grid);
        return new Judged { Claim = claim, Verdict = verdict, Measured = measured, InNullWorld = without, Grid = grid, Beside = beside, Note = note };
    }

    private Measured Measure(Claim claim, Expression value, StepTables tables)
    {
        double Of(long? seed) => new Evaluation(c => tables.Column(c, seed, claim.Node), claim.Node).Value(value);
        if (claim.Over == "pooled") return new Measured(Of(null), null, []);
        double[] bySeed = [.. Seeds.Select(s => Of(s))];
        if (bySeed.Length == 1) return new Measured(bySeed[0], null, bySeed);
        return new Measured(Functions.Known[claim.Over].Compute([bySeed])[0], Functions.Deviation(bySeed), bySeed);
    }
}
