using Budwood.Numbers.Kernels;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Numbers;

public class ReductionsTests
{
    // Sixteen running sums, added in one order: the same bits on every processor, whatever the width of its vectors.
    private static double Lanes(Func<int, double> term, int count)
    {
        double[] sum = new double[16];
        for (int i = 0; i < count; i++) sum[i % 16] += term(i);
        double[] four = [.. Enumerable.Range(0, 4).Select(k => (sum[k] + sum[k + 4]) + (sum[k + 8] + sum[k + 12]))];
        return (four[0] + four[1]) + (four[2] + four[3]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(16)]
    [InlineData(47)]
    [InlineData(4096)]
    public void Sums_have_the_bits_of_sixteen_running_sums(int count)
    {
        float[] x = RuleHarness.Values(count, 1, 3), y = RuleHarness.Values(count, 2, 1e-3);
        Assert.Equal(Lanes(i => x[i], count), Reductions.Sum(x));
        Assert.Equal(Lanes(i => Math.Abs((double)x[i]), count), Reductions.L1(x));
        Assert.Equal(Lanes(i => (double)x[i] * y[i], count), Reductions.Dot(x, y));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(16)]
    [InlineData(47)]
    [InlineData(4096)]
    public void Products_taken_at_once_have_the_bits_of_those_taken_one_by_one(int count)
    {
        float[][] v = [.. Enumerable.Range(1, 3).Select(k => RuleHarness.Values(count, k, k))];
        Assert.Equal((Reductions.Dot(v[0], v[0]), Reductions.Dot(v[0], v[1]), Reductions.Dot(v[1], v[1])), Reductions.Products(v[0], v[1]));
        double[] products = new double[6];
        Reductions.Products(v[0], v[1], v[2], products);
        Assert.Equal(from i in Enumerable.Range(0, 3) from j in Enumerable.Range(i, 3 - i) select Reductions.Dot(v[i], v[j]), products);
    }

    [Fact]
    public void Products_are_of_blocks_of_one_length()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Reductions.Products(new float[16], new float[32]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Reductions.Products(new float[16], new float[16], new float[17], new double[6]));
    }
}
