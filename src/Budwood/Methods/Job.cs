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
