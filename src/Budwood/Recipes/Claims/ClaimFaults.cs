namespace Budwood.Recipes.Claims;

/// <summary>What can be wrong with a claim: before anything runs (exit 2), or once its tables are there (exit 3).</summary>
internal static class ClaimFaults
{
    private static Fault Usage(string code, string what, YamlNode at, string? found = null, string? next = null) => new(code, ExitCode.Usage, what, at.Where, found, next);

    private static Fault Late(string code, string what, YamlNode at, string? found = null, string? next = null) => new(code, ExitCode.Input, what, at.Where, found, next);

    public static Fault NotAFormula(YamlNode at, string why) => Usage("BW1211", "the value is no formula", at, why, "Write an aggregate over a step's column, such as mean(scores.gain).");

    public static Fault NotACondition(YamlNode at, string key) =>
        Usage("BW1212", $"'{key}' is no condition", at, $"found {(at as YamlScalar)?.Text}", "Write '>= 0.01', '< 2', 'in [0.9, 1.1]' or 'outside [0, 1]'.");

    public static Fault ReadsNothing(YamlNode at, string text) => Usage("BW1213", "a claim over nothing: its value reads no column", at, text, "Read a column of a step, such as mean(scores.gain).");

    public static Fault CannotFail(YamlNode at, string holds, double low, double high) =>
        Usage("BW1214", "the claim cannot fail", at, FormattableString.Invariant($"its value always lies between {low:G4} and {high:G4}, and it holds where {holds}"), "Choose a threshold that some outcome would miss, or make it 'kind: implementation' with one that our code could miss.");

    public static Fault Contradicts(YamlNode at, string holds, string refuted) => Usage("BW1215", "'holds' and 'refuted' overlap", at, $"holds {holds}, refuted {refuted}", "No value may be both.");

    public static Fault NoNullWorld(YamlNode at, string id) =>
        Usage("BW1216", $"toy claim '{id}' has no null world", at, null, "Add 'null_worlds: {name: {step.parameter: value}}': the same generator with the mechanism removed.");

    public static Fault TooFewSeeds(YamlNode at, string id, int seeds) =>
        Usage("BW1217", $"claim '{id}' needs three seeds or more", at, $"found {seeds}", "Raise 'seeds', or add 'exact: true' where nothing in its value is random.");

    public static Fault NeedsField(YamlNode at, string id, string kind, string field, string why) => Usage("BW1218", $"{kind} claim '{id}' needs '{field}'", at, null, why);

    public static Fault MissingColumn(YamlNode at, string step, string column, IEnumerable<string> known) =>
        Late("BW3511", $"the table of step '{step}' has no column '{column}'", at, $"it has {string.Join(", ", known)}", Nearest.Hint(column, known));

    public static Fault NothingPasses(YamlNode at, string step, string filters) => Late("BW3512", $"no row of step '{step}' passes the filter", at, filters, "Compare the values with the step's matrix.");

    public static Fault NotANumber(YamlNode at, string step, string column, string cell) => Late("BW3513", $"column '{column}' of step '{step}' holds no number", at, $"found '{cell}'", "Choose a column of numbers.");

    public static Fault OverNothing(YamlNode at, string of) => Late("BW3514", $"'{of}' of no rows", at, null, "The step gave an empty table.");

    public static Fault DividesByZero(YamlNode at) => Late("BW3515", "the claim divides by zero", at, null, "Compare differences, or guard the divisor.");

    public static Fault RowsDoNotPair(YamlNode at, string found) => Late("BW3516", "two columns do not pair row by row", at, found, "Take columns of the same instances, or aggregate each first.");

    public static Fault CannotCompute(YamlNode at, string of, string why) => Late("BW3517", $"'{of}' cannot be computed", at, why);

    public static Fault NotOneNumber(YamlNode at, string text, int rows) => Late("BW3518", "the value of a claim is one number", at, $"'{text}' gives {rows} rows", "Put an aggregate around it, such as mean(...).");
}
