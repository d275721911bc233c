using System.Numerics;
using Budwood.Methods;
using Budwood.Numbers;
using Budwood.Numbers.Random;

namespace Budwood.Initialize;

/// <summary>Makes the starting tensors of diagonal state space layers: state matrix, input, output, skip and step, one system a channel.</summary>
/// <use>New S4D or DSS layers, and ablations of how they start; the recommended kinds are lin, inv and legs.</use>
/// <notfor>Layers whose state matrix has a low-rank part (S4): those need its P too.</notfor>
/// <cost>legs solves one Hermitian eigenproblem of the number of states; the others are closed forms.</cost>
/// <differs>Imaginary parts are negative, as the module of the public repository stores them; its minimal file has them positive, with the same kernel. 'real' has half
/// as many modes at -1 .. -states/2, as there. Draws come from our streams.</differs>
/// <formula>lin: A_n = -1/2 - i pi n; inv: Im A_n = -(N/pi)(N/(2n+1) - 1); legs: eigenvalues of the normal part of HiPPO-LegS</formula>
[Method("s4d_init", Room.Initialize)]
[Paper("s4d", "initialisations, steps 2-4")]
public sealed partial class S4dInit : Job<S4dInit.Parameters>
{
    /// <summary>Parameters of <c>s4d_init</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>Which state matrix.</summary>
        public S4DKind Init { get; init; } = S4DKind.Lin;

        /// <summary>States a channel (N); half of them are stored, the others are conjugates.</summary>
        [Unit("states"), Range(2, 4096)]
        public int States { get; init; } = 64;

        /// <summary>Channels (H), each a system of its own.</summary>
        [Unit("channels"), Range(1, 1_000_000)]
        public int Channels { get; init; } = 1;

        /// <summary>How much of the input each mode receives.</summary>
        public S4DInput Input { get; init; } = S4DInput.Constant;

        /// <summary>Scales the input so that states have variance 1 under white noise.</summary>
        public bool Normalize { get; init; }

        /// <summary>Factor of the real parts; 1 gives -1/2.</summary>
        [Unit("1"), Range(0, double.PositiveInfinity, MinimumOpen = true)]
        public double RealScale { get; init; } = 1;

        /// <summary>Factor of the imaginary parts: the scale ablation.</summary>
        [Unit("1"), Range(0, double.PositiveInfinity)]
        public double ImaginaryScale { get; init; } = 1;

        /// <summary>Smallest step; steps are drawn evenly on a logarithmic scale.</summary>
        [Unit("time"), Range(0, double.PositiveInfinity, MinimumOpen = true)]
        public double StepMinimum { get; init; } = 0.001;

        /// <summary>Largest step.</summary>
        [Unit("time"), Range(0, double.PositiveInfinity, MinimumOpen = true)]
        public double StepMaximum { get; init; } = 0.1;
    }

    public override Ports Ports { get; } = new([], new Port("tensors", ArtifactKind.Arrays, "A, B, C as .re and .im [channels, states/2], D and log_step [channels]"));

    protected internal override void Run(Desk desk, Parameters p)
    {
        if (p.States % 2 != 0) throw InitializeFaults.OddStates(p.States);
        if (p.StepMaximum < p.StepMinimum) throw InitializeFaults.NoSteps(p.StepMinimum, p.StepMaximum);
        int half = p.States / 2, count = p.Channels * half;
        Complex[] a = new Complex[count], b = new Complex[count], c = new Complex[count];
        double[] d = new double[p.Channels], steps = new double[p.Channels];
        Complex[] inputs = DiagonalStateSpace.Inputs(p.Init, p.Input, p.States);
        Complex[]? shared = p.Init == S4DKind.Rand ? null : DiagonalStateSpace.Values(p.Init, p.States, p.RealScale, p.ImaginaryScale);
        (RandomStream modes, RandomStream outputs, RandomStream skips, RandomStream times) = (desk.Random("A"), desk.Random("C"), desk.Random("D"), desk.Random("step"));
        double part = Math.Sqrt(0.5); // C has variance 1, half of it in each part
        for (int h = 0; h < p.Channels; h++)
        {
            Complex[] values = shared ?? DiagonalStateSpace.Random(modes.Normals(half), p.RealScale, p.ImaginaryScale);
            values.CopyTo(a, h * half);
            (p.Normalize ? DiagonalStateSpace.Normalised(values, inputs) : inputs).CopyTo(b, h * half);
            for (int n = 0; n < half; n++) c[(h * half) + n] = new Complex(part * outputs.Normal(), part * outputs.Normal());
            d[h] = skips.Normal();
            steps[h] = DiagonalStateSpace.LogStep(times.Uniform(), p.StepMinimum, p.StepMaximum);
        }
        var tensors = new Arrays { ["D"] = NdArray.Of(d), ["log_step"] = NdArray.Of(steps) };
        foreach ((string name, Complex[] values) in ((string, Complex[])[])[("A", a), ("B", b), ("C", c)])
        {
            tensors[name + ".re"] = new NdArray(new Shape(p.Channels, half), [.. values.Select(v => v.Real)]);
            tensors[name + ".im"] = new NdArray(new Shape(p.Channels, half), [.. values.Select(v => v.Imaginary)]);
        }
        desk.Emit("tensors", tensors);
    }
}
