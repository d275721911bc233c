using Budwood.Merge;
using Budwood.Methods;
using Budwood.Numbers;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Merge;

public class DellaLinearTests
{
    private static readonly Shape s_shape = new(64, 501);

    private static float[] Run(float[][] inputs, DellaLinear.Parameters p, long seed = 1, RuleHarness.Settings? settings = null) =>
        RuleHarness.Run(new DellaLinear(), s_shape, inputs, 0, [.. inputs.Select(_ => p)], (settings ?? new()) with { Seed = seed });

    [Fact]
    public void It_keeps_the_share_and_the_sum_of_magnitudes_and_adds_without_an_election()
    {
        float[] start = new float[s_shape.Count], tuned = RuleHarness.Values(start.Length, 5);
        float[] y = Run([start, tuned], new() { Weight = 0.5, Density = 0.4, Epsilon = 0.2 });
        double expected = 0.4 * start.Length, spread = 4 * Math.Sqrt(start.Length * 0.4 * 0.6);
        Assert.InRange(y.Count(v => v != 0), expected - spread, expected + spread);
        Assert.Equal(0.5, y.Sum(v => Math.Abs((double)v)) / tuned.Sum(v => Math.Abs((double)v)), 1e-5);
        float[] opposite = Run([start, tuned, [.. tuned.Select(v => -v)]], new() { Weight = 1, Density = 1 });
        Assert.All(opposite, v => Assert.Equal(0, v));
    }

    [Fact]
    public void Inverse_divides_every_element_by_its_own_probability()
    {
        float[] start = new float[s_shape.Count];
        float[] tuned = [.. Enumerable.Range(0, start.Length).Select(i => (float)((i % 501) + 1))];
        float[] y = Run([start, tuned], new() { Weight = 1, Density = 0.5, Epsilon = 0.4, Rescale = Rescale.Inverse });
        for (int i = 0; i < y.Length; i++)
        {
            double keep = 0.1 + (0.8 * (i % 501) / 500);
            Assert.True(y[i] == 0 || Math.Abs((y[i] * keep / tuned[i]) - 1) < 1e-5, $"[{i}]: {y[i]} of {tuned[i]} kept with {keep}");
        }
    }

    [Fact]
    public void A_density_of_one_is_task_arithmetic()
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 3);
        var p = new TaskArithmetic.Parameters { Weight = 0.6 };
        Assert.Equal(RuleHarness.Run(new TaskArithmetic(), s_shape, x, 0, [p, p, p]), Run(x, new() { Weight = 0.6 }));
    }

    [Fact]
    public void A_density_of_zero_keeps_nothing_under_the_newer_peer_and_is_refused_elsewhere()
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 3);
        var p = new DellaLinear.Parameters { Weight = 0.6, Density = 0 };
        Assert.Equal(x[0], Run(x, p, settings: new() { Arithmetic = Arithmetic.Mergekit015 }));
        Assert.Equal("BW1203", Assert.Throws<Fault>(() => Run(x, p)).Code);
        Assert.Equal("BW1203", Assert.Throws<Fault>(() => Run(x, p, settings: new() { Arithmetic = Arithmetic.Mergekit014 })).Code);
    }

    [Fact]
    public void A_fine_tune_equal_to_its_base_changes_nothing()
    {
        float[] x = RuleHarness.Values((int)s_shape.Count, 3);
        Assert.Equal(x, Run([x, x], new() { Weight = 1, Density = 0.5 }));
    }

    [Fact]
    public void The_seed_decides_and_threads_and_pieces_do_not()
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 3);
        var p = new DellaLinear.Parameters { Weight = 0.5, Density = 0.5 };
        float[] once = Run(x, p);
        Assert.Equal(once, Run(x, p, settings: TaskVectorOracle.Threaded));
        Assert.NotEqual(once, Run(x, p, seed: 2));
    }

    [Fact]
    public void Its_bits_stand_with_its_revision() => RevisionLock.Check(new DellaLinear(), "1:870b236d322b915ecc78dd77a3de9a74", ("density", 0.4));

    [Theory]
    [InlineData("della-linear-f32")]
    [InlineData("della-linear-f16")]
    public void It_gives_the_peers_numbers_in_the_peers_arithmetic(string name) => Goldens.Check(name);
}
