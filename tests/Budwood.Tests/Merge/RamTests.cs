using Budwood.Merge;
using Budwood.Methods;
using Budwood.Numbers;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Merge;

public class RamTests
{
    private static readonly Shape s_shape = new(37, 211);

    private static float[] Run(float[][] inputs, double epsilon = 1e-5, int atBase = 0, Shape? shape = null, RuleHarness.Settings? settings = null) =>
        RuleHarness.Run(new Ram(), shape ?? s_shape, inputs, atBase, [.. inputs.Select(_ => new Ram.Parameters { Epsilon = epsilon })], settings);

    /// <summary>A base and fine-tunes of which each changed some elements alone, some with others, and left some as they were.</summary>
    internal static float[][] Sparse(int count, int models)
    {
        float[][] x = RuleHarness.Family(count, models);
        var random = new Random(5);
        for (int k = 1; k < models; k++) for (int i = 0; i < count; i++) if (random.Next(10) < 6) x[k][i] = x[0][i];
        return x;
    }

    [Theory]
    [InlineData(1e-5)]
    [InlineData(0.03)]
    public void It_agrees_with_a_naive_loop_in_double(double epsilon)
    {
        float[][] x = Sparse((int)s_shape.Count, 4);
        float[] y = Run(x, epsilon);
        for (int i = 0; i < y.Length; i++)
        {
            double[] changes = [.. x[1..].Select(v => (double)(v[i] - x[0][i])).Where(d => Math.Abs(d) > (float)epsilon)];
            Assert.Equal(x[0][i] + (changes.Length == 0 ? 0 : changes.Average()), y[i], 1e-6);
        }
    }

    [Fact]
    public void Fine_tunes_equal_to_their_base_change_nothing_and_a_change_of_one_is_kept_whole()
    {
        float[] x = RuleHarness.Values((int)s_shape.Count, 3), one = [.. x];
        one[7] += 1;
        Assert.Equal(x, Run([x, x, x]));
        Assert.Equal(one[7], Run([x, x, one])[7], 1e-6);
    }

    [Fact]
    public void Threads_and_pieces_do_not_change_a_bit()
    {
        float[][] x = Sparse((int)s_shape.Count, 4);
        Assert.Equal(Run(x), Run(x, settings: new() { Threads = 3, PieceBytes = 16384 }));
    }

    [Fact]
    public void Models_in_another_order_agree_to_one_unit_in_the_last_place()
    {
        float[][] x = Sparse((int)s_shape.Count, 4);
        var bf16 = new RuleHarness.Settings { DType = DType.BF16 };
        Nearness.OneUlp(DType.BF16, Run(x, settings: bf16), Run([x[2], x[3], x[0], x[1]], atBase: 2, settings: bf16));
    }

    [Theory]
    [InlineData(Arithmetic.Ours)]
    [InlineData(Arithmetic.Mergekit014)]
    public void Opposite_changes_zeros_single_elements_and_empty_tensors_give_finite_values(Arithmetic mode)
    {
        var settings = new RuleHarness.Settings { Arithmetic = mode };
        Assert.Equal([2f, 2f], Run([[2f, 2f], [3f, 3f], [1f, 1f]], 1e-5, 0, new Shape(2), settings));
        Assert.All(Run([new float[4], new float[4], new float[4]], 0, 0, new Shape(2, 2), settings), v => Assert.Equal(0f, v));
        Assert.Equal(2f, Run([[1f], [2f]], 1e-5, 0, new Shape(), settings)[0]);
        Assert.Empty(Run([[], []], 1e-5, 0, new Shape(0, 4), settings));
    }

    [Fact]
    public void Its_bits_stand_with_its_revision() => RevisionLock.Check(new Ram(), "1:6b0210636b38a1955e71502d9ea154d8", ("epsilon", 0.03));

    [Theory]
    [InlineData("ram-f32")]
    [InlineData("ram-bf16")]
    public void It_gives_the_peers_numbers_in_the_peers_arithmetic(string name) => Goldens.Check(name);
}
