using Budwood.Merge;
using Budwood.Numbers;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Merge;

public class SlerpTests
{
    private static readonly Shape s_shape = new(9, 1031);

    private static float[] Run(float[][] inputs, double t, int atBase = 0, RuleHarness.Settings? settings = null) =>
        RuleHarness.Run(new Slerp(), s_shape, inputs, atBase, [.. inputs.Select(_ => new Slerp.Parameters { T = t })], settings);

    [Theory]
    [InlineData(0.25)]
    [InlineData(0.9)]
    [InlineData(1.25)]
    [InlineData(-0.5)]
    public void It_agrees_with_a_naive_loop_in_double(double t)
    {
        float[][] x = [RuleHarness.Values((int)s_shape.Count, 1), RuleHarness.Values((int)s_shape.Count, 2)];
        double n0 = Math.Sqrt(x[0].Sum(v => (double)v * v)), n1 = Math.Sqrt(x[1].Sum(v => (double)v * v));
        double angle = Math.Acos(x[0].Zip(x[1], (a, b) => a / n0 * (b / n1)).Sum());
        float[] y = Run(x, t);
        for (int i = 0; i < y.Length; i++)
            Assert.Equal(((Math.Sin((1 - t) * angle) * x[0][i]) + (Math.Sin(t * angle) * x[1][i])) / Math.Sin(angle), y[i], 3e-6);
    }

    [Fact]
    public void The_ends_are_the_models()
    {
        float[][] x = [RuleHarness.Values((int)s_shape.Count, 1), RuleHarness.Values((int)s_shape.Count, 2)];
        Assert.Equal(x[0], Run(x, 0));
        Assert.Equal(x[1], Run(x, 1));
    }

    [Fact]
    public void The_base_is_where_t_is_zero_wherever_it_is_listed()
    {
        float[][] x = [RuleHarness.Values((int)s_shape.Count, 1), RuleHarness.Values((int)s_shape.Count, 2)];
        Assert.Equal(Run(x, 0.3), Run([x[1], x[0]], 0.3, atBase: 1));
    }

    [Fact]
    public void Nearly_parallel_and_opposite_tensors_are_interpolated_in_a_line()
    {
        float[] x = RuleHarness.Values((int)s_shape.Count, 1);
        float[] opposite = [.. x.Select(v => -v)];
        Assert.All(Run([x, opposite], 0.5), v => Assert.Equal(0f, v));
        Assert.Equal(x, Run([x, x], 0.5));
    }

    [Fact]
    public void Threads_and_pieces_do_not_change_a_bit()
    {
        float[][] x = [RuleHarness.Values((int)s_shape.Count, 1), RuleHarness.Values((int)s_shape.Count, 2)];
        Assert.Equal(Run(x, 0.37), Run(x, 0.37, settings: new() { Threads = 3, PieceBytes = 16384 }));
    }

    [Fact]
    public void Its_bits_stand_with_its_revision() => RevisionLock.Check(new Slerp(), "1:522f055e8a9be63aa80bacee87558185");

    [Theory]
    [InlineData("slerp-bf16")]
    [InlineData("slerp-gradient-f32")]
    [InlineData("slerp-f16-extrapolate")]
    [InlineData("slerp-t0-t1-bf16")]
    [InlineData("slerp-edge")]
    [InlineData("slerp-slices")]
    public void It_gives_the_peers_numbers_in_the_peers_arithmetic(string name) => Goldens.Check(name);
}
