using Budwood.Checkpoints;

namespace Budwood.Methods;

/// <summary>A method that is a procedure: probe, editor, extractor, generator, search.</summary>
public abstract class Job : Method
{
    internal Job()
    {
    }

    internal abstract void RunAny(Desk desk, object parameters);
}

/// <summary>A job with its parameters record.</summary>
public abstract class Job<P> : Job where P : class, new()
{
    /// <summary>Does the work, synchronously, on what the desk hands out.</summary>
    protected internal abstract void Run(Desk desk, P p);

    internal sealed override void RunAny(Desk desk, object parameters) => Run(desk, (P)parameters);
}

/// <summary>What a job works on: opened inputs, a place for its output, the stop signal. Jobs see neither files nor threads.</summary>
public abstract class Desk
{
    /// <summary>The checkpoint at an input port.</summary>
    public abstract Checkpoint Checkpoint(string port);

    /// <summary>The checkpoints at an input port that takes several, in the order in which they were given.</summary>
    public abstract IReadOnlyList<Checkpoint> Checkpoints(string port);

    /// <summary>What a rule makes of models: planned, refused if it cannot be run, computed when it is scored or given out.</summary>
    /// <param name="parameters">Values as a command line has them.</param>
    public abstract Checkpoint Call(string rule, IReadOnlyList<Checkpoint> models, params IReadOnlyList<(string Name, string Value)> parameters);

    /// <summary>The number that a command line of the user's prints for a model, whose quoted path stands for <c>{model}</c>.</summary>
    public abstract double Score(string command, Checkpoint model);

    /// <summary>Writes what a rule made to the output port.</summary>
    public abstract void Emit(string port, Checkpoint made);

    /// <summary>Shows a table beside the output.</summary>
    public abstract void Show(Table table);

    /// <summary>Gives a table to the output port.</summary>
    public abstract void Emit(string port, Table table);

    /// <summary>Signalled when the user stops the run.</summary>
    public abstract CancellationToken Stop { get; }
}
