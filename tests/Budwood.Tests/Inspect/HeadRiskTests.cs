using System.Text.Json;
using Budwood.Inspect;
using Budwood.Numbers.Linear;
using Budwood.Numbers.Random;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Inspect;

public class HeadRiskTests
{
    [Fact]
    public void Closed_forms_and_a_stored_draw()
    {
        ScienceGoldens g = ScienceGoldens.Open("science/head-tuning-risk");
        g.Check("risk_isotropic", g.Real("gamma").Select(v => HeadRisk.Isotropic(v, 1, 0.75)).ToArray());
        (double gamma, double risk) = HeadRisk.LocalMinimum(1, 0.75)!.Value;
        JsonElement wanted = g.Value("local_minimum");
        g.CheckValue("local_minimum", wanted.GetProperty("gamma"), gamma);
        g.CheckValue("local_minimum", wanted.GetProperty("risk"), risk);
        foreach (JsonProperty at in g.Value("correlated").EnumerateObject())
        {
            (double c0, double bias, double variance) = HeadRisk.Correlated(double.Parse(at.Name, System.Globalization.CultureInfo.InvariantCulture), [4, 1, 0.25], [0.2, 0.5, 0.3], [0.2, 0.5, 0.3], 1, 0.75);
            foreach ((int i, double v) in ((int, double)[])[(0, c0), (1, bias), (2, variance)]) g.CheckValue("correlated", at.Value[i], v);
        }
        Matrix x = g.Matrix("X"), y = g.Matrix("Y"), head = HeadRisk.Head(x, y);
        g.Check("min_norm", head);
        g.Check("ridge0.5", HeadRisk.Head(x, y, 0.5));
        g.CheckValue("excess_risk_identity_features", HeadRisk.Excess(head, g.Matrix("B")));
    }

    [Fact]
    public void Simulation_agrees_with_the_closed_form_and_the_spectrum_of_ones_with_the_isotropic_one()
    {
        foreach (int p in (int[])[20, 200])
        {
            double[] risks = HeadRisk.Simulated(p, 80, 3, 1, 0.75, 30, new RandomStream(1, "risk"));
            Assert.Equal(1, Vectors.Mean(risks) / HeadRisk.Isotropic(p / 80.0, 1, 0.75), 0.15);
        }
        (_, double bias, double variance) = HeadRisk.Correlated(2.5, [1], [1], [1], 1, 0.75);
        Assert.Equal(HeadRisk.Isotropic(2.5, 1, 0.75), bias + variance, 1e-10);
        Assert.Null(HeadRisk.LocalMinimum(1, 1));
    }

    [Fact]
    public void Curves_are_read()
    {
        RiskCurve c = RiskCurve.Of([10, 40, 80, 100, 150, 400], [0.1, 0.5, 2, 30, 3, 1.2], 100);
        Assert.Equal((1, true, true, true, 10, 400), (c.PeakRatio, c.DegenerateFirstDescent, c.MonotoneRise, c.SecondDescent, c.UnderMinimum, c.OverMinimum));
        Assert.False(RiskCurve.Of([10, 40, 80, 100, 150, 400], [0.5, 0.1, 2, 30, 3, 20], 100) is { DegenerateFirstDescent: true } or { SecondDescent: true });
    }
}
