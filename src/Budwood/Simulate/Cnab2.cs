using Budwood.Methods;

namespace Budwood.Simulate;

/// <summary>Takes one second-order time step of an evolution equation from pairs of states, for all pairs given.</summary>
/// <use>The one-step model whose structural error 'medida' finds; forecasts of ensembles for 'ensemble_kalman_filter'.</use>
/// <notfor>Long runs: 'etdrk4' takes larger steps at less error.</notfor>
/// <cost>Two evaluations and three Fourier transforms a pair.</cost>
/// <differs>Its error of order step^2 stays in what it returns, on purpose: a model error is estimated against the model as it is run.</differs>
/// <formula>(1 - h L/2) v' = (1 + h L/2) v + 3h/2 N(v) - h/2 N(v_old)</formula>
[Method("cnab2", Room.Simulate)]
[Paper("medida-ks", "one-step imperfect model")]
public sealed partial class Cnab2 : Job<Cnab2.Parameters>
{
    /// <summary>Parameters of <c>cnab2</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>Length of the periodic interval.</summary>
        [Required, Unit("length"), Range(0, double.PositiveInfinity, MinimumOpen = true)]
        public double Period { get; init; } = 1;

        /// <summary>Length of the step, which is also the distance of the two states.</summary>
        [Required, Unit("time"), Range(0, double.PositiveInfinity, MinimumOpen = true)]
        public double Step { get; init; } = 1e-3;

        /// <summary>Name of the array with the earlier states.</summary>
        public string Old { get; init; } = "old";

        /// <summary>Name of the array with the later states.</summary>
        public string Now { get; init; } = "now";

        /// <summary>Name that the stepped states get.</summary>
        public string Next { get; init; } = "modelled";
    }

    public override Ports Ports { get; } = new(
        [new Port("states", ArtifactKind.Arrays, "earlier and later states, points along the last axis"), new Port("terms", ArtifactKind.Table, "the right-hand side: columns term (uu_x, u_xx, ...) and coefficient")],
        new Port("out", ArtifactKind.Arrays, "all arrays of the input, and the stepped states"));

    protected internal override void Run(Desk desk, Parameters p)
    {
        Arrays states = desk.Arrays("states");
        NdArray old = states[p.Old], now = states[p.Now];
        if (old.Shape != now.Shape || now.Shape.Rank == 0) throw SimulateFaults.ShapesDisagree(states.Label, p.Old, old.Shape, p.Now, now.Shape, "equal shapes with points along the last axis");
        (EvolutionTerm Term, double Coefficient)[] terms = TermTable.Read(desk.Table("terms"));
        NdArray next = TermTable.Empty(now.Shape);
        int points = (int)now.Shape.Columns;
        long rows = now.Shape.Rows;
        // Each part has an equation of its own: transforms keep their work space.
        int parts = (int)Math.Min(rows, 64);
        desk.ForEach(parts, part =>
        {
            var equation = new PeriodicEquation(points, p.Period, terms);
            for (long row = part; row < rows; row += parts)
            {
                desk.Stop.ThrowIfCancellationRequested();
                equation.OneStep(TermTable.Field(old, row), TermTable.Field(now, row), p.Step).CopyTo(TermTable.Field(next, row));
            }
        });
        var made = new Arrays { [p.Next] = next };
        foreach (string name in states.Names.Where(n => n != p.Next)) made[name] = states[name];
        desk.Emit("out", made);
    }
}
