namespace Budwood;

/// <summary>Exit codes of the command line; a <see cref="Fault"/> carries the one that its kind maps to.</summary>
public enum ExitCode
{
    /// <summary>The work is done.</summary>
    Done = 0,
    /// <summary>A defect of Budwood itself.</summary>
    OurFault = 1,
    /// <summary>The command line, a YAML file or an adapter_config.json is wrong by itself, or the output exists.</summary>
    Usage = 2,
    /// <summary>What a checkpoint holds is wrong, or parts do not fit together.</summary>
    Input = 3,
    /// <summary>The work ran, but no weight differs from the base.</summary>
    NothingChanged = 4,
    /// <summary>A claim is refuted or void.</summary>
    Refuted = 5,
    /// <summary>The memory or disk budget does not suffice.</summary>
    Budget = 6,
    /// <summary>Stopped by the user; running the same command again is safe.</summary>
    Interrupted = 130,
}

/// <summary>An error that a person can act on: what is wrong, where, what was found against what was expected, and the next step.</summary>
/// <remarks>Codes are stable: BW1xxx command line and YAML, BW2xxx files, BW3xxx checkpoints and parts that disagree, BW4xxx no effect, BW6xxx budgets, BW9xxx our own.</remarks>
public sealed class Fault : Exception
{
    /// <param name="code">Stable code, such as <c>BW2003</c>.</param>
    /// <param name="exit">Exit code of a command that ends with this fault.</param>
    /// <param name="what">What is wrong, one sentence without a full stop.</param>
    /// <param name="where">File, tensor or YAML line (<c>merge.yml:12</c>); null when the command line itself is meant.</param>
    /// <param name="found">Found against expected; null when <paramref name="what"/> says it all.</param>
    /// <param name="next">The next step, an imperative sentence.</param>
    /// <param name="inner">The exception behind it, if any.</param>
    public Fault(string code, ExitCode exit, string what, string? where = null, string? found = null, string? next = null, Exception? inner = null)
        : base(Compose(code, what, where, found, next), inner)
    {
        Code = code;
        Exit = exit;
        What = what;
        Where = where;
        Found = found;
        Next = next;
    }

    public string Code { get; }
    public ExitCode Exit { get; }
    public string What { get; }
    public string? Where { get; }
    public string? Found { get; }
    public string? Next { get; }

    /// <summary>Several faults of one job, listed together; the first one decides code and exit code.</summary>
    public IReadOnlyList<Fault> All { get; private init; } = [];

    /// <summary>One fault for all misfits found, so that a person mends them in one go.</summary>
    public static Fault Several(IReadOnlyList<Fault> faults)
    {
        ArgumentOutOfRangeException.ThrowIfZero(faults.Count);
        if (faults.Count == 1) return faults[0];
        Fault first = faults[0];
        return new Fault(first.Code, first.Exit, first.What, first.Where, first.Found, first.Next, first.InnerException) { All = faults };
    }

    private static string Compose(string code, string what, string? where, string? found, string? next)
    {
        string text = where is null ? $"{what}" : $"{where}: {what}";
        if (found is not null) text += $": {found}";
        text += ".";
        if (next is not null) text += $" {next}";
        return $"{text} [{code}]";
    }
}
