using System.Globalization;

namespace Budwood;

/// <summary>Byte sizes as people write and read them: 5GB is 5e9, 1GiB is 2^30, a bare number is bytes.</summary>
public static class Sizes
{
    private static readonly (string Unit, double Bytes)[] s_units =
        [("KIB", 1024d), ("MIB", 1048576d), ("GIB", 1073741824d), ("TIB", 1099511627776d), ("KB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12), ("K", 1e3), ("M", 1e6), ("G", 1e9), ("T", 1e12), ("B", 1)];

    public static bool TryParse(string text, out long bytes)
    {
        string t = text.Trim().ToUpperInvariant();
        double scale = 1;
        foreach ((string unit, double size) in s_units)
        {
            if (!t.EndsWith(unit, StringComparison.Ordinal)) continue;
            (t, scale) = (t[..^unit.Length].TrimEnd(), size);
            break;
        }
        bool ok = double.TryParse(t, NumberStyles.Float, CultureInfo.InvariantCulture, out double v) && v >= 0 && v * scale < 9e18;
        bytes = ok ? (long)(v * scale) : 0;
        return ok;
    }

    /// <summary>About three digits and a decimal unit.</summary>
    public static string Show(long bytes) => bytes switch
    {
        < 1000 => $"{bytes} B",
        < 999_500 => Digits(bytes / 1e3) + " kB",
        < 999_500_000 => Digits(bytes / 1e6) + " MB",
        _ => Digits(bytes / 1e9) + " GB",
    };

    private static string Digits(double v) => v.ToString(v >= 99.95 ? "F0" : v >= 9.995 ? "F1" : "F2", CultureInfo.InvariantCulture);
}
