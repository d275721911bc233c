using Budwood.Methods;
using Budwood.Numbers.Linear;

namespace Budwood.Evaluate;

/// <summary>Fits how the size of the smallest sufficient model grows with the number of samples: size = kappa m^beta_p.</summary>
/// <use>Curves of 'learning_curve_study', to plan a model for more data.</use>
/// <notfor>Grids so coarse that neighbouring data sizes choose the same model: the exponent is then that of the grid.</notfor>
/// <cost>None to speak of.</cost>
/// <differs>The interval is that of a line in logarithms by Student's distribution.</differs>
/// <formula>log size = log kappa + beta_p log m</formula>
[Method("model_size_curve", Room.Evaluate)]
[Paper("scaling-predictable", "model-size curve, step 6")]
public sealed partial class ModelSizeCurve : Job<ModelSizeCurve.Parameters>
{
    /// <summary>Parameters of <c>model_size_curve</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>Coverage of the interval of the exponent.</summary>
        [Unit("1"), Range(0, 1, MinimumOpen = true, MaximumOpen = true)]
        public double Confidence { get; init; } = 0.95;
    }

    public override Ports Ports { get; } = new(
        [new Port("curve", ArtifactKind.Table, "columns samples and model_size; region and series if there are any")],
        new Port("sizes", ArtifactKind.Table, "kappa, beta_p and its interval, a row a series"));

    protected internal override void Run(Desk desk, Parameters p)
    {
        Table table = desk.Table("curve");
        var sizes = new Table("sizes", new Column("series"), new Column("kappa", true), new Column("beta_p", true), new Column("low", true), new Column("high", true), new Column("r2", true), new Column("points", true));
        foreach ((string series, Table part) in Series.Of(table))
        {
            double[] m = part.Numbers("samples"), s = part.Numbers("model_size");
            string[] region = part.Has("region") ? part.Texts("region") : [.. m.Select(_ => "power_law")];
            int[] used = [.. Enumerable.Range(0, m.Length).Where(i => region[i] != "small_data" && m[i] > 0 && s[i] > 0)];
            if (used.Length < 3) throw EvaluateFaults.NoLaw($"{table.Name}, series {series}", $"a size curve needs three data sizes, not {used.Length}");
            try
            {
                StraightLine line = StraightLine.Fit([.. used.Select(i => Math.Log(m[i]))], [.. used.Select(i => Math.Log(s[i]))]);
                double margin = line.SlopeMargin(p.Confidence);
                sizes.Add(series, Math.Exp(line.Intercept), line.Slope, line.Slope - margin, line.Slope + margin, line.Determination, (long)used.Length);
            }
            catch (ArithmeticException e)
            {
                throw EvaluateFaults.NoLaw($"{table.Name}, series {series}", e.Message);
            }
        }
        desk.Emit("sizes", sizes);
    }
}
