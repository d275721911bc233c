using System.Text.Json;
using Budwood.Numbers.Linear;
using Budwood.Numbers.Random;
using Budwood.Simulate;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Simulate;

public class SparseDiscoveryTests
{
    public static TheoryData<string> Machines => [.. ScienceGoldens.Names("science", "rvm-")];

    [Theory]
    [MemberData(nameof(Machines))]
    public void The_peers_relevance_vector_machine(string name)
    {
        ScienceGoldens g = ScienceGoldens.Open(name);
        double tolerance = g.Options.GetProperty("tol").GetDouble();
        foreach ((string tag, double limit) in ((string, double)[])[("amax20", 20), ("amax100", 100), ("amax10000", 1e4), ("amax1e+09", 1e9)])
        {
            AutomaticRelevance fit;
            try
            {
                g.Value(tag + ".support");
                fit = AutomaticRelevance.Fit(g.Matrix("X"), g.Real("y"), limit, tolerance);
            }
            catch (KeyNotFoundException)
            {
                continue;
            }
            g.CheckValues(tag + ".support", fit.Support.Select(j => (double)j));
            g.CheckValues(tag + ".m_standardised", fit.Standardised);
            g.CheckValues(tag + ".weights", fit.Weights);
            g.CheckValues(tag + ".alpha", fit.Alphas);
            g.CheckValues(tag + ".gamma", fit.Gammas);
            g.CheckValues(tag + ".posterior_std", fit.Deviations);
            g.CheckValue(tag + ".beta", fit.Beta);
            g.CheckValue(tag + ".iterations", fit.Rounds);
        }
    }

    [Fact]
    public void The_peers_library()
    {
        ScienceGoldens g = ScienceGoldens.Open("science/library-pde-find");
        var library = new TermLibrary(4, 4);
        Assert.Equal(g.Value("names").EnumerateArray().Select(n => n.GetString()), library.Names);
        g.Check("spectral", library.Of(g.Real("u"), g.Options.GetProperty("L").GetDouble()));
    }

    [Fact]
    public void Structural_errors_of_kuramoto_sivashinsky()
    {
        ScienceGoldens g = ScienceGoldens.Open("science/medida-ks-n256");
        double period = g.Options.GetProperty("L").GetDouble(), step = g.Options.GetProperty("dt").GetDouble();
        Matrix old = g.Matrix("u_old"), now = g.Matrix("u_now"), observed = g.Matrix("u_observed");
        var truth = new Dictionary<string, double> { ["uu_{x}"] = -1, ["u_{xx}"] = -1, ["u_{xxxx}"] = -1 };
        foreach ((double l0, double l1, double l2) in ((double, double, double)[])[(0, 1, 1), (1, 0, 1), (1, 1, 0), (2, 2, 2), (0, 0.5, 2), (1, 0.5, 1)])
        {
            PeriodicEquation model = PeriodicEquationTests.KuramotoSivashinsky(old.Columns, period, l0, l1, l2);
            var modelled = new Matrix(old.Rows, old.Columns);
            for (int pair = 0; pair < old.Rows; pair++) model.OneStep(old.Row(pair), now.Row(pair), step).CopyTo(modelled.Row(pair));
            foreach ((string tag, double limit) in ((string, double)[])[("amax100", 100), ("amax10000", 1e4)])
            {
                string name = FormattableString.Invariant($"lam{l0}-{l1}-{l2}.{tag}");
                IReadOnlyList<DiscoveredTerm> found = StructuralError.Find(observed, modelled, step, period, new TermLibrary(), limit);
                JsonElement wanted = g.Value(name);
                Assert.Equal(wanted.GetProperty("terms").EnumerateObject().Select(t => t.Name), found.Select(t => t.Name));
                foreach (DiscoveredTerm term in found) g.CheckValue(name, wanted.GetProperty("terms").GetProperty(term.Name), term.Coefficient);
                var before = new Dictionary<string, double> { ["uu_{x}"] = -l0, ["u_{xx}"] = -l1, ["u_{xxxx}"] = -l2 };
                var after = new Dictionary<string, double>(before);
                foreach (DiscoveredTerm term in found) after[term.Name] = after.GetValueOrDefault(term.Name) + term.Coefficient;
                g.CheckValue(name, wanted.GetProperty("error_before_pc"), StructuralError.ErrorPercent(truth, before));
                g.CheckValue(name, wanted.GetProperty("error_after_pc"), StructuralError.ErrorPercent(truth, after));
            }
        }
    }

    [Fact]
    public void Planted_terms_are_found_by_all_three_regressions_and_noise_alone_gives_few()
    {
        var random = new RandomStream(5, "design");
        Matrix x = Matrix.Of(400, 10, (_, _) => random.Normal());
        double[] y = [.. Enumerable.Range(0, 400).Select(i => (2 * x[i, 3]) - (0.7 * x[i, 8]) + (0.1 * random.Normal()))], noise = [.. y.Select(_ => random.Normal())];
        Assert.Equal([3, 8], AutomaticRelevance.Fit(x, y).Support);
        double[] ridge = SparseRegression.ThresholdedRidge(x, y, 1e-3, 1);
        Assert.Equal([3, 8], Enumerable.Range(0, 10).Where(j => ridge[j] != 0));
        double[] least = SparseRegression.LeastSquaresWeights(x, y);
        foreach (double[] w in (double[][])[ridge, least])
        {
            Assert.Equal(2, w[3], 0.03);
            Assert.Equal(-0.7, w[8], 0.03);
        }
        Assert.True(AutomaticRelevance.Fit(x, noise).Support.Length <= 2);
        Assert.Throws<ArithmeticException>(() => AutomaticRelevance.Fit(Matrix.Of(5, 1, (_, _) => 1), [1, 2, 3, 4, 5]));
    }
}
