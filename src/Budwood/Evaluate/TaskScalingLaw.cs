using Budwood.Methods;
using Budwood.Numbers.Linear;

namespace Budwood.Evaluate;

/// <summary>Forecasts how well a larger model will do on a task from the chances of success of smaller ones.</summary>
/// <use>A series of models of one recipe and data at several sizes, chances from 'pass_until_evaluator'; sizes within a few times the largest measured.</use>
/// <notfor>Models of unlike recipes. Tasks whose curve 'emergence_classifier' finds concave or convex: the law does not hold there.</notfor>
/// <cost>None to speak of.</cost>
/// <differs>Both fits of the paper are given: one law for the mean, and one a question whose forecasts are averaged, the better one. A question without two
/// chances inside (0, 1) counts with its last measured chance; the paper's way over the loss is not here.</differs>
/// <formula>PU(N) = exp(-c N^-alpha); log(-log PU) = log c - alpha log N</formula>
[Method("task_scaling_law", Room.Evaluate)]
[Paper("passuntil", "task scaling law, dataset and instance level")]
public sealed partial class TaskScalingLaw : Job<TaskScalingLaw.Parameters>
{
    /// <summary>Parameters of <c>task_scaling_law</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>Sizes to forecast; the measured ones are listed besides.</summary>
        public IReadOnlyList<double> Sizes { get; init; } = [];

        /// <summary>Only models up to this size are fitted; larger ones in the table are forecast and compared.</summary>
        [Unit("parameters"), Range(0, double.PositiveInfinity, MinimumOpen = true)]
        public double FitUpTo { get; init; } = double.PositiveInfinity;
    }

    public override Ports Ports { get; } = new(
        [new Port("chances", ArtifactKind.Table, "columns size, chance and question")],
        new Port("forecast", ArtifactKind.Table, "mean chance by size: measured, by one law, by one law a question, and by a line through the mean chances"),
        new Port("laws", ArtifactKind.Table, "c and alpha of the mean and of every question"));

    protected internal override void Run(Desk desk, Parameters p)
    {
        Table table = desk.Table("chances");
        SuccessTable all = SuccessTable.Read(table), fitted = all.UpTo(p.FitUpTo);
        SuccessLaw mean;
        StraightLine line;
        IReadOnlyList<SuccessLaw?> each;
        try
        {
            mean = SuccessLaw.OfMeans(fitted.Sizes, fitted.Chances);
            each = SuccessLaw.OfEach(fitted.Sizes, fitted.Chances);
            line = StraightLine.Fit([.. fitted.Sizes.Select(v => Math.Log(v))], SuccessLaw.Means(fitted.Chances));
        }
        catch (ArithmeticException e)
        {
            throw EvaluateFaults.NoLaw(table.Name, e.Message);
        }
        double[] measured = SuccessLaw.Means(all.Chances);
        var forecast = new Table("forecast", new Column("size", true), new Column("measured", true), new Column("dataset", true), new Column("instance", true), new Column("line", true), new Column("fitted"));
        foreach (double size in all.Sizes.Concat(p.Sizes).Distinct().Order())
        {
            int at = Array.IndexOf(all.Sizes, size);
            forecast.Add(size, at < 0 ? null : measured[at], mean.At(size), SuccessLaw.PredictMean(each, fitted.Chances, size), line.At(Math.Log(size)), at >= 0 && size <= p.FitUpTo);
        }
        int without = each.Count(l => l is null);
        if (without > 0) forecast.Notes.Add($"{without} of {each.Count} questions have too few chances inside (0, 1) for a law; they count with their last measured chance");
        var laws = new Table("laws", new Column("question"), new Column("c", true), new Column("alpha", true), new Column("r2", true));
        laws.Add("(mean)", mean.C, mean.Alpha, mean.Line.Determination);
        for (int i = 0; i < each.Count; i++) laws.Add(fitted.Questions[i], each[i]?.C, each[i]?.Alpha, each[i]?.Line.Determination);
        desk.Emit("forecast", forecast);
        desk.Emit("laws", laws);
    }
}
