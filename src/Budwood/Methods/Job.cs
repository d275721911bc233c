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

    /// <summary>Gives a table to the output port.</summary>
    public abstract void Emit(string port, Table table);

    /// <summary>Signalled when the user stops the run.</summary>
    public abstract CancellationToken Stop { get; }
}
