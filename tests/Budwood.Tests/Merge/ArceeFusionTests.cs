using Budwood.Merge;
using Budwood.Methods;
using Budwood.Numbers;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Merge;

public class ArceeFusionTests
{
    private static readonly Shape s_shape = new(37, 211);

    private static float[] Run(float[][] inputs, int atBase = 0, Shape? shape = null, RuleHarness.Settings? settings = null) =>
        RuleHarness.Run(new ArceeFusion(), shape ?? s_shape, inputs, atBase, [new ArceeFusion.Parameters(), new ArceeFusion.Parameters()], settings);

    [Fact]
    public void It_agrees_with_a_naive_loop_in_double()
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 2);
        double[] score = new double[x[0].Length];
        for (int row = 0; row < 37; row++)
        {
            double[] p = Softmax(x[1].AsSpan(row * 211, 211).ToArray()), k = Softmax(x[0].AsSpan(row * 211, 211).ToArray());
            double divergence = p.Zip(k, (a, b) => a * Math.Log(a / b)).Sum();
            for (int i = row * 211; i < (row + 1) * 211; i++) score[i] = Math.Abs(x[1][i] - x[0][i]) * divergence;
        }
        double[] sorted = [.. score.Order()];
        double Quantile(double f) => sorted[(int)(f * (sorted.Length - 1))];
        double threshold = Quantile(0.5) + (1.5 * (Quantile(0.75) - Quantile(0.25)));
        float[] y = Run(x);
        for (int i = 0; i < y.Length; i++)
        {
            if (Math.Abs(score[i] - threshold) < 1e-6 * threshold) continue;
            Assert.Equal(score[i] >= threshold ? x[1][i] : x[0][i], y[i]);
        }
        Assert.InRange(y.Zip(x[0]).Count(v => v.First != v.Second), y.Length / 50, y.Length / 4);
    }

    private static double[] Softmax(float[] v)
    {
        double[] e = [.. v.Select(a => Math.Exp(a))];
        return [.. e.Select(a => a / e.Sum())];
    }

    [Fact]
    public void A_model_with_itself_is_itself_and_the_base_may_stand_anywhere()
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 2);
        Assert.Equal(x[0], Run([x[0], x[0]]));
        Assert.Equal(Run(x), Run([x[1], x[0]], atBase: 1));
    }

    [Fact]
    public void Threads_and_pieces_do_not_change_a_bit()
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 2);
        Assert.Equal(Run(x), Run(x, settings: new() { Threads = 3, PieceBytes = 16384 }));
    }

    [Theory]
    [InlineData(Arithmetic.Ours, DType.F32)]
    [InlineData(Arithmetic.Mergekit014, DType.F32)]
    [InlineData(Arithmetic.Mergekit014, DType.BF16)]
    public void Opposite_models_zeros_large_values_single_elements_and_empty_tensors_give_finite_values(Arithmetic mode, DType type)
    {
        var settings = new RuleHarness.Settings { Arithmetic = mode, DType = type };
        float[] x = [.. Enumerable.Range(0, 12).Select(i => i - 5f)], opposite = [.. x.Select(v => -v)];
        var shape = new Shape(3, 4);
        Assert.All(Run([x, opposite], shape: shape, settings: settings).Zip(x), v => Assert.True(v.First == v.Second || v.First == -v.Second));
        Assert.All(Run([new float[12], new float[12]], shape: shape, settings: settings), v => Assert.Equal(0f, v));
        Assert.All(Run([new float[12], [.. x.Select(v => v * 1e4f)]], shape: shape, settings: settings), v => Assert.True(float.IsFinite(v)));
        Assert.Equal(4f, Run([[2f], [4f]], shape: new Shape(1), settings: settings)[0]); // one probability: no score, nothing below the threshold
        Assert.Equal(4f, Run([[2f], [4f]], shape: new Shape(), settings: settings)[0]);
        Assert.Empty(Run([[], []], shape: new Shape(0, 4), settings: settings));
    }

    [Fact]
    public void The_output_keeps_the_storage_type_except_in_the_peers_arithmetic()
    {
        var rule = new ArceeFusion();
        Assert.Equal(DType.BF16, rule.Result(Arithmetic.Ours, DType.BF16));
        Assert.Equal(DType.F32, rule.Result(Arithmetic.Mergekit014, DType.BF16));
    }

    [Fact]
    public void Its_bits_stand_with_its_revision() => RevisionLock.Check(new ArceeFusion(), "1:4ff35851c4a45fac864b7e8fc4f84f83");

    [Theory]
    [InlineData("arcee-fusion-f32")]
    [InlineData("arcee-fusion-bf16")]
    public void It_gives_the_peers_numbers_in_the_peers_arithmetic(string name) => Goldens.Check(name);
}
