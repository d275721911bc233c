using Budwood.Merge;
using Budwood.Numbers;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Merge;

public class DellaTests
{
    private static readonly Shape s_shape = new(64, 501);

    private static float[] Run(float[][] inputs, Della.Parameters p, long seed = 1, RuleHarness.Settings? settings = null) =>
        RuleHarness.Run(new Della(), s_shape, inputs, 0, [.. inputs.Select(_ => p)], (settings ?? new()) with { Seed = seed });

    [Fact]
    public void It_keeps_the_share_and_the_sum_of_magnitudes()
    {
        float[] start = new float[s_shape.Count];
        float[] tuned = RuleHarness.Values(start.Length, 5);
        float[] y = Run([start, tuned], new Della.Parameters { Weight = 1, Density = 0.4, Epsilon = 0.2 });
        double expected = 0.4 * start.Length, spread = 4 * Math.Sqrt(start.Length * 0.4 * 0.6);
        Assert.InRange(y.Count(v => v != 0), expected - spread, expected + spread);
        Assert.Equal(1, y.Sum(v => Math.Abs((double)v)) / tuned.Sum(v => Math.Abs((double)v)), 1e-5);
        float scale = y.Zip(tuned).First(p => p.First != 0) is var (a, b) ? a / b : 0;
        Assert.All(y.Zip(tuned).Where(p => p.First != 0), p => Assert.Equal(scale, p.First / p.Second, 1e-5));
    }

    [Fact]
    public void Large_elements_of_a_row_stay_more_often_than_small_ones()
    {
        float[] start = new float[s_shape.Count];
        float[] tuned = [.. Enumerable.Range(0, start.Length).Select(i => (float)((i % 501) + 1))];
        float[] y = Run([start, tuned], new Della.Parameters { Weight = 1, Density = 0.5, Epsilon = 0.4, Rescale = Rescale.None });
        int small = 0, large = 0;
        for (int i = 0; i < y.Length; i++)
        {
            if (y[i] == 0) continue;
            if (i % 501 < 100) small++;
            if (i % 501 >= 401) large++;
        }
        // By the formula 0.18 of the lowest hundred and 0.82 of the highest hundred of 6,400 each.
        Assert.InRange(small, 6400 * 0.18 * 0.85, 6400 * 0.18 * 1.15);
        Assert.InRange(large, 6400 * 0.82 * 0.95, 6400 * 0.82 * 1.05);
    }

    [Fact]
    public void A_row_of_one_element_stays_with_the_density()
    {
        float[] start = new float[4000], tuned = RuleHarness.Values(4000, 5);
        float[] y = RuleHarness.Run(new Della(), new Shape(4000, 1), [start, tuned], 0, [.. Enumerable.Repeat(new Della.Parameters { Weight = 1, Density = 0.4, Epsilon = 0.2, Rescale = Rescale.None }, 2)]);
        double spread = 4 * Math.Sqrt(4000 * 0.4 * 0.6);
        Assert.InRange(y.Count(v => v != 0), 1600 - spread, 1600 + spread);
    }

    [Fact]
    public void The_seed_decides_and_threads_and_pieces_do_not()
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 3);
        var p = new Della.Parameters { Weight = 0.5, Density = 0.5 };
        float[] once = Run(x, p);
        Assert.Equal(once, Run(x, p, settings: new() { Threads = 3, PieceBytes = 8192 }));
        Assert.NotEqual(once, Run(x, p, seed: 2));
    }

    [Fact]
    public void An_epsilon_too_wide_for_the_density_is_refused()
    {
        var fault = Assert.Throws<Fault>(() => Run(RuleHarness.Family((int)s_shape.Count, 2), new Della.Parameters { Weight = 1, Density = 0.9, Epsilon = 0.2 }));
        Assert.Equal(("BW1203", ExitCode.Usage), (fault.Code, fault.Exit));
    }

    [Fact]
    public void Its_bits_stand_with_its_revision() => RevisionLock.Check(new Della(), "1:696eca30ac826d5ddb38678e4963e4b0", ("density", 0.4));

    [Theory]
    [InlineData("della-f32")]
    [InlineData("della-norescale-f32")]
    [InlineData("della-bf16")]
    public void It_gives_the_peers_numbers_in_the_peers_arithmetic(string name) => Goldens.Check(name);
}
