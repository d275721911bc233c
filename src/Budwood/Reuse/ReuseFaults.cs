namespace Budwood.Reuse;

/// <summary>What the methods on reuse refuse, with stable codes.</summary>
internal static class ReuseFaults
{
    public static Fault NoClaim(string table) =>
        new("BW3951", ExitCode.Usage, "no claimed value is given", table, "neither 'claimed=' nor a column 'claimed'", "Write 'claimed=81.8', or add the column.");

    public static Fault SeveralClaims(string table, string group, double first, double other) =>
        new("BW3952", ExitCode.Input, "one group has several claimed values", table, FormattableString.Invariant($"'{group}' has {first:R} and {other:R}"), "Split them with 'by=COLUMN'.");

    public static Fault BadCount(string table, int row, double found) =>
        new("BW3953", ExitCode.Input, "a count of examples is no whole number from 0 to 10,000,000", table, FormattableString.Invariant($"row {row + 1}: {found:R}"), "Mend the column 'count'.");

    public static Fault NoCandidates() =>
        new("BW3954", ExitCode.Usage, "there is nothing to choose from", null, "no candidate is given", "Name folders: candidates=models/a,models/b.");
}
