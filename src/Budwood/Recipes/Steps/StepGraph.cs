namespace Budwood.Recipes.Steps;

/// <summary>A recipe's steps, each with all its runs: over matrices and seeds, under a profile and the overrides of a world.</summary>
public sealed class StepGraph
{
    private readonly Recipe _recipe;
    private readonly Dictionary<(string Step, string Key), YamlNode> _overrides = [];
    private readonly Dictionary<string, IReadOnlyList<StepInstance>> _of = new(StringComparer.Ordinal);

    private readonly string _world;

    private StepGraph(Recipe recipe, string world, IEnumerable<Overrides> overrides)
    {
        (_recipe, _world) = (recipe, world);
        foreach (Overrides o in overrides)
            foreach ((string step, string key, YamlNode value) in o.Values) _overrides[(step, key)] = value;
    }

    /// <summary>All runs, each after those that it reads.</summary>
    public IReadOnlyList<StepInstance> Instances { get; private set; } = [];

    /// <summary>The runs of a step under one seed.</summary>
    public IEnumerable<StepInstance> Of(string step) => _of[step];

    /// <summary>Lays out the runs of a recipe.</summary>
    /// <param name="world">Name of the world in messages: empty for the main one.</param>
    /// <param name="overrides">Profile first, then the world; later ones win.</param>
    public static StepGraph Of(Recipe recipe, IReadOnlyList<long> seeds, string world, params IEnumerable<Overrides> overrides)
    {
        var graph = new StepGraph(recipe, world, overrides);
        var all = new List<StepInstance>();
        Step[] ordered = RecipeCheck.InOrder(recipe);
        foreach (Step step in ordered) graph._of[step.Name] = [];
        // Seed by seed: an interrupted run has whole seeds.
        foreach (long seed in seeds)
        {
            var now = new Dictionary<string, IReadOnlyList<StepInstance>>(StringComparer.Ordinal);
            foreach (Step step in ordered)
            {
                now[step.Name] = graph.Expand(step, seed, now);
                graph._of[step.Name] = [.. graph._of[step.Name], .. now[step.Name]];
                all.AddRange(now[step.Name]);
            }
        }
        graph.Instances = all;
        return graph;
    }

    private IReadOnlyList<StepInstance> Expand(Step step, long seed, Dictionary<string, IReadOnlyList<StepInstance>> of)
    {
        // Places in the matrices that come with the inputs, then the step's own.
        List<Dictionary<string, string>> places = [new(StringComparer.Ordinal)];
        foreach (StepInput input in step.Inputs.Values.SelectMany(i => i))
        {
            if (input.Step is not { } name) continue;
            string[][] free = [.. of[name].Where(i => Selected(input, i)).Select(i => i.At.Where(a => Inherits(input, a.Key)).SelectMany(a => (string[])[a.Key, a.Value]).ToArray())];
            if (free.Length == 0) throw StepFaults.NothingSelected(input.Node, input.Text);
            var joined = new List<Dictionary<string, string>>();
            var seen = new HashSet<string>(StringComparer.Ordinal);
            foreach (Dictionary<string, string> place in places)
            {
                foreach (string[] pairs in free)
                {
                    var next = new Dictionary<string, string>(place, StringComparer.Ordinal);
                    bool fits = true;
                    for (int k = 0; k < pairs.Length && fits; k += 2) fits = next.TryAdd(pairs[k], pairs[k + 1]) || next[pairs[k]] == pairs[k + 1];
                    if (fits && seen.Add(string.Join('\0', next.Select(p => p.Key + "=" + p.Value)))) joined.Add(next);
                }
            }
            places = joined;
        }
        var own = new List<(IReadOnlyList<(string Key, string Text)> At, Dictionary<string, YamlNode> Values)> { ([], new(StringComparer.Ordinal)) };
        foreach ((string key, IReadOnlyList<YamlNode> given) in step.Matrix)
        {
            IReadOnlyList<YamlNode> values = _overrides.TryGetValue((step.Name, "matrix." + key), out YamlNode? instead) ? instead is YamlList list ? list.Items : [instead] : given;
            // An override of the key itself takes the value of every run. The runs keep their places in the matrix, since claims ask for them by those.
            YamlNode? all = _overrides.GetValueOrDefault((step.Name, key));
            own = [.. own.SelectMany(o => values.Select(v => ((IReadOnlyList<(string, string)>)[.. o.At, (key, Text(v))], new Dictionary<string, YamlNode>(o.Values, StringComparer.Ordinal) { [key] = all ?? v })))];
        }
        var instances = new List<StepInstance>();
        foreach (Dictionary<string, string> place in places)
            foreach ((IReadOnlyList<(string Key, string Text)> at, Dictionary<string, YamlNode> values) in own) instances.Add(Instance(step, seed, place, at, values, of));
        return instances;
    }

