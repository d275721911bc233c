using Budwood.Numbers;

namespace Budwood.Simulate;

/// <summary>What simulation methods refuse, with stable codes.</summary>
internal static class SimulateFaults
{
    public static Fault ShapesDisagree(string label, string first, Shape a, string second, Shape b, string expected) =>
        new("BW3901", ExitCode.Input, $"arrays '{first}' and '{second}' do not fit together", label, $"found {a} and {b}, expected {expected}", "Cut or reshape one of them.");

    public static Fault NoTerm(string table, int row, string text) =>
        new("BW3902", ExitCode.Input, "this is no term of an equation in u and its derivatives", $"{table}, row {row}", $"found '{text}'",
            "Write a power of u, a derivative, or their product: 'u^2', 'u_xx', 'u^2u_x'.");

    public static Fault NotSolvable(string label, string why) =>
        new("BW3903", ExitCode.Input, $"the regression has no solution: {why}", label, null, "Leave the column out, or give more data.");

    public static Fault Diverged(string label, long step, double length) =>
        new("BW3904", ExitCode.Input, "the solution left the range of numbers", label, $"at step {step} of length {length:R}", "Take a smaller step, or more points, or look for a sign in the terms.");

    public static Fault TooFewMembers(string label, long members) =>
        new("BW3905", ExitCode.Input, "an ensemble needs two members or more", label, $"found {members}", "Give more members along the axis before the last.");
}
