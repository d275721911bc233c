using Budwood.Numbers.Linear;

namespace Budwood.Evaluate;

/// <summary>Chances of success by question and model size, read from rows with columns size, chance and, if there are several questions, question.</summary>
internal sealed record SuccessTable(double[] Sizes, string[] Questions, Matrix Chances)
{
    public static SuccessTable Read(Table table)
    {
        double[] size = table.Numbers("size"), chance = table.Numbers("chance");
        string[] question = table.Has("question") ? table.Texts("question") : [.. size.Select(_ => "all")];
        double[] sizes = [.. size.Distinct().Order()];
        string[] questions = [.. question.Distinct()];
        var at = Enumerable.Range(0, size.Length).ToLookup(i => (question[i], size[i]));
        var chances = Matrix.Of(questions.Length, sizes.Length, (q, s) =>
        {
            int[] rows = [.. at[(questions[q], sizes[s])]];
            return rows.Length == 1 ? chance[rows[0]] : throw EvaluateFaults.Hole(table.Name, questions[q], sizes[s], rows.Length);
        });
        return new SuccessTable(sizes, questions, chances);
    }

    /// <summary>The sizes up to a limit, to fit on.</summary>
    public SuccessTable UpTo(double limit)
    {
        int[] kept = [.. Enumerable.Range(0, Sizes.Length).Where(i => Sizes[i] <= limit)];
        return this with { Sizes = [.. kept.Select(i => Sizes[i])], Chances = Chances.TakeColumns(kept) };
    }
}
