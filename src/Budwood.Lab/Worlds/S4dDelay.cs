using System.Numerics;
using Budwood.Initialize;
using Budwood.Methods;
using Budwood.Numbers.Fourier;
using Budwood.Numbers.Linear;
using Budwood.Numbers.Random;

namespace Budwood.Lab.Worlds;

/// <summary>Measures how well a linear read-out of the fixed states of a diagonal system recalls its input some samples ago.</summary>
/// <use>Memory of initialisations without any training of the state.</use>
/// <notfor>Trained layers.</notfor>
/// <cost>Samples x states^2 for the Gram matrix: seconds.</cost>
/// <differs>A delay of 0 samples is the null world: every initialisation can do it.</differs>
[Method("s4d_delay", Room.Initialize)]
[Paper("s4d", "memory of fixed states, claim 2")]
public sealed partial class S4dDelay : Job<S4dDelay.Parameters>
{
    /// <summary>Parameters of <c>s4d_delay</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>Which state matrix.</summary>
        public S4DKind Init { get; init; } = S4DKind.Lin;

        /// <summary>States.</summary>
        [Unit("states"), Range(2, 1024)]
        public int States { get; init; } = 64;

        /// <summary>Samples, the first half to fit on and the rest to score.</summary>
        [Unit("samples"), Range(100, 10_000_000)]
        public int Samples { get; init; } = 12_000;

        /// <summary>How long ago the input is to be recalled.</summary>
        [Unit("samples"), Range(0, 1_000_000)]
        public int Delay { get; init; } = 500;

        /// <summary>Step of the system a sample.</summary>
        [Unit("time"), Range(0, 1, MinimumOpen = true)]
        public double Step { get; init; } = 0.002;

        /// <summary>Highest frequency of the input.</summary>
        [Unit("cycles a sample"), Range(0, 0.5, MinimumOpen = true)]
        public double Cutoff { get; init; } = 0.02;

        /// <summary>Ridge penalty over the mean diagonal of the Gram matrix.</summary>
        [Unit("1"), Range(0, 1)]
        public double Penalty { get; init; } = 1e-6;
    }

    public override Ports Ports { get; } = new([], new Port("recall", ArtifactKind.Table, "normalised squared error on the second half"));

    protected override void Run(Desk desk, Parameters p)
    {
        double[] u = BandLimited(p, desk.Random("input"));
        RandomStream modes = desk.Random("A");
        Complex[] a = p.Init == S4DKind.Rand ? DiagonalStateSpace.Random(modes.Normals(p.States / 2)) : DiagonalStateSpace.Values(p.Init, p.States);
        Matrix x = new DiagonalKernel(a, DiagonalStateSpace.Inputs(p.Init, S4DInput.Constant, p.States), [p.Step], DiscretisationRule.Bilinear).States(u);
        int[] fit = [.. Enumerable.Range(p.Delay, (p.Samples / 2) - p.Delay)], test = [.. Enumerable.Range(p.Samples / 2, p.Samples - (p.Samples / 2))];
        Matrix inside = x.TakeRows(fit), wanted = new(fit.Length, 1, [.. fit.Select(t => u[t - p.Delay])]), gram = inside.Gram();
        double diagonal = Enumerable.Range(0, gram.Rows).Average(i => gram[i, i]);
        Matrix c = LeastSquares.Ridge(inside, wanted, p.Penalty * diagonal), recalled = x.TakeRows(test) * c;
        double error = 0, power = 0;
        for (int i = 0; i < test.Length; i++)
        {
            double target = u[test[i] - p.Delay];
            error += (recalled[i, 0] - target) * (recalled[i, 0] - target);
            power += target * target;
        }
        var recall = new Table("recall", new Column("init"), new Column("states", true), new Column("delay", true), new Column("nmse", true));
        recall.Add(p.Init.ToString().ToLowerInvariant(), (long)p.States, (long)p.Delay, error / power);
        desk.Emit("recall", recall);
    }

    private static double[] BandLimited(Parameters p, RandomStream random)
    {
        double[] u = random.Normals(p.Samples);
        var transform = new RealFourierTransform(p.Samples);
        var spectrum = new Complex[transform.Modes];
        transform.Forward(u, spectrum);
        for (int k = 0; k < spectrum.Length; k++) if (k > p.Cutoff * p.Samples) spectrum[k] = 0;
        transform.Inverse(spectrum, u);
        double deviation = Math.Sqrt(Vectors.Variance(u, 0));
        for (int i = 0; i < u.Length; i++) u[i] /= deviation;
        return u;
    }
}
