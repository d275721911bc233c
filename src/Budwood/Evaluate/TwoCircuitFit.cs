using Budwood.Methods;

namespace Budwood.Evaluate;

/// <summary>Explains a success curve that rises faster than the law by two circuits inside the model, each with a law of its own.</summary>
/// <use>Curves that 'emergence_classifier' calls super_scaling.</use>
/// <notfor>Fewer than six sizes: four parameters fit nearly any five points.</notfor>
/// <cost>Nine small searches.</cost>
/// <differs>The paper's weights of the circuits are not known to us (reconstructed): one half each, or the softmax of their chances. AIC of the line and of the
/// parabola stands beside it.</differs>
/// <formula>PU(N) = w exp(-c1 N^-alpha1) + (1 - w) exp(-c2 N^-alpha2)</formula>
[Method("two_circuit_fit", Room.Evaluate)]
[Paper("passuntil", "multiple circuits hypothesis, step 7")]
public sealed partial class TwoCircuitFit : Job<TwoCircuitFit.Parameters>
{
    /// <summary>Parameters of <c>two_circuit_fit</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>Weights the circuits by the softmax of their chances instead of one half each.</summary>
        public bool Softmax { get; init; }
    }

    public override Ports Ports { get; } = new(
        [new Port("chances", ArtifactKind.Table, "columns size and chance; question too, whose mean is taken")],
        new Port("fit", ArtifactKind.Table, "both laws, and AIC of two circuits, parabola and line"));

    protected internal override void Run(Desk desk, Parameters p)
    {
        Table table = desk.Table("chances");
        var fit = new Table("fit", new Column("series"), new Column("c1", true), new Column("alpha1", true), new Column("c2", true), new Column("alpha2", true),
            new Column("aic_circuits", true), new Column("aic_parabola", true), new Column("aic_line", true));
        foreach ((string series, Table part) in Series.Of(table))
        {
            SuccessTable given = SuccessTable.Read(part);
            try
            {
                TwoCircuits c = Emergence.FitTwoCircuits(given.Sizes, SuccessLaw.Means(given.Chances), p.Softmax);
                fit.Add(series, c.C1, c.Alpha1, c.C2, c.Alpha2, c.Aic, c.ParabolaAic, c.LineAic);
            }
            catch (ArithmeticException e)
            {
                throw EvaluateFaults.NoLaw(table.Name, e.Message);
            }
        }
        desk.Emit("fit", fit);
    }
}
