using Budwood.Methods;

namespace Budwood.Evaluate;

/// <summary>Turns counts of tries until success into chances of success, with exact intervals: resolution far below one over the number of questions.</summary>
/// <use>Ability of small models on hard tasks: sample each question until it is answered a few times, and give the counts here.</use>
/// <notfor>Greedy decoding, which has no chance of success. Chances that you will compare in ratio from two successes alone: a factor of 2 either way is noise.</notfor>
/// <cost>The tries are yours: about successes over chance a question. The estimates take no time.</cost>
/// <differs>The default is the unbiased (r-1)/(K-1); the paper's r/K is 'mle', twice too large on average at two successes. Intervals are exact, for runs
/// that reached the successes and for runs that were cut off.</differs>
/// <formula>chance = (r - 1)/(K - 1) or r/K; interval: beta quantiles (r, K-r+1) and (r, K-r)</formula>
[Method("pass_until_evaluator", Room.Evaluate)]
[Paper("passuntil", "PassUntil, step 1")]
public sealed partial class PassUntilEvaluator : Job<PassUntilEvaluator.Parameters>
{
    /// <summary>Parameters of <c>pass_until_evaluator</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>Successes at which a run stops (r).</summary>
        [Unit("successes"), Range(1, 1_000_000)]
        public int Wanted { get; init; } = 2;

        /// <summary>How a chance is estimated.</summary>
        public PassUntilEstimator Estimator { get; init; } = PassUntilEstimator.Unbiased;

        /// <summary>Coverage of the intervals.</summary>
        [Unit("1"), Range(0, 1, MinimumOpen = true, MaximumOpen = true)]
        public double Confidence { get; init; } = 0.95;

        /// <summary>Samples of questions for the interval of the mean.</summary>
        [Unit("samples"), Range(1, 1_000_000)]
        public int Resamples { get; init; } = 1000;
    }

    public override Ports Ports { get; } = new(
        [new Port("tries", ArtifactKind.Table, "columns question and tries; size, and successes where a run was cut off, if there are any")],
        new Port("chances", ArtifactKind.Table, "one row a run: chance, interval, whether it was cut off"), new Port("means", ArtifactKind.Table, "mean chance by size"));

    protected internal override void Run(Desk desk, Parameters p)
    {
        Table table = desk.Table("tries");
        string[] question = table.Texts("question");
        double[] tries = table.Numbers("tries"), sizes = table.Has("size") ? table.Numbers("size") : new double[tries.Length];
        double[] successes = table.Has("successes") ? table.Numbers("successes") : [.. tries.Select(_ => (double)p.Wanted)];
        var chances = new Table("chances", new Column("size", true), new Column("question"), new Column("chance", true), new Column("low", true), new Column("high", true), new Column("cut_off"));
        double[] values = new double[tries.Length];
        bool[] censored = new bool[tries.Length];
        for (int i = 0; i < tries.Length; i++)
        {
            if (!(tries[i] >= 1 && successes[i] >= 0 && successes[i] <= tries[i] && successes[i] <= p.Wanted) || tries[i] != Math.Floor(tries[i]) || successes[i] != Math.Floor(successes[i]))
                throw EvaluateFaults.NoRun(table.Name, i + 1, tries[i], successes[i], p.Wanted);
            SuccessEstimate e = PassUntil.Estimate((long)tries[i], (long)successes[i], p.Wanted, p.Estimator, p.Confidence);
            (values[i], censored[i]) = (e.Value, e.Censored);
            chances.Add(sizes[i], question[i], e.Value, e.Low, e.High, e.Censored);
        }
        var means = new Table("means", new Column("size", true), new Column("questions", true), new Column("mean", true), new Column("low", true), new Column("high", true), new Column("cut_off", true, "%"));
        foreach (IGrouping<double, int> group in Enumerable.Range(0, tries.Length).GroupBy(i => sizes[i]).OrderBy(g => g.Key))
        {
            double[] own = [.. group.Select(i => values[i])];
            SuccessEstimate mean = PassUntil.Mean(own, desk.Random(FormattableString.Invariant($"questions at {group.Key:R}")), p.Resamples, p.Confidence);
            means.Add(group.Key, (long)own.Length, mean.Value, mean.Low, mean.High, 100.0 * group.Count(i => censored[i]) / own.Length);
        }
        if (p.Estimator == PassUntilEstimator.Mle) means.Notes.Add("r/K is too large on average: about twice at two successes and small chances");
        desk.Show(means);
        desk.Emit("chances", chances);
        desk.Emit("means", means);
    }
}
