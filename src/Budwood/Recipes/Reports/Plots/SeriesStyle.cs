namespace Budwood.Recipes.Reports.Plots;

/// <summary>How series are told apart: a colour, a marker and a dash pattern each, so that none of the three is needed.</summary>
internal static class SeriesStyle
{
    /// <summary>How many colours there are; markers and dashes are seven each, so that pairs repeat only after 56 series.</summary>
    public const int Colours = 8;

    private static readonly string?[] s_dashes = [null, "7 3", "2 3", "9 3 2 3", "12 4", "4 2", "9 3 2 3 2 3"];

    public static string Colour(int series) => $"s{series % Colours}";

    public static string? Dash(int series) => s_dashes[series % s_dashes.Length];

    /// <summary>Path of the marker of a series around a place.</summary>
    public static string Marker(int series, double x, double y, double r = 4)
    {
        string P(double dx, double dy) => $"{Svg.At(x + (dx * r))} {Svg.At(y + (dy * r))}";
        return (series % 7) switch
        {
            0 => Circle(x, y, r),
            1 => $"M{P(-0.9, -0.9)}H{Svg.At(x + (0.9 * r))}V{Svg.At(y + (0.9 * r))}H{Svg.At(x - (0.9 * r))}Z",
            2 => $"M{P(0, -1.2)}L{P(1.1, 0.8)}L{P(-1.1, 0.8)}Z",
            3 => $"M{P(0, -1.3)}L{P(1.3, 0)}L{P(0, 1.3)}L{P(-1.3, 0)}Z",
            4 => $"M{P(0, 1.2)}L{P(1.1, -0.8)}L{P(-1.1, -0.8)}Z",
            5 => $"M{P(-1, -1)}L{P(1, 1)}M{P(-1, 1)}L{P(1, -1)}",
            _ => $"M{P(0, -1.2)}V{Svg.At(y + (1.2 * r))}M{P(-1.2, 0)}H{Svg.At(x + (1.2 * r))}",
        };
    }

    /// <summary>A circle as a path.</summary>
    public static string Circle(double x, double y, double r) =>
        $"M{Svg.At(x - r)} {Svg.At(y)}a{Svg.At(r)} {Svg.At(r)} 0 1 0 {Svg.At(2 * r)} 0a{Svg.At(r)} {Svg.At(r)} 0 1 0 {Svg.At(-2 * r)} 0Z";

    /// <summary>Class of a marker: those that are strokes only, and those that have an inside.</summary>
    public static string MarkerStyle(int series) => $"{Colour(series)} {(series % 7 >= 5 ? "stroked" : "marker")}";
}
