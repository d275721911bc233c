using Budwood.Merge;
using Budwood.Methods;
using Budwood.Numbers;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Merge;

public class NearswapTests
{
    private static readonly Shape s_shape = new(13, 1027);

    private static float[] Run(float[][] inputs, double t, int atBase = 0, RuleHarness.Settings? settings = null) =>
        RuleHarness.Run(new Nearswap(), s_shape, inputs, atBase, [.. inputs.Select(_ => new Nearswap.Parameters { T = t })], settings);

    private static double MedianDistance(float[][] x)
    {
        double[] distances = [.. x[0].Zip(x[1], (b, o) => Math.Abs((double)b - o)).Order()];
        return distances[distances.Length / 2];
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void It_agrees_with_a_naive_loop_in_double(int atBase)
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 2);
        double t = MedianDistance(x);
        float[] y = Run(x, t, atBase);
        int whole = 0;
        for (int i = 0; i < y.Length; i++)
        {
            double b = x[atBase][i], o = x[1 - atBase][i], w = Math.Clamp(t / Math.Max(Math.Abs(b - o), 1e-6), 0, 1);
            Assert.Equal((w * o) + ((1 - w) * b), y[i], 2e-6);
            if (w == 1) whole++;
        }
        Assert.InRange(whole, y.Length / 4, y.Length * 3 / 4);
    }

    [Fact]
    public void A_model_merged_with_itself_is_itself()
    {
        float[] x = RuleHarness.Values((int)s_shape.Count, 3);
        Assert.Equal(x, Run([x, x], 0.001));
    }

    [Fact]
    public void A_threshold_of_zero_gives_the_base()
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 2);
        Assert.Equal(x[0], Run(x, 0));
        Assert.Equal(x[1], Run(x, 0, atBase: 1));
    }

    [Fact]
    public void A_threshold_beyond_every_distance_gives_the_other_model()
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 2);
        Assert.Equal(x[1], Run(x, 1e6));
    }

    [Fact]
    public void No_element_moves_further_than_the_threshold()
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 2);
        double t = MedianDistance(x);
        float[] y = Run(x, t);
        for (int i = 0; i < y.Length; i++) Assert.InRange(Math.Abs((double)y[i] - x[0][i]), 0, t + 1e-6);
    }

    [Fact]
    public void Threads_and_pieces_do_not_change_a_bit()
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 2);
        double t = MedianDistance(x);
        Assert.Equal(Run(x, t), Run(x, t, settings: new() { Threads = 3, PieceBytes = 16384 }));
    }

    [Fact]
    public void The_models_in_another_order_do_not_change_a_bit()
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 2);
        double t = MedianDistance(x);
        Assert.Equal(Run(x, t), Run([x[1], x[0]], t, atBase: 1));
    }

    [Fact]
    public void A_tensor_that_the_base_lacks_is_taken_as_it_is()
    {
        float[] x = RuleHarness.Values((int)s_shape.Count, 3);
        Assert.Equal(x, Run([x], 0.01, atBase: -1));
    }

    [Fact]
    public void In_the_peers_arithmetic_the_result_has_the_working_type_even_when_it_is_stored_wider()
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 2);
        RuleHarness.Settings narrow = new() { DType = DType.BF16, Arithmetic = Arithmetic.Mergekit014 };
        Assert.Equal(Run(x, 0.03, settings: narrow), Run(x, 0.03, settings: narrow with { Stored = DType.F32 }));
    }

    [Fact]
    public void Its_bits_stand_with_its_revision() => RevisionLock.Check(new Nearswap(), "1:d42da9d5041f4e23ae14b25d19a15969", ("t", 0.03));

    [Theory]
    [InlineData("nearswap-bf16")]
    [InlineData("nearswap-f32")]
    public void It_gives_the_peers_numbers_in_the_peers_arithmetic(string name) => Goldens.Check(name);
}
