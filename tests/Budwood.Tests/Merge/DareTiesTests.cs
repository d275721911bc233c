using Budwood.Merge;
using Budwood.Numbers;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Merge;

public class DareTiesTests
{
    private static readonly Shape s_shape = new(31, 517);

    private static float[] Run(float[][] inputs, DareTies.Parameters p, RuleHarness.Settings? settings = null) =>
        RuleHarness.Run(new DareTies(), s_shape, inputs, 0, [.. inputs.Select(_ => p)], settings ?? new());

    [Fact]
    public void It_agrees_with_a_naive_loop_in_double_on_what_each_model_keeps()
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 4);
        // With a weight of zero for all but one model its kept elements are seen one by one; the draws depend on the position alone.
        double[][] kept = new double[3][];
        for (int k = 1; k < 4; k++)
        {
            DareTies.Parameters[] p = [.. Enumerable.Range(0, 4).Select(i => new DareTies.Parameters { Weight = i == k ? 1 : 0, Density = 0.4 })];
            float[] alone = RuleHarness.Run(new DareTies(), s_shape, x, 0, p);
            kept[k - 1] = [.. alone.Select((v, i) => v == x[0][i] ? 0 : (x[k][i] - x[0][i]) / 0.4)];
            Assert.InRange(kept[k - 1].Count(v => v != 0), 0.37 * s_shape.Count, 0.43 * s_shape.Count);
        }
        double[] w = [0.5, 0.5, 0.5];
        TaskVectorOracle.Close(TaskVectorOracle.Merge(x[0], kept, w, elects: true, normalize: true, lambda: 0.7), Run(x, new() { Weight = 0.5, Density = 0.4, Normalize = true, Lambda = 0.7 }));
    }

    [Fact]
    public void A_density_of_one_is_the_election_of_ties_alone()
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 3);
        var p = new Ties.Parameters { Weight = 0.6, Normalize = false };
        Assert.Equal(RuleHarness.Run(new Ties(), s_shape, x, 0, [p, p, p]), Run(x, new() { Weight = 0.6 }));
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
        var p = new DareTies.Parameters { Weight = 0.5, Density = 0.5 };
        Assert.Equal(Run(x, p), Run(x, p, TaskVectorOracle.Threaded));
        Assert.NotEqual(Run(x, p), Run(x, p, new() { Seed = 2 }));
    }

    [Fact]
    public void Its_bits_stand_with_its_revision() => RevisionLock.Check(new DareTies(), "1:05d540a61e91e90b5032ab9d985bd4b8", ("density", 0.4));

    [Theory]
    [InlineData("dare-ties-f32")]
    [InlineData("dare-ties-norescale-bf16")]
    [InlineData("dare-ties-gradient-f32")]
    public void It_gives_the_peers_numbers_in_the_peers_arithmetic(string name) => Goldens.Check(name);
}
