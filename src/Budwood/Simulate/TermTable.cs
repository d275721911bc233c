using Budwood.Numbers;

namespace Budwood.Simulate;

/// <summary>Equations as tables with a column 'term' and a column 'coefficient', and fields along the last axis of arrays.</summary>
internal static class TermTable
{
    public static (EvolutionTerm Term, double Coefficient)[] Read(Table table)
    {
        string[] names = table.Texts("term");
        double[] coefficients = table.Numbers("coefficient");
        var terms = new (EvolutionTerm, double)[names.Length];
        for (int i = 0; i < names.Length; i++)
        {
            if (!EvolutionTerm.TryParse(names[i], out EvolutionTerm term)) throw SimulateFaults.NoTerm(table.Name, i + 1, names[i]);
            terms[i] = (term, coefficients[i]);
        }
        return terms;
    }

    /// <summary>Coefficients by the term's usual name.</summary>
    public static Dictionary<string, double> Sums(Table table)
    {
        var sums = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach ((EvolutionTerm term, double c) in Read(table)) sums[term.Name] = sums.GetValueOrDefault(term.Name) + c;
        return sums;
    }

    public static Table Of(string name, IEnumerable<KeyValuePair<string, double>> terms)
    {
        var table = new Table(name, new Column("term"), new Column("coefficient", true));
        foreach ((string term, double coefficient) in terms) table.Add(term, coefficient);
        return table;
    }

    /// <summary>The field of one place along all axes but the last.</summary>
    public static Span<double> Field(NdArray array, long at)
    {
        int n = (int)array.Shape.Columns;
        return array.Values.AsSpan((int)(at * n), n);
    }

    public static NdArray Empty(Shape shape) => new(shape, new double[shape.Count]);
}
