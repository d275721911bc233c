using Budwood.Merge;
using Budwood.Methods;
using Budwood.Numbers;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Merge;

public class MultislerpTests
{
    private static readonly Shape s_shape = new(37, 211);

    private static float[] Run(float[][] inputs, double[] weights, int atBase = -1, bool normalize = true, Shape? shape = null, RuleHarness.Settings? settings = null) =>
        RuleHarness.Run(new Multislerp(), shape ?? s_shape, inputs, atBase, [.. weights.Select(w => new Multislerp.Parameters { Weight = w, NormalizeWeights = normalize })], settings);

    private static float[][] Values(int models) => [.. Enumerable.Range(1, models).Select(m => RuleHarness.Values((int)s_shape.Count, m))];

    // All steps of the formula as it is told, the tangent included.
    private static double[] Naive(double[][] x, double[] w, bool normalize)
    {
        double sum = normalize ? w.Sum() : 1;
        double[] norm = [.. x.Select(v => Math.Sqrt(v.Sum(e => e * e)))];
        double[][] u = [.. x.Select((v, k) => v.Select(e => e / (norm[k] + 1e-8)).ToArray())];
        double[] mean = [.. Enumerable.Range(0, x[0].Length).Select(i => u.Select((v, k) => v[i] * w[k] / sum).Sum())];
        double length = Math.Sqrt(mean.Sum(e => e * e));
        mean = [.. mean.Select(e => e / length)];
        double[] dot = [.. u.Select(v => v.Zip(mean, (a, b) => a * b).Sum())];
        double[] tangent = [.. mean.Select((e, i) => u.Select((v, k) => (v[i] - (dot[k] * e)) * w[k] / sum).Sum())];
        double turn = Math.Sqrt(tangent.Sum(e => e * e)) + 1e-8, scale = norm.Select((n, k) => n * w[k] / sum).Sum();
        return [.. mean.Select((e, i) => ((e * Math.Cos(turn)) + (tangent[i] * Math.Sin(turn) / turn)) * scale)];
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void It_agrees_with_a_naive_loop_in_double(bool normalize)
    {
        float[][] x = Values(3);
        double[] expected = Naive([.. x.Select(v => v.Select(e => (double)e).ToArray())], [0.5, 0.8, 0.3], normalize);
        float[] y = Run(x, [0.5, 0.8, 0.3], normalize: normalize);
        for (int i = 0; i < y.Length; i++) Assert.Equal(expected[i], y[i], 4e-6);
    }

    [Fact]
    public void With_a_base_it_works_on_the_task_vectors()
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 4);
        double[] expected = Naive([.. x[1..].Select(v => v.Zip(x[0], (a, b) => (double)(a - b)).ToArray())], [0.5, 0.8, -0.3], false);
        float[] y = Run([x[1], x[0], x[2], x[3]], [0.5, 0, 0.8, -0.3], 1, false);
        for (int i = 0; i < y.Length; i++) Assert.Equal(x[0][i] + expected[i], y[i], 2e-6);
    }

    [Fact]
    public void A_model_with_itself_is_itself_and_one_model_is_copied()
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 2);
        float[] y = Run([x[0], x[0], x[0]], [0.2, 0.3, 0.5]);
        for (int i = 0; i < y.Length; i++) Assert.Equal(x[0][i], y[i], 1e-6);
        Assert.Equal(x[0], Run([x[0], x[0], x[0]], [0, 0.3, 0.5], 0));
        Assert.Equal(x[1], Run([x[1]], [0.3]));
        Assert.Equal(x[1], Run([x[0], x[1]], [0, 0.3], 0));
        Assert.Equal(x[1], Run([x[1], x[0]], [0, 0.3], 1));
    }

    [Fact]
    public void Threads_and_pieces_do_not_change_a_bit()
    {
        float[][] x = Values(3);
        Assert.Equal(Run(x, [0.3, 0.3, 0.4]), Run(x, [0.3, 0.3, 0.4], settings: new() { Threads = 3, PieceBytes = 16384 }));
    }

    [Fact]
    public void Models_in_another_order_agree_to_one_unit_in_the_last_place()
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 3);
        var bf16 = new RuleHarness.Settings { DType = DType.BF16 };
        Nearness.OneUlp(DType.BF16, Run(x, [0.2, 0.3, 0.5], settings: bf16), Run([x[2], x[0], x[1]], [0.5, 0.2, 0.3], settings: bf16));
    }

    [Theory]
    [InlineData(Arithmetic.Ours, DType.F32)]
    [InlineData(Arithmetic.Ours, DType.BF16)]
    [InlineData(Arithmetic.Mergekit014, DType.F32)]
    [InlineData(Arithmetic.Mergekit014, DType.BF16)]
    [InlineData(Arithmetic.Mergekit015, DType.F16)]
    public void Zero_tensors_opposite_models_single_elements_and_empty_tensors_give_finite_values(Arithmetic mode, DType type)
    {
        var settings = new RuleHarness.Settings { Arithmetic = mode, DType = type };
        float[] x = [.. Enumerable.Range(0, 12).Select(i => i - 5f)], opposite = [.. x.Select(v => -v)], third = [.. x.Select(v => v / 2)];
        var shape = new Shape(3, 4);
        Assert.All(Run([new float[12], new float[12], new float[12]], [1, 1, 1], -1, true, shape, settings), v => Assert.Equal(0f, v));
        Assert.All(Run([x, opposite], [1, 1], -1, true, shape, settings), v => Assert.Equal(0f, v));
        Assert.All(Run([x, opposite, new float[12]], [1, 1, 1], -1, true, shape, settings), v => Assert.Equal(0f, v, 1e-6f));
        Assert.All(Run([x, opposite, third], [1, 1, 1], -1, true, shape, settings), v => Assert.True(float.IsFinite(v)));
        Assert.Equal(3f, Run([[2f], [4f]], [1, 1], -1, true, new Shape(1), settings)[0], 0.05f);
        Assert.Empty(Run([[], []], [1, 1], -1, true, new Shape(0, 4), settings));
    }

    [Fact]
    public void Weights_that_sum_to_zero_are_refused_when_they_would_be_divided_by()
    {
        float[][] x = Values(2);
        Assert.Equal("BW1201", Assert.Throws<Fault>(() => Run(x, [1, -1])).Code);
        Assert.All(Run(x, [1, -1], normalize: false), v => Assert.True(float.IsFinite(v)));
    }

    [Fact]
    public void Its_bits_stand_with_its_revision() => RevisionLock.Check(new Multislerp(), "1:194fc6eba0df67b04a656f44661cdfa7");

    [Theory]
    [InlineData("multislerp-f32")]
    [InlineData("multislerp-base-bf16")]
    [InlineData("multislerp-raw-f32")]
    public void It_gives_the_peers_numbers_in_the_peers_arithmetic(string name) => Goldens.Check(name);

    [Fact]
    public void It_gives_the_numbers_of_the_later_version_too() => Goldens.Check("goldens/merge-extras", "v015-multislerp-one", Arithmetic.Mergekit015);
}
