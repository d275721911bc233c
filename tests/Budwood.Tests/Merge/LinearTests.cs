using Budwood.Merge;
using Budwood.Numbers;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Merge;

public class LinearTests
{
    private static readonly Shape s_shape = new(13, 1027);

    private static float[] Run(float[][] inputs, double[] weights, bool normalize = true, RuleHarness.Settings? settings = null) =>
        RuleHarness.Run(new Linear(), s_shape, inputs, -1, [.. weights.Select(w => new Linear.Parameters { Weight = w, Normalize = normalize })], settings);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void It_agrees_with_a_naive_loop_in_double(bool normalize)
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 3);
        double[] w = [0.5, -0.2, 0.9];
        float[] y = Run(x, w, normalize);
        for (int i = 0; i < y.Length; i++)
        {
            double sum = 0;
            for (int k = 0; k < 3; k++) sum += w[k] * x[k][i];
            Assert.Equal(normalize ? sum / w.Sum() : sum, y[i], 2e-6);
        }
    }

    [Fact]
    public void A_model_merged_with_itself_is_itself()
    {
        float[] x = RuleHarness.Values((int)s_shape.Count, 3);
        Assert.Equal(x, Run([x, x], [0.5, 0.5]));
    }

    [Fact]
    public void Threads_and_pieces_do_not_change_a_bit()
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 3);
        float[] once = Run(x, [0.3, 0.3, 0.4]);
        Assert.Equal(once, Run(x, [0.3, 0.3, 0.4], settings: new() { Threads = 3, PieceBytes = 16384 }));
    }

    [Fact]
    public void Models_in_another_order_agree_to_one_unit_in_the_last_place()
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 3);
        float[] one = Run(x, [0.2, 0.3, 0.5], settings: new() { DType = DType.BF16 });
        float[] other = Run([x[2], x[0], x[1]], [0.5, 0.2, 0.3], settings: new() { DType = DType.BF16 });
        for (int i = 0; i < one.Length; i++)
            Assert.True(Math.Abs(BitConverter.SingleToInt32Bits(one[i]) - BitConverter.SingleToInt32Bits(other[i])) <= 0x10000, $"{one[i]} and {other[i]}");
    }

    [Fact]
    public void Weights_that_sum_to_zero_are_refused_when_they_would_be_divided_by()
    {
        var fault = Assert.Throws<Fault>(() => Run(RuleHarness.Family((int)s_shape.Count, 2), [1, -1]));
        Assert.Equal(("BW1201", ExitCode.Usage), (fault.Code, fault.Exit));
        Assert.Contains("normalize: false", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Its_bits_stand_with_its_revision() => RevisionLock.Check(new Linear(), "1:571ff9bf7d4bd2009426c08c87325b01");

    [Theory]
    [InlineData("linear-2-bf16")]
    [InlineData("linear-3-bf16")]
    [InlineData("linear-3-unnormalized-f32")]
    [InlineData("linear-negative-f16")]
    [InlineData("linear-gradient-filters-f32")]
    [InlineData("linear-math-f32-out-bf16")]
    [InlineData("linear-dtype-f16-of-bf16")]
    [InlineData("linear-out-f32-of-bf16")]
    [InlineData("linear-mixed-dtypes")]
    [InlineData("linear-mixed-dtypes-bf16-f16")]
    [InlineData("linear-vocab-mismatch")]
    [InlineData("linear-tied-head")]
    [InlineData("linear-gpt2-aliases")]
    [InlineData("linear-sharded-in-out")]
    [InlineData("linear-modules-syntax")]
    [InlineData("linear-slices")]
    [InlineData("linear-edge")]
    public void It_gives_the_peers_numbers_in_the_peers_arithmetic(string name) => Goldens.Check(name);

    [Theory]
    [InlineData("v015-linear-bf16")]
    [InlineData("v015-linear-f32")]
    [InlineData("v015-linear-mixed")]
    [InlineData("v015-linear-raw-bf16")]
    [InlineData("v015-rotary-dropped")]
    [InlineData("v015-sci-string")]
    [InlineData("v015-truncate-linear")]
    [InlineData("dtype-bfloat16-none")]
    [InlineData("dtype-float32-bfloat16")]
    [InlineData("dtype-none-float16")]
    public void It_gives_the_newer_peers_numbers_in_its_arithmetic(string name) => Goldens.CheckNewer(name);

    [Theory]
    [InlineData("linear-3-bf16")]
    [InlineData("linear-3-unnormalized-f32")]
    [InlineData("linear-dtype-f16-of-bf16")]
    [InlineData("linear-edge")]
    [InlineData("linear-gpt2-aliases")]
    [InlineData("linear-gradient-filters-f32")]
    [InlineData("linear-math-f32-out-bf16")]
    [InlineData("linear-mixed-dtypes")]
    [InlineData("linear-mixed-dtypes-bf16-f16")]
    [InlineData("linear-modules-syntax")]
    [InlineData("linear-negative-f16")]
    [InlineData("linear-out-f32-of-bf16")]
    [InlineData("linear-tied-head")]
    public void It_gives_what_the_newer_peer_makes_of_the_older_cases(string name) => Goldens.CheckReissued(name);
}
