using Budwood.Methods;
using Budwood.Numbers.Linear;

namespace Budwood.Simulate;

/// <summary>How the mismatch of a model is spread over candidate terms.</summary>
public enum MismatchRegression
{
    /// <summary>The relevance vector machine: few terms.</summary>
    Relevance,

    /// <summary>Least squares: all terms, the baseline.</summary>
    LeastSquares,

    /// <summary>Ridge regression whose small weights are cut, the baseline of PDE-FIND.</summary>
    ThresholdedRidge,
}

/// <summary>Finds which terms a model's equation lacks or has too much of, from what it predicts and what is observed one short step later.</summary>
/// <use>A solver of an imperfect equation in one periodic dimension and some ten pairs of fields a short step apart. The answer is an equation, not a network.</use>
/// <notfor>Noisy fields as they are: derivatives of noise drown the mismatch; put 'ensemble_kalman_filter' before it. Errors that are no local terms.</notfor>
/// <cost>One library of fields (a Fourier transform a derivative) and a regression of some 24 columns: seconds.</cost>
/// <differs>Derivatives are spectral in float64; the authors' code has finite differences in complex64. Coefficients are those to add to the model's
/// right-hand side (the authors' sign is of the left). 'relevance_vector_machine' is the regression alone, for any table.</differs>
/// <formula>(observed - modelled)/step = sum of w_j u^p d^q u/dx^q</formula>
[Method("medida", Room.Simulate)]
[Paper("medida-ks", "steps 3-7")]
public sealed partial class Medida : Job<Medida.Parameters>
{
    /// <summary>Parameters of <c>medida</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>Length of the periodic interval.</summary>
        [Required, Unit("length"), Range(0, double.PositiveInfinity, MinimumOpen = true)]
        public double Period { get; init; } = 1;

        /// <summary>Time over which the model ran before it was compared.</summary>
        [Required, Unit("time"), Range(0, double.PositiveInfinity, MinimumOpen = true)]
        public double Step { get; init; } = 1e-3;

        /// <summary>How terms are chosen.</summary>
        public MismatchRegression Regression { get; init; } = MismatchRegression.Relevance;

        /// <summary>Relevance: candidates whose prior precision reaches this are dropped; lower keeps fewer.</summary>
        [Unit("1"), Range(0, double.PositiveInfinity, MinimumOpen = true)]
        public double AlphaLimit { get; init; } = 100;

        /// <summary>Relevance: rounds end when no precision changes by more.</summary>
        [Unit("1"), Range(0, double.PositiveInfinity, MinimumOpen = true)]
        public double Tolerance { get; init; } = 0.1;

        /// <summary>Thresholded ridge: penalty for columns of unit length.</summary>
        [Unit("1"), Range(0, double.PositiveInfinity)]
        public double Penalty { get; init; } = 1e-5;

        /// <summary>Thresholded ridge: terms that are shorter than this share of the mismatch are cut.</summary>
        [Unit("1"), Range(0, 1)]
        public double Threshold { get; init; } = 0.05;

        /// <summary>Highest power of u among the candidates.</summary>
        [Unit("1"), Range(1, 9)]
        public int HighestPower { get; init; } = 4;

        /// <summary>Highest derivative among the candidates.</summary>
        [Unit("1"), Range(0, 8)]
        public int HighestDerivative { get; init; } = 4;

        /// <summary>Limits for which the number of terms and what they leave of the mismatch are listed besides.</summary>
        public IReadOnlyList<double> Sweep { get; init; } = [];

        /// <summary>Name of the array with the observed fields, points along the last axis.</summary>
        public string Observed { get; init; } = "observed";

