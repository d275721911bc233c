using Budwood.Merge;
using Budwood.Methods;
using Budwood.Numbers;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Merge;

public class KarcherTests
{
    private static readonly Shape s_shape = new(37, 211);

    private static float[] Run(float[][] inputs, long maxIter = 10, double tol = 1e-5, Shape? shape = null, RuleHarness.Settings? settings = null) =>
        RuleHarness.Run(new Karcher(), shape ?? s_shape, inputs, -1, [.. inputs.Select(_ => new Karcher.Parameters { MaxIter = maxIter, Tol = tol })], settings);

    private static float[][] Values(int models) => [.. Enumerable.Range(1, models).Select(m => RuleHarness.Values((int)s_shape.Count, m, m))];

    private static double Norm(IEnumerable<double> v) => Math.Sqrt(v.Sum(e => e * e));

    // The iteration on whole tensors.
    private static double[] Naive(float[][] x, int steps)
    {
        double[] norm = [.. x.Select(v => Norm(v.Select(e => (double)e)))];
        double[][] units = [.. x.Select((v, k) => v.Select(e => e / norm[k]).ToArray())];
        double[] u = [.. x[0].Select((_, i) => units.Average(v => v[i]))];
        double length = Norm(u);
        u = [.. u.Select(e => e / length)];
        for (int s = 0; s < steps; s++)
        {
            double[] cos = [.. units.Select(v => v.Zip(u, (a, b) => a * b).Sum())], pull = [.. cos.Select(c => Math.Acos(c) / Math.Sin(Math.Acos(c)) / x.Length)];
            double[] t = [.. u.Select((e, i) => units.Select((v, k) => pull[k] * (v[i] - (cos[k] * e))).Sum())];
            double turn = Norm(t);
            if (turn < 1e-12) break;
            u = [.. u.Select((e, i) => (Math.Cos(turn) * e) + (Math.Sin(turn) * t[i] / turn))];
        }
        return [.. u.Select(e => e * norm.Average())];
    }

    [Theory]
    [InlineData(2, 10)]
    [InlineData(3, 10)]
    [InlineData(5, 1)]
    [InlineData(5, 10)]
    public void It_agrees_with_a_naive_loop_in_double(int models, int steps)
    {
        float[][] x = Values(models);
        // Lean one way, so that the start is not the mean already.
        for (int i = 0; i < x[0].Length; i++) x[1][i] += 2 * x[0][i];
        double[] expected = Naive(x, steps);
        float[] y = Run(x, steps, 1e-9);
        for (int i = 0; i < y.Length; i++) Assert.Equal(expected[i], y[i], 2e-5);
    }

    [Fact]
    public void A_model_with_itself_is_itself_and_one_model_is_copied()
    {
        float[] x = RuleHarness.Values((int)s_shape.Count, 3);
        Assert.Equal(x, Run([x, x]));
        Assert.Equal(x, Run([x]));
        Nearness.OneUlp(DType.F32, x, Run([x, x, x]));
    }

    [Fact]
    public void Threads_and_pieces_do_not_change_a_bit()
    {
        float[][] x = Values(3);
        Assert.Equal(Run(x), Run(x, settings: new() { Threads = 3, PieceBytes = 16384 }));
    }

    [Fact]
    public void Models_in_another_order_agree_to_one_unit_in_the_last_place()
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 4);
        var bf16 = new RuleHarness.Settings { DType = DType.BF16 };
        Nearness.OneUlp(DType.BF16, Run(x, settings: bf16), Run([x[2], x[0], x[3], x[1]], settings: bf16));
    }

    [Theory]
    [InlineData(Arithmetic.Ours, DType.F32)]
    [InlineData(Arithmetic.Mergekit014, DType.F32)]
    [InlineData(Arithmetic.Mergekit014, DType.BF16)]
    [InlineData(Arithmetic.Mergekit015, DType.F16)]
    public void Zero_tensors_opposite_models_single_elements_and_empty_tensors_give_finite_values(Arithmetic mode, DType type)
    {
        var settings = new RuleHarness.Settings { Arithmetic = mode, DType = type };
        float[] x = [.. Enumerable.Range(0, 12).Select(i => i - 5f)];
        var shape = new Shape(3, 4);
        float precision = type == DType.F32 ? 1e-5f : 0.05f;
        Assert.All(Run([new float[12], new float[12]], shape: shape, settings: settings), v => Assert.Equal(0f, v));
        // A zero tensor halves the length; of opposite models the first gives the direction; a third decides.
        Assert.All(Run([x, new float[12]], shape: shape, settings: settings).Zip(x), v => Assert.Equal(v.Second / 2, v.First, precision));
        Assert.All(Run([x, [.. x.Select(v => -v)]], shape: shape, settings: settings).Zip(x), v => Assert.Equal(v.Second, v.First, precision));
        Assert.All(Run([x, [.. x.Select(v => -v)], x], shape: shape, settings: settings).Zip(x), v => Assert.Equal(v.Second, v.First, precision));
        Assert.Equal(3f, Run([[2f], [4f]], shape: new Shape(1), settings: settings)[0], precision);
        Assert.Equal(3f, Run([[2f], [4f]], shape: new Shape(), settings: settings)[0], precision);
        Assert.Empty(Run([[], []], shape: new Shape(0, 4), settings: settings));
    }

    [Fact]
    public void Its_bits_stand_with_its_revision() => RevisionLock.Check(new Karcher(), "1:d426e6a3cf79b0b66ee3c727e27af01f");

    [Theory]
    [InlineData("karcher-f32")]
    [InlineData("karcher-bf16")]
    public void It_gives_the_peers_numbers_in_the_peers_arithmetic(string name) => Goldens.Check(name);

    [Fact]
    public void It_gives_the_numbers_of_the_later_version_too() => Goldens.Check("goldens/merge-extras", "v015-karcher", Arithmetic.Mergekit015);
}
