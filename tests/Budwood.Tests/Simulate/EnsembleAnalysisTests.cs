using Budwood.Numbers.Linear;
using Budwood.Simulate;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Simulate;

public class EnsembleAnalysisTests
{
    [Fact]
    public void One_analysis_by_every_scheme()
    {
        ScienceGoldens g = ScienceGoldens.Open("science/enkf-analysis");
        Matrix x = g.Matrix("X"), perturbed = g.Matrix("Y");
        int[] seen = g.Whole("H_index");
        double sigma = g.Options.GetProperty("sigma").GetDouble();
        Matrix h = Matrix.Of(seen.Length, x.Rows, (i, j) => seen[i] == j ? 1 : 0), r = sigma * sigma * Matrix.Identity(seen.Length);
        Matrix gain = EnsembleAnalysis.Gain(EnsembleAnalysis.Covariance(x), h, r);
        g.Check("gain", gain);
        Matrix stochastic = EnsembleAnalysis.Stochastic(x, h, perturbed, gain);
        g.Check("stochastic.analysis", stochastic);
        g.Check("stochastic.mean", EnsembleAnalysis.Mean(stochastic));
        (Matrix analysis, double[] weights, Matrix transform) = EnsembleAnalysis.Transform(x, h, g.Real("y"), r);
        g.Check("etkf.weights_mean", weights);
        g.Check("etkf.transform", transform);
        g.Check("etkf.analysis", analysis);
        double[] variances = [.. Enumerable.Repeat(sigma * sigma, seen.Length)];
        g.Check("ensrf.analysis", EnsembleAnalysis.Serial(x, h, g.Real("y"), variances));
        g.Check("gaspari_cohn", g.Real("gc_r").Select(EnsembleAnalysis.GaspariCohn).ToArray());
        Matrix local = EnsembleAnalysis.Gain(EnsembleAnalysis.Localised(EnsembleAnalysis.Covariance(x), 2.5), h, r);
        g.Check("localised.gain", local);
        g.Check("localised.analysis", EnsembleAnalysis.Stochastic(x, h, perturbed, local));
        Matrix inflated = EnsembleAnalysis.Inflated(x, 1.1);
        g.Check("inflated1.1.analysis", EnsembleAnalysis.Stochastic(inflated, h, perturbed, EnsembleAnalysis.Gain(EnsembleAnalysis.Covariance(inflated), h, r)));
    }

    [Fact]
    public void The_best_linear_analysis_minimises_the_variational_cost()
    {
        ScienceGoldens g = ScienceGoldens.Open("science/3dvar");
        Matrix b = g.Matrix("B"), h = g.Matrix("H"), r = g.Matrix("R");
        double[] background = g.Real("xb"), y = g.Real("y");
        (double[] analysis, Matrix covariance) = EnsembleAnalysis.Variational(background, b, h, y, r);
        g.Check("xa", analysis);
        g.Check("analysis_covariance", covariance);
    }
}
