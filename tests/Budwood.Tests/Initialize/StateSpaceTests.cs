using System.Numerics;
using Budwood.Initialize;
using Budwood.Numbers.Linear;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Initialize;

public class StateSpaceTests
{
    private static readonly (string Name, HippoMeasure Measure)[] s_measures =
    [
        ("legs", HippoMeasure.Legs), ("legt", HippoMeasure.Legt), ("lmu", HippoMeasure.Lmu), ("lagt", HippoMeasure.Lagt), ("tlagt", HippoMeasure.Tlagt),
        ("legsd", HippoMeasure.Legsd), ("fourier", HippoMeasure.Fourier), ("fourier2", HippoMeasure.Fourier2), ("fourier_decay", HippoMeasure.FourierDecay),
        ("fourier_diag", HippoMeasure.FourierDiag),
    ];

    private static TheoryData<string> Cases(string start) => [.. ScienceGoldens.Names("ssm", start)];

    public static TheoryData<string> Transitions => Cases("hippo-transition");

    public static TheoryData<string> LowRanks => Cases("hippo-nplr");

    public static TheoryData<string> Steps => Cases("discretise-dense");

    public static TheoryData<string> Kernels => Cases("kernel-s4d");

    public static TheoryData<string> Recurrences => Cases("recurrence-s4d");

    public static TheoryData<string> DenseKernels => [.. ScienceGoldens.Names("ssm", "kernel-s4-").Where(n => !n.EndsWith("rate", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Transitions))]
    public void State_matrices(string name)
    {
        ScienceGoldens g = ScienceGoldens.Open(name);
        int n = g.Options.GetProperty("N").GetInt32();
        foreach ((string tag, HippoMeasure measure) in s_measures)
        {
            (Matrix a, double[] b) = Hippo.Transition(measure, n);
            g.Check(tag + ".A", a);
            g.Check(tag + ".B", b);
        }
        foreach ((double alpha, double beta) in ((double, double)[])[(0, 0.01), (0.5, 0.25)])
        {
            string tag = FormattableString.Invariant($"glagt-a{alpha:0.0}-b{beta}");
            (Matrix a, double[] b) = Hippo.GeneralisedLaguerre(n, alpha, beta);
            g.Check(tag + ".A", a);
            g.Check(tag + ".B", b);
        }
    }

    [Theory]
    [MemberData(nameof(LowRanks))]
    public void Normal_plus_low_rank(string name)
    {
        ScienceGoldens g = ScienceGoldens.Open(name);
        int n = g.Options.GetProperty("N").GetInt32();
        foreach ((string tag, HippoMeasure measure) in s_measures.Where(m => g.Expects(m.Name + ".P")))
        {
            g.Check(tag + ".P", Hippo.LowRank(measure, n));
            NormalPlusLowRank form = Hippo.Normal(measure, n);
            g.Check(tag + ".w", form.Values);
            g.Check(tag + ".V", form.Vectors.Values);
            g.Check(tag + ".VB", form.B);
            g.Check(tag + ".VP", form.P.Values);
            g.Check(tag + ".absVB", form.B.Select(v => v.Magnitude).ToArray());
            g.Check(tag + ".VB_clipped", form.B.Select(v => new Complex(v.Real, Math.Clamp(v.Imaginary, -2, 2))).ToArray());
            g.Check(tag + ".PconjB", Enumerable.Range(0, form.P.Rows).SelectMany(r => Enumerable.Range(0, n / 2).Select(i => Complex.Conjugate(form.P[r, i]) * form.B[i])).ToArray());
        }
    }

    [Fact]
    public void Initial_values()
    {
        ScienceGoldens g = ScienceGoldens.Open("ssm/s4d-init-deterministic");
        foreach (int n in (int[])[4, 16, 64])
        {
            foreach (S4DKind kind in (S4DKind[])[S4DKind.Lin, S4DKind.Inv, S4DKind.Inv2, S4DKind.Quad, S4DKind.Real, S4DKind.Legs])
            {
                string tag = $"{kind.ToString().ToLowerInvariant()}-n{n}";
                g.Check(tag + ".A", DiagonalStateSpace.Values(kind, n));
                g.Check(tag + ".B", DiagonalStateSpace.Inputs(kind, S4DInput.Constant, n));
            }
            g.Check($"legs-n{n}.B_unclipped", DiagonalStateSpace.Inputs(S4DKind.Legs, S4DInput.Constant, n, double.PositiveInfinity));
            g.Check($"lin-n{n}.B-unit-cw", DiagonalStateSpace.Inputs(S4DKind.Lin, S4DInput.UnitClockwise, n));
            g.Check($"lin-n{n}.B-unit-ccw", DiagonalStateSpace.Inputs(S4DKind.Lin, S4DInput.UnitCounterClockwise, n));
            g.Check($"lin-n{n}.B-alternating", DiagonalStateSpace.Inputs(S4DKind.Lin, S4DInput.Alternating, n));
            g.Check($"inv-n{n}-imag0.01-real2.A", DiagonalStateSpace.Values(S4DKind.Inv, n, 2, 0.01));
            g.Check($"inv-n{n}-imag10.0-real2.A", DiagonalStateSpace.Values(S4DKind.Inv, n, 2, 10));
            g.Check($"lin-n{n}.B-normalized", DiagonalStateSpace.Normalised(DiagonalStateSpace.Values(S4DKind.Lin, n), DiagonalStateSpace.Inputs(S4DKind.Lin, S4DInput.Constant, n)));
        }
    }

