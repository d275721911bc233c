using System.Globalization;
using Budwood.Recipes.Claims;
using Budwood.Recipes.Reports.Plots;

namespace Budwood.Recipes.Reports;

/// <summary>The picture of a claim: where it would hold and where it would be refuted, and on the same line what was measured, the seeds, the null world, the paper's figure and the arms beside.</summary>
internal sealed class NumberLine
{
    private const double Width = 460, Left = 104, Right = 448, Head = 24, Lane = 24;

    private readonly Judged _judged;
    private readonly Measured _measured;
    private readonly double? _paper;
    private readonly Scale _x;
    private readonly Svg _svg;

    private NumberLine(Judged judged, Measured measured)
    {
        (_judged, _measured) = (judged, measured);
        // A figure that is no plain number (a range, a percentage, words) has no place on the line.
        _paper = double.TryParse(judged.Claim.Paper?.Figure, NumberStyles.Float, CultureInfo.InvariantCulture, out double figure) && double.IsFinite(figure) ? figure : null;
        double[] all = [.. Of(measured), .. judged.InNullWorld is { } n ? Of(n) : [], .. judged.Beside.SelectMany(b => Of(b.Measured)), .. _paper is { } p ? [p] : (double[])[],
            .. new[] { judged.Claim.Holds, judged.Claim.Refuted }.SelectMany(c => c.Intervals).SelectMany(i => (double[])[i.Low, i.High])];
        (double low, double high) = Scale.Around(all, air: 0.12);
        _x = new Scale(low, high, Left, Right);
        _svg = new Svg(Width, Says(), "line");
    }

    /// <summary>The picture as SVG.</summary>
    public static string Draw(Judged judged, Measured measured) => new NumberLine(judged, measured).Draw();

    private static IEnumerable<double> Of(Measured m) => [m.Value, .. m.BySeed, m.Value - (m.Spread ?? 0), m.Value + (m.Spread ?? 0)];

    private string Says() => $"measured {RecipeReport.Value(_measured)}; holds where {Thresholds.Words(_judged.Claim.Holds)}, refuted where {Thresholds.Words(_judged.Claim.Refuted)}"
        + (_judged.InNullWorld is { } n ? $"; null world {RecipeReport.Value(n)}" : "");

    private string Draw()
    {
        bool seeds = _measured.BySeed.Count > 1;
        int lanes = 1 + (seeds ? 1 : 0) + (_judged.InNullWorld is null ? 0 : 1) + (_paper is null ? 0 : 1) + _judged.Beside.Count;
        double floor = Head + (lanes * Lane) + 6;
        Bands(floor);
        double y = Head + 15;
        void Next(string label, Action<double> marks, string? tip = null)
        {
            _svg.Text(0, y + 4, Svg.Cut(label, Left - 12), "name", tip: tip ?? label);
            marks(y);
            y += Lane;
        }
        Next("measured", at => Mean(at, _measured, "measured", 6, 3));
        if (seeds) Next($"{_measured.BySeed.Count} seeds", at => Dots(at, _measured));
        if (_judged.InNullWorld is { } without)
        {
            Next("null world", at =>
            {
                Dots(at, without);
                Mean(at, without, "null", 5.5, 4);
            }, $"null world {_judged.Claim.NullWorld}");
        }
        if (_paper is { } paper) Next("paper", at => _svg.Path(SeriesStyle.Marker(1, _x.Map(paper), at, 4.5), "mark paper", null, $"paper: {Ticks.Plain(paper)}"));
        foreach ((string label, Measured beside) in _judged.Beside) Next(label, at => Mean(at, beside, "beside", 4, 0), $"beside: {label}");
        Ticks ticks = _x.Ticks(5);
        _svg.Line(Left, floor, Right, floor, "axis");
        for (int i = 0; i < ticks.At.Count; i++)
        {
            double x = _x.Map(ticks.At[i]);
            _svg.Line(x, floor, x, floor + 4, "axis").Text(x, floor + 17, ticks.Labels[i], "tick", Anchor.Middle);
        }
        return _svg.End(floor + 24);
    }

    private void Bands(double floor)
    {
        Condition[] conditions = [_judged.Claim.Refuted, _judged.Claim.Holds];
        string[] styles = ["refuted", "holds"];
        foreach ((Condition condition, string style) in conditions.Zip(styles))
        {
            foreach ((double low, _, double high, _) in condition.Intervals)
            {
                double from = _x.Map(low), to = _x.Map(high);
                _svg.Rect(from, Head, Math.Max(to - from, 2), floor - Head, $"zone {style}", tip: $"{style} {Thresholds.Words(condition)}");
                foreach (double end in (double[])[low, high])
                    if (double.IsFinite(end)) _svg.Line(_x.Map(end), Head - 4, _x.Map(end), floor, $"threshold {style}", style == "holds" ? null : "4 3");
            }
        }
        // The words stand at the outer ends of their zones; with the numbers where there is room, which stand below the picture in any case.
        foreach (bool full in (bool[])[true, false])
        {
            (string Text, Anchor Anchor, double X)[] names = [.. conditions.Zip(styles, (c, w) => Name(c, full ? $"{w} {Thresholds.Words(c)}" : w))];
            (double From, double To)[] spans = [.. names.Select(n => (n.X - (n.Anchor switch { Anchor.Start => 0, Anchor.Middle => 0.5, _ => 1 } * Svg.WidthOf(n.Text, 13)), n.X + (n.Anchor switch { Anchor.Start => 1, Anchor.Middle => 0.5, _ => 0 } * Svg.WidthOf(n.Text, 13))))];
            if (full && spans[0].From - 8 < spans[1].To && spans[1].From - 8 < spans[0].To) continue;
            for (int i = 0; i < names.Length; i++) _svg.Text(names[i].X, 13, names[i].Text, $"zone-name {styles[i]}", names[i].Anchor);
            return;
        }
    }

    private (string Text, Anchor Anchor, double X) Name(Condition condition, string text)
    {
        (double low, _, double high, _) = condition.Intervals[0];
        if (double.IsInfinity(low)) return (text, Anchor.Start, Left);
        if (double.IsInfinity(high)) return (text, Anchor.End, Right);
        double half = Svg.WidthOf(text, 13) / 2;
        return (text, Anchor.Middle, Math.Clamp((_x.Map(low) + _x.Map(high)) / 2, Left + half, Math.Max(Left + half, Right - half)));
    }

    private void Mean(double y, Measured m, string style, double size, int marker)
    {
        if (m.Spread is > 0 and var s)
        {
            double from = _x.Map(m.Value - s), to = _x.Map(m.Value + s);
            _svg.Path($"M{Svg.At(from)} {Svg.At(y)}H{Svg.At(to)}M{Svg.At(from)} {Svg.At(y - 4)}v8M{Svg.At(to)} {Svg.At(y - 4)}v8", $"spread {style}");
        }
        _svg.Path(SeriesStyle.Marker(marker, _x.Map(m.Value), y, size), $"mark {style}", null, Ticks.Pretty(RecipeReport.Value(m)));
    }

    private void Dots(double y, Measured m)
    {
        for (int i = 0; i < m.BySeed.Count; i++) _svg.Path(SeriesStyle.Circle(_x.Map(m.BySeed[i]), y, 3.4), "mark seed", null, $"run {i + 1}: {Ticks.Plain(m.BySeed[i])}");
    }
}
