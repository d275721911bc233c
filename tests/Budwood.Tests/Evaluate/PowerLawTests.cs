using System.Text.Json;
using Budwood.Evaluate;
using Budwood.Numbers.Random;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Evaluate;

public class PowerLawTests
{
    [Fact]
    public void Stored_curves()
    {
        ScienceGoldens g = ScienceGoldens.Open("science/power-law-fit");
        double[] m = g.Real("m");
        foreach (string curve in (string[])["clean", "noisy", "no_floor"])
        {
            double[] error = g.Real("error." + curve);
            PowerLaw with = PowerLaw.WithFloor(m, error), without = PowerLaw.WithoutFloor(m, error);
            void Check(string name, PowerLaw fit)
            {
                JsonElement wanted = g.Value(name);
                g.CheckValue(name, wanted.GetProperty("alpha"), fit.Alpha);
                g.CheckValue(name, wanted.GetProperty("beta"), fit.Beta);
                g.CheckValue(name, wanted.GetProperty("rss_log"), fit.Squares);
                if (wanted.TryGetProperty("gamma", out JsonElement gamma)) g.CheckValue(name, gamma, fit.Gamma);
            }

            Check(curve + ".with_floor", with);
            Check(curve + ".without_floor", without);
            Assert.Equal(g.Value(curve + ".aicc").GetProperty("chosen").GetString(), PowerLaw.Fit(m, error).Gamma > 0 ? "with" : "without");
            Assert.Equal(g.Value(curve + ".aicc").GetProperty("without").GetDouble(), without.Aicc, 1e-3);
            if (curve == "noisy")
            {
                Assert.Equal(g.Value(curve + ".aicc").GetProperty("with").GetDouble(), with.Aicc, 1e-3);
                g.CheckValue("noisy.samples_for_error_0.102789", with.SamplesFor(0.102789));
            }
        }
    }

    [Fact]
    public void Intervals_of_the_exponent_cover_it()
    {
        double[] m = [.. Enumerable.Range(0, 10).Select(i => 64 * Math.Pow(2, i))];
        int covered = 0;
        for (int draw = 0; draw < 40; draw++)
        {
            var random = new RandomStream(draw, "curve");
            double[] error = [.. m.Select(v => 3 * Math.Pow(v, -0.3) * Math.Exp(0.03 * random.Normal()))];
            PowerLaw fit = PowerLaw.WithoutFloor(m, error);
            (double low, double high) = PowerLaw.Interval(fit.Bootstrap(m, error, null, random, 200), c => c.Beta);
            if (low <= -0.3 && -0.3 <= high) covered++;
        }
        Assert.InRange(covered, 33, 40);
    }

    [Fact]
    public void Regions_weights_and_limits()
    {
        double[] m = [10, 20, 40, 80, 160, 320, 640, 1280], error = [0.9, 0.89, 0.6, 0.4, 0.27, 0.18, 0.175, 0.174];
        CurveRegion[] regions = LearningCurve.Regions(m, error, 0.9);
        Assert.Equal([CurveRegion.SmallData, CurveRegion.SmallData, CurveRegion.PowerLaw, CurveRegion.PowerLaw, CurveRegion.PowerLaw, CurveRegion.PowerLaw,
            CurveRegion.Irreducible, CurveRegion.Irreducible], regions);
        Assert.Throws<ArithmeticException>(() => PowerLaw.Fit([1, 2, 3], [1, 0.5, 0.3]));
        Assert.Throws<ArithmeticException>(() => PowerLaw.Fit([1, 2, 3, 4], [1, 0.5, 0.3, 0]));
        var law = new PowerLaw(2, -0.5, 0.1, 0, 0, 5);
        Assert.Equal(400, law.SamplesFor(0.2), 1e-9);
        Assert.Equal(double.PositiveInfinity, law.SamplesFor(0.1));
        // One point of little weight does not move the curve.
        double[] clean = [.. m.Select(v => Math.Pow(v, -0.4))], weights = [1, 1, 1, 1, 1, 1, 1, 1e-9];
        clean[7] *= 2;
        Assert.Equal(-0.4, PowerLaw.WithoutFloor(m, clean, weights).Beta, 1e-6);
    }
}
