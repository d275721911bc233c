using System.Numerics;
using Budwood.Numbers.Linear;
using Budwood.Simulate;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Simulate;

public class PeriodicEquationTests
{
    public static TheoryData<string> Cases => [.. ScienceGoldens.Names("science", "ks-etdrk4")];

    /// <summary>-l0 u u_x - l1 u_xx - l2 u_xxxx - l3 u_xxx - 1.5 l0 m u^2 u_x.</summary>
    internal static PeriodicEquation KuramotoSivashinsky(int n, double period, double l0, double l1, double l2, double l3 = 0, double m = 0) => new(n, period,
        [(new EvolutionTerm(1, 1), -l0), (new EvolutionTerm(0, 2), -l1), (new EvolutionTerm(0, 4), -l2), (new EvolutionTerm(0, 3), -l3), (new EvolutionTerm(2, 1), -1.5 * l0 * m)]);

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_peers_coefficients_and_states(string name)
    {
        ScienceGoldens g = ScienceGoldens.Open(name);
        int n = g.Options.GetProperty("N").GetInt32();
        double period = g.Options.GetProperty("L").GetDouble(), h = g.Options.GetProperty("h").GetDouble();
        PeriodicEquation truth = KuramotoSivashinsky(n, period, 1, 1, 1);
        var solver = new ExponentialTimeDifferencing(truth.Symbol, h, truth.Nonlinear);
        // The stored spectra are full; c is even in k.
        double[] Full(Complex[] half) => [.. Enumerable.Range(0, n).Select(k => half[Math.Min(k, n - k)].Real)];
        g.Check("E", Full(solver.E));
        g.Check("E2", Full(solver.E2));
        g.Check("Q", Full(solver.Q));
        g.Check("f1", Full(solver.F1));
        g.Check("f2", Full(solver.F2));
        g.Check("f3", Full(solver.F3));

        Dictionary<long, string> wanted = g.Expected.Where(k => k.StartsWith("u.step", StringComparison.Ordinal)).ToDictionary(k => long.Parse(k[6..]));
        truth.Run(g.Real("u0"), h, wanted.Keys.Max(), wanted.ContainsKey, (step, u) => g.Check(wanted[step], u));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_peers_one_step_models(string name)
    {
        ScienceGoldens g = ScienceGoldens.Open(name);
        int n = g.Options.GetProperty("N").GetInt32();
        double period = g.Options.GetProperty("L").GetDouble();
        void Step(string what, PeriodicEquation model)
        {
            if (g.Expects(what)) g.Check(what, model.OneStep(g.Real("cnab2_u_old"), g.Real("cnab2_u"), 5e-3));
        }

        Step("cnab2.true", KuramotoSivashinsky(n, period, 1, 1, 1));
        Step("cnab2.no_uux", KuramotoSivashinsky(n, period, 0, 1, 1));
        Step("cnab2.wrong", KuramotoSivashinsky(n, period, 0.5, 2, 1));
        Step("cnab2.plus_u3x", KuramotoSivashinsky(n, period, 1, 1, 1, l3: 0.5));
        Step("cnab2.plus_u2ux", KuramotoSivashinsky(n, period, 1, 1, 1, m: 0.15));
    }

    [Fact]
    public void Errors_fall_with_the_fourth_power_of_the_step()
    {
        // Viscous Burgers: u_t = -u u_x + 0.1 u_xx.
        const int N = 64;
        double[] u0 = [.. Enumerable.Range(0, N).Select(i => Math.Sin(2 * Math.PI * i / N))];
        double[] At(int steps)
        {
            double[] last = [];
            var equation = new PeriodicEquation(N, 2 * Math.PI, [(new EvolutionTerm(1, 1), -1), (new EvolutionTerm(0, 2), 0.1)]);
            equation.Run(u0, 1.0 / steps, steps, s => s == steps, (_, u) => last = u);
            return last;
        }

        double[] exact = At(1280);
        double Error(int steps) => Vectors.Norm([.. At(steps).Zip(exact, (a, b) => a - b)]);
        double order = Math.Log2(Error(20) / Error(40));
        Assert.InRange(order, 3.6, 4.4);
    }

    [Fact]
    public void Linear_dispersion_is_exact_whatever_the_step()
    {
        const int N = 32;
        double[] x = [.. Enumerable.Range(0, N).Select(i => 2 * Math.PI * i / N)];
        var equation = new PeriodicEquation(N, 2 * Math.PI, [(new EvolutionTerm(0, 3), -1), (new EvolutionTerm(0, 1), 2)]);
        // u_t = -u_xxx + 2 u_x moves sin(3x) to sin(3x + (27 + 6) t).
        equation.Run([.. x.Select(v => Math.Sin(3 * v))], 0.1, 7, s => s == 7, (_, u) => { for (int i = 0; i < N; i++) Assert.Equal(Math.Sin((3 * x[i]) + (33 * 0.7)), u[i], 1e-11); });
    }

    [Fact]
    public void Products_with_higher_derivatives_and_reactions_have_their_rate()
    {
        const int N = 32;
        double[] x = [.. Enumerable.Range(0, N).Select(i => 2 * Math.PI * i / N)], u = [.. x.Select(v => Math.Sin(v))];
        var equation = new PeriodicEquation(N, 2 * Math.PI, [(new EvolutionTerm(2, 2), 0.5), (new EvolutionTerm(3, 0), -2)]);
        // d/dt = 0.5 u^2 u_xx - 2 u^3 = -2.5 sin^3 x at the start.
        double h = 1e-6;
        equation.Run(u, h, 1, _ => true, (_, v) => { for (int i = 0; i < N; i++) Assert.Equal(-2.5 * Math.Pow(Math.Sin(x[i]), 3), (v[i] - u[i]) / h, 5e-5); });
    }

    [Theory]
    [InlineData("u", 1, 0)]
    [InlineData("u^3", 3, 0)]
    [InlineData("u_x", 0, 1)]
    [InlineData("u_{xx}", 0, 2)]
    [InlineData("uu_{x}", 1, 1)]
    [InlineData("u*u_x", 1, 1)]
    [InlineData("u^2 u_xxx", 2, 3)]
    public void Names_of_terms_are_read(string name, int power, int order)
    {
        Assert.True(EvolutionTerm.TryParse(name, out EvolutionTerm term));
        Assert.Equal(new EvolutionTerm(power, order), term);
        Assert.True(EvolutionTerm.TryParse(term.Name, out EvolutionTerm again));
        Assert.Equal(term, again);
    }

    [Theory]
    [InlineData("")]
    [InlineData("v_x")]
    [InlineData("u_y")]
    [InlineData("u^0")]
    [InlineData("u_")]
    public void What_is_no_term_is_refused(string name) => Assert.False(EvolutionTerm.TryParse(name, out _));
}
