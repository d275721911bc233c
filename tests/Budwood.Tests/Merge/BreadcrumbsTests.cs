using Budwood.Merge;
using Budwood.Methods;
using Budwood.Numbers;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Merge;

public class BreadcrumbsTests
{
    private static readonly Shape s_shape = new(31, 517);

    private static float[] Run(float[][] inputs, Breadcrumbs.Parameters p, RuleHarness.Settings? settings = null, Shape? shape = null) =>
        RuleHarness.Run(new Breadcrumbs(), shape ?? s_shape, inputs, 0, [.. inputs.Select(_ => p)], settings);

    /// <summary>The kept positions of a stable ascending sort, row by row or of the whole.</summary>
    internal static double[] Masked(double[] v, BreadcrumbsParameters p, int columns)
    {
        if (p.Density >= 1) return v;
        int n = p.Per == MaskScope.Row ? columns : v.Length;
        double[] kept = new double[v.Length];
        for (int from = 0; from < v.Length; from += n)
        {
            int target = (int)Math.Floor(p.Density * n), top = (int)Math.Floor(p.Gamma * n), low, high;
            if (p.Order == MaskOrder.KeepFirst) (low, high) = (n - target, Math.Max(n - target, n - top));
            else (low, high) = n - target - top >= 0 ? (n - target - top, n - top) : (0, target);
            int[] order = [.. Enumerable.Range(from, n).OrderBy(i => Math.Abs(v[i])).ThenBy(i => i)];
            for (int r = low; r < high; r++) kept[order[r]] = v[order[r]];
        }
        return kept;
    }

