using Budwood.Merge;
using Budwood.Numbers;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Merge;

public class BreadcrumbsTiesTests
{
    private static readonly Shape s_shape = new(31, 517);

    private static float[] Run(float[][] inputs, BreadcrumbsTies.Parameters p, RuleHarness.Settings? settings = null) =>
        RuleHarness.Run(new BreadcrumbsTies(), s_shape, inputs, 0, [.. inputs.Select(_ => p)], settings);

    [Theory]
    [InlineData(MaskScope.Tensor, false)]
    [InlineData(MaskScope.Tensor, true)]
    [InlineData(MaskScope.Row, true)]
    public void It_agrees_with_a_naive_loop_in_double(MaskScope per, bool normalize)
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 4);
        var p = new BreadcrumbsTies.Parameters { Weight = 0.4, Density = 0.5, Gamma = 0.03, Per = per, Normalize = normalize };
        double[][] kept = [.. TaskVectorOracle.Deltas(x).Select(d => BreadcrumbsTests.Masked(d, p, 517))];
        TaskVectorOracle.Close(TaskVectorOracle.Merge(x[0], kept, [0.4, 0.4, 0.4], elects: true, normalize), Run(x, p));
    }

    [Fact]
    public void A_fine_tune_equal_to_its_base_changes_nothing()
    {
        float[] x = RuleHarness.Values((int)s_shape.Count, 3);
        Assert.Equal(x, Run([x, x], new() { Weight = 1, Density = 0.5 }));
    }

    [Fact]
    public void Threads_and_pieces_and_the_order_of_models_do_not_matter()
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 3);
        var p = new BreadcrumbsTies.Parameters { Weight = 0.4, Density = 0.5 };
        Assert.Equal(Run(x, p), Run(x, p, TaskVectorOracle.Threaded));
        Nearness.OneUlp(DType.BF16, Run(x, p, TaskVectorOracle.BF16), Run([x[0], x[2], x[1]], p, TaskVectorOracle.BF16));
    }

    [Fact]
    public void Its_bits_stand_with_its_revision() => RevisionLock.Check(new BreadcrumbsTies(), "1:a3e8312969efd11a7b76ea049102e0e7", ("density", 0.4));

    [Theory]
    [InlineData("breadcrumbs-ties-f32")]
    [InlineData("breadcrumbs-ties-bf16")]
    public void It_gives_the_peers_numbers_in_the_peers_arithmetic(string name) => Goldens.Check(name);
}
