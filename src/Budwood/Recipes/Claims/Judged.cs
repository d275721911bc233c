namespace Budwood.Recipes.Claims;

/// <summary>A measured value: one number for every seed, and the one that is judged.</summary>
/// <param name="Value">The seeds' values made one.</param>
/// <param name="Spread">Standard deviation over seeds; null for one seed.</param>
public sealed record Measured(double Value, double? Spread, IReadOnlyList<double> BySeed);

/// <summary>A claim with its verdict and all that the verdict rests on.</summary>
public sealed record Judged
{
    public required Claim Claim { get; init; }
    public required Verdict Verdict { get; init; }

    /// <summary>Null where the claim is not testable here.</summary>
    public Measured? Measured { get; init; }

    /// <summary>Value in the null world, for toys.</summary>
    public Measured? InNullWorld { get; init; }

    /// <summary>Of the swept grid: in how many points it holds, and how many there are.</summary>
    public (int Holds, int Points)? Grid { get; init; }

    /// <summary>Other arms.</summary>
    public IReadOnlyList<(string Label, Measured Measured)> Beside { get; init; } = [];

    /// <summary>Why the verdict is not what the thresholds alone say.</summary>
    public string? Note { get; init; }
}

/// <summary>The word over a whole paper.</summary>
public enum PaperWord
{
    /// <summary>A theorem or a claim on real weights holds, and nothing is refuted.</summary>
    Holds,
    /// <summary>Only claims in built worlds hold.</summary>
    ShownInABuiltWorld,
    /// <summary>A claim of the paper is refuted.</summary>
    Refuted,
    /// <summary>A claim says nothing: it also holds without the mechanism.</summary>
    Void,
    /// <summary>Nothing is decided.</summary>
    Inconclusive,
    /// <summary>Only claims about our own code were judged.</summary>
    NoClaimOfThePaper,
    /// <summary>The profile judges nothing.</summary>
    NotJudged,
}

/// <summary>Verdicts from measured values, by the rules for claims that mean something.</summary>
public static class Judge
{
    /// <summary>Share of a swept grid in which a claim has to hold.</summary>
    public const double GridShare = 0.8;

    /// <summary>What the thresholds say of a value.</summary>
    public static Verdict Of(Claim claim, double value) => claim.Holds.Contains(value) ? Verdict.Holds : claim.Refuted.Contains(value) ? Verdict.Refuted : Verdict.Inconclusive;

    /// <summary>The verdict of a claim from its value, its null world's, and the grid's.</summary>
    public static (Verdict Verdict, string? Note) Of(Claim claim, Measured measured, Measured? nullWorld, (int Holds, int Points)? grid)
    {
        Verdict verdict = Of(claim, measured.Value);
        if (nullWorld is not null && Of(claim, nullWorld.Value) is var there && there != Verdict.Refuted)
        {
            if (there == Verdict.Holds) return (Verdict.Void, $"it also holds in the null world '{claim.NullWorld}'");
            if (verdict == Verdict.Holds) return (Verdict.Inconclusive, $"the null world '{claim.NullWorld}' does not refute it");
        }
        if (verdict == Verdict.Holds && grid is { } g && g.Holds < GridShare * g.Points) return (Verdict.Inconclusive, $"it holds in {g.Holds} of {g.Points} points of the grid, fewer than {GridShare:0%}");
        return (verdict, null);
    }

    /// <summary>The word over a paper; claims about our own code have no say in it.</summary>
    public static PaperWord Word(IReadOnlyList<Judged> claims)
    {
        Judged[] own = [.. claims.Where(c => c.Claim.Kind != ClaimKind.Implementation && c.Verdict != Verdict.NotTestable)];
        if (own.Length == 0) return PaperWord.NoClaimOfThePaper;
        if (own.Any(c => c.Verdict == Verdict.NotJudged)) return PaperWord.NotJudged;
        if (own.Any(c => c.Verdict == Verdict.Refuted)) return PaperWord.Refuted;
        if (own.Any(c => c.Verdict == Verdict.Void)) return PaperWord.Void;
        if (own.Any(c => c.Verdict == Verdict.Holds && c.Claim.Kind is ClaimKind.Theorem or ClaimKind.Real)) return PaperWord.Holds;
        return own.Any(c => c.Verdict == Verdict.Holds) ? PaperWord.ShownInABuiltWorld : PaperWord.Inconclusive;
    }

    /// <summary>A word as people read it.</summary>
    public static string Text(PaperWord word) => word switch
    {
        PaperWord.ShownInABuiltWorld => "shown in a built world",
        PaperWord.NoClaimOfThePaper => "no claim of the paper judged",
        PaperWord.NotJudged => "not judged",
        _ => word.ToString().ToLowerInvariant(),
    };

    /// <summary>A verdict as people read it.</summary>
    public static string Text(Verdict verdict) => verdict switch
    {
        Verdict.NotTestable => "not testable here",
        Verdict.NotJudged => "not judged",
        _ => verdict.ToString().ToLowerInvariant(),
    };
}
