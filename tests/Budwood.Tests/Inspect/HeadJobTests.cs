using Budwood.Inspect;
using Budwood.Lab.Worlds;
using Budwood.Methods;
using Budwood.Numbers;
using Budwood.Numbers.Linear;
using Budwood.Numbers.Random;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Inspect;

public class HeadJobTests
{
    [Fact]
    public void Simulated_risk_follows_the_closed_form()
    {
        Table risk = TestDesk.Run(new HeadTuningRisk(), new HeadTuningRisk.Parameters { Labels = 60, Widths = [12, 30, 120, 240], Repeats = 30, Penalties = [0.01, 0.1] }, 0)["risk"].Table;
        foreach ((double wanted, double got) in risk.Numbers("theory").Zip(risk.Numbers("mean"))) Assert.Equal(1, got / wanted, 0.2);
        Assert.Contains("lowest", risk.Notes[1], StringComparison.Ordinal);
        Artifact spectrum = Tables.Of(["eigenvalue", "share"], [4, 0.2], [1, 0.5], [0.25, 0.3]);
        Table theory = TestDesk.Run(new HeadTuningRisk(), new HeadTuningRisk.Parameters { Labels = 10, Widths = [30] }, 0, ("spectrum", spectrum))["risk"].Table;
        Assert.Equal(1.2666666666666666, theory.Numbers("risk")[0], 1e-9);
        Tables.Refused("BW3705", () => TestDesk.Run(new HeadTuningRisk(), new HeadTuningRisk.Parameters { Widths = [300] }, 0, ("spectrum", Tables.Of(["eigenvalue", "share"], [1, 0.5]))));
    }

    [Fact]
    public void Text_is_drawn_with_its_predictor_and_a_model_is_fitted_to_it()
    {
        Arrays source = TestDesk.Run(new HmmLanguageSource(), new HmmLanguageSource.Parameters { States = 3, Symbols = 5, Sequences = 200, Length = 20, Concentration = 0.3 }, 1)["source"].Arrays;
        Assert.Equal(new Shape(200, 20), source["symbols"].Shape);
        for (int i = 0; i < 200; i++) Assert.Equal(1, Vectors.Sum(source["next"].Row(i)), 1e-12);
        // The same model by its tables gives the same text; a model fitted to the text predicts about as well.
        Arrays again = TestDesk.Run(new HmmLanguageSource(), new HmmLanguageSource.Parameters { Sequences = 200, Length = 20 }, 1, ("model", Artifact.Of(source)))["source"].Arrays;
        Assert.Equal(source["symbols"].Values, again["symbols"].Values);
        Arrays fitted = TestDesk.Run(new HmmLanguageSource(), new HmmLanguageSource.Parameters { States = 3, Symbols = 5, Sequences = 0, Rounds = 30, Concentration = 5 }, 2, ("text", Artifact.Of(source)))["source"].Arrays;
        var model = new HiddenMarkov(fitted["start"].Values, new Matrix(3, 3, fitted["transition"].Values), new Matrix(3, 5, fitted["emission"].Values));
        double per = Enumerable.Range(0, 200).Sum(i => model.Filter([.. source["symbols"].Row(i).ToArray().Select(s => (int)s)]).LogLikelihood) / source["log_likelihood"].Values.Sum();
        Assert.InRange(per, 0.95, 1.1);
        Tables.Refused("BW3706", () => TestDesk.Run(new HmmLanguageSource(), new HmmLanguageSource.Parameters { Symbols = 2 }, 0, ("text", Artifact.Of(source))));
        Tables.Refused("BW3705", () => TestDesk.Run(new HmmLanguageSource(), new HmmLanguageSource.Parameters(), 0, ("model", Artifact.Of(new Arrays { ["start"] = NdArray.Of([0.5]), ["transition"] = new NdArray(new Shape(1, 1), [1]), ["emission"] = new NdArray(new Shape(1, 1), [1]) }))));
    }

    [Fact]
    public void Beliefs_of_hidden_markov_models_show_the_peak_and_both_descents()
    {
        Artifact examples = TestDesk.Run(new HmmFeatures(), new HmmFeatures.Parameters { Widths = [3, 12, 24, 30, 33, 60, 120], Examples = 230 }, 0)["examples"];
        Dictionary<string, Artifact> sweep = TestDesk.Run(new ComplexitySweep(), new ComplexitySweep.Parameters { Labels = 30, Penalties = [0.01, 0.1, 1] }, 0, ("examples", examples));
        Table verdict = sweep["verdict"].Table;
        Assert.InRange(verdict.Numbers("peak_ratio")[0], 0.9, 1.15);
        Assert.Equal(true, verdict.Rows[0][4]);
        Assert.True(sweep["risk"].Table.Numbers("ridge").Max() < 4);
    }

    [Theory]
    [InlineData(WidthReduction.Projection)]
    [InlineData(WidthReduction.Principal)]
    [InlineData(WidthReduction.Prefix)]
    public void Features_of_ones_own_are_narrowed(WidthReduction reduction)
    {
        var random = new RandomStream(1, "rows");
        Matrix x = HeadRisk.Drawn(120, 50, 1, random), y = x * HeadRisk.Truth(50, 2, 1, random);
        var examples = new Arrays { ["features"] = new NdArray(new Shape(120, 50), x.Values), ["targets"] = new NdArray(new Shape(120, 2), y.Values) };
        Table risk = TestDesk.Run(new ComplexitySweep(), new ComplexitySweep.Parameters { Labels = 30, Widths = [5, 30, 50], Reduction = reduction, Repeats = 3 }, 0, ("examples", Artifact.Of(examples)))["risk"].Table;
        double[] r = risk.Numbers("risk");
        // Directions that do not know the split: the peak is at as many as labels. Components of the split itself give the minimum-norm head of all features there.
        Assert.True(reduction == WidthReduction.Principal ? r[1] < r[0] && Math.Abs(r[1] - r[2]) < 0.2 * r[2] : r[1] > r[0] && r[1] > r[2], string.Join(" ", r));
        Tables.Refused("BW3702", () => TestDesk.Run(new ComplexitySweep(), new ComplexitySweep.Parameters { Labels = 30, Widths = [51] }, 0, ("examples", Artifact.Of(examples))));
        Tables.Refused("BW3701", () => TestDesk.Run(new ComplexitySweep(), new ComplexitySweep.Parameters { Labels = 120 }, 0, ("examples", Artifact.Of(examples))));
        Tables.Refused("BW3704", () => TestDesk.Run(new ComplexitySweep(), new ComplexitySweep.Parameters(), 0, ("examples", Artifact.Of(new Arrays()))));
    }
}
