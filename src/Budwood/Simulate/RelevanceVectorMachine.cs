using Budwood.Methods;
using Budwood.Numbers.Linear;

namespace Budwood.Simulate;

/// <summary>Regresses one column on others and keeps those that matter: each weight has a prior whose width the data decide.</summary>
/// <use>Few true terms among tens of candidates, more rows than candidates; no penalty to be tuned by cross-validation.</use>
/// <notfor>Candidates that nearly repeat each other: they share the weight. Fewer rows than a few times the candidates.</notfor>
/// <cost>Forms X'X once (rows p^2), then p^3 a round with p candidates left.</cost>
/// <differs>No kernels, unlike the machine of that name in other tools: the columns are the basis. Rounds end by the change of the precisions, after the third at the
/// earliest.</differs>
/// <formula>S = (diag(a) + b X'X)^-1; m = b S X'y; g = 1 - a S_jj; a = g/m^2; b = (n - sum g)/|y - X m|^2; drop a &gt;= alpha_limit</formula>
[Method("relevance_vector_machine", Room.Simulate)]
[Paper("medida-ks", "Bayesian sparse regression, after Tipping 2001")]
public sealed partial class RelevanceVectorMachine : Job<RelevanceVectorMachine.Parameters>
{
    /// <summary>Parameters of <c>relevance_vector_machine</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>Column that is to be explained.</summary>
        [Required]
        public string Target { get; init; } = "";

        /// <summary>Columns that may explain it; all others by default.</summary>
        public IReadOnlyList<string> Features { get; init; } = [];

        /// <summary>Candidates whose prior precision reaches this are dropped; lower keeps fewer.</summary>
        [Unit("1"), Range(0, double.PositiveInfinity, MinimumOpen = true)]
        public double AlphaLimit { get; init; } = 100;

        /// <summary>Rounds end when no precision changes by more.</summary>
        [Unit("1"), Range(0, double.PositiveInfinity, MinimumOpen = true)]
        public double Tolerance { get; init; } = 0.1;

        /// <summary>Most rounds.</summary>
        [Unit("rounds"), Range(3, 1_000_000)]
        public int Rounds { get; init; } = 3000;
    }

    public override Ports Ports { get; } = new(
        [new Port("table", ArtifactKind.Table, "one row an observation")],
        new Port("weights", ArtifactKind.Table, "the columns kept, their weights and how well the data determine them"));

    protected internal override void Run(Desk desk, Parameters p)
    {
        Table table = desk.Table("table");
        double[] y = table.Numbers(p.Target);
        string[] features = p.Features.Count > 0 ? [.. p.Features] : [.. table.Columns.Select(c => c.Name).Where(n => n != p.Target)];
        double[][] columns = [.. features.Select(table.Numbers)];
        Matrix x = Matrix.Of(y.Length, columns.Length, (i, j) => columns[j][i]);
        AutomaticRelevance fit;
        try
        {
            fit = AutomaticRelevance.Fit(x, y, p.AlphaLimit, p.Tolerance, p.Rounds);
        }
        catch (ArithmeticException e)
        {
            throw SimulateFaults.NotSolvable(table.Name, e.Message);
        }
        var weights = new Table("weights", new Column("feature"), new Column("weight", true), new Column("deviation", true), new Column("precision", true), new Column("determined", true));
        double intercept = Vectors.Mean(y);
        for (int i = 0; i < fit.Support.Length; i++)
        {
            double scale = fit.Standardised[i] == 0 ? 0 : Math.Abs(fit.Weights[i] / fit.Standardised[i]);
            weights.Add(features[fit.Support[i]], fit.Weights[i], scale * fit.Deviations[i], fit.Alphas[i], fit.Gammas[i]);
            intercept -= fit.Weights[i] * Vectors.Mean(columns[fit.Support[i]]);
        }
        weights.Notes.Add(FormattableString.Invariant($"kept {fit.Support.Length} of {features.Length} columns in {fit.Rounds} rounds; intercept {intercept:G6}, standardised noise {1 / Math.Sqrt(fit.Beta):G4}"));
        desk.Emit("weights", weights);
    }
}
