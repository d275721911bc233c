using Budwood.Merge;
using Budwood.Methods;
using Budwood.Numbers;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Merge;

public class RamPlusTlTests
{
    private static readonly Shape s_shape = new(37, 211);

    private static float[] Run(float[][] inputs, double r = 0.1, double alpha = 0.2, double epsilon = 1e-5, int atBase = 0, Shape? shape = null, RuleHarness.Settings? settings = null) =>
        RuleHarness.Run(new RamPlusTl(), shape ?? s_shape, inputs, atBase, [.. inputs.Select(_ => new RamPlusTl.Parameters { R = r, Alpha = alpha, Epsilon = epsilon })], settings);

    [Theory]
    [InlineData(0.1, 0.2)]
    [InlineData(0.3, 5)]
    public void It_agrees_with_a_naive_loop_in_double(double r, double alpha)
    {
        float[][] x = RamTests.Sparse((int)s_shape.Count, 4);
        float[] y = Run(x, r, alpha);
        bool Changed(int k, int i) => Math.Abs(x[k][i] - x[0][i]) > 1e-5f;
        int[] count = [.. x[0].Select((_, i) => Enumerable.Range(1, 3).Count(k => Changed(k, i)))];
        double[] factor = [.. Enumerable.Range(1, 3).Select(k =>
        {
            double unique = count.Where((c, i) => c == 1 && Changed(k, i)).Count(), shared = count.Where((c, i) => c > 1 && Changed(k, i)).Count();
            return 1 + (r * Math.Min(alpha, shared / Math.Max(unique, 1e-5)));
        })];
        for (int i = 0; i < y.Length; i++)
        {
            double sum = 0;
            for (int k = 1; k < 4; k++) if (Changed(k, i)) sum += (x[k][i] - x[0][i]) * (count[i] == 1 ? factor[k - 1] : 1.0 / count[i]);
            Assert.Equal(x[0][i] + sum, y[i], 1e-6);
        }
    }

    [Fact]
    public void Fine_tunes_equal_to_their_base_change_nothing_and_equal_ones_are_taken()
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 2);
        Assert.Equal(x[0], Run([x[0], x[0], x[0]]));
        float[] y = Run([x[0], x[1], x[1]]);
        for (int i = 0; i < y.Length; i++) Assert.Equal(x[1][i], y[i], 1.2e-5); // changes up to epsilon are none
    }

    [Fact]
    public void Threads_and_pieces_do_not_change_a_bit()
    {
        float[][] x = RamTests.Sparse((int)s_shape.Count, 4);
        Assert.Equal(Run(x), Run(x, settings: new() { Threads = 3, PieceBytes = 16384 }));
    }

    [Fact]
    public void Models_in_another_order_agree_to_one_unit_in_the_last_place()
    {
        float[][] x = RamTests.Sparse((int)s_shape.Count, 4);
        var bf16 = new RuleHarness.Settings { DType = DType.BF16 };
        Nearness.OneUlp(DType.BF16, Run(x, settings: bf16), Run([x[2], x[3], x[0], x[1]], atBase: 2, settings: bf16));
    }

    [Theory]
    [InlineData(Arithmetic.Ours)]
    [InlineData(Arithmetic.Mergekit014)]
    public void Opposite_changes_zeros_single_elements_and_empty_tensors_give_finite_values(Arithmetic mode)
    {
        var settings = new RuleHarness.Settings { Arithmetic = mode };
        Assert.Equal([2f, 2f], Run([[2f, 2f], [3f, 3f], [1f, 1f]], shape: new Shape(2), settings: settings));
        Assert.All(Run([new float[4], new float[4], new float[4]], epsilon: 0, shape: new Shape(2, 2), settings: settings), v => Assert.Equal(0f, v));
        Assert.Equal(2f, Run([[1f], [2f]], shape: new Shape(), settings: settings)[0]);
        Assert.Empty(Run([[], []], shape: new Shape(0, 4), settings: settings));
    }

    [Fact]
    public void The_output_keeps_the_storage_type_except_in_the_peers_arithmetic()
    {
        var rule = new RamPlusTl();
        Assert.Equal(DType.BF16, rule.Result(Arithmetic.Ours, DType.BF16));
        Assert.Equal(DType.F32, rule.Result(Arithmetic.Mergekit014, DType.BF16));
    }

    [Fact]
    public void Its_bits_stand_with_its_revision() => RevisionLock.Check(new RamPlusTl(), "1:468204b92c498b4cda674327c23c576f", ("epsilon", 0.03));

    [Theory]
    [InlineData("ramplus-bf16")]
    [InlineData("ramplus-f32")]
    public void It_gives_the_peers_numbers_in_the_peers_arithmetic(string name) => Goldens.Check(name);
}
