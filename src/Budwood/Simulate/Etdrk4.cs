using Budwood.Methods;
using Budwood.Numbers;

namespace Budwood.Simulate;

/// <summary>Solves an evolution equation on a periodic interval with fourth-order exponential time steps.</summary>
/// <use>Stiff equations in one dimension whose linear part is a sum of derivatives (Kuramoto-Sivashinsky, Burgers, Korteweg-de Vries): reference solutions, truths for
/// tests of assimilation and of discovered terms.</use>
/// <notfor>Other boundaries, more dimensions, shocks: the method is spectral, and nothing is de-aliased.</notfor>
/// <cost>Four evaluations a step, each two to four Fourier transforms of the field: about 20 microseconds a step at 256 points.</cost>
/// <differs>'cnab2' takes single second-order steps from two given states: the cheap model to be corrected. Coefficients are means over 32 points of a
/// circle, complex where the equation disperses.</differs>
/// <formula>u_t = sum of coefficient * u^p d^q u/dx^q; v' = E v + f1 N(v) + 2 f2 (N(a) + N(b)) + f3 N(c)</formula>
[Method("etdrk4", Room.Simulate)]
[Paper("medida-ks", "truth integrator, after Kassam and Trefethen 2005")]
public sealed partial class Etdrk4 : Job<Etdrk4.Parameters>
{
    /// <summary>Parameters of <c>etdrk4</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>Name of the array with the field at the start: values at equal distances over one period.</summary>
        public string Field { get; init; } = "u";

        /// <summary>Length of the periodic interval.</summary>
        [Required, Unit("length"), Range(0, double.PositiveInfinity, MinimumOpen = true)]
        public double Period { get; init; } = 1;

        /// <summary>Length of a time step.</summary>
        [Required, Unit("time"), Range(0, double.PositiveInfinity, MinimumOpen = true)]
        public double Step { get; init; } = 1e-3;

        /// <summary>Number of steps.</summary>
        [Required, Unit("steps"), Range(1, 1e12)]
        public long Steps { get; init; } = 1;

        /// <summary>The field is given out after every so many steps, and at the start.</summary>
        [Unit("steps"), Range(1, 1e12)]
        public long Every { get; init; } = 1;
    }

    public override Ports Ports { get; } = new(
        [new Port("start", ArtifactKind.Arrays, "the field at the start"), new Port("terms", ArtifactKind.Table, "the right-hand side: columns term (uu_x, u_xx, ...) and coefficient")],
        new Port("states", ArtifactKind.Arrays, "times t [saved] and fields u [saved, points]"));

    protected internal override void Run(Desk desk, Parameters p)
    {
        Arrays start = desk.Arrays("start");
        NdArray field = start.Get(p.Field, 1);
        int n = field.Values.Length;
        var equation = new PeriodicEquation(n, p.Period, TermTable.Read(desk.Table("terms")));
        var (times, fields) = (new List<double> { 0 }, new List<double>(field.Values));
        equation.Run(field.Values, p.Step, p.Steps, s => s % p.Every == 0, (s, u) =>
        {
            if (!u.All(double.IsFinite)) throw SimulateFaults.Diverged(start.Label, s, p.Step);
            times.Add(s * p.Step);
            fields.AddRange(u);
        }, desk.Stop);
        desk.Emit("states", new Arrays { ["t"] = NdArray.Of([.. times]), ["u"] = new NdArray(new Shape(times.Count, n), [.. fields]) });
    }
}
