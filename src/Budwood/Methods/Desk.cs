using Budwood.Checkpoints;
using Budwood.Numbers.Random;

namespace Budwood.Methods;

/// <summary>What a job works on: opened inputs, a place for its outputs, random streams, the stop signal. Jobs see neither files nor threads.</summary>
public abstract class Desk
{
    /// <summary>Whether an optional input was given.</summary>
    public abstract bool Has(string port);

    /// <summary>The checkpoint at an input port.</summary>
    public abstract Checkpoint Checkpoint(string port);

    /// <summary>The checkpoints at an input port that takes several, in the order in which they were given.</summary>
    public abstract IReadOnlyList<Checkpoint> Checkpoints(string port);

    /// <summary>The table at an input port.</summary>
    public abstract Table Table(string port);

    /// <summary>The tables at an input port that takes several, in the order in which they were given.</summary>
    public abstract IReadOnlyList<Table> Tables(string port);

    /// <summary>The arrays at an input port.</summary>
    public abstract Arrays Arrays(string port);

    /// <summary>The folder at an input port: its files, none of which is run.</summary>
    public abstract ModelFolder Folder(string port);

    /// <summary>The folders at an input port that takes several, in the order in which they were given.</summary>
    public abstract IReadOnlyList<ModelFolder> Folders(string port);

    /// <summary>What a rule makes of models: planned, refused if it cannot be run, computed when it is scored or given out.</summary>
    /// <param name="parameters">Values as a command line has them.</param>
    public abstract Checkpoint Call(string rule, IReadOnlyList<Checkpoint> models, params IReadOnlyList<(string Name, string Value)> parameters);

    /// <summary>The number that a command line of the user's prints for a model, whose quoted path stands for <c>{model}</c>.</summary>
    public abstract double Score(string command, Checkpoint model);

    /// <summary>Writes what a rule made to the output port.</summary>
    public abstract void Emit(string port, Checkpoint made);

    /// <summary>Shows a table beside the output.</summary>
    public abstract void Show(Table table);

    /// <summary>Gives a table to an output port.</summary>
    public abstract void Emit(string port, Table table);

    /// <summary>Gives arrays to an output port.</summary>
    public abstract void Emit(string port, Arrays arrays);

    /// <summary>Writes arrays as a checkpoint of float32 tensors to an output port; its model_type is <c>budwood_arrays</c>, so that nobody takes it for a network.</summary>
    public abstract void EmitCheckpoint(string port, Arrays weights);

    /// <summary>A random stream of this run: the same for the same seed, method and name, whatever else was drawn.</summary>
    public abstract RandomStream Random(string name);

    /// <summary>Runs a body for 0 .. count - 1 on the threads of the run; each writes to its own place, so that the result does not depend on them.</summary>
    public abstract void ForEach(int count, Action<int> body);

    /// <summary>Signalled when the user stops the run.</summary>
    public abstract CancellationToken Stop { get; }
}
