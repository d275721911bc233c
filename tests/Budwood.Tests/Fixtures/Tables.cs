using Budwood.Methods;

namespace Budwood.Tests.Fixtures;

/// <summary>Small tables and arrays for jobs.</summary>
internal static class Tables
{
    public static Artifact Of(string[] columns, params object?[][] rows)
    {
        var table = new Table("given", [.. columns.Select(c => new Column(c))]);
        foreach (object?[] row in rows) table.Add(row);
        return Artifact.Of(table);
    }

    public static Artifact Equation(params (string Term, double Coefficient)[] terms) =>
        Of(["term", "coefficient"], [.. terms.Select(t => new object?[] { t.Term, t.Coefficient })]);

    public static Dictionary<string, double> ByTerm(this Table table)
    {
        double[] c = table.Numbers("coefficient");
        return table.Texts("term").Select((t, i) => (t, c[i])).ToDictionary(p => p.t, p => p.Item2);
    }

    /// <summary>The fault of an action, by its code.</summary>
    public static void Refused(string code, Action action) => Assert.Equal(code, Assert.Throws<Fault>(action).Code);
}
