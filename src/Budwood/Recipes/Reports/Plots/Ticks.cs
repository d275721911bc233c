using System.Globalization;
using System.Text.RegularExpressions;

namespace Budwood.Recipes.Reports.Plots;

/// <summary>Where an axis has its marks, and what stands at them.</summary>
/// <param name="At">Positions, rising.</param>
/// <param name="Labels">One a position.</param>
internal sealed partial record Ticks(IReadOnlyList<double> At, IReadOnlyList<string> Labels)
{
    private const string Superscripts = "⁰¹²³⁴⁵⁶⁷⁸⁹";

    /// <summary>Round numbers within a range: steps of 1, 2 or 5 times a power of ten, about as many as asked for.</summary>
    public static Ticks Linear(double low, double high, int about = 5)
    {
        double rough = (high - low) / Math.Max(1, about);
        if (!(rough > 0) || !double.IsFinite(rough)) return new Ticks([low], [Plain(low)]);
        int power = (int)Math.Floor(Math.Log10(rough));
        double unit = Math.Pow(10, power), share = rough / unit;
        // The factor is kept whole, so that 3 * 0.1 is 0.3 and not its neighbour.
        int factor = share <= 1.0000001 ? 1 : share <= 2.0000001 ? 2 : share <= 5.0000001 ? 5 : 10;
        double Value(long i) => power >= 0 ? i * factor * unit : i * factor / Math.Pow(10, -power);
        double step = Value(1);
        // A range far from zero and narrower than the numbers there are apart has no round numbers to show.
        if (Math.Max(Math.Abs(low), Math.Abs(high)) / step > 1e12) return new Ticks([low, high], [Table.Exact(low), Table.Exact(high)]);
        long first = (long)Math.Ceiling((low / step) - 1e-9), last = (long)Math.Floor((high / step) + 1e-9);
        double[] at = [.. Enumerable.Range(0, (int)(last - first + 1)).Select(i => Value(first + i))];
        // Few wide steps may miss a range whole.
        return at.Length == 0 ? Linear(low, high, 2 * Math.Max(1, about)) : new Ticks(at, Alike(at, factor == 10 ? power + 1 : power));
    }

    /// <summary>Powers of ten within a range, with their doubles and fives where there are few.</summary>
    public static Ticks Logarithmic(double low, double high, int about = 6)
    {
        int from = (int)Math.Floor(Math.Log10(low)), to = (int)Math.Ceiling(Math.Log10(high));
        double decades = Math.Log10(high / low);
        int[] factors = decades <= 1.2 ? [1, 2, 3, 5, 7] : decades <= 2.5 ? [1, 2, 5] : [1];
        int skip = Math.Max(1, (int)Math.Ceiling(decades / Math.Max(2, about)));
        var at = new List<double>();
        for (int p = from; p <= to; p++)
        {
            if (p % skip != 0) continue;
            foreach (int f in factors)
                if ((p >= 0 ? f * Math.Pow(10, p) : f / Math.Pow(10, -p)) is var v && v >= low * 0.999999 && v <= high * 1.000001) at.Add(v);
        }
        return at.Count < 2 ? Linear(low, high, about) : new Ticks(at, [.. at.Select(v => factors.Length == 1 ? Power(v) : Plain(v))]);
    }

    // All with the same number of decimals, or all with a power of ten.
    private static string[] Alike(double[] at, int power)
    {
        double most = at.Length == 0 ? 0 : at.Max(Math.Abs);
        if (most >= 1e6 || (most < 1e-3 && most > 0))
        {
            int top = (int)Math.Floor(Math.Log10(most) + 1e-9), decimals = Math.Max(0, top - power);
            return [.. at.Select(v => v == 0 ? "0" : Exponent((v / Math.Pow(10, top)).ToString("F" + decimals, CultureInfo.InvariantCulture), top))];
        }
        string format = "F" + Math.Max(0, -power).ToString(CultureInfo.InvariantCulture);
        return [.. at.Select(v => Signed(v.ToString(format, CultureInfo.InvariantCulture)))];
    }

    private static string Exponent(string digits, int power) => $"{Signed(digits)}·10{Raised(power)}";

    private static string Power(double v)
    {
        int power = (int)Math.Round(Math.Log10(v));
        return power is >= -2 and <= 4 ? Plain(v) : "10" + Raised(power);
    }

    private static string Raised(int power) => string.Concat(power.ToString(CultureInfo.InvariantCulture).Select(c => c == '-' ? '⁻' : Superscripts[c - '0']));

    /// <summary>A number as the report prints it: four digits that count, and a true minus.</summary>
    public static string Plain(double v) => Pretty(RecipeReport.Number(v));

    /// <summary>A text of one number, or of several: powers of ten raised, minus signs true.</summary>
    public static string Pretty(string text) => Signed(PowerOfTen().Replace(text, m => $"·10{Raised(int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture))}"));

    [GeneratedRegex("E([-+][0-9]+)")]
    private static partial Regex PowerOfTen();

    private static string Signed(string text) => text.StartsWith('-') ? "−" + text[1..] : text;
}
