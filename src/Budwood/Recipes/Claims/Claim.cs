namespace Budwood.Recipes.Claims;

/// <summary>What a claim rests on: mathematics checked exactly, our own code, a built world, or published weights and data.</summary>
public enum ClaimKind { Theorem, Implementation, Toy, Real }

/// <summary>What became of a claim.</summary>
public enum Verdict
{
    /// <summary>The measured value lies where the claim says.</summary>
    Holds,
    /// <summary>The measured value lies where the claim would be wrong.</summary>
    Refuted,
    /// <summary>Between the two thresholds, or too small a share of the swept grid, or not refuted in the null world.</summary>
    Inconclusive,
    /// <summary>What it needs is not at hand.</summary>
    NotTestable,
    /// <summary>It also holds in a world from which the mechanism was removed, so that it says nothing.</summary>
    Void,
    /// <summary>The profile shows that the steps run and judges nothing.</summary>
    NotJudged,
}

/// <summary>A sentence of the paper with the place where it stands.</summary>
/// <param name="Figure">The paper's own number for it, as text; null when it gives none.</param>
public sealed record PaperSaying(string Text, string Where, string? Figure);

/// <summary>A claim of a recipe: an expression over step tables, and where its value must lie for the claim to hold and to be refuted.</summary>
public sealed record Claim
{
    public required string Id { get; init; }
    public required ClaimKind Kind { get; init; }

    /// <summary>What the paper says; null for claims about our own code.</summary>
    public PaperSaying? Paper { get; init; }

    /// <summary>One sentence of what is measured; by default the expression.</summary>
    public string? Says { get; init; }

    /// <summary>The measured quantity; null when it cannot be tested here.</summary>
    public Expression? Value { get; init; }

    /// <summary>How the values of the seeds become one: mean, min, max, median, ci_low, ci_high, or pooled (evaluated once over the rows of all seeds).</summary>
    public string Over { get; init; } = "mean";

    public required Condition Holds { get; init; }
    public required Condition Refuted { get; init; }

    /// <summary>Why the thresholds are where they are.</summary>
    public string? Why { get; init; }

    /// <summary>Why it cannot be tested here; then there is no value.</summary>
    public string? NotTestable { get; init; }

    /// <summary>The null world in which it must come out refuted; toys only.</summary>
    public string? NullWorld { get; init; }

    /// <summary>The value has no randomness in it, so that one run suffices.</summary>
    public bool Exact { get; init; }

    /// <summary>Other arms, shown beside the verdict and without weight in it.</summary>
    public IReadOnlyList<(string Label, Expression Value)> Beside { get; init; } = [];

    /// <summary>The node that it was read from, for messages.</summary>
    public required YamlNode Node { get; init; }
}
