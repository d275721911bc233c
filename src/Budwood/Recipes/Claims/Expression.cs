namespace Budwood.Recipes.Claims;

/// <summary>A formula over the columns of step tables, read from a recipe.</summary>
public abstract record Expression
{
    private Expression()
    {
    }

    /// <summary>As the recipe has it; set on the whole formula only.</summary>
    public string Text { get; internal init; } = "";

    /// <summary>A number as it stands in the formula.</summary>
    public sealed record Constant(double Value) : Expression;

    /// <summary>A column of a step's table, of all its rows or of those that pass the filters.</summary>
    /// <param name="Step">Name of the step.</param>
    /// <param name="Port">Its output port; null for the main one.</param>
    /// <param name="Filters">Values that columns (matrix keys among them) must have.</param>
    public sealed record ColumnOf(string Step, string? Port, IReadOnlyList<(string Key, string Value)> Filters, string Column) : Expression;

    /// <summary>A function of one or more formulas.</summary>
    public sealed record Call(string Function, IReadOnlyList<Expression> Arguments) : Expression;

    /// <summary>An operation between two: + - * / ^ and comparisons, which give 1 or 0.</summary>
    public sealed record Binary(string Operator, Expression Left, Expression Right) : Expression;

    /// <summary>The negative of a formula.</summary>
    public sealed record Negative(Expression Of) : Expression;

    /// <summary>All columns that are read.</summary>
    public IEnumerable<ColumnOf> Columns => this switch
    {
        ColumnOf c => [c],
        Call c => c.Arguments.SelectMany(a => a.Columns),
        Binary b => b.Left.Columns.Concat(b.Right.Columns),
        Negative n => n.Of.Columns,
        _ => [],
    };

    /// <summary>Reads a formula; what is wrong is thrown as a <see cref="FormatException"/> whose message names the place.</summary>
    public static Expression Parse(string text) => new ExpressionReader(text).Whole();
}
