using System.Globalization;
using System.Text.RegularExpressions;

namespace Budwood.Recipes.Claims;

/// <summary>A set of numbers on the line: one or two intervals, as thresholds of claims say it (<c>&gt;= 0.01</c>, <c>in [0.5, 2]</c>, <c>outside [0, 1]</c>).</summary>
public sealed partial class Condition
{
    private readonly (double Low, bool LowOpen, double High, bool HighOpen)[] _intervals;

    private Condition(string text, params (double, bool, double, bool)[] intervals) => (Text, _intervals) = (text, intervals);

    /// <summary>The condition of a claim that has no value: no number lies in it.</summary>
    public static Condition Nowhere { get; } = new("nowhere");

    /// <summary>As the recipe has it.</summary>
    public string Text { get; }

    /// <summary>The intervals from low to high.</summary>
    internal IReadOnlyList<(double Low, bool LowOpen, double High, bool HighOpen)> Intervals => _intervals;

    [GeneratedRegex(@"^\s*(?<op>>=|<=|>|<|==|!=)\s*(?<v>[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)\s*$")]
    private static partial Regex Comparison();

    [GeneratedRegex(@"^\s*(?<word>in|outside)\s*(?<l>[\[(])\s*(?<a>[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)\s*,\s*(?<b>[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)\s*(?<r>[\])])\s*$")]
    private static partial Regex Range();

    /// <summary>Reads a condition; null when it is none.</summary>
    public static Condition? Parse(string text)
    {
        const double Least = double.NegativeInfinity, Most = double.PositiveInfinity;
        if (Comparison().Match(text) is { Success: true } c && Number(c.Groups["v"].Value) is { } v)
        {
            return c.Groups["op"].Value switch
            {
                ">=" => new(text, (v, false, Most, true)),
                ">" => new(text, (v, true, Most, true)),
                "<=" => new(text, (Least, true, v, false)),
                "<" => new(text, (Least, true, v, true)),
                "==" => new(text, (v, false, v, false)),
                _ => new(text, (Least, true, v, true), (v, true, Most, true)),
            };
        }
        if (Range().Match(text) is { Success: true } r && Number(r.Groups["a"].Value) is { } low && Number(r.Groups["b"].Value) is { } high && low <= high)
        {
            bool lowOpen = r.Groups["l"].Value == "(", highOpen = r.Groups["r"].Value == ")";
            return r.Groups["word"].Value == "in" ? new(text, (low, lowOpen, high, highOpen)) : new(text, (Least, true, low, !lowOpen), (high, !highOpen, Most, true));
        }
        return null;
    }

    private static double? Number(string text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double v) ? v : null;

    /// <summary>Whether a number lies in it.</summary>
    public bool Contains(double v) => _intervals.Any(i => (i.LowOpen ? v > i.Low : v >= i.Low) && (i.HighOpen ? v < i.High : v <= i.High));

    /// <summary>All numbers that do not lie in it.</summary>
    public Condition Complement()
    {
        var gaps = new List<(double, bool, double, bool)>();
        (double at, bool open) = (double.NegativeInfinity, true);
        foreach (var (low, lowOpen, high, highOpen) in _intervals.OrderBy(i => i.Low))
        {
            if (at < low || (at == low && !open && lowOpen)) gaps.Add((at, open, low, !lowOpen));
            (at, open) = (high, !highOpen);
        }
        if (at < double.PositiveInfinity) gaps.Add((at, open, double.PositiveInfinity, true));
        return new Condition($"not ({Text.Trim()})", [.. gaps]);
    }

    /// <summary>Whether some number of a closed range lies in it.</summary>
    public bool Meets(double from, double to) => _intervals.Any(i =>
        (i.Low < to || (i.Low == to && !i.LowOpen)) && (from < i.High || (from == i.High && !i.HighOpen)) && !(from == to && ((i.LowOpen && i.Low == from) || (i.HighOpen && i.High == from))));

    /// <summary>Whether all numbers of a closed range lie in it.</summary>
    public bool Covers(double from, double to) => !Complement().Meets(from, to);

    /// <summary>Whether some number lies in both.</summary>
    public bool Overlaps(Condition other) => _intervals.Any(a => other._intervals.Any(b =>
    {
        double low = Math.Max(a.Low, b.Low), high = Math.Min(a.High, b.High);
        return low < high || (low == high && Contains(low) && other.Contains(low));
    }));

    public override string ToString() => Text;
}
