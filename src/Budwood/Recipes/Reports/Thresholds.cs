using Budwood.Recipes.Claims;

namespace Budwood.Recipes.Reports;

/// <summary>Conditions of claims in the signs that readers know.</summary>
internal static class Thresholds
{
    /// <summary>The condition in a few signs: <c>≥ 0.5</c>, <c>in [0, 1]</c>, <c>&lt; 0 or &gt; 1</c>.</summary>
    public static string Words(Condition condition) => string.Join(" or ", condition.Intervals.Select(i => (double.IsNegativeInfinity(i.Low), double.IsPositiveInfinity(i.High)) switch
    {
        (true, true) => "any value",
        (false, true) => $"{(i.LowOpen ? ">" : "≥")} {Exact(i.Low)}",
        (true, false) => $"{(i.HighOpen ? "<" : "≤")} {Exact(i.High)}",
        _ when i.Low == i.High => $"= {Exact(i.Low)}",
        _ => $"in {(i.LowOpen ? '(' : '[')}{Exact(i.Low)}, {Exact(i.High)}{(i.HighOpen ? ')' : ']')}",
    }));

    /// <summary>The same in plain characters, for terminals and pipes.</summary>
    public static string Plain(Condition condition) => Words(condition).Replace("≥", ">=", StringComparison.Ordinal).Replace("≤", "<=", StringComparison.Ordinal).Replace('−', '-');

    // A threshold is what was written, to the last digit.
    private static string Exact(double v) => Table.Exact(v).Replace('-', '−');
}
