using Budwood.Checkpoints;
using Budwood.Methods;
using Budwood.Numbers.Random;

namespace Budwood.Tests.Fixtures;

/// <summary>A desk in memory: inputs are put on it, outputs are read from it; what it does not have is not asked for in a test.</summary>
internal class TestDesk(string method = "test", long seed = 0) : Desk
{
    public Dictionary<string, Artifact> Inputs { get; } = new(StringComparer.Ordinal);
    public Dictionary<string, Artifact> Outputs { get; } = new(StringComparer.Ordinal);
    public override CancellationToken Stop => CancellationToken.None;

    /// <summary>Runs a job with parameters of its own type on inputs by port, and gives its outputs.</summary>
    public static Dictionary<string, Artifact> Run<P>(Job<P> job, P parameters, long seed, params (string Port, Artifact What)[] inputs) where P : class, new()
    {
        var desk = new TestDesk(job.Card.Name, seed);
        foreach ((string port, Artifact what) in inputs) desk.Inputs[port] = what;
        job.RunAny(desk, parameters);
        return desk.Outputs;
    }

    public override bool Has(string port) => Inputs.ContainsKey(port);
    public override Checkpoint Checkpoint(string port) => Inputs[port].Checkpoint;
    public override IReadOnlyList<Checkpoint> Checkpoints(string port) => throw new NotSupportedException();
    public override Table Table(string port) => Inputs[port].Table;
    public override IReadOnlyList<Table> Tables(string port) => [Inputs[port].Table];
    public override Arrays Arrays(string port) => Inputs[port].Arrays;
    public override ModelFolder Folder(string port) => Inputs[port].Folder;
    public override IReadOnlyList<ModelFolder> Folders(string port) => [.. Inputs.Where(i => i.Key == port || i.Key.StartsWith(port + ".", StringComparison.Ordinal)).Select(i => i.Value.Folder)];
    public override Checkpoint Call(string rule, IReadOnlyList<Checkpoint> models, params IReadOnlyList<(string Name, string Value)> parameters) => throw new NotSupportedException();
    public override double Score(string command, Checkpoint model) => throw new NotSupportedException();
    public override void Emit(string port, Checkpoint made) => Outputs[port] = Artifact.Of(made);
    public override void Emit(string port, Table table) => Outputs[port] = Artifact.Of(table);
    public override void Emit(string port, Arrays arrays) => Outputs[port] = Artifact.Of(arrays);
    public override void EmitCheckpoint(string port, Arrays weights) => Outputs[port] = Artifact.Of(weights);
    public override void Show(Table table) => Outputs["shown"] = Artifact.Of(table);
    public override RandomStream Random(string name) => new(seed, method, name);

    public override void ForEach(int count, Action<int> body)
    {
        for (int i = 0; i < count; i++) body(i);
    }
}
