using System.Text;

namespace Budwood.Recipes.Reports.Plots;

/// <summary>Draws a chart: axes with round numbers, series with markers and error bars, a legend.</summary>
internal sealed class ChartDrawing
{
    private const double Width = 500, PlotHeight = 240, Top = 34, Right = 14;

    /// <summary>Points of a line up to which each has an error bar; more of them get a band.</summary>
    private const int MostBars = 12;

    private readonly Chart _chart;
    private readonly Svg _svg;
    private readonly Scale _x, _y;
    private readonly Ticks _yTicks;
    private readonly double _left;

    private ChartDrawing(Chart chart)
    {
        _chart = chart;
        _svg = new Svg(Width, $"{chart.Title}: {chart.Y} against {chart.X}{(chart.By is null ? "" : $", by {chart.By}")}", "chart");
        IEnumerable<double> ys = chart.Series.SelectMany(s => s.Points).SelectMany(p => (double[])[p.Y, p.Y - (p.Spread ?? 0), p.Y + (p.Spread ?? 0)]);
        // A bar's length is its value, so bars start at zero; on a logarithm there is no zero.
        (double low, double high) = Scale.Around(chart.Kind == "bar" && !chart.LogY ? ys.Append(0) : ys, chart.LogY);
        if (chart.Kind == "bar" && !chart.LogY)
        {
            if (ys.All(v => v >= 0)) low = 0;
            if (ys.All(v => v <= 0)) high = 0;
        }
        _y = new Scale(low, high, Top + PlotHeight, Top, chart.LogY);
        _yTicks = _y.Ticks(5);
        _left = Math.Min(110, 14 + _yTicks.Labels.Max(l => Svg.WidthOf(l)));
        (double from, double to) = chart.Categories is { } c ? (-0.5, c.Count - 0.5) : Scale.Around(chart.Series.SelectMany(s => s.Points).Select(p => p.X), chart.LogX);
        _x = new Scale(from, to, _left, Width - Right, chart.LogX && chart.Categories is null);
    }

    /// <summary>The chart as SVG.</summary>
    public static string Draw(Chart chart)
    {
        var drawing = new ChartDrawing(chart);
        drawing.Vertical();
        double bottom = drawing.Horizontal();
        drawing._svg.Open();
        for (int i = 0; i < chart.Series.Count; i++) drawing.Draw(i);
        drawing._svg.Close();
        return drawing._svg.End(drawing.Legend(bottom));
    }

    private void Vertical()
    {
        _svg.Text(2, 14, Svg.Cut(_chart.Y + (_chart.LogY ? " (log)" : ""), Width - 20), "name");
        for (int i = 0; i < _yTicks.At.Count; i++)
        {
            double y = _y.Map(_yTicks.At[i]);
            _svg.Line(_left, y, Width - Right, y, _yTicks.At[i] == 0 && !_chart.LogY ? "axis" : "grid").Text(_left - 7, y + 4, _yTicks.Labels[i], "tick", Anchor.End);
        }
    }

    // Returns where the legend may begin.
    private double Horizontal()
    {
        double floor = Top + PlotHeight, below = floor + 18;
        _svg.Line(_left, floor, Width - Right, floor, "axis");
        if (_chart.Categories is { } names)
        {
            double slot = (Width - Right - _left) / names.Count, widest = names.Max(n => Svg.WidthOf(n));
            bool turned = widest > slot - 6;
            // Names stand slanted where they would run into each other, and every nth alone where even that is too tight.
            int nth = turned ? (int)Math.Ceiling(15 / slot) : 1;
            for (int i = 0; i < names.Count; i += nth)
            {
                double x = _x.Map(i);
                if (turned) _svg.Text(x + 4, floor + 14, Svg.Cut(names[i], 110), "tick", Anchor.End, -35, names[i]);
                else _svg.Text(x, below, names[i], "tick", Anchor.Middle);
            }
            if (turned) below = floor + 16 + (Math.Min(widest, 110) * 0.58);
        }
        else
        {
            // Seeds and layers are whole numbers: half a seed is no mark.
            bool whole = _chart.Series.SelectMany(s => s.Points).All(p => p.X == Math.Floor(p.X));
            Ticks ticks = _x.Ticks(whole && !_x.Log ? (int)Math.Clamp(_x.High - _x.Low, 1, 7) : 7);
            double free = double.NegativeInfinity;
            for (int i = 0; i < ticks.At.Count; i++)
            {
                double x = _x.Map(ticks.At[i]), half = Svg.WidthOf(ticks.Labels[i]) / 2;
                _svg.Line(x, floor, x, floor + 5, "axis");
                if (x - half < free) continue;
                _svg.Text(x, below, ticks.Labels[i], "tick", Anchor.Middle);
                free = x + half + 6;
            }
        }
        _svg.Text((_left + Width - Right) / 2, below + 20, Svg.Cut(_chart.X + (_x.Log ? " (log)" : ""), Width - _left), "name", Anchor.Middle);
        return below + 30;
    }