    [Fact]
    public void Random_initial_values_and_stored_steps()
    {
        ScienceGoldens g = ScienceGoldens.Open("ssm/s4d-init-random");
        g.Check("rand.A", DiagonalStateSpace.Random(g.Real("z")));
        double[] logs = [.. g.Real("r").Select(u => DiagonalStateSpace.LogStep(u, 0.001, 0.1))];
        g.Check("log_dt", logs);
        foreach (PositiveTransform t in Enum.GetValues<PositiveTransform>().Where(t => t != PositiveTransform.Exp))
        {
            string tag = t.ToString().ToLowerInvariant();
            double[] stored = [.. logs.Select(v => t.Store(Math.Exp(v)))];
            g.Check("inv_dt." + tag, stored);
            g.Check("dt." + tag, stored.Select(v => t.Read(v)).ToArray());
        }
        Assert.Equal(0.003, PositiveTransform.Exp.Read(PositiveTransform.Exp.Store(0.003)), 1e-15);
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public void Dense_steps(string name)
    {
        ScienceGoldens g = ScienceGoldens.Open(name);
        foreach ((string tag, DiscretisationRule rule) in ((string, DiscretisationRule)[])[("zoh", DiscretisationRule.Zoh), ("bilinear", DiscretisationRule.Bilinear), ("euler", DiscretisationRule.Euler), ("backward_diff", DiscretisationRule.Backward)])
        {
            (Matrix a, double[] b) = Discretisation.Dense(rule, g.Matrix("A"), g.Real("B"), g.Options.GetProperty("dt").GetDouble());
            g.Check(tag + ".A", a);
            g.Check(tag + ".B", b);
        }
    }

    [Fact]
    public void Diagonal_steps()
    {
        ScienceGoldens g = ScienceGoldens.Open("ssm/discretise-diagonal");
        Complex[] a = g.Complex("A"), b = g.Complex("B");
        double[] dt = g.Real("dt");
        foreach ((string tag, DiscretisationRule rule) in ((string, DiscretisationRule)[])[("zoh", DiscretisationRule.Zoh), ("bilinear", DiscretisationRule.Bilinear)])
        {
            (Complex A, Complex B)[] steps = [.. a.Select((v, i) => Discretisation.Diagonal(rule, v, b[i], dt[i / 8]))];
            g.Check(tag + ".A", steps.Select(s => s.A).ToArray());
            g.Check(tag + ".B", steps.Select(s => s.B).ToArray());
        }
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void Diagonal_kernels(string name)
    {
        ScienceGoldens g = ScienceGoldens.Open(name);
        Complex[] a = g.Complex("A"), b = g.Complex("B"), c = g.Complex("C");
        double[] dt = g.Real("dt");
        int modes = (int)g.Shape("A")[1], channels = (int)g.Shape("C")[0], h = (int)g.Shape("A")[0], length = g.Options.GetProperty("L").GetInt32(), perMode = dt.Length / h;
        DiscretisationRule rule = g.Options.GetProperty("disc").GetString() == "zoh" ? DiscretisationRule.Zoh : DiscretisationRule.Bilinear;
        double limit = g.Options.TryGetProperty("bandlimit", out var l) ? l.GetDouble() : double.PositiveInfinity;
        if (g.Expects("mask"))
            g.Check("mask", Enumerable.Range(0, h).SelectMany(i => DiagonalKernel.BandLimit(a.AsSpan(i * modes, modes), dt[i], limit)).Select(k => k ? 1.0 : 0).ToArray());
        foreach ((string tag, double rate) in ((string, double)[])[("K", 1), ("rate0.5.K", 0.5), ("rate2.0.K", 2)])
        {
            if (!g.Expects(tag)) continue;
            var kernels = new List<double>();
            for (int channel = 0; channel < channels; channel++)
            {
                for (int i = 0; i < h; i++)
                {
                    Complex[] ci = c.AsSpan(((channel * h) + i) * modes, modes).ToArray();
                    bool[] keep = DiagonalKernel.BandLimit(a.AsSpan(i * modes, modes), dt[i * perMode], limit);
                    for (int n = 0; n < modes; n++) if (!keep[n]) ci[n] = 0;
                    double[] steps = [.. dt.AsSpan(i * perMode, perMode).ToArray().Select(v => v * rate)];
                    kernels.AddRange(new DiagonalKernel(a.AsSpan(i * modes, modes), b.AsSpan(i * modes, modes), steps, rule).Kernel(ci, length));
                }
            }
            g.Check(tag, kernels.ToArray());
        }
    }

    [Theory]
    [MemberData(nameof(Recurrences))]
    public void Recurrence_equals_convolution(string name)
    {
        ScienceGoldens g = ScienceGoldens.Open(name);
        Complex[] a = g.Complex("A"), b = g.Complex("B"), c = g.Complex("C"), x0 = g.Complex("x0");
        double[] dt = g.Real("dt"), d = g.Real("D"), u = g.Real("u");
        int batch = (int)g.Shape("u")[0], h = (int)g.Shape("u")[1], length = (int)g.Shape("u")[2], modes = (int)g.Shape("A")[1], chunk = g.Options.GetProperty("chunk").GetInt32();
        DiscretisationRule rule = name.EndsWith("zoh", StringComparison.Ordinal) ? DiscretisationRule.Zoh : DiscretisationRule.Bilinear;
        var (zero, started, middle, final) = (new List<double>(), new List<double>(), new List<Complex>(), new List<Complex>());
        for (int s = 0; s < batch; s++)
        {
            for (int i = 0; i < h; i++)
            {
                ReadOnlySpan<double> input = u.AsSpan(((s * h) + i) * length, length);
                Complex[] ci = c.AsSpan(i * modes, modes).ToArray();
                var system = new DiagonalKernel(a.AsSpan(i * modes, modes), b.AsSpan(i * modes, modes), [dt[i]], rule);
                double[] y = system.Run(input, ci, d[i], new Complex[modes]), k = system.Kernel(ci, length), convolved = Budwood.Numbers.Fourier.Spectra.Convolve(input, k);
                for (int t = 0; t < length; t++) Assert.Equal(y[t], convolved[t] + (d[i] * input[t]), 1e-10);
                zero.AddRange(y);
                Complex[] state = x0.AsSpan(((s * h) + i) * modes, modes).ToArray();
                started.AddRange(system.Run(input[..chunk], ci, d[i], state));
                middle.AddRange(state);
                started.AddRange(system.Run(input[chunk..], ci, d[i], state));
                final.AddRange(state);
            }
        }
        g.Check("y_zero_state", zero.ToArray());
        g.Check("y_from_x0", started.ToArray());
        g.Check("state_after_first_chunk", middle.ToArray());
        g.Check("final_state", final.ToArray());
    }

    [Theory]
    [MemberData(nameof(DenseKernels))]
    public void Diagonal_plus_low_rank_kernels(string name)
    {
        ScienceGoldens g = ScienceGoldens.Open(name);
        int h = (int)g.Shape("A")[0], modes = (int)g.Shape("A")[1], rank = (int)g.Shape("P")[0], channels = (int)g.Shape("C")[0], length = g.Options.GetProperty("L").GetInt32();
        var (kernels, tilde) = (new List<double>(), new List<Complex>());
        for (int channel = 0; channel < channels; channel++)
        {
            for (int i = 0; i < h; i++)
            {
                LowRankKernel system = Of(g, h, modes, rank, i);
                Complex[] truncated = system.Truncated(g.Complex("C").AsSpan(((channel * h) + i) * modes, modes).ToArray(), length);
                tilde.AddRange(truncated);
                kernels.AddRange(system.Kernel(truncated, length));
            }
        }
        g.Check("C_tilde", tilde.ToArray());
        g.Check("K", kernels.ToArray());
    }

    [Fact]
    public void Kernels_of_other_rates_and_twice_the_length()
    {
        ScienceGoldens g = ScienceGoldens.Open("ssm/kernel-s4-length-and-rate");
        int h = (int)g.Shape("A")[0], modes = (int)g.Shape("A")[1], length = g.Options.GetProperty("L").GetInt32();
        var kernels = new List<double>();
        for (int i = 0; i < h; i++)
        {
            LowRankKernel system = Of(g, h, modes, 1, i);
            kernels.AddRange(system.Kernel(system.Truncated(g.Complex("C").AsSpan(i * modes, modes).ToArray(), 2 * length), 2 * length));
        }
        g.Check("K", kernels.ToArray());
    }

    [Fact]
    public void The_diagonal_system_nears_legs_for_smooth_inputs()
    {
        ScienceGoldens g = ScienceGoldens.Open("ssm/figures-s4d-smooth-input");
        double[] u = [.. Enumerable.Range(0, 4000).Select(k => Math.Exp(-Math.Pow((k * 1e-3) - 1, 2) / (2 * 0.01)))];
        foreach (int n in (int[])[8, 16, 32])
        {
            double[] errors = SmoothInput.RowErrors(n, u, 1e-3, 4);
            for (int row = 0; row < 4; row++) g.CheckValue("row_errors", g.Value("row_errors").GetProperty($"{n}")[row], errors[row]);
        }
    }

    private static LowRankKernel Of(ScienceGoldens g, int h, int modes, int rank, int i)
    {
        Complex[] p = g.Complex("P");
        var rows = ComplexMatrix.Of(rank, modes, (r, n) => p[(((r * h) + i) * modes) + n]);
        return new LowRankKernel(g.Complex("A").AsSpan(i * modes, modes).ToArray(), rows, g.Complex("B").AsSpan(i * modes, modes).ToArray(), Math.Exp(g.Real("log_dt")[i]));
    }
}
