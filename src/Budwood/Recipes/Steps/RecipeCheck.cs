using Budwood.Methods;
using Budwood.Recipes.Claims;

namespace Budwood.Recipes.Steps;

/// <summary>Checks the graph of a recipe whole, before anything runs.</summary>
internal static class RecipeCheck
{
    public static void Whole(Recipe recipe, YamlMap map)
    {
        foreach (Step step in recipe.Steps) Ports(recipe, step);
        Step[] ordered = InOrder(recipe);
        var matrices = new Dictionary<string, Dictionary<string, string>>(StringComparer.Ordinal);
        foreach (Step step in ordered) matrices[step.Name] = Keys(step, matrices);
        foreach (Claim claim in recipe.Claims) Claimed(recipe, claim);
        foreach (Figure figure in recipe.Figures) Main(recipe, figure.Node, figure.Step, figure.Port);
        foreach (Step step in recipe.Steps)
        {
            bool used = recipe.Steps.Any(s => s.Inputs.Values.SelectMany(i => i).Concat(MatrixInputs(recipe, s)).Any(i => i.Step == step.Name))
                || recipe.Claims.Any(c => Columns(c).Any(x => x.Step == step.Name)) || recipe.Figures.Any(f => f.Step == step.Name);
            // A recipe without claims is run for what its last steps give.
            if (!used && recipe.Claims.Count > 0) throw StepFaults.UnusedStep(step.Node, step.Name);
        }
    }

    /// <summary>The steps so that each comes after what it reads.</summary>
    public static Step[] InOrder(Recipe recipe)
    {
        var ordered = new List<Step>();
        var path = new List<string>();
        void Visit(Step step)
        {
            if (ordered.Contains(step)) return;
            if (path.Contains(step.Name)) throw StepFaults.Cycle(step.Node, [.. path.SkipWhile(n => n != step.Name), step.Name]);
            path.Add(step.Name);
            foreach (StepInput input in step.Inputs.Values.SelectMany(i => i).Concat(MatrixInputs(recipe, step)))
                if (input.Step is { } name) Visit(recipe.Steps.Single(s => s.Name == name));
            path.RemoveAt(path.Count - 1);
            ordered.Add(step);
        }
        foreach (Step step in recipe.Steps) Visit(step);
        return [.. ordered];
    }

    /// <summary>Inputs that stand in a matrix: a port whose values are references.</summary>
    public static IEnumerable<StepInput> MatrixInputs(Recipe recipe, Step step) => step.Matrix.Where(m => step.Method.Ports.Inputs.Any(p => p.Name == m.Key))
        .SelectMany(m => m.Values.SelectMany(v => RecipeReader.Inputs(v, [.. recipe.Steps.Select(s => s.Name)])));

    private static void Ports(Recipe recipe, Step step)
    {
        foreach (Port port in step.Method.Ports.Inputs)
        {
            StepInput[] inputs = [.. step.Inputs.GetValueOrDefault(port.Name) ?? [], .. MatrixInputs(recipe, step).Where(_ => step.Matrix.Any(m => m.Key == port.Name))];
            bool needed = !port.Optional || (port.Name == "base" && step.Method is Rule { Arity.NeedsBase: true });
            if (inputs.Length == 0 && needed) throw StepFaults.MissingInput(step.Node, step.Name, port.Name, port.Doc);
            if (!port.Many && (step.Inputs.GetValueOrDefault(port.Name)?.Count ?? 0) > 1) throw StepFaults.TakesOne(inputs[0].Node, port.Name, inputs.Length);
            foreach (StepInput input in inputs) Fits(recipe, port, input);
        }
        foreach (ParameterCard card in step.Method.Card.Parameters)
        {
            bool inMatrix = step.Matrix.Any(m => m.Key == card.Name);
            if (card.Required && !inMatrix && !step.Parameters.ContainsKey(card.Name)) throw StepFaults.MissingParameter(step.Node, step.Name, card.Name, card.Doc);
            if (step.Parameters.TryGetValue(card.Name, out YamlNode? node)) StepParameters.Check(card, node, step.Method);
            foreach (YamlNode value in step.Matrix.Where(m => m.Key == card.Name).SelectMany(m => m.Values)) StepParameters.Check(card, value, step.Method);
        }
        foreach (Overrides world in recipe.Profiles.Values.Concat(recipe.NullWorlds.Values))
            foreach ((_, string key, YamlNode value) in world.Values.Where(v => v.Step == step.Name))
                if (step.Method.Card.Parameter(key) is { } card) StepParameters.Check(card, value, step.Method);
        foreach ((_, string key, IReadOnlyList<YamlNode> values) in recipe.Sweep.Where(s => s.Step == step.Name))
            if (step.Method.Card.Parameter(key) is { } card)
                foreach (YamlNode value in values) StepParameters.Check(card, value, step.Method);
    }