    private void Draw(int i)
    {
        Series series = _chart.Series[i];
        PlotPoint[] points = [.. series.Points.Where(p => double.IsFinite(p.Y) && double.IsFinite(p.X))];
        _svg.Open($"class=\"{_chart.Kind} {SeriesStyle.Colour(i)}\"");
        switch (_chart.Kind)
        {
            case "bar": Bars(i, points, series.Name); break;
            case "scatter":
                foreach (PlotPoint p in points) Marker(i, _x.Map(p.X), p, series.Name, 3.2);
                break;
            default: Line(i, points, series.Name); break;
        }
        _svg.Close();
    }

    private void Line(int i, PlotPoint[] points, string name)
    {
        if (points.Length == 0) return;
        // Error bars of several series at one x would hide each other: each stands a little aside.
        double aside = points.Length <= MostBars && _chart.Series.Count > 1 ? (i - ((_chart.Series.Count - 1) / 2.0)) * Math.Min(3, 18.0 / _chart.Series.Count) : 0;
        double X(PlotPoint p) => _x.Map(p.X) + aside;
        if (points.Length > MostBars && points.Any(p => p.Spread > 0))
        {
            var band = new StringBuilder();
            foreach (PlotPoint p in points) band.Append(band.Length == 0 ? 'M' : 'L').Append(Place(X(p), p.Y + (p.Spread ?? 0)));
            foreach (PlotPoint p in points.Reverse()) band.Append('L').Append(Place(X(p), p.Y - (p.Spread ?? 0)));
            _svg.Path(band.Append('Z').ToString(), "band");
        }
        _svg.Path("M" + string.Join('L', points.Select(p => Place(X(p), p.Y))), "line", SeriesStyle.Dash(i));
        if (points.Length <= MostBars) foreach (PlotPoint p in points) Whisker(X(p), p);
        // Markers on a long line would be a sausage: about ten of them tell the series.
        int nth = Math.Max(1, points.Length / MostBars);
        for (int k = 0; k < points.Length; k += nth) Marker(i, X(points[k]), points[k], name);
    }

    private void Bars(int i, PlotPoint[] points, string name)
    {
        double slot = _x.Map(1) - _x.Map(0), wide = Math.Min(46, slot * 0.78 / _chart.Series.Count), floor = _y.Map(_chart.LogY ? _y.Low : 0);
        foreach (PlotPoint p in points)
        {
            double x = _x.Map(p.X) + ((i - ((_chart.Series.Count - 1) / 2.0)) * wide), y = _y.Map(p.Y);
            _svg.Rect(x - (wide / 2) + 1, Math.Min(y, floor), wide - 2, Math.Abs(y - floor), "bar", tip: Tip(name, p));
            Whisker(x, p);
            if (wide > 12) Marker(i, x, p, name, Math.Min(4, wide / 5));
        }
    }

    private void Whisker(double x, PlotPoint p)
    {
        if (p.Spread is not > 0) return;
        double top = _y.Map(p.Y + p.Spread.Value), bottom = _y.Map(p.Y - p.Spread.Value);
        _svg.Path($"M{Svg.At(x)} {Svg.At(top)}V{Svg.At(bottom)}M{Svg.At(x - 4)} {Svg.At(top)}h8M{Svg.At(x - 4)} {Svg.At(bottom)}h8", "whisker");
    }

    private void Marker(int i, double x, PlotPoint p, string name, double size = 4) =>
        _svg.Path(SeriesStyle.Marker(i, x, _y.Map(p.Y), size), SeriesStyle.MarkerStyle(i), null, Tip(name, p));

    private string Tip(string name, PlotPoint p)
    {
        string x = _chart.Categories is { } names ? names[(int)p.X] : Ticks.Plain(p.X);
        return $"{(name.Length > 0 ? name + ", " : "")}{x}: {Ticks.Plain(p.Y)}{(p.Spread is { } s ? $" ± {Ticks.Plain(s)}" : "")}{(p.Count > 1 ? $" ({p.Count} rows)" : "")}";
    }

    private string Place(double x, double y) => $"{Svg.At(x)} {Svg.At(_y.Map(y))}";

    // Returns the height of the whole.
    private double Legend(double top)
    {
        if (_chart.By is null) return top;
        double x = 8, y = top + 12;
        _svg.Text(x, y, Svg.Cut(_chart.By, 120), "name");
        x += Math.Min(120, Svg.WidthOf(_chart.By)) + 14;
        for (int i = 0; i < _chart.Series.Count; i++)
        {
            string name = Svg.Cut(_chart.Series[i].Name, 200);
            double wide = 34 + Svg.WidthOf(name);
            if (x + wide > Width - 4 && x > 8) (x, y) = (8, y + 20);
            _svg.Open($"class=\"{SeriesStyle.Colour(i)}\"");
            if (_chart.Kind == "line") _svg.Line(x, y - 4, x + 24, y - 4, "line", SeriesStyle.Dash(i));
            if (_chart.Kind == "bar") _svg.Rect(x + 4, y - 11, 15, 14, "bar");
            _svg.Path(SeriesStyle.Marker(i, x + 12, y - 4, 3.6), SeriesStyle.MarkerStyle(i)).Close().Text(x + 30, y, name, "tick");
            x += wide + 14;
        }
        return y + 10;
    }
}
