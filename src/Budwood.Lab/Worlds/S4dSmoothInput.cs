using Budwood.Initialize;
using Budwood.Methods;

namespace Budwood.Lab.Worlds;

/// <summary>Compares the states of HiPPO-LegS and of its diagonal part under a smooth pulse, over the number of states.</summary>
/// <use>The theorem behind S4D-LegS: both agree in the limit.</use>
/// <notfor>Rough inputs: raw impulse responses do not agree at any size.</notfor>
/// <cost>Samples x states^2; a second for 64 states, 6 for 128.</cost>
/// <differs>The null world is a width of the pulse far below the step of the modes (width 0.0005): there the states do not come close.</differs>
[Method("s4d_smooth_input", Room.Initialize)]
[Paper("s4d", "limit of many states, claim 1")]
public sealed partial class S4dSmoothInput : Job<S4dSmoothInput.Parameters>
{
    /// <summary>Parameters of <c>s4d_smooth_input</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>Numbers of states.</summary>
        public IReadOnlyList<long> States { get; init; } = [8, 16, 32, 64];

        /// <summary>Width of the Gaussian pulse around time 1.</summary>
        [Unit("time"), Range(0, 10, MinimumOpen = true)]
        public double Width { get; init; } = 0.1;

        /// <summary>Step of the samples.</summary>
        [Unit("time"), Range(0, 1, MinimumOpen = true)]
        public double Step { get; init; } = 1e-3;

        /// <summary>Time until the end.</summary>
        [Unit("time"), Range(0, 1000, MinimumOpen = true)]
        public double End { get; init; } = 4;
    }

    public override Ports Ports { get; } = new([], new Port("errors", ArtifactKind.Table, "relative error of the first four rows of the state, by number of states"));

    protected override void Run(Desk desk, Parameters p)
    {
        double[] u = [.. Enumerable.Range(0, (int)Math.Round(p.End / p.Step)).Select(k => Math.Exp(-((k * p.Step) - 1) * ((k * p.Step) - 1) / (2 * p.Width * p.Width)))];
        var errors = new Table("errors", new Column("states", true), new Column("row0", true), new Column("row1", true), new Column("row2", true), new Column("row3", true));
        double[][] rows = new double[p.States.Count][];
        desk.ForEach(rows.Length, i => rows[i] = SmoothInput.RowErrors((int)p.States[i], u, p.Step, 4));
        for (int i = 0; i < rows.Length; i++) errors.Add(p.States[i], rows[i][0], rows[i][1], rows[i][2], rows[i][3]);
        desk.Emit("errors", errors);
    }
}
