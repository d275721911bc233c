using Budwood.Files;

namespace Budwood.Checkpoints.Audit;

/// <summary>How much a finding matters.</summary>
public enum Severity
{
    /// <summary>A loader would fail, or compute something else than the model's makers meant.</summary>
    Error,
    /// <summary>It works, and may surprise.</summary>
    Warning,
    /// <summary>Good to know.</summary>
    Note,
}

/// <summary>One thing that a check found: what, where, found against expected, and the next step.</summary>
public sealed record Finding(Severity Severity, string Code, string What, string? Where = null, string? Found = null, string? Next = null)
{
    internal static IEnumerable<Finding> Of(Fault fault) => fault.All.Count == 0
        ? [new(Severity.Error, fault.Code, fault.What, fault.Where, fault.Found, fault.Next)] : fault.All.SelectMany(Of);

    internal static Finding Of(Misfit misfit) =>
        new(misfit.IsError ? Severity.Error : Severity.Warning, misfit.Code, misfit.What, misfit.Where, misfit.Found, misfit.Next);

    /// <summary>One line, as errors read.</summary>
    public override string ToString() =>
        $"{Severity.ToString().ToLowerInvariant()}: {(Where is null ? "" : $"{Where}: ")}{What}{(Found is null ? "" : $": {Found}")}."
        + $"{(Next is null ? "" : " " + Next)} [{Code}]";
}

/// <summary>Everything that a check of one folder found, errors first.</summary>
/// <param name="Digest">Of the weights, under the names that the family uses; null when they could not be read or were not asked for.</param>
public sealed record CheckReport(string Folder, IReadOnlyList<Finding> Findings, Digest? Digest)
{
    /// <summary>Nothing is wrong; warnings and notes do not count.</summary>
    public bool Passed => Errors == 0;

    public int Errors => Findings.Count(f => f.Severity == Severity.Error);

    public int Warnings => Findings.Count(f => f.Severity == Severity.Warning);

    /// <summary>One row a finding.</summary>
    public Table Table()
    {
        var table = new Table("findings", new Column("severity"), new Column("code"), new Column("what"), new Column("where"), new Column("found"),
            new Column("next"));
        foreach (Finding f in Findings) table.Add(f.Severity.ToString().ToLowerInvariant(), f.Code, f.What, f.Where, f.Found, f.Next);
        if (Digest is { } digest) table.Notes.Add($"weights: {digest}");
        return table;
    }
}
