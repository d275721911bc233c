using System.Globalization;

namespace Budwood;

/// <summary>How a column reads: aligned right or left, and in which unit.</summary>
public sealed record Column(string Name, bool Numeric = false, string? Unit = null);

/// <summary>Rows with named columns: what probes give, what claims are made over, what <c>--json</c> prints.</summary>
public sealed class Table(string name, params IReadOnlyList<Column> columns)
{
    private readonly List<object?[]> _rows = [];

    public string Name { get; } = name;
    public IReadOnlyList<Column> Columns { get; } = columns;
    public IReadOnlyList<object?[]> Rows => _rows;

    /// <summary>A line or two that belong to the table as a whole.</summary>
    public List<string> Notes { get; } = [];

    /// <summary>Adds a row; values are strings, numbers, flags or null, one a column.</summary>
    public void Add(params object?[] row)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(row.Length, Columns.Count);
        _rows.Add(row);
    }

    /// <summary>Whether there is a column of that name.</summary>
    public bool Has(string column) => Columns.Any(c => c.Name == column);

    /// <summary>Position of a column; one that is not there is refused with the nearest name.</summary>
    public int IndexOf(string column)
    {
        for (int i = 0; i < Columns.Count; i++) if (Columns[i].Name == column) return i;
        throw new Fault("BW2311", ExitCode.Input, $"there is no column '{column}'", Name, $"it has {string.Join(", ", Columns.Select(c => c.Name))}", Nearest.Hint(column, Columns.Select(c => c.Name)));
    }

    /// <summary>A column as numbers, flags as 0 and 1; a cell that is none is refused with its row.</summary>
    public double[] Numbers(string column)
    {
        int at = IndexOf(column);
        var values = new double[_rows.Count];
        for (int r = 0; r < values.Length; r++)
            values[r] = Number(_rows[r][at]) ?? throw new Fault("BW2312", ExitCode.Input, $"column '{column}' holds something that is no number", Name, $"row {r + 1}: '{Show(_rows[r][at])}'", "Mend or remove the row.");
        return values;
    }

    /// <summary>A column as text.</summary>
    public string[] Texts(string column)
    {
        int at = IndexOf(column);
        return [.. _rows.Select(r => Exact(r[at]))];
    }

    /// <summary>A cell as a number; null when it is none.</summary>
    public static double? Number(object? cell) => cell switch
    {
        bool b => b ? 1 : 0,
        double d => d,
        string or null => null,
        IConvertible n => n.ToDouble(CultureInfo.InvariantCulture),
        _ => null,
    };

    /// <summary>A cell as text that loses nothing.</summary>
    public static string Exact(object? cell) => cell switch
    {
        null => "",
        bool b => b ? "true" : "false",
        double d when double.IsFinite(d) => d.ToString("R", CultureInfo.InvariantCulture),
        double d => double.IsNaN(d) ? "nan" : d > 0 ? "inf" : "-inf",
        IFormattable f => f.ToString(null, CultureInfo.InvariantCulture),
        _ => cell.ToString() ?? "",
    };

    /// <summary>A cell as text: numbers with up to four significant digits, integers with thin grouping.</summary>
    public static string Show(object? cell) => cell switch
    {
        null => "",
        string s => s,
        bool b => b ? "yes" : "no",
        double d => d == Math.Floor(d) && Math.Abs(d) < 1e15 ? d.ToString("#,0", CultureInfo.InvariantCulture) : d.ToString("G4", CultureInfo.InvariantCulture),
        float f => f.ToString("G4", CultureInfo.InvariantCulture),
        IFormattable n => n.ToString("#,0", CultureInfo.InvariantCulture),
        _ => cell.ToString() ?? "",
    };
}