        /// <summary>Name of the array with what the model made of the state a step before.</summary>
        public string Modelled { get; init; } = "modelled";
    }

    public override Ports Ports { get; } = new(
        [new Port("pairs", ArtifactKind.Arrays, "observed and modelled fields [pairs, points]"), new Port("model", ArtifactKind.Table, "the model's terms and coefficients", Optional: true),
            new Port("truth", ArtifactKind.Table, "the system's terms and coefficients, where they are known, to score the model before and after", Optional: true)],
        new Port("terms", ArtifactKind.Table, "terms to add, with coefficients"), new Port("corrected", ArtifactKind.Table, "the model with them added", Optional: true),
        new Port("curve", ArtifactKind.Table, "terms and mismatch left for each limit of the sweep", Optional: true),
        new Port("score", ArtifactKind.Table, "errors of the coefficients before and after, terms too many, terms missed, and the worst deviation of a true term", Optional: true));

    protected internal override void Run(Desk desk, Parameters p)
    {
        Arrays pairs = desk.Arrays("pairs");
        NdArray a = pairs[p.Observed], b = pairs[p.Modelled];
        if (a.Shape != b.Shape || a.Shape.Rank == 0) throw SimulateFaults.ShapesDisagree(pairs.Label, p.Observed, a.Shape, p.Modelled, b.Shape, "equal shapes with points along the last axis");
        var library = new TermLibrary(p.HighestPower, p.HighestDerivative);
        int rows = (int)a.Shape.Rows, n = (int)a.Shape.Columns;
        (Matrix x, double[] y) = StructuralError.Regression(new Matrix(rows, n, a.Values), new Matrix(rows, n, b.Values), p.Step, p.Period, library);

        var found = new Table("terms", new Column("term"), new Column("coefficient", true), new Column("deviation", true));
        (int Column, double Weight, double? Deviation)[] terms = Terms(pairs.Label, x, y, p, p.AlphaLimit);
        foreach ((int j, double w, double? deviation) in terms) found.Add(library.Names[j], w, deviation);
        found.Notes.Add(FormattableString.Invariant($"{terms.Length} of {library.Names.Count} candidates; they leave {100 * Left(x, y, terms):G3} % of the mismatch"));
        desk.Emit("terms", found);

        if (desk.Has("model"))
        {
            var corrected = new Dictionary<string, double>(StringComparer.Ordinal);
            Dictionary<string, double> model = TermTable.Sums(desk.Table("model"));
            foreach ((string term, double c) in model) corrected[term] = c;
            foreach ((int j, double w, _) in terms) corrected[library.Names[j]] = corrected.GetValueOrDefault(library.Names[j]) + w;
            desk.Emit("corrected", TermTable.Of("corrected", corrected));
            if (desk.Has("truth")) desk.Emit("score", Score(TermTable.Sums(desk.Table("truth")), model, corrected, [.. terms.Select(t => library.Names[t.Column])]));
        }
        if (p.Sweep.Count == 0) return;
        var curve = new Table("curve", new Column("alpha_limit", true), new Column("terms", true), new Column("left", true, "% of the mismatch"));
        foreach (double limit in p.Sweep)
        {
            (int, double, double?)[] at = Terms(pairs.Label, x, y, p, limit);
            curve.Add(limit, (long)at.Length, 100 * Left(x, y, at));
        }
        desk.Emit("curve", curve);
    }

    private static Table Score(Dictionary<string, double> truth, Dictionary<string, double> model, Dictionary<string, double> corrected, string[] found)
    {
        string[] wrong = [.. truth.Keys.Union(model.Keys).Where(t => truth.GetValueOrDefault(t) != model.GetValueOrDefault(t))];
        var score = new Table("score", new Column("before", true, "%"), new Column("after", true, "%"), new Column("terms", true), new Column("extra", true), new Column("lost", true), new Column("worst", true));
        double worst = wrong.Length == 0 ? 0 : wrong.Max(t => Math.Abs(corrected.GetValueOrDefault(t) - truth.GetValueOrDefault(t)));
        score.Add(StructuralError.ErrorPercent(truth, model), StructuralError.ErrorPercent(truth, corrected), (long)found.Length, (long)found.Except(wrong).Count(), (long)wrong.Except(found).Count(), worst);
        return score;
    }

    private static (int Column, double Weight, double? Deviation)[] Terms(string label, Matrix x, double[] y, Parameters p, double limit)
    {
        try
        {
            if (p.Regression == MismatchRegression.Relevance)
            {
                AutomaticRelevance fit = AutomaticRelevance.Fit(x, y, limit, p.Tolerance);
                return [.. fit.Support.Select((j, i) => (j, fit.Weights[i], (double?)(fit.Standardised[i] == 0 ? 0 : Math.Abs(fit.Weights[i] / fit.Standardised[i]) * fit.Deviations[i])))];
            }
            double[] w = p.Regression == MismatchRegression.LeastSquares ? SparseRegression.LeastSquaresWeights(x, y)
                : SparseRegression.ThresholdedRidge(x, y, p.Penalty, p.Threshold * Vectors.Norm(y));
            return [.. Enumerable.Range(0, w.Length).Where(j => w[j] != 0).Select(j => (j, w[j], (double?)null))];
        }
        catch (ArithmeticException e)
        {
            throw SimulateFaults.NotSolvable(label, e.Message);
        }
    }

    // Share of the mismatch about its mean that the terms do not explain.
    private static double Left(Matrix x, double[] y, (int Column, double Weight, double? Deviation)[] terms)
    {
        double[] rest = (double[])y.Clone();
        for (int i = 0; i < rest.Length; i++) foreach ((int j, double w, _) in terms) rest[i] -= w * x[i, j];
        return Math.Sqrt(Vectors.Variance(rest, 0) / Vectors.Variance(y, 0));
    }
}