    private static void Fits(Recipe recipe, Port port, StepInput input)
    {
        if (input.Step is null)
        {
            if (port.Kind != ArtifactKind.Checkpoint && InputFiles.Find(recipe, input.Path) is null)
                throw StepFaults.NoStepAndNoFile(input.Node, input.Text, recipe.Steps.Select(s => s.Name));
            return;
        }
        Port output = Main(recipe, input.Node, input.Step, input.Port, table: false);
        // A checkpoint of a step lies in a folder.
        bool lies = port.Kind == ArtifactKind.Folder && output.Kind == ArtifactKind.Checkpoint;
        if (output.Kind != port.Kind && !lies) throw StepFaults.PortsDoNotFit(input.Node, port.Name, Words(port.Kind), $"{Words(output.Kind)} from '{input.Text}'");
        if (!port.Many && (input.GathersAll || input.Gathers.Count > 0)) throw StepFaults.TakesOne(input.Node, port.Name, 2);
    }

    private static string Words(ArtifactKind kind) => kind switch { ArtifactKind.Checkpoint => "a checkpoint", ArtifactKind.Table => "a table", ArtifactKind.Folder => "a folder", _ => "arrays" };

    private static Port Main(Recipe recipe, YamlNode at, string stepName, string? portName, bool table = true)
    {
        Step step = recipe.Steps.FirstOrDefault(s => s.Name == stepName) ?? throw StepFaults.UnknownStep(at, stepName, recipe.Steps.Select(s => s.Name));
        IReadOnlyList<Port> outputs = step.Method.Ports.Outputs;
        Port port = portName is null ? (table ? outputs.FirstOrDefault(o => o.Kind == ArtifactKind.Table) ?? outputs[0] : outputs[0])
            : outputs.FirstOrDefault(o => o.Name == portName) ?? throw StepFaults.NoSuchPort(at, stepName, portName, outputs.Select(o => o.Name));
        return !table || port.Kind == ArtifactKind.Table ? port : throw StepFaults.TableIsCheckpoint(at, stepName, port.Name);
    }

    private static void Claimed(Recipe recipe, Claim claim)
    {
        foreach (Expression.ColumnOf column in Columns(claim)) Main(recipe, claim.Node, column.Step, column.Port);
        int seeds = recipe.Seeds;
        if (claim.Value is not null && !claim.Exact && seeds < 3) throw ClaimFaults.TooFewSeeds(claim.Node, claim.Id, seeds);
    }

    public static IEnumerable<Expression.ColumnOf> Columns(Claim claim) => (claim.Value?.Columns ?? []).Concat(claim.Beside.SelectMany(b => b.Value.Columns));

    // Matrix keys that reach a step, with the step that each comes from; a key that comes twice from different steps would be ambiguous.
    private static Dictionary<string, string> Keys(Step step, Dictionary<string, Dictionary<string, string>> of)
    {
        var keys = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (StepInput input in step.Inputs.Values.SelectMany(i => i))
        {
            if (input.Step is not { } name) continue;
            foreach ((string key, _) in input.Selects)
                if (!of[name].ContainsKey(key)) throw StepFaults.UnknownKey(input.Node, name, key, of[name].Keys);
            foreach (string key in input.Gathers)
                if (!of[name].ContainsKey(key)) throw StepFaults.UnknownKey(input.Node, name, key, of[name].Keys);
            if (input.GathersAll) continue;
            foreach ((string key, string from) in of[name])
            {
                if (input.Gathers.Contains(key) || input.Selects.Any(s => s.Key == key)) continue;
                if (keys.TryGetValue(key, out string? other) && other != from) throw StepFaults.TwoMatrices(input.Node, step.Name, key, other);
                keys[key] = from;
            }
        }
        foreach ((string key, _) in step.Matrix)
        {
            if (keys.TryGetValue(key, out string? other)) throw StepFaults.TwoMatrices(step.Node, step.Name, key, other);
            keys[key] = step.Name;
        }
        return keys;
    }
}
