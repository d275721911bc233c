using Budwood.Methods;
using Budwood.Numbers.Linear;
using Budwood.Numbers.Random;

namespace Budwood.Inspect;

/// <summary>How a representation is narrowed to a width.</summary>
public enum WidthReduction
{
    /// <summary>Random directions.</summary>
    Projection,

    /// <summary>Principal components of the training features, largest first; as many as labels give the minimum-norm head of all features, so that there is no peak.</summary>
    Principal,

    /// <summary>The first features as they stand.</summary>
    Prefix,
}

/// <summary>Measures the test risk of a linear head on frozen features over widths, and reads the curve: where the peak is, and whether risk falls again beyond it.</summary>
/// <use>Features of a frozen model (last-token hidden states, embeddings) and targets: are your labels too near your width, and what does ridge change?</use>
/// <notfor>Fine-tuning of the whole model: its features are not frozen.</notfor>
/// <cost>A singular value decomposition of labels x width a repeat and width.</cost>
/// <differs>Features are centred and scaled on the training split alone. Singular values below max(n, p) eps smax count as 0: without that, near-singular features
/// give risks of 1e5 and more that are rounding, not statistics.</differs>
/// <formula>B = pinv(F) Y on n rows; risk = mean over other rows of |f'B - y|^2</formula>
[Method("complexity_sweep", Room.Inspect)]
[Paper("hmm-complexity", "sweep over the size of the representation, steps 5 and 6")]
public sealed partial class ComplexitySweep : Job<ComplexitySweep.Parameters>
{
    /// <summary>Parameters of <c>complexity_sweep</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>Labelled examples to fit on (n); the others are scored.</summary>
        [Required, Unit("examples"), Range(2, 1_000_000)]
        public int Labels { get; init; } = 60;

        /// <summary>Widths to try; by default a geometric grid through the number of labels. Arrays features.WIDTH bring their own.</summary>
        public IReadOnlyList<long> Widths { get; init; } = [];

        /// <summary>How features are narrowed.</summary>
        public WidthReduction Reduction { get; init; } = WidthReduction.Projection;

        /// <summary>Splits and projections a width.</summary>
        [Unit("repeats"), Range(1, 10_000)]
        public int Repeats { get; init; } = 6;