    private StepInstance Instance(Step step, long seed, Dictionary<string, string> place, IReadOnlyList<(string Key, string Text)> own, Dictionary<string, YamlNode> values,
        Dictionary<string, IReadOnlyList<StepInstance>> of)
    {
        var parameters = new Dictionary<string, YamlNode>(step.Parameters, StringComparer.Ordinal);
        foreach (((string name, string key), YamlNode value) in _overrides)
            if (name == step.Name && step.Method.Card.Parameter(key) is not null) parameters[key] = value;
        var inputs = new Dictionary<string, IReadOnlyList<InstanceInput>>(StringComparer.Ordinal);
        var ports = new Dictionary<string, IReadOnlyList<StepInput>>(step.Inputs, StringComparer.Ordinal);
        string[] steps = [.. _recipe.Steps.Select(s => s.Name)];
        foreach ((string key, YamlNode value) in values)
        {
            if (step.Method.Card.Parameter(key) is not null) parameters[key] = value;
            else ports[key] = RecipeReader.Inputs(value, steps);
        }
        foreach (((string name, string key), YamlNode value) in _overrides)
            if (name == step.Name && step.Method.Ports.Inputs.Any(p => p.Name == key)) ports[key] = RecipeReader.Inputs(value, steps);
        foreach ((string port, IReadOnlyList<StepInput> given) in ports)
        {
            inputs[port] = [.. given.SelectMany(input => input.Step is not { } name ? (IEnumerable<InstanceInput>)[new InstanceInput(input, null, null)]
                : of[name].Where(i => Selected(input, i) && i.At.All(a => !Inherits(input, a.Key) || (place.GetValueOrDefault(a.Key) ?? a.Value) == a.Value))
                    .Select(i => new InstanceInput(input, i, input.Port ?? i.Step.Method.Ports.Output.Name)))];
            if (inputs[port].Count == 0) throw StepFaults.NothingSelected(given[0].Node, given[0].Text);
            if (inputs[port].Count > 1 && !step.Method.Ports.Inputs.Single(p => p.Name == port).Many) throw StepFaults.TakesOne(given[0].Node, port, inputs[port].Count);
        }
        return new StepInstance(step, seed, [.. place.Select(p => (p.Key, p.Value)), .. own]) { World = _world, Parameters = parameters, Inputs = inputs };
    }

    private static bool Inherits(StepInput input, string key) => !input.GathersAll && !input.Gathers.Contains(key) && !input.Selects.Any(s => s.Key == key);

    private static bool Selected(StepInput input, StepInstance instance) => input.Selects.All(s => instance.At.Any(a => a.Key == s.Key && s.Values.Any(v => Same(v, a.Value))));

    /// <summary>Equal as text, or as numbers.</summary>
    internal static bool Same(string one, string other) => one == other
        || (double.TryParse(one, System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out double a)
            && double.TryParse(other, System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out double b) && a == b);

    private static string Text(YamlNode node) => node switch
    {
        YamlScalar s => s.Text,
        YamlList l => "[" + string.Join(", ", l.Items.Select(Text)) + "]",
        _ => throw RecipeFaults.NotAScalar(node, "matrix"),
    };
}
