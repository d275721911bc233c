namespace Budwood.Evaluate;

/// <summary>What evaluation methods refuse, with stable codes.</summary>
internal static class EvaluateFaults
{
    public static Fault NoLaw(string table, string why) =>
        new("BW3601", ExitCode.Input, $"there is no fit: {why}", table, null, "Give more points, or points inside the region of the law.");

    public static Fault Hole(string table, string question, double size, int found) =>
        new("BW3602", ExitCode.Input, "every question needs one chance at every size", table, FormattableString.Invariant($"question '{question}' has {found} at size {size:R}"),
            found == 0 ? "Leave the question out, or measure it." : "Average the repeats.");

    public static Fault NoRun(string table, int row, double tries, double successes, int wanted) =>
        new("BW3603", ExitCode.Input, "this row is no run of tries until success", $"{table}, row {row}", FormattableString.Invariant($"{successes:R} successes of {wanted} wanted in {tries:R} tries"),
            "Tries count from 1, successes reach at most the wanted number.");

    public static Fault NoTargets() => new("BW3604", ExitCode.Usage, "no target is given", null, "'targets' is empty", "Name error rates: targets=0.1,0.05.");
}