        /// <summary>Ridge penalties a label, of which the best is listed; none by default.</summary>
        public IReadOnlyList<double> Penalties { get; init; } = [];
    }

    public override Ports Ports { get; } = new(
        [new Port("examples", ArtifactKind.Arrays, "features [N, P] and targets [N, m]; clean [N, m] to score on, if targets have known noise; or features.WIDTH (targets.WIDTH, clean.WIDTH) of models of several widths")],
        new Port("risk", ArtifactKind.Table, "risk by width: median, band, training error, best ridge"), new Port("verdict", ArtifactKind.Table, "peak, minima and descents of the curve"));

    protected internal override void Run(Desk desk, Parameters p)
    {
        Arrays given = desk.Arrays("examples");
        long[] own = [.. given.Names.Where(n => n.StartsWith("features.", StringComparison.Ordinal)).Select(n => long.TryParse(n.AsSpan(9), out long w) ? w : -1).Where(w => w > 0).Order()];
        bool whole = given.TryGet("features", out NdArray? features);
        if (!whole && own.Length == 0) throw HeadFaults.NoFeatures(given.Label);
        if (whole) given.Get("features", 2);
        long[] widths = whole ? (p.Widths.Count > 0 ? [.. p.Widths.Order()] : Grid(p.Labels, features!.Shape[1])) : own;
        if (whole && widths.FirstOrDefault(w => w < 1 || w > features!.Shape[1]) is var wrong and not 0) throw HeadFaults.TooWide(given.Label, wrong, features!.Shape[1]);

        RandomStream[] streams = [.. widths.Select(w => desk.Random($"width {w}"))];
        var rows = new object?[widths.Length][];
        double[] medians = new double[widths.Length];
        desk.ForEach(widths.Length, i =>
        {
            string suffix = whole ? "" : $".{widths[i]}";
            Matrix x = Of(given, "features" + suffix), y = Of(given, given.TryGet("targets" + suffix, out _) ? "targets" + suffix : "targets");
            string clean = given.TryGet("clean" + suffix, out _) ? "clean" + suffix : "clean";
            Matrix score = given.TryGet(clean, out _) ? Of(given, clean) : y;
            if (y.Rows != x.Rows || score.Rows != x.Rows) throw HeadFaults.RowsDisagree(given.Label, "features" + suffix, x.Rows, "targets", y.Rows);
            if (x.Rows <= p.Labels) throw HeadFaults.TooFewExamples(given.Label, x.Rows, p.Labels);
            var (risks, train) = (new double[p.Repeats], new double[p.Repeats]);
            double[][] ridge = [.. p.Penalties.Select(_ => new double[p.Repeats])];
            for (int r = 0; r < p.Repeats; r++)
            {
                desk.Stop.ThrowIfCancellationRequested();
                (Matrix inside, Matrix outside, int[] fit, int[] rest) = Split(x, p.Labels, whole ? (int)widths[i] : x.Columns, p.Reduction, streams[i]);
                Matrix labels = y.TakeRows(fit), wanted = score.TakeRows(rest), head = HeadRisk.Head(inside, labels);
                risks[r] = Error(outside * head, wanted);
                train[r] = Error(inside * head, labels);
                for (int k = 0; k < ridge.Length; k++) ridge[k][r] = Error(outside * HeadRisk.Head(inside, labels, p.Penalties[k] * p.Labels), wanted);
            }
            Array.Sort(risks);
            Array.Sort(train);
            medians[i] = Vectors.Quantile(risks, 0.5);
            double? best = ridge.Length == 0 ? null : ridge.Min(k => Vectors.Quantile([.. k.Order()], 0.5));
            rows[i] = [widths[i], (double)widths[i] / p.Labels, medians[i], Vectors.Quantile(risks, 0.1), Vectors.Quantile(risks, 0.9), Vectors.Quantile(train, 0.5), best];
        });
        var risk = new Table("risk", new Column("width", true), new Column("ratio", true), new Column("risk", true), new Column("low", true), new Column("high", true), new Column("train", true), new Column("ridge", true));
        foreach (object?[] row in rows) risk.Add(row);
        desk.Emit("risk", risk);
        RiskCurve curve = RiskCurve.Of([.. widths.Select(w => (int)w)], medians, p.Labels);
        var verdict = new Table("verdict", new Column("peak_ratio", true), new Column("peak", true), new Column("under_minimum", true), new Column("over_minimum", true),
            new Column("degenerate_first_descent"), new Column("monotone_rise"), new Column("second_descent"));
        verdict.Add(curve.PeakRatio, curve.Peak, (long)curve.UnderMinimum, (long)curve.OverMinimum, curve.DegenerateFirstDescent, curve.MonotoneRise, curve.SecondDescent);
        desk.Emit("verdict", verdict);
    }

    private static Matrix Of(Arrays arrays, string name)
    {
        NdArray a = arrays.Get(name, 2);
        return new Matrix((int)a.Shape[0], (int)a.Shape[1], a.Values);
    }

    private static long[] Grid(int labels, long most) =>
        [.. ((double[])[0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2, 3, 4, 6, 8]).Select(f => (long)Math.Round(f * labels)).Where(w => w >= 1 && w <= most).Distinct()];

    // Training rows first in a random order; features standardised by them alone.
    private static (Matrix Inside, Matrix Outside, int[] FitRows, int[] OtherRows) Split(Matrix x, int labels, int width, WidthReduction reduction, RandomStream random)
    {
        int[] order = [.. Enumerable.Range(0, x.Rows)];
        random.Shuffle<int>(order);
        (int[] fit, int[] rest) = (order[..labels], order[labels..]);
        (Matrix inside, Matrix outside) = (x.TakeRows(fit), x.TakeRows(rest));
        for (int j = 0; j < x.Columns; j++)
        {
            double[] column = inside.Column(j);
            double mean = Vectors.Mean(column), deviation = Math.Sqrt(Vectors.Variance(column, 0)), scale = deviation > 0 ? 1 / deviation : 0;
            for (int i = 0; i < inside.Rows; i++) inside[i, j] = (inside[i, j] - mean) * scale;
            for (int i = 0; i < outside.Rows; i++) outside[i, j] = (outside[i, j] - mean) * scale;
        }
        if (width == x.Columns) return (inside, outside, fit, rest);
        if (reduction == WidthReduction.Prefix)
        {
            int[] first = [.. Enumerable.Range(0, width)];
            return (inside.TakeColumns(first), outside.TakeColumns(first), fit, rest);
        }
        Matrix directions = HeadRisk.Drawn(x.Columns, width, 1 / Math.Sqrt(x.Columns), random);
        if (reduction == WidthReduction.Principal)
        {
            Svd svd = Svd.Of(inside);
            // Beyond the rank of the training split there are no components; random directions fill up.
            for (int j = 0; j < Math.Min(width, svd.V.Columns); j++) for (int i = 0; i < x.Columns; i++) directions[i, j] = svd.V[i, j];
        }
        return (inside * directions, outside * directions, fit, rest);
    }

    private static double Error(Matrix predicted, Matrix wanted)
    {
        Matrix d = predicted - wanted;
        return Vectors.Dot(d.Values, d.Values) / d.Rows;
    }
}
