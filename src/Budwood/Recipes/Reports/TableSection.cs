using System.Globalization;
using System.Text;
using Budwood.Recipes.Reports.Plots;
using Budwood.Recipes.Steps;

namespace Budwood.Recipes.Reports;

/// <summary>The tables of a report: first rows, numbers to the right, units in the head.</summary>
internal static class TableSection
{
    private const int FirstRows = 8;

    public static string Of(RecipeOutcome outcome)
    {
        var all = new StringBuilder("<div class=\"tables\">\n");
        foreach (((string step, string? port), Table table) in outcome.Tables)
        {
            bool one = outcome.Tables.Keys.Count(k => k.Step == step) == 1;
            all.Append(CultureInfo.InvariantCulture, $"<div class=\"card{(table.Columns.Count > 6 ? " full" : "")}\" id=\"table-{Escaped.Id(step)}-{Escaped.Id(port ?? "")}\"><h3><span class=\"id\">{Escaped.Text(step)}{(one || port is null ? "" : $".{Escaped.Text(port)}")}</span><span class=\"kind\">{HtmlReport.Count(table.Rows.Count, "row")}</span></h3>\n{Html(table, FirstRows)}</div>\n");
        }
        return outcome.Tables.Count == 0 ? "" : all.Append("</div>").ToString();
    }

    /// <summary>A table with its first rows.</summary>
    public static string Html(Table table, int most = int.MaxValue)
    {
        if (table.Columns.Count == 0) return "<p class=\"quiet\">Empty.</p>";
        var html = new StringBuilder("<div class=\"wide\"><table><thead><tr>");
        bool[] right = [.. table.Columns.Select((c, i) => c.Numeric || (table.Rows.Count > 0 && table.Rows.All(r => r[i] is null or IConvertible and not (string or bool))))];
        for (int i = 0; i < right.Length; i++)
        {
            Column column = table.Columns[i];
            string unit = column.Unit is null or "1" ? "" : $" <span class=\"unit\">{Escaped.Text(column.Unit)}</span>";
            html.Append(CultureInfo.InvariantCulture, $"<th scope=\"col\"{(right[i] ? " class=\"n\"" : "")}>{Escaped.Text(column.Name)}{unit}</th>");
        }
        html.Append("</tr></thead><tbody>\n");
        foreach (object?[] row in table.Rows.Take(most))
        {
            html.Append("<tr>");
            for (int i = 0; i < row.Length; i++) html.Append(CultureInfo.InvariantCulture, $"<td{(right[i] ? " class=\"n\"" : "")}>{Escaped.Text(Cell(row[i]))}</td>");
            html.Append("</tr>\n");
        }
        html.Append("</tbody></table></div>\n");
        if (table.Rows.Count > most) html.Append(CultureInfo.InvariantCulture, $"<p class=\"quiet more\">{HtmlReport.Count(table.Rows.Count - most, "more row")}; report.json has the first {RecipeReport.MostRows}, the store all.</p>\n");
        foreach (string note in table.Notes) html.Append(CultureInfo.InvariantCulture, $"<p class=\"quiet\">{Escaped.Text(note)}</p>\n");
        return html.ToString();
    }

    // A word may begin with a dash; only a number's becomes a minus.
    private static string Cell(object? cell) => cell is string or null or bool ? Table.Show(cell) : Ticks.Pretty(Table.Show(cell));
}
