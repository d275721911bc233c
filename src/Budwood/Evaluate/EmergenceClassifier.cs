using Budwood.Methods;

namespace Budwood.Evaluate;

/// <summary>Says whether ability grows with size as the task scaling law has it, slower, or faster (accelerated emergence).</summary>
/// <use>Before a forecast by 'task_scaling_law', and wherever someone calls an ability emergent.</use>
/// <notfor>Fewer than four sizes: a parabola goes through any three.</notfor>
/// <cost>One small fit a sample of questions.</cost>
/// <differs>The sign of the curvature counts only when the interval over samples of questions excludes 0; the paper looks at the curve.</differs>
/// <formula>log(-log PU) = b0 + b1 log N + b2 (log N)^2; b2 &lt; 0 faster, b2 &gt; 0 slower than the law</formula>
[Method("emergence_classifier", Room.Evaluate)]
[Paper("passuntil", "definition of emergence, step 6")]
public sealed partial class EmergenceClassifier : Job<EmergenceClassifier.Parameters>
{
    /// <summary>Parameters of <c>emergence_classifier</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>Samples of questions for the interval of the curvature.</summary>
        [Unit("samples"), Range(10, 1_000_000)]
        public int Resamples { get; init; } = 1000;

        /// <summary>Coverage of the interval.</summary>
        [Unit("1"), Range(0, 1, MinimumOpen = true, MaximumOpen = true)]
        public double Confidence { get; init; } = 0.95;
    }

    public override Ports Ports { get; } = new(
        [new Port("chances", ArtifactKind.Table, "columns size, chance and question; series too, for several curves at once")],
        new Port("verdict", ArtifactKind.Table, "class, curvature and its interval, a row a series"));

    protected internal override void Run(Desk desk, Parameters p)
    {
        Table table = desk.Table("chances");
        var verdict = new Table("verdict", new Column("series"), new Column("class"), new Column("curvature", true), new Column("low", true), new Column("high", true), new Column("sizes", true), new Column("questions", true));
        foreach ((string series, Table part) in Series.Of(table))
        {
            SuccessTable given = SuccessTable.Read(part);
            try
            {
                EmergenceVerdict v = Emergence.Classify(given.Sizes, given.Chances, desk.Random("questions " + series), p.Resamples, p.Confidence);
                verdict.Add(series, v.Class switch { EmergenceClass.SubScaling => "sub_scaling", EmergenceClass.SuperScaling => "super_scaling", _ => "scaling_law" },
                    v.Curvature, v.Low, v.High, (long)given.Sizes.Length, (long)given.Questions.Length);
            }
            catch (ArithmeticException e)
            {
                throw EvaluateFaults.NoLaw(table.Name, e.Message);
            }
        }
        desk.Emit("verdict", verdict);
    }
}
