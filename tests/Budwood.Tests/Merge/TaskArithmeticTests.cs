using Budwood.Merge;
using Budwood.Numbers;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Merge;

public class TaskArithmeticTests
{
    private static readonly Shape s_shape = new(13, 1027);

    private static float[] Run(float[][] inputs, double[] weights, bool normalize = false, double lambda = 1, int atBase = 0, RuleHarness.Settings? settings = null) =>
        RuleHarness.Run(new TaskArithmetic(), s_shape, inputs, atBase, [.. weights.Select(w => new TaskArithmetic.Parameters { Weight = w, Normalize = normalize, Lambda = lambda })], settings);

    [Theory]
    [InlineData(false, 1.0)]
    [InlineData(false, 0.3)]
    [InlineData(true, 1.5)]
    public void It_agrees_with_a_naive_loop_in_double(bool normalize, double lambda)
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 4);
        double[] w = [0.5, -0.2, 0.9];
        TaskVectorOracle.Close(TaskVectorOracle.Merge(x[0], TaskVectorOracle.Deltas(x), w, elects: false, normalize, lambda), Run(x, [0, .. w], normalize, lambda));
    }

    [Fact]
    public void A_fine_tune_equal_to_its_base_changes_nothing()
    {
        float[] x = RuleHarness.Values((int)s_shape.Count, 3);
        Assert.Equal(x, Run([x, x], [0, 0.7]));
    }

    [Fact]
    public void Lambda_zero_gives_the_base_bit_for_bit()
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 3);
        Assert.Equal(x[0], Run(x, [0, 0.7, 0.3], lambda: 0));
    }

    [Fact]
    public void Weights_that_sum_to_zero_are_not_divided_by()
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 3);
        Assert.Equal(Run(x, [0, 1, -1]), Run(x, [0, 1, -1], normalize: true));
    }

    [Fact]
    public void The_base_may_stand_anywhere_and_models_in_any_order()
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 4);
        float[] one = Run(x, [0, 0.2, 0.3, 0.5], settings: TaskVectorOracle.BF16);
        Assert.Equal(one, Run([x[1], x[2], x[0], x[3]], [0.2, 0.3, 0, 0.5], atBase: 2, settings: TaskVectorOracle.BF16));
        Nearness.OneUlp(DType.BF16, one, Run([x[3], x[0], x[1], x[2]], [0.5, 0, 0.2, 0.3], atBase: 1, settings: TaskVectorOracle.BF16));
    }

    [Fact]
    public void Threads_and_pieces_do_not_change_a_bit()
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 3);
        Assert.Equal(Run(x, [0, 0.3, 0.4]), Run(x, [0, 0.3, 0.4], settings: TaskVectorOracle.Threaded));
    }

    [Fact]
    public void Its_bits_stand_with_its_revision() => RevisionLock.Check(new TaskArithmetic(), "1:d0b4a2cd524dfee162c56387c7e98e50");

    [Theory]
    [InlineData("ta-bf16")]
    [InlineData("ta-lambda-f16")]
    [InlineData("ta-normalize-f32")]
    [InlineData("ta-negate-bf16")]
    [InlineData("ta-zero-sum-normalize-f32")]
    [InlineData("ta-gradient-f32-out-f16")]
    [InlineData("ta-mixed-dtypes")]
    [InlineData("ta-vocab-mismatch")]
    [InlineData("ta-gpt2")]
    [InlineData("ta-edge")]
    public void It_gives_the_peers_numbers_in_the_peers_arithmetic(string name) => Goldens.Check(name);

    [Theory]
    [InlineData("v015-ta-promote")]
    [InlineData("dtype-mixed")]
    public void It_gives_the_newer_peers_numbers_in_its_arithmetic(string name) => Goldens.CheckNewer(name);
}
