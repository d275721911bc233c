using Budwood.Merge;
using Budwood.Methods;
using Budwood.Numbers;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Merge;

public class SceTests
{
    private static readonly Shape s_shape = new(37, 211);

    private static float[] Run(float[][] inputs, double topk = 1, int atBase = 0, Shape? shape = null, RuleHarness.Settings? settings = null) =>
        RuleHarness.Run(new Sce(), shape ?? s_shape, inputs, atBase, [.. inputs.Select(_ => new Sce.Parameters { SelectTopk = topk })], settings);

    [Theory]
    [InlineData(1, 1)]
    [InlineData(0.3, 1)]
    [InlineData(0.3, 0.001)] // so small that all models weigh the same
    [InlineData(0, 1)]
    public void It_agrees_with_a_naive_loop_in_double(double topk, double scale)
    {
        float[] start = new float[s_shape.Count];
        float[][] x = [start, .. Enumerable.Range(1, 3).Select(m => RuleHarness.Values(start.Length, m, m * scale))];
        double[][] d = [.. x[1..].Select(v => v.Select(e => (double)e).ToArray())];
        if (topk < 1)
        {
            double[] variance = [.. start.Select((_, i) => d.Average(v => v[i] * v[i]) - Math.Pow(d.Average(v => v[i]), 2))];
            int kept = (int)Math.Floor(variance.Count(v => v > 0) * topk);
            foreach (int i in Enumerable.Range(0, start.Length).OrderByDescending(i => variance[i]).Skip(kept)) foreach (double[] v in d) v[i] = 0;
        }
        double[] w = [.. d.Select(v => v.Average(e => e * e))];
        double total = w.Sum();
        w = [.. w.Select(v => total < 1e-6 ? 1.0 / 3 : v / total)];
        float[] y = Run(x, topk);
        for (int i = 0; i < y.Length; i++)
        {
            int sign = d.Sum(v => v[i]) >= 0 ? 1 : -1;
            double sum = 0, weights = 0;
            for (int k = 0; k < 3; k++)
            {
                if (Math.Sign(d[k][i]) != sign) continue;
                sum += w[k] * d[k][i];
                weights += w[k];
            }
            Assert.Equal(sum / Math.Max(weights, 1e-6), y[i], 4e-6);
        }
    }

    [Fact]
    public void Equal_variances_at_the_cut_stay_in_index_order_whatever_the_pieces()
    {
        float[] start = new float[s_shape.Count], up = [.. start.Select(_ => 1f)];
        int kept = (int)Math.Floor(0.3 * start.Length);
        foreach (int pieceBytes in new[] { 1 << 20, 16384 })
        {
            float[] y = Run([start, up, start], 0.3, settings: new() { PieceBytes = pieceBytes, Threads = 2 });
            Assert.Equal(kept, y.Count(v => v == 1));
            Assert.All(y.Take(kept), v => Assert.Equal(1f, v));
        }
    }

    [Fact]
    public void Fine_tunes_equal_to_their_base_change_nothing_and_one_fine_tune_is_taken()
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 2);
        Assert.Equal(x[0], Run([x[0], x[0], x[0]]));
        Assert.Equal(x[0], Run([x[0], x[0], x[0]], 0.5));
        float[] y = Run([x[0], x[1]]);
        for (int i = 0; i < y.Length; i++) Assert.Equal(x[1][i], y[i], 1e-6);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(0.4)]
    public void Threads_and_pieces_do_not_change_a_bit(double topk)
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 4);
        Assert.Equal(Run(x, topk), Run(x, topk, settings: new() { Threads = 3, PieceBytes = 16384 }));
    }

    [Fact]
    public void Models_in_another_order_agree_to_one_unit_in_the_last_place()
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 4);
        var bf16 = new RuleHarness.Settings { DType = DType.BF16 };
        Nearness.OneUlp(DType.BF16, Run(x, settings: bf16), Run([x[2], x[3], x[0], x[1]], atBase: 2, settings: bf16));
    }

    [Theory]
    [InlineData(Arithmetic.Ours)]
    [InlineData(Arithmetic.Mergekit015)]
    public void Opposite_task_vectors_zeros_single_elements_and_empty_tensors_give_finite_values(Arithmetic mode)
    {
        var settings = new RuleHarness.Settings { Arithmetic = mode };
        foreach (double topk in new[] { 1, 0.5 })
        {
            var shape = new Shape(2, 2);
            // A vote of zero elects plus.
            Assert.Equal(topk == 1 ? [3f, 3, 3, 3] : [3f, 3, 2, 2], Run([[2f, 2, 2, 2], [3f, 3, 3, 3], [1f, 1, 1, 1]], topk, 0, shape, settings));
            Assert.All(Run([new float[4], new float[4], new float[4]], topk, 0, shape, settings), v => Assert.Equal(0f, v));
            Assert.Equal(topk == 1 ? 2f : 1f, Run([[1f], [2f]], topk, 0, new Shape(1), settings)[0]); // one value does not vary
            Assert.Empty(Run([[], []], topk, 0, new Shape(0, 4), settings));
        }
    }

    [Fact]
    public void Its_bits_stand_with_its_revision() => RevisionLock.Check(new Sce(), "1:04659268f89b06d0495a89836daadd56", ("select_topk", 0.4));

    [Theory]
    [InlineData("sce-f32")]
    [InlineData("sce-topk-f32")]
    [InlineData("sce-topk-bf16")]
    public void It_gives_the_peers_numbers_in_the_peers_arithmetic(string name) => Goldens.Check(name);
}
