namespace Budwood.Recipes.Reports.Plots;

/// <summary>A point of a series: a value, or the mean of several with their spread.</summary>
/// <param name="Spread">Standard deviation; null for a single value.</param>
/// <param name="Count">How many values it is made of.</param>
internal sealed record PlotPoint(double X, double Y, double? Spread = null, int Count = 1);

/// <summary>Points that belong together.</summary>
internal sealed record Series(string Name, IReadOnlyList<PlotPoint> Points);

/// <summary>What a plot shows: series over a line of numbers, or over named places whose positions are 0, 1, 2 and so on.</summary>
internal sealed record Chart(string Title, string Kind, string X, string Y, IReadOnlyList<Series> Series)
{
    /// <summary>Names of the places; null where x is a number.</summary>
    public IReadOnlyList<string>? Categories { get; init; }

    public bool LogX { get; init; }
    public bool LogY { get; init; }

    /// <summary>Head of the legend; null where there is one series only.</summary>
    public string? By { get; init; }
}
