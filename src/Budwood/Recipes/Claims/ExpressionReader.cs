using System.Globalization;

namespace Budwood.Recipes.Claims;

/// <summary>Reads formulas of claims by recursive descent.</summary>
internal sealed class ExpressionReader(string text)
{
    private int _at;
    private int _depth;

    public Expression Whole()
    {
        Expression e = Comparison();
        Skip();
        return _at == text.Length ? e with { Text = text.Trim() } : throw Wrong("an operator or the end");
    }

    private Expression Comparison()
    {
        if (++_depth > 100) throw new FormatException("the formula is nested too deeply");
        Expression left = Sum();
        foreach (string op in (string[])["<=", ">=", "==", "!=", "<", ">"])
            if (Take(op)) return Leave(new Expression.Binary(op, left, Sum()));
        return Leave(left);
    }

    private Expression Leave(Expression e)
    {
        _depth--;
        return e;
    }

    private Expression Sum()
    {
        Expression left = Product();
        while (true)
        {
            if (Take("+")) left = new Expression.Binary("+", left, Product());
            else if (Take("-")) left = new Expression.Binary("-", left, Product());
            else return left;
        }
    }

    private Expression Product()
    {
        Expression left = Factor();
        while (true)
        {
            if (Take("*")) left = new Expression.Binary("*", left, Factor());
            else if (Take("/")) left = new Expression.Binary("/", left, Factor());
            else return left;
        }
    }

    private Expression Factor()
    {
        if (++_depth > 100) throw new FormatException("the formula is nested too deeply");
        if (Take("-")) return Leave(new Expression.Negative(Factor()));
        Expression of = Atom();
        return Leave(Take("^") ? new Expression.Binary("^", of, Factor()) : of);
    }

    private Expression Atom()
    {
        Skip();
        if (Take("("))
        {
            Expression inner = Comparison();
            return Take(")") ? inner : throw Wrong("')'");
        }
        if (_at < text.Length && (char.IsAsciiDigit(text[_at]) || text[_at] == '.')) return Number();
        string name = Name() ?? throw Wrong("a number, a function or a column such as step.column");
        if (Take("("))
        {
            if (!Functions.Known.ContainsKey(name)) throw new FormatException($"there is no function '{name}'{Near(name)}");
            var arguments = new List<Expression>();
            do arguments.Add(Comparison());
            while (Take(","));
            if (!Take(")")) throw Wrong("',' or ')'");
            int takes = Functions.Known[name].Arguments;
            return takes == arguments.Count ? new Expression.Call(name, arguments) : throw new FormatException($"'{name}' takes {takes} argument{(takes == 1 ? "" : "s")}, found {arguments.Count}");
        }
        return Column(name);
    }

    private static string Near(string name) => Nearest.Hint(name, Functions.Known.Keys) is { } hint ? $". {hint.TrimEnd('.')}" : "";

    // step.column, step.port.column, step[key=value, key=value].column, step.port[key=value].column
    private Expression.ColumnOf Column(string step)
    {
        var names = new List<string>();
        var filters = new List<(string, string)>();
        while (true)
        {
            if (_at < text.Length && text[_at] == '[')
            {
                int end = text.IndexOf(']', _at);
                if (end < 0) throw Wrong("']'");
                foreach (string part in text[(_at + 1)..end].Split(',', StringSplitOptions.TrimEntries))
                {
                    int equals = part.IndexOf('=', StringComparison.Ordinal);
                    if (equals <= 0) throw Wrong("key=value between '[' and ']'");
                    filters.Add((part[..equals].Trim(), part[(equals + 1)..].Trim()));
                }
                _at = end + 1;
            }
            else if (_at < text.Length && text[_at] == '.')
            {
                _at++;
                names.Add(Name() ?? throw Wrong("a column after '.'"));
            }
            else break;
        }
        return names.Count switch
        {
            1 => new Expression.ColumnOf(step, null, filters, names[0]),
            2 => new Expression.ColumnOf(step, names[0], filters, names[1]),
            _ => throw new FormatException($"'{step}' alone is no column: write step.column or step.port.column"),
        };
    }

    private Expression.Constant Number()
    {
        int start = _at;
        while (_at < text.Length && (char.IsAsciiDigit(text[_at]) || text[_at] == '.' || (text[_at] is 'e' or 'E') || (text[_at] is '+' or '-' && text[_at - 1] is 'e' or 'E'))) _at++;
        return double.TryParse(text.AsSpan(start, _at - start), NumberStyles.Float, CultureInfo.InvariantCulture, out double v) ? new Expression.Constant(v)
            : throw new FormatException($"'{text[start.._at]}' is no number");
    }

    private string? Name()
    {
        Skip();
        int start = _at;
        while (_at < text.Length && (char.IsAsciiLetterOrDigit(text[_at]) || text[_at] == '_')) _at++;
        return _at > start && !char.IsAsciiDigit(text[start]) ? text[start.._at] : null;
    }

    private bool Take(string mark)
    {
        Skip();
        if (!text.AsSpan(_at).StartsWith(mark, StringComparison.Ordinal)) return false;
        _at += mark.Length;
        return true;
    }

    private void Skip()
    {
        while (_at < text.Length && char.IsWhiteSpace(text[_at])) _at++;
    }

    private FormatException Wrong(string expected)
    {
        Skip();
        return new FormatException($"{(_at < text.Length ? $"found '{text[_at..Math.Min(text.Length, _at + 12)]}' at position {_at + 1}" : "it ends too early")}, expected {expected}");
    }
}
