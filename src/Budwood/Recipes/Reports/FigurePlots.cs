using Budwood.Recipes.Reports.Plots;
using Budwood.Recipes.Steps;

namespace Budwood.Recipes.Reports;

/// <summary>Makes charts of a recipe's figures and the tables of its steps.</summary>
internal static class FigurePlots
{
    /// <summary>Rows of a scatter plot that are drawn; a picture of more is ink.</summary>
    private const int MostPoints = 1500;

    /// <summary>Lines and bars that a reader can still follow.</summary>
    private const int MostSeries = 12;

    /// <summary>The chart of a figure with what has to be said below it; no chart where the table has nothing to draw.</summary>
    public static (Chart? Chart, IReadOnlyList<string> Notes) Of(Figure figure, Table? table)
    {
        var notes = new List<string>();
        if (table is null) return (null, [$"step '{figure.Step}' gave no table"]);
        string[] wanted = [figure.X, figure.Y, .. figure.By is null ? [] : (string[])[figure.By], .. figure.Filters.Select(f => f.Key)];
        if (wanted.FirstOrDefault(c => !table.Has(c)) is { } missing) return (null, [$"the table of step '{figure.Step}' has no column '{missing}'; it has {string.Join(", ", table.Columns.Select(c => c.Name))}"]);
        int x = table.IndexOf(figure.X), y = table.IndexOf(figure.Y);
        int? by = figure.By is null ? null : table.IndexOf(figure.By);
        (int At, string Value)[] filters = [.. figure.Filters.Select(f => (table.IndexOf(f.Key), f.Value))];
        object?[][] rows = [.. table.Rows.Where(r => filters.All(f => StepGraph.Same(f.Value, Table.Exact(r[f.At]))))];
        if (rows.Length == 0) return (null, ["no row passes the filter"]);

        bool logX = figure.Log is "x" or "xy", logY = figure.Log is "y" or "xy";
        object?[][] drawn = [.. rows.Where(r => Table.Number(r[y]) is { } v && double.IsFinite(v) && (!logY || v > 0))];
        string[]? names = figure.Kind == "bar" || !drawn.All(r => Table.Number(r[x]) is { } v && double.IsFinite(v)) ? [.. InOrder(drawn, x)] : null;
        if (names is null && logX) drawn = [.. drawn.Where(r => Table.Number(r[x]) > 0)];
        if (drawn.Length < rows.Length) notes.Add($"{rows.Length - drawn.Length} of {rows.Length} rows have no {(logX || logY ? "positive " : "")}number to draw");
        if (drawn.Length == 0) return (null, notes);

        double X(object?[] row) => names is null ? Table.Number(row[x])!.Value : Array.IndexOf(names, Table.Show(row[x]));
        string[] groups = by is { } b ? [.. InOrder(drawn, b)] : [""];
        if (groups.Length > MostSeries)
        {
            notes.Add($"the first {MostSeries} of {groups.Length} values of {figure.By} are drawn");
            groups = groups[..MostSeries];
        }
        if (figure.Kind == "scatter" && drawn.Length > MostPoints)
        {
            notes.Add($"{MostPoints} of {drawn.Length} points are drawn, evenly chosen in the order of the rows");
            drawn = [.. Enumerable.Range(0, MostPoints).Select(i => drawn[(int)((long)i * drawn.Length / MostPoints)])];
        }
        Series[] series = [.. groups.Select(g => Series(figure.Kind, g, [.. drawn.Where(r => by is null || Table.Show(r[by.Value]) == g)], X, y))];
        if (series.SelectMany(s => s.Points).Any(p => p.Spread is not null)) notes.Add($"Means of {Counts(series)} rows each, with their standard deviation.");
        return (new Chart(figure.Title, figure.Kind, Label(table.Columns[x]), Label(table.Columns[y]), series)
        {
            Categories = names, LogX = logX, LogY = logY, By = by is { } g ? table.Columns[g].Unit is { } unit ? $"{figure.By} ({unit})" : figure.By : null,
        }, notes);
    }

    private static Series Series(string kind, string name, object?[][] rows, Func<object?[], double> x, int y)
    {
        IEnumerable<(double X, double Y)> all = rows.Select(r => (x(r), Table.Number(r[y])!.Value));
        if (kind == "scatter") return new Series(name, [.. all.Select(p => new PlotPoint(p.X, p.Y))]);
        return new Series(name, [.. all.GroupBy(p => p.X).OrderBy(g => g.Key).Select(g =>
        {
            double[] values = [.. g.Select(p => p.Y)];
            return new PlotPoint(g.Key, values.Average(), values.Length > 1 ? Claims.Functions.Deviation(values) : null, values.Length);
        })]);
    }

    private static string Counts(Series[] series)
    {
        int[] counts = [.. series.SelectMany(s => s.Points).Select(p => p.Count)];
        return counts.Min() == counts.Max() ? $"{counts[0]}" : $"{counts.Min()} to {counts.Max()}";
    }

    // Numbers in their order, words in the order of the table.
    private static IEnumerable<string> InOrder(object?[][] rows, int column)
    {
        object?[] cells = [.. rows.Select(r => r[column])];
        return (cells.All(c => Table.Number(c) is not null and not double.NaN) ? cells.OrderBy(c => Table.Number(c)).ToArray() : cells).Select(Table.Show).Distinct(StringComparer.Ordinal);
    }

    /// <summary>Name of a column with its unit; a plain ratio has none to show.</summary>
    public static string Label(Column column) => column.Unit is null or "1" ? column.Name : $"{column.Name} ({column.Unit})";
}
