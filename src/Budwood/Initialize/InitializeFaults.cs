namespace Budwood.Initialize;

/// <summary>What initialising methods refuse, with stable codes.</summary>
internal static class InitializeFaults
{
    public static Fault OddStates(int states) =>
        new("BW1801", ExitCode.Usage, "states come in conjugate pairs", null, $"'states' is {states}", $"Give {states - 1} or {states + 1}.");

    public static Fault NoSteps(double smallest, double largest) =>
        new("BW1802", ExitCode.Usage, "the largest step is below the smallest", null, FormattableString.Invariant($"'step_minimum' is {smallest:R}, 'step_maximum' is {largest:R}"), "Exchange them.");
}
