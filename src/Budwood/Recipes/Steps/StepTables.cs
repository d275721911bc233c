using Budwood.Methods;
using Budwood.Recipes.Claims;

namespace Budwood.Recipes.Steps;

/// <summary>The tables of a recipe's steps: rows of all runs of a step, matrix keys and seed as columns.</summary>
internal sealed class StepTables(StepGraph graph, StepWork work)
{
    /// <summary>Column that says which seed a row comes from.</summary>
    public const string Seed = "seed";

    private readonly Dictionary<(string Step, string? Port), Table> _tables = [];
    private readonly Dictionary<(string Step, string? Port), string[]> _keys = [];

    /// <summary>All rows of a step's table.</summary>
    public Table Of(string step, string? port)
    {
        if (_tables.TryGetValue((step, port), out Table? known)) return known;
        Table? all = null;
        string[] keys = [];
        foreach (StepInstance instance in graph.Of(step))
        {
            string name = port ?? (instance.Step.Method.Ports.Outputs.FirstOrDefault(o => o.Kind == ArtifactKind.Table) ?? instance.Step.Method.Ports.Output).Name;
            Table own = work[instance].Table(name);
            if (all is null)
            {
                // A column of the method's own wins over the key of the same name: it says the same, or more.
                keys = [.. instance.At.Select(a => a.Key)];
                all = new Table(step, [.. own.Has(Seed) ? [] : (Column[])[new Column(Seed, Numeric: true)], .. keys.Where(k => !own.Has(k)).Select(k => new Column(k, Numeric: graph.Of(step).All(i => Number(i, k)))), .. own.Columns]);
            }
            foreach (object?[] row in own.Rows)
            {
                var values = new Dictionary<string, object?>(StringComparer.Ordinal) { [Seed] = instance.Seed };
                foreach ((string key, string value) in instance.At) values[key] = Cell(value);
                for (int c = 0; c < own.Columns.Count; c++) values[own.Columns[c].Name] = row[c];
                all.Add([.. all.Columns.Select(c => values.GetValueOrDefault(c.Name))]);
            }
        }
        _keys[(step, port)] = keys;
        return _tables[(step, port)] = all ?? new Table(step);
    }

    private static bool Number(StepInstance instance, string key) => instance.At.First(a => a.Key == key).Value is var v && Cell(v) is double or long;

    private static object Cell(string text) => long.TryParse(text, System.Globalization.NumberStyles.AllowLeadingSign, System.Globalization.CultureInfo.InvariantCulture, out long whole) ? whole
        : double.TryParse(text, System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out double number) ? number : text;

    /// <summary>A column for a claim: the rows of one seed (or of all) that pass the filters.</summary>
    public Rows Column(Expression.ColumnOf column, long? seed, YamlNode node)
    {
        Table table = Of(column.Step, column.Port);
        if (!table.Has(column.Column)) throw ClaimFaults.MissingColumn(node, column.Step, column.Column, table.Columns.Select(c => c.Name));
        foreach ((string key, _) in column.Filters)
            if (!table.Has(key)) throw ClaimFaults.MissingColumn(node, column.Step, key, table.Columns.Select(c => c.Name));
        int at = table.IndexOf(column.Column), seedAt = table.IndexOf(Seed);
        (int At, string Value)[] filters = [.. column.Filters.Select(f => (table.IndexOf(f.Key), f.Value))];
        // What identifies a row besides the filters: seed, the free keys of the matrix, and its number among rows of the same.
        int[] free = [seedAt, .. _keys[(column.Step, column.Port)].Where(k => !column.Filters.Any(f => f.Key == k)).Select(table.IndexOf)];
        var values = new List<double>();
        var ids = new List<string>();
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (object?[] row in table.Rows)
        {
            if (seed is { } s && Table.Number(row[seedAt]) != s) continue;
            if (!filters.All(f => StepGraph.Same(f.Value, Table.Exact(row[f.At])))) continue;
            string place = string.Join(", ", free.Select(f => $"{table.Columns[f].Name}={Table.Exact(row[f])}"));
            seen[place] = seen.GetValueOrDefault(place) + 1;
            ids.Add($"{place} #{seen[place]}");
            values.Add(Table.Number(row[at]) ?? throw ClaimFaults.NotANumber(node, column.Step, column.Column, Table.Show(row[at])));
        }
        if (values.Count == 0 && table.Rows.Count > 0) throw ClaimFaults.NothingPasses(node, column.Step, string.Join(", ", column.Filters.Select(f => $"{f.Key}={f.Value}")));
        return new Rows([.. values], [.. ids]);
    }
}
