using System.Globalization;

namespace Budwood.Checkpoints.Audit;

/// <summary>Counts and shares as people say them.</summary>
internal static class Counts
{
    /// <summary>Three digits and a unit: 260 k, 22.7 M, 1.10 B.</summary>
    public static string Short(long n) => n switch
    {
        < 1000 => n.ToString(CultureInfo.InvariantCulture),
        < 999_500 => Digits(n / 1e3) + " k",
        < 999_500_000 => Digits(n / 1e6) + " M",
        < 999_500_000_000 => Digits(n / 1e9) + " B",
        _ => Digits(n / 1e12) + " T",
    };

    public static string Of(long n, string one, string? many = null) =>
        $"{n.ToString("#,0", CultureInfo.InvariantCulture)} {(n == 1 ? one : many ?? one + "s")}";

    public static string NotFinite(long nan, long infinite) => $"{Of(nan, "NaN", "NaN")} and {Of(infinite, "infinity", "infinities")}";

    /// <summary>A share in percent, never 100 or 0 unless it is all or nothing.</summary>
    public static string Share(long part, long whole)
    {
        if (whole == 0) return "0 %";
        double percent = 100d * part / whole;
        return part == whole ? "100 %" : percent > 99.9 ? "over 99.9 %" : percent < 0.1 ? "under 0.1 %"
            : percent.ToString("0.0", CultureInfo.InvariantCulture) + " %";
    }

    /// <summary>The first names and how many more there are.</summary>
    public static string Some(IReadOnlyList<string> names, int show = 6) =>
        string.Join(", ", names.Take(show)) + (names.Count > show ? $" and {names.Count - show} more" : "");

    private static string Digits(double v) => v.ToString(v >= 99.95 ? "F0" : v >= 9.995 ? "F1" : "F2", CultureInfo.InvariantCulture);
}