    [Theory]
    [InlineData(0.5, 0.01, MaskScope.Tensor, MaskOrder.RemoveFirst)]
    [InlineData(0.14, 0.006, MaskScope.Tensor, MaskOrder.KeepFirst)]
    [InlineData(0.97, 0.1, MaskScope.Tensor, MaskOrder.RemoveFirst)]
    [InlineData(0.15, 0.05, MaskScope.Row, MaskOrder.RemoveFirst)]
    [InlineData(0.05, 0.15, MaskScope.Row, MaskOrder.KeepFirst)]
    [InlineData(0.15, 0, MaskScope.Row, MaskOrder.RemoveFirst)]
    public void It_agrees_with_a_naive_loop_in_double(double density, double gamma, MaskScope per, MaskOrder order)
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 4);
        var p = new Breadcrumbs.Parameters { Weight = 0.4, Density = density, Gamma = gamma, Per = per, Order = order, Lambda = 0.7 };
        double[][] kept = [.. TaskVectorOracle.Deltas(x).Select(d => Masked(d, p, 517))];
        float[] y = Run(x, p);
        TaskVectorOracle.Close(TaskVectorOracle.Merge(x[0], kept, [0.4, 0.4, 0.4], elects: false, lambda: 0.7), y);
    }

    [Fact]
    public void The_number_of_kept_elements_is_the_formulas_for_any_shape_density_and_gamma()
    {
        var random = new Random(7);
        for (int k = 0; k < 200; k++)
        {
            var shape = new Shape(random.Next(1, 12), random.Next(1, 60));
            int n = (int)shape.Count;
            double density = random.NextDouble(), gamma = random.NextDouble() * random.NextDouble();
            // Few different magnitudes, so that most cuts fall among equal ones.
            float[] start = new float[n], tuned = [.. Enumerable.Range(0, n).Select(_ => (float)random.Next(1, 8))];
            float[] y = Run([start, tuned], new() { Weight = 1, Density = density, Gamma = gamma }, new() { PieceBytes = 64, Threads = 2 }, shape);
            Assert.Equal((int)Math.Floor(density * n), y.Count(v => v != 0));
        }
    }

    [Fact]
    public void Of_equal_magnitudes_the_lowest_indices_go_at_the_bottom_and_the_highest_at_the_top()
    {
        float[] start = new float[s_shape.Count], ones = [.. Enumerable.Repeat(1f, start.Length)];
        int target = (int)Math.Floor(0.5 * start.Length), top = (int)Math.Floor(0.1 * start.Length), bottom = start.Length - target - top;
        foreach (RuleHarness.Settings settings in new[] { new RuleHarness.Settings(), TaskVectorOracle.Threaded })
        {
            float[] y = Run([start, ones], new() { Weight = 1, Density = 0.5, Gamma = 0.1 }, settings);
            Assert.Equal(Enumerable.Range(0, start.Length).Select(i => i >= bottom && i < start.Length - top ? 1f : 0f), y);
        }
    }

    [Fact]
    public void A_share_of_less_than_one_element_cuts_nothing_off_except_in_the_older_peer()
    {
        var shape = new Shape(8, 8);
        float[] start = new float[64], tuned = RuleHarness.Values(64, 2);
        var p = new Breadcrumbs.Parameters { Weight = 1, Density = 0.5 };
        foreach (Arithmetic arithmetic in new[] { Arithmetic.Ours, Arithmetic.Mergekit015 })
            Assert.Equal(32, Run([start, tuned], p, new() { Arithmetic = arithmetic }, shape).Count(v => v != 0));
        Assert.Equal(start, Run([start, tuned], p, new() { Arithmetic = Arithmetic.Mergekit014 }, shape));
    }

    [Theory]
    [InlineData(Rescale.L1)]
    [InlineData(Rescale.Linf)]
    public void Rescaling_restores_the_norm(Rescale how)
    {
        float[] start = new float[s_shape.Count], tuned = RuleHarness.Values(start.Length, 5);
        float[] y = Run([start, tuned], new() { Weight = 1, Density = 0.3, Gamma = 0.05, Rescale = how });
        double Norm(float[] v) => how == Rescale.L1 ? v.Sum(x => Math.Abs((double)x)) : v.Max(x => Math.Abs((double)x));
        Assert.Equal(1, Norm(y) / Norm(tuned), 1e-6);
    }

    [Fact]
    public void Density_one_masks_nothing_and_lambda_zero_is_the_base()
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 3);
        var p = new TaskArithmetic.Parameters { Weight = 0.6 };
        Assert.Equal(RuleHarness.Run(new TaskArithmetic(), s_shape, x, 0, [p, p, p]), Run(x, new() { Weight = 0.6, Gamma = 0.2 }));
        Assert.Equal(x[0], Run(x, new() { Weight = 0.6, Density = 0.4, Lambda = 0 }));
    }

    [Fact]
    public void A_fine_tune_equal_to_its_base_changes_nothing()
    {
        float[] x = RuleHarness.Values((int)s_shape.Count, 3);
        Assert.Equal(x, Run([x, x], new() { Weight = 1, Density = 0.5 }));
    }

    [Theory]
    [InlineData(MaskScope.Tensor)]
    [InlineData(MaskScope.Row)]
    public void Threads_and_pieces_and_the_order_of_models_do_not_matter(MaskScope per)
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 3);
        var p = new Breadcrumbs.Parameters { Weight = 0.4, Density = 0.5, Per = per };
        Assert.Equal(Run(x, p), Run(x, p, TaskVectorOracle.Threaded));
        Nearness.OneUlp(DType.BF16, Run(x, p, TaskVectorOracle.BF16), Run([x[0], x[2], x[1]], p, TaskVectorOracle.BF16));
    }

    [Fact]
    public void Its_bits_stand_with_its_revision() => RevisionLock.Check(new Breadcrumbs(), "1:a1d1f84a5ef7b8f0348dcab1fcbae351", ("density", 0.4));

    [Theory]
    [InlineData("breadcrumbs-f32")]
    [InlineData("breadcrumbs-default-gamma-bf16")]
    [InlineData("breadcrumbs-clamped-f32")]
    [InlineData("breadcrumbs-rescale-f16")]
    public void It_gives_the_peers_numbers_in_the_peers_arithmetic(string name) => Goldens.Check(name);

    [Fact]
    public void It_gives_the_newer_peers_numbers_in_its_arithmetic() => Goldens.CheckNewer("v015-breadcrumbs-gamma0");
}
