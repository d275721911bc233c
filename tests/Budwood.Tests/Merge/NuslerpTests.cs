using Budwood.Merge;
using Budwood.Methods;
using Budwood.Numbers;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Merge;

public class NuslerpTests
{
    private static readonly Shape s_shape = new(37, 211);

    private static float[] Run(float[][] inputs, double[] weights, int atBase = -1, bool flatten = true, bool rowWise = false, Shape? shape = null, RuleHarness.Settings? settings = null) =>
        RuleHarness.Run(new Nuslerp(), shape ?? s_shape, inputs, atBase, [.. weights.Select(w => new Nuslerp.Parameters { Weight = w, NuslerpFlatten = flatten, NuslerpRowWise = rowWise })], settings);

    private static float[][] Two(int count) => [RuleHarness.Values(count, 1), RuleHarness.Values(count, 2)];

    // The vectors of an extent are the elements whose key is equal.
    private static double[] Naive(float[][] x, double t, float[]? start, Func<int, int> key)
    {
        double[][] v = [.. x.Select(o => o.Select((e, i) => start is null ? e : (double)(e - start[i])).ToArray())];
        double[] y = new double[x[0].Length];
        foreach (IGrouping<int, int> group in Enumerable.Range(0, y.Length).GroupBy(key))
        {
            double n0 = Math.Sqrt(group.Sum(i => v[0][i] * v[0][i])), n1 = Math.Sqrt(group.Sum(i => v[1][i] * v[1][i]));
            double angle = Math.Acos(group.Sum(i => v[0][i] / n0 * (v[1][i] / n1)));
            foreach (int i in group) y[i] = ((Math.Sin((1 - t) * angle) * v[0][i]) + (Math.Sin(t * angle) * v[1][i])) / Math.Sin(angle) + (start?[i] ?? 0);
        }
        return y;
    }

    [Theory]
    [InlineData(true, false, false)]
    [InlineData(true, false, true)]
    [InlineData(false, false, false)]
    [InlineData(false, false, true)]
    [InlineData(false, true, false)]
    [InlineData(false, true, true)]
    public void It_agrees_with_a_naive_loop_in_double(bool flatten, bool rowWise, bool withBase)
    {
        float[][] x = Two((int)s_shape.Count);
        float[]? start = withBase ? RuleHarness.Values((int)s_shape.Count, 9) : null;
        double[] expected = Naive(x, 0.8 / 1.1, start, i => flatten ? 0 : rowWise ? i % 211 : i / 211);
        float[] y = withBase ? Run([x[0], start!, x[1]], [0.3, 0, 0.8], 1, flatten, rowWise) : Run(x, [0.3, 0.8], -1, flatten, rowWise);
        for (int i = 0; i < y.Length; i++) Assert.Equal(expected[i], y[i], 4e-6);
    }

    [Fact]
    public void Higher_ranks_turn_along_their_first_and_last_axis()
    {
        var shape = new Shape(7, 5, 3);
        float[][] x = Two((int)shape.Count);
        double[] columns = Naive(x, 0.5, null, i => i % 15), rows = Naive(x, 0.5, null, i => i / 3);
        float[] byColumns = Run(x, [1, 1], -1, false, true, shape), byRows = Run(x, [1, 1], -1, false, false, shape);
        for (int i = 0; i < rows.Length; i++)
        {
            Assert.Equal(columns[i], byColumns[i], 3e-6);
            Assert.Equal(rows[i], byRows[i], 3e-6);
        }
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, false)]
    [InlineData(false, true)]
    public void A_model_with_itself_is_itself_and_opposite_models_cancel_in_a_line(bool flatten, bool rowWise)
    {
        float[] x = RuleHarness.Values((int)s_shape.Count, 3);
        Assert.Equal(x, Run([x, x], [0.5, 0.5], -1, flatten, rowWise));
        Assert.Equal(x, Run([x, x, x], [0, 0.2, 0.9], 0, flatten, rowWise));
        Assert.All(Run([x, [.. x.Select(v => -v)]], [1, 1], -1, flatten, rowWise), v => Assert.Equal(0f, v));
        Assert.All(Run([x, [.. x.Select(v => -v)]], [1, -1], -1, flatten, rowWise), v => Assert.Equal(0f, v));
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, false)]
    [InlineData(false, true)]
    public void Threads_and_pieces_do_not_change_a_bit(bool flatten, bool rowWise)
    {
        float[][] x = Two((int)s_shape.Count);
        Assert.Equal(Run(x, [0.3, 0.7], -1, flatten, rowWise), Run(x, [0.3, 0.7], -1, flatten, rowWise, settings: new() { Threads = 3, PieceBytes = 16384 }));
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, false)]
    [InlineData(false, true)]
    public void Models_in_another_order_agree_to_one_unit_in_the_last_place(bool flatten, bool rowWise)
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 2);
        var bf16 = new RuleHarness.Settings { DType = DType.BF16 };
        Nearness.OneUlp(DType.BF16, Run(x, [0.3, 0.7], -1, flatten, rowWise, settings: bf16), Run([x[1], x[0]], [0.7, 0.3], -1, flatten, rowWise, settings: bf16));
    }

    [Theory]
    [InlineData(Arithmetic.Ours)]
    [InlineData(Arithmetic.Mergekit014)]
    [InlineData(Arithmetic.Mergekit015)]
    public void Zero_tensors_single_elements_and_empty_tensors_give_finite_values(Arithmetic mode)
    {
        var settings = new RuleHarness.Settings { Arithmetic = mode };
        foreach ((bool flatten, bool rowWise) in new[] { (true, false), (false, false), (false, true) })
        {
            Assert.All(Run([new float[12], new float[12]], [1, 1], -1, flatten, rowWise, new Shape(3, 4), settings), v => Assert.Equal(0f, v));
            Assert.All(Run([new float[12], [.. Enumerable.Repeat(2f, 12)]], [1, 1], -1, flatten, rowWise, new Shape(3, 4), settings), v => Assert.Equal(2 * Math.Sqrt(0.5), v, 1e-6));
            Assert.Equal(3f, Run([[2f], [4f]], [1, 1], -1, flatten, rowWise, new Shape(1), settings)[0]);
            Assert.Equal(3f, Run([[2f], [4f]], [1, 1], -1, flatten, rowWise, new Shape(), settings)[0]);
            Assert.Empty(Run([[], []], [1, 1], -1, flatten, rowWise, new Shape(0, 4), settings));
        }
    }

    [Fact]
    public void Weights_that_sum_to_zero_meet_in_the_middle()
    {
        float[][] x = Two((int)s_shape.Count);
        Assert.Equal(Run(x, [1, 1]), Run(x, [1, -1]));
    }

    [Fact]
    public void Its_bits_stand_with_its_revision() => RevisionLock.Check(new Nuslerp(), "1:8a835fa4644ff0024b2c9cd5d15ced6e");

    [Theory]
    [InlineData("nuslerp-bf16")]
    [InlineData("nuslerp-base-f32")]
    [InlineData("nuslerp-rows-f32")]
    [InlineData("nuslerp-cols-f32")]
    [InlineData("nuslerp-base-bf16")]
    public void It_gives_the_peers_numbers_in_the_peers_arithmetic(string name) => Goldens.Check(name);

    [Fact]
    public void It_gives_the_numbers_of_the_later_version_too() => Goldens.Check("goldens/merge-extras", "v015-base-order", Arithmetic.Mergekit015);
}
