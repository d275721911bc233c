namespace Budwood.Methods;

/// <summary>A named technique over checkpoints: a passive description (card, ports, parameters) with one body that the runner runs.</summary>
public abstract class Method
{
    /// <summary>What a person reads before using it; made by the generator from the method's file.</summary>
    public abstract MethodCard Card { get; }

    /// <summary>What goes in and what comes out.</summary>
    public abstract Ports Ports { get; }

    /// <summary>The parameters record with its defaults and the given values.</summary>
    public abstract object ReadParameters(ParameterValues values);
}

/// <summary>What travels between methods: models, rows with columns, named float64 arrays, folders whose files are looked at.</summary>
public enum ArtifactKind { Checkpoint, Table, Arrays, Folder }

/// <summary>One thing that a method takes or gives.</summary>
/// <param name="Many">Takes several, in order.</param>
/// <param name="Optional">May be absent.</param>
public sealed record Port(string Name, ArtifactKind Kind, string Doc, bool Many = false, bool Optional = false);

/// <summary>The inputs and the outputs of a method; the first input may stand bare on the command line, the first output is the main one.</summary>
public sealed record Ports(IReadOnlyList<Port> Inputs, params IReadOnlyList<Port> Outputs)
{
    /// <summary>The main output.</summary>
    public Port Output => Outputs[0];

    /// <summary>Several models, a base among or beside them, one model out: what merging rules take.</summary>
    public static Ports Merge { get; } = new(
        [new Port("models", ArtifactKind.Checkpoint, "the models, in order", Many: true), new Port("base", ArtifactKind.Checkpoint, "the model that they came from", Optional: true)],
        new Port("out", ArtifactKind.Checkpoint, "the merged model"));

    /// <summary>One model in, one model out.</summary>
    public static Ports Reshape { get; } = new(
        [new Port("model", ArtifactKind.Checkpoint, "the model")], new Port("out", ArtifactKind.Checkpoint, "the new model"));
}
