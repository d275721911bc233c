using Budwood.Merge;
using Budwood.Numbers;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Merge;

public class TiesTests
{
    private static readonly Shape s_shape = new(31, 517);

    private static float[] Run(float[][] inputs, double[] weights, double[] density, RuleHarness.Settings? settings = null) => RuleHarness.Run(new Ties(), s_shape, inputs, 0,
        [.. weights.Select((w, i) => new Ties.Parameters { Weight = w, Density = density[i] })], settings);

    [Fact]
    public void It_agrees_with_a_naive_loop_in_double()
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 4);
        double[] w = [0, 0.5, 0.3, -0.4], density = [1, 0.5, 0.31, 0.7];
        float[] y = Run(x, w, density);
        double[][] d = [.. x.Select((v, k) => Trimmed(v.Zip(x[0], (a, b) => (double)(a - b)).ToArray(), density[k]))];
        for (int i = 0; i < y.Length; i++)
        {
            double vote = 0;
            for (int k = 1; k < 4; k++) vote += w[k] * d[k][i];
            int sign = vote >= 0 ? 1 : -1;
            double sum = 0, weights = 0;
            for (int k = 1; k < 4; k++)
            {
                if (Math.Sign(w[k] * d[k][i]) != sign) continue;
                sum += w[k] * d[k][i];
                weights += w[k];
            }
            Assert.Equal(x[0][i] + (sum / (weights == 0 ? 1 : weights)), y[i], 2e-6);
        }
    }

    // The largest share of magnitudes; of equal ones those with the lowest index.
    private static double[] Trimmed(double[] v, double density)
    {
        if (density >= 1) return v;
        int[] kept = [.. Enumerable.Range(0, v.Length).OrderByDescending(i => Math.Abs(v[i])).ThenBy(i => i).Take((int)Math.Floor(density * v.Length))];
        double[] r = new double[v.Length];
        foreach (int i in kept) r[i] = v[i];
        return r;
    }

    [Fact]
    public void Equal_magnitudes_at_the_cut_stay_in_index_order_whatever_the_pieces()
    {
        float[] start = new float[s_shape.Count];
        float[] tuned = [.. Enumerable.Range(0, start.Length).Select(i => i % 2 == 0 ? 1f : -1f)];
        int kept = (int)Math.Floor(0.3 * start.Length);
        foreach (int pieceBytes in new[] { 1 << 20, 16384 })
        {
            float[] y = Run([start, tuned], [0, 1], [1, 0.3], new() { PieceBytes = pieceBytes, Threads = 2 });
            Assert.Equal(kept, y.Count(v => v != 0));
            Assert.All(y.Take(kept), v => Assert.NotEqual(0, v));
        }
    }

    [Fact]
    public void Threads_and_pieces_do_not_change_a_bit()
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 3);
        Assert.Equal(Run(x, [0, 0.3, 0.4], [1, 0.5, 0.5]), Run(x, [0, 0.3, 0.4], [1, 0.5, 0.5], new() { Threads = 3, PieceBytes = 16384 }));
    }

    [Fact]
    public void A_fine_tune_equal_to_its_base_changes_nothing()
    {
        float[] x = RuleHarness.Values((int)s_shape.Count, 3);
        Assert.Equal(x, Run([x, x], [0, 1], [1, 0.5]));
    }

    [Fact]
    public void Its_bits_stand_with_its_revision() => RevisionLock.Check(new Ties(), "1:e21e71e4da25c1da9b3399d3bf6fa405", ("density", 0.4));

    [Theory]
    [InlineData("ties-bf16")]
    [InlineData("ties-f32")]
    [InlineData("ties-raw-lambda-f32")]
    [InlineData("ties-int8mask-gradient-bf16")]
    [InlineData("ties-rescale-f32")]
    [InlineData("ties-rescale-f16")]
    [InlineData("ties-density1-f16")]
    [InlineData("ties-gpt2")]
    [InlineData("ties-vocab-mismatch")]
    [InlineData("ties-f32math-of-bf16")]
    [InlineData("ties-edge")]
    public void It_gives_the_peers_numbers_in_the_peers_arithmetic(string name) => Goldens.Check(name);

    [Theory]
    [InlineData("v015-ties-density0")]
    [InlineData("v015-ties-tiny-density")]
    public void It_gives_the_newer_peers_numbers_in_its_arithmetic(string name) => Goldens.CheckNewer(name);
}
