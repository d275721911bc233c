using Budwood.Merge;
using Budwood.Methods;
using Budwood.Numbers;
using Budwood.Recipes;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Merge;

public class DareLinearTests
{
    private static readonly Shape s_shape = new(64, 501);

    private static float[] Run(float[][] inputs, DareLinear.Parameters p, long seed = 1, RuleHarness.Settings? settings = null) =>
        RuleHarness.Run(new DareLinear(), s_shape, inputs, 0, [.. inputs.Select(_ => p)], (settings ?? new()) with { Seed = seed });

    [Fact]
    public void It_keeps_the_share_and_divides_by_it()
    {
        float[] start = new float[s_shape.Count], tuned = RuleHarness.Values(start.Length, 5);
        float[] y = Run([start, tuned], new() { Weight = 1, Density = 0.4 });
        double expected = 0.4 * start.Length, spread = 4 * Math.Sqrt(start.Length * 0.4 * 0.6);
        Assert.InRange(y.Count(v => v != 0), expected - spread, expected + spread);
        Assert.All(y.Zip(tuned).Where(p => p.First != 0), p => Assert.Equal(p.Second / 0.4, p.First, 1e-5 * Math.Abs(p.Second)));
    }

    [Fact]
    public void The_mean_over_seeds_tends_to_the_whole_task_vector()
    {
        var shape = new Shape(4, 64);
        float[] start = new float[shape.Count];
        Array.Fill(start, 0f);
        float[] tuned = [.. Enumerable.Repeat(1f, start.Length)];
        double[] mean = new double[start.Length];
        for (int seed = 0; seed < 200; seed++)
        {
            float[] y = RuleHarness.Run(new DareLinear(), shape, [start, tuned], 0, [.. new double[2].Select(_ => new DareLinear.Parameters { Weight = 1, Density = 0.3 })], new() { Seed = seed });
            for (int i = 0; i < y.Length; i++) mean[i] += y[i] / 200.0;
        }
        // One element has a standard error of sqrt(0.7 / 0.3 / 200) = 0.108; all of them together 0.0068.
        Assert.All(mean, m => Assert.InRange(m, 1 - 0.55, 1 + 0.55));
        Assert.InRange(mean.Average(), 0.97, 1.03);
    }

    [Theory]
    [InlineData(Rescale.None)]
    [InlineData(Rescale.L1)]
    [InlineData(Rescale.L2)]
    [InlineData(Rescale.Linf)]
    [InlineData(Rescale.Inverse)]
    public void The_other_rescalings_restore_their_norm_with_the_same_elements(Rescale how)
    {
        float[] start = new float[s_shape.Count], tuned = RuleHarness.Values(start.Length, 5);
        float[] raw = Run([start, tuned], new() { Weight = 1, Density = 0.25, Rescale = Rescale.None });
        Assert.All(raw.Zip(tuned), p => Assert.True(p.First == 0 || p.First == p.Second));
        double Norm(float[] v) => how switch
        {
            Rescale.L1 => v.Sum(x => Math.Abs((double)x)),
            Rescale.L2 => Math.Sqrt(v.Sum(x => (double)x * x)),
            _ => v.Max(x => Math.Abs((double)x)),
        };
        double factor = how switch { Rescale.None => 1, Rescale.Inverse => 4, _ => Norm(tuned) / Norm(raw) };
        float[] y = Run([start, tuned], new() { Weight = 1, Density = 0.25, Rescale = how });
        for (int i = 0; i < y.Length; i++) Assert.Equal(raw[i] * factor, y[i], 1e-6 * Math.Abs(y[i]));
    }

    [Theory]
    [InlineData("true", Rescale.L1)]
    [InlineData("Yes", Rescale.L1)]
    [InlineData("1.0", Rescale.L1)]
    [InlineData("false", Rescale.None)]
    [InlineData("0", Rescale.None)]
    [InlineData("l2", Rescale.L2)]
    [InlineData("inverse", Rescale.Inverse)]
    [InlineData(null, null)]
    public void Rescale_takes_the_peers_flags_and_the_names_of_norms(string? written, Rescale? expected)
    {
        var rule = new DareLinear();
        ParameterCard card = rule.Card.Parameter("rescale")!;
        var values = new ParameterValues(rule.Card);
        int at = rule.Card.Parameters.ToList().IndexOf(card);
        values[at] = written is null ? null : ParameterBlock.Read(Yaml.Read($"rescale: {written}", "x.yml")[0]).Find(card, "x", 0)!.Value.Value;
        Assert.Equal(expected, ((DareLinear.Parameters)rule.ReadParameters(values)).Rescale);
    }

    [Fact]
    public void A_word_that_is_no_rescaling_is_refused_with_the_known_ones()
    {
        ParameterCard card = new DareLinear().Card.Parameter("rescale")!;
        var fault = Assert.Throws<Fault>(() => ParameterBlock.Read(Yaml.Read("rescale: l3", "x.yml")[0]).Find(card, "x", 0));
        Assert.Equal("BW1112", fault.Code);
        Assert.Contains("inverse", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_density_of_one_is_task_arithmetic_and_of_zero_the_base()
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 3);
        var p = new TaskArithmetic.Parameters { Weight = 0.6, Lambda = 0.8 };
        Assert.Equal(RuleHarness.Run(new TaskArithmetic(), s_shape, x, 0, [p, p, p]), Run(x, new() { Weight = 0.6, Lambda = 0.8 }));
        Assert.Equal(x[0], Run(x, new() { Weight = 0.6, Density = 0 }));
        Assert.Equal(x[0], Run(x, new() { Weight = 0.6, Density = 0, Rescale = Rescale.L1 }));
    }

    [Fact]
    public void A_fine_tune_equal_to_its_base_changes_nothing()
    {
        float[] x = RuleHarness.Values((int)s_shape.Count, 3);
        Assert.Equal(x, Run([x, x], new() { Weight = 1, Density = 0.5 }));
    }

    [Theory]
    [InlineData(Rescale.Inverse)]
    [InlineData(Rescale.L1)]
    public void The_seed_decides_and_threads_and_pieces_do_not(Rescale how)
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 3);
        var p = new DareLinear.Parameters { Weight = 0.5, Density = 0.5, Rescale = how };
        float[] once = Run(x, p);
        Assert.Equal(once, Run(x, p, settings: TaskVectorOracle.Threaded));
        Assert.NotEqual(once, Run(x, p, seed: 2));
    }

    [Fact]
    public void Models_draw_independently_of_each_other()
    {
        float[] start = new float[s_shape.Count], ones = [.. Enumerable.Repeat(1f, start.Length)], tens = [.. Enumerable.Repeat(10f, start.Length)];
        float[] y = Run([start, ones, tens], new() { Weight = 1, Density = 0.5, Rescale = Rescale.None });
        double spread = 4 * Math.Sqrt(start.Length * 0.25 * 0.75);
        foreach (float v in new[] { 0f, 1f, 10f, 11f }) Assert.InRange(y.Count(x => x == v), (0.25 * start.Length) - spread, (0.25 * start.Length) + spread);
    }

    [Fact]
    public void Its_bits_stand_with_its_revision() => RevisionLock.Check(new DareLinear(), "1:2d64c34c7646a7d5aa81f579d0870ef2", ("density", 0.4));

    [Theory]
    [InlineData("dare-linear-bf16")]
    [InlineData("dare-linear-f32")]
    [InlineData("dare-linear-norescale-f16")]
    public void It_gives_the_peers_numbers_in_the_peers_arithmetic(string name) => Goldens.Check(name);
}
