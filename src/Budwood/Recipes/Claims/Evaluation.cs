namespace Budwood.Recipes.Claims;

/// <summary>Rows of a column: the values, and for each what it belongs to, so that two columns can be paired.</summary>
internal sealed record Rows(double[] Values, string[]? Ids)
{
    public static Rows One(double value) => new([value], null);

    public bool IsOne => Values.Length == 1;
}

/// <summary>Computes a formula over step tables; whatever cannot be computed ends in a fault that names the claim's line.</summary>
internal sealed class Evaluation(Func<Expression.ColumnOf, Rows> column, YamlNode node)
{
    /// <summary>The one number that the formula gives.</summary>
    public double Value(Expression e)
    {
        Rows rows = Of(e);
        return rows.IsOne ? rows.Values[0] : throw ClaimFaults.NotOneNumber(node, e.Text, rows.Values.Length);
    }

    private Rows Of(Expression e)
    {
        switch (e)
        {
            case Expression.Constant c: return Rows.One(c.Value);
            case Expression.ColumnOf c: return column(c);
            case Expression.Negative n: return Of(n.Of) is var v ? v with { Values = Array.ConvertAll(v.Values, x => -x) } : v;
            case Expression.Binary b: return Operate(b.Operator, Of(b.Left), Of(b.Right));
            case Expression.Call call:
                Rows[] arguments = [.. call.Arguments.Select(Of)];
                if (arguments.Any(a => a.Values.Length == 0)) throw ClaimFaults.OverNothing(node, call.Function);
                if (arguments.Length == 2 && !arguments[1].IsOne) arguments = [arguments[0], Paired(arguments[0], arguments[1])];
                double[] values;
                try
                {
                    values = Functions.Known[call.Function].Compute([.. arguments.Select(a => a.Values)]);
                }
                catch (FormatException why)
                {
                    throw ClaimFaults.CannotCompute(node, call.Function, why.Message);
                }
                return Finite(new Rows(values, values.Length == arguments[0].Values.Length && values.Length > 1 ? arguments[0].Ids : null), call.Function);
            default: throw new InvalidOperationException(e.ToString());
        }
    }

    private Rows Operate(string op, Rows left, Rows right)
    {
        if (left.Values.Length == 0 || right.Values.Length == 0) throw ClaimFaults.OverNothing(node, op);
        if (!left.IsOne && !right.IsOne) right = Paired(left, right);
        int n = Math.Max(left.Values.Length, right.Values.Length);
        var values = new double[n];
        for (int i = 0; i < n; i++)
        {
            double a = left.Values[left.IsOne ? 0 : i], b = right.Values[right.IsOne ? 0 : i];
            if (op == "/" && b == 0) throw ClaimFaults.DividesByZero(node);
            values[i] = op switch
            {
                "+" => a + b,
                "-" => a - b,
                "*" => a * b,
                "/" => a / b,
                "^" => Math.Pow(a, b),
                "<" => a < b ? 1 : 0,
                "<=" => a <= b ? 1 : 0,
                ">" => a > b ? 1 : 0,
                ">=" => a >= b ? 1 : 0,
                "==" => a == b ? 1 : 0,
                _ => a != b ? 1 : 0,
            };
        }
        return Finite(new Rows(values, left.IsOne ? right.Ids : left.Ids), op);
    }

    // The same rows in the first one's order: pairing by position alone would compare what does not belong together.
    private Rows Paired(Rows left, Rows right)
    {
        if (left.Values.Length != right.Values.Length) throw ClaimFaults.RowsDoNotPair(node, $"{left.Values.Length} rows against {right.Values.Length}");
        if (left.Ids is null || right.Ids is null || left.Ids.AsSpan().SequenceEqual(right.Ids)) return right;
        var places = right.Ids.Select((id, i) => (id, i)).ToDictionary(p => p.id, p => p.i, StringComparer.Ordinal);
        var values = new double[left.Values.Length];
        for (int i = 0; i < values.Length; i++)
            values[i] = places.TryGetValue(left.Ids[i], out int at) ? right.Values[at] : throw ClaimFaults.RowsDoNotPair(node, $"row '{left.Ids[i]}' has no partner");
        return new Rows(values, left.Ids);
    }

    private Rows Finite(Rows rows, string of) => rows.Values.All(double.IsFinite) ? rows : throw ClaimFaults.CannotCompute(node, of, "the result is not finite");

    /// <summary>The smallest and largest value that a formula can have, whatever the tables hold.</summary>
    public static (double Low, double High) Range(Expression e)
    {
        const double Least = double.NegativeInfinity, Most = double.PositiveInfinity;
        switch (e)
        {
            case Expression.Constant c: return (c.Value, c.Value);
            case Expression.ColumnOf: return (Least, Most);
            case Expression.Negative n: return Range(n.Of) is var (low, high) ? (-high, -low) : default;
            case Expression.Call call: return Functions.Known[call.Function].Range([.. call.Arguments.Select(Range)]);
            case Expression.Binary b:
                var ((la, ha), (lb, hb)) = (Range(b.Left), Range(b.Right));
                switch (b.Operator)
                {
                    case "+": return (la + lb, ha + hb);
                    case "-": return (la - hb, ha - lb);
                    case "*":
                        double[] products = [Times(la, lb), Times(la, hb), Times(ha, lb), Times(ha, hb)];
                        return (products.Min(), products.Max());
                    case "/" when lb > 0 && hb < Most: return Range(new Expression.Binary("*", b.Left, new Expression.Constant(1 / lb))) is var (p, q) && la >= 0 ? (la / hb, q) : (Least, Most);
                    case "/" when lb >= 0 && la >= 0: return (0, Most);
                    case "^" when b.Right is Expression.Constant { Value: var power } && power % 2 == 0: return (0, Most);
                    case "/" or "^": return (Least, Most);
                    default: return (0, 1);
                }
            default: return (Least, Most);
        }
        static double Times(double a, double b) => a == 0 || b == 0 ? 0 : a * b;
    }
}
