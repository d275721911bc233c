using Budwood.Merge;
using Budwood.Methods;
using Budwood.Numbers;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Merge;

public class ModelStockTests
{
    private static readonly Shape s_shape = new(37, 211);

    private static float[] Run(float[][] inputs, bool filterWise = false, int atBase = 0, Shape? shape = null, RuleHarness.Settings? settings = null) =>
        RuleHarness.Run(new ModelStock(), shape ?? s_shape, inputs, atBase, [.. inputs.Select(_ => new ModelStock.Parameters { FilterWise = filterWise })], settings);

    // A base and fine-tunes that share a part of their way.
    private static float[][] Tuned(int models)
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, models);
        float[] shared = RuleHarness.Values((int)s_shape.Count, 77, 0.04);
        return [x[0], .. x[1..].Select(v => v.Zip(shared, (a, b) => a + b).ToArray())];
    }

    [Theory]
    [InlineData(2, false)]
    [InlineData(4, false)]
    [InlineData(2, true)]
    [InlineData(4, true)]
    public void It_agrees_with_a_naive_loop_in_double(int tuned, bool filterWise)
    {
        float[][] x = Tuned(tuned + 1);
        float[] y = Run(x, filterWise);
        int width = filterWise ? 211 : x[0].Length;
        for (int from = 0; from < y.Length; from += width)
        {
            double[][] d = [.. x[1..].Select(v => Enumerable.Range(from, width).Select(i => (double)v[i] - x[0][i]).ToArray())];
            double cosines = 0;
            for (int i = 0; i < tuned; i++) for (int j = 0; j < i; j++) cosines += Dot(d[i], d[j]) / Math.Sqrt(Dot(d[i], d[i]) * Dot(d[j], d[j]));
            double c = cosines / (tuned * (tuned - 1) / 2), t = tuned * c / (((tuned - 1) * c) + 1);
            for (int i = 0; i < width; i++) Assert.Equal((t * x[1..].Average(v => (double)v[from + i])) + ((1 - t) * x[0][from + i]), y[from + i], 2e-6);
        }
    }

    private static double Dot(double[] a, double[] b) => a.Zip(b, (p, q) => p * q).Sum();

    [Fact]
    public void Fine_tunes_equal_to_their_base_change_nothing_and_equal_ones_are_taken()
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 2);
        Assert.Equal(x[0], Run([x[0], x[0], x[0]]));
        Nearness.OneUlp(DType.BF16, x[1], Run([x[0], x[1], x[1]]));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Threads_and_pieces_do_not_change_a_bit(bool filterWise)
    {
        float[][] x = Tuned(4);
        Assert.Equal(Run(x, filterWise), Run(x, filterWise, settings: new() { Threads = 3, PieceBytes = 16384 }));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Models_in_another_order_agree_to_one_unit_in_the_last_place(bool filterWise)
    {
        float[][] x = Tuned(4);
        var bf16 = new RuleHarness.Settings { DType = DType.BF16 };
        Nearness.OneUlp(DType.BF16, Run(x, filterWise, settings: bf16), Run([x[2], x[3], x[0], x[1]], filterWise, atBase: 2, settings: bf16));
    }

    [Theory]
    [InlineData(Arithmetic.Ours, false)]
    [InlineData(Arithmetic.Ours, true)]
    [InlineData(Arithmetic.Mergekit015, false)]
    [InlineData(Arithmetic.Mergekit015, true)]
    public void Opposite_task_vectors_zeros_single_elements_and_empty_tensors_give_the_base_or_finite_values(Arithmetic mode, bool filterWise)
    {
        var settings = new RuleHarness.Settings { Arithmetic = mode };
        float[] start = [1, 2, 3, 4, 5, 6, 7, 8], up = [.. start.Select(v => v + 0.5f)], down = [.. start.Select(v => v - 0.5f)];
        var shape = new Shape(2, 4);
        Assert.Equal(start, Run([start, up, down], filterWise, 0, shape, settings));
        Assert.Equal(start, Run([start, up, start], filterWise, 0, shape, settings));
        Assert.All(Run([new float[8], new float[8], new float[8]], filterWise, 0, shape, settings), v => Assert.Equal(0f, v));
        Assert.Equal(2f, Run([[1f], [2f], [2f]], filterWise, 0, new Shape(1), settings)[0], 1e-6);
        Assert.Equal(1f, Run([[1f], [2f], [0f]], filterWise, 0, new Shape(), settings)[0]);
        Assert.Empty(Run([[], [], []], filterWise, 0, new Shape(0, 4), settings));
    }

    [Fact]
    public void Its_bits_stand_with_its_revision() => RevisionLock.Check(new ModelStock(), "1:0d01ce4a2657b86e610ea57bd951cb24");

    [Theory]
    [InlineData("model-stock-bf16")]
    [InlineData("model-stock-f32")]
    [InlineData("model-stock-filter-wise-f32")]
    public void It_gives_the_peers_numbers_in_the_peers_arithmetic(string name) => Goldens.Check(name);
}
