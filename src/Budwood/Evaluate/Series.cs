namespace Budwood.Evaluate;

/// <summary>The parts of a table that belong together by a column, in the order in which they first appear.</summary>
internal static class Series
{
    public static IEnumerable<(string Name, Table Part)> Of(Table table, string column = "series")
    {
        if (!table.Has(column)) return [("all", table)];
        int at = table.IndexOf(column);
        return table.Rows.GroupBy(r => Table.Exact(r[at])).Select(g =>
        {
            var part = new Table(table.Name, table.Columns);
            foreach (object?[] row in g) part.Add(row);
            return (g.Key, part);
        });
    }
}
