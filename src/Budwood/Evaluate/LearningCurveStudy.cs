using Budwood.Methods;

namespace Budwood.Evaluate;

/// <summary>Makes a learning curve of runs over data sizes, model sizes and seeds: the best error at each data size, the smallest model that reaches it, and the region.</summary>
/// <use>A grid of training or fine-tuning runs on nested shards, before 'power_law_fit' and 'model_size_curve'.</use>
/// <notfor>Runs of one model size: its capacity plateau looks like irreducible error.</notfor>
/// <cost>None beyond the runs, which are yours.</cost>
/// <differs>Seeds are averaged before the best model size is chosen: the best of several seeds would be too good.</differs>
/// <formula>error(m) = min over s of mean over seeds; size(m) = the smallest s within 'within' of it</formula>
[Method("learning_curve_study", Room.Evaluate)]
[Paper("scaling-predictable", "hyper-parameter reduction and regions, steps 2-4")]
public sealed partial class LearningCurveStudy : Job<LearningCurveStudy.Parameters>
{
    /// <summary>Parameters of <c>learning_curve_study</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>The smallest model counts whose error is at most this share above the best.</summary>
        [Unit("1"), Range(0, 1)]
        public double Within { get; init; } = 0.01;

        /// <summary>Error of the best constant guess; unset, no region of small data is looked for.</summary>
        [Unit("units of the error"), Range(0, double.PositiveInfinity, MinimumOpen = true)]
        public double Guess { get; init; } = double.PositiveInfinity;
    }

    public override Ports Ports { get; } = new(
        [new Port("runs", ArtifactKind.Table, "columns samples, model_size and error; rows that differ in nothing else are seeds; series too, for several families")],
        new Port("curve", ArtifactKind.Table, "samples, error, model_size and region, a row a data size"));

    protected internal override void Run(Desk desk, Parameters p)
    {
        Table table = desk.Table("runs");
        var curve = new Table("curve", new Column("series"), new Column("samples", true), new Column("error", true), new Column("model_size", true), new Column("region"), new Column("runs", true));
        foreach ((string series, Table part) in Series.Of(table))
        {
            double[] samples = part.Numbers("samples"), sizes = part.Numbers("model_size"), errors = part.Numbers("error");
            double[] m = [.. samples.Distinct().Order()], best = new double[m.Length], smallest = new double[m.Length];
            int[] runs = new int[m.Length];
            for (int i = 0; i < m.Length; i++)
            {
                int[] rows = [.. Enumerable.Range(0, samples.Length).Where(r => samples[r] == m[i])];
                (double Size, double Error)[] means = [.. rows.GroupBy(r => sizes[r]).Select(g => (g.Key, g.Average(r => errors[r]))).OrderBy(g => g.Key)];
                best[i] = means.Min(g => g.Error);
                smallest[i] = means.First(g => g.Error <= best[i] * (1 + p.Within)).Size;
                runs[i] = rows.Length;
            }
            CurveRegion[] regions = LearningCurve.Regions(m, best, p.Guess);
            for (int i = 0; i < m.Length; i++) curve.Add(series, m[i], best[i], smallest[i], Word(regions[i]), (long)runs[i]);
        }
        desk.Emit("curve", curve);
    }

    internal static string Word(CurveRegion region) => region switch { CurveRegion.SmallData => "small_data", CurveRegion.PowerLaw => "power_law", _ => "irreducible" };
}
