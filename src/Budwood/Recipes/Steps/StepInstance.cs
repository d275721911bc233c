namespace Budwood.Recipes.Steps;

/// <summary>One run of a step: its place in the matrices, its seed, and the instances that it reads.</summary>
public sealed class StepInstance
{
    internal StepInstance(Step step, long seed, IReadOnlyList<(string Key, string Value)> at) => (Step, Seed, At) = (step, seed, at);

    public Step Step { get; }
    public long Seed { get; }

    /// <summary>Values of the matrix keys that reach it, own ones last.</summary>
    public IReadOnlyList<(string Key, string Value)> At { get; }

    /// <summary>Parameter nodes, those of its place in the matrix and of the variant included.</summary>
    public IReadOnlyDictionary<string, YamlNode> Parameters { get; internal init; } = new Dictionary<string, YamlNode>();

    /// <summary>What stands at each port: instances of other steps, or paths.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<InstanceInput>> Inputs { get; internal init; } = new Dictionary<string, IReadOnlyList<InstanceInput>>();

    /// <summary>The world that it belongs to: empty for the main one.</summary>
    public string World { get; internal init; } = "";

    /// <summary>As messages name it: <c>scores[lambda=0.3] seed 2</c>.</summary>
    public string Label => $"{Step.Name}{(At.Count == 0 ? "" : "[" + string.Join(", ", At.Select(a => $"{a.Key}={a.Value}")) + "]")} seed {Seed}{(World.Length == 0 ? "" : $" in {World}")}";
}

/// <summary>An input of one run of a step.</summary>
/// <param name="Instance">The run that gave it; null for a path.</param>
/// <param name="Port">Its output port.</param>
public sealed record InstanceInput(StepInput Input, StepInstance? Instance, string? Port);
