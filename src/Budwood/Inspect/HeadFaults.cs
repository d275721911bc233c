namespace Budwood.Inspect;

/// <summary>What the methods on heads and hidden Markov models refuse, with stable codes.</summary>
internal static class HeadFaults
{
    public static Fault TooFewExamples(string label, long examples, int labels) =>
        new("BW3701", ExitCode.Input, "there are not enough examples to fit on some and score on others", label, $"found {examples}, expected more than {labels} labels", "Lower 'labels', or give more examples.");

    public static Fault TooWide(string label, long width, long found) =>
        new("BW3702", ExitCode.Input, "a width exceeds the representation", label, $"found {width}, the features have {found}", "Leave it out of 'widths'.");

    public static Fault RowsDisagree(string label, string first, long a, string second, long b) =>
        new("BW3703", ExitCode.Input, $"arrays '{first}' and '{second}' do not have the same examples", label, $"found {a} and {b} rows", "Give one row an example in both.");

    public static Fault NoFeatures(string label) =>
        new("BW3704", ExitCode.Input, "there are no features", label, "expected an array 'features', or several 'features.WIDTH'", "Name the array so.");

    public static Fault NotShares(string label, string array, long row, double sum) =>
        new("BW3705", ExitCode.Input, $"a row of '{array}' does not sum to 1", label, FormattableString.Invariant($"row {row + 1} sums to {sum:R}"), "Normalise it.");

    public static Fault NoSymbol(string label, double found, int symbols) =>
        new("BW3706", ExitCode.Input, "a symbol lies outside the vocabulary", label, FormattableString.Invariant($"found {found:R}, expected whole numbers from 0 to {symbols - 1}"), "Renumber the symbols, or raise 'symbols'.");

    public static Fault NotDefined(string label, string why) =>
        new("BW3707", ExitCode.Input, $"the result is not defined: {why}", label, null, "Mend the tables.");
}
