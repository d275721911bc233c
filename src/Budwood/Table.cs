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
