using Budwood.Recipes.Reports.Plots;
using CsCheck;

namespace Budwood.Tests.Recipes.Reports;

public class ScaleTests
{
    [Fact]
    public void Ends_go_to_ends_and_order_is_kept() => Gen.Select(Gen.Double[-1e9, 1e9], Gen.Double[1e-3, 1e9], Gen.Double[0, 1], Gen.Double[0, 1]).Sample((low, span, a, b) =>
    {
        var scale = new Scale(low, low + span, 10, 110);
        Assert.Equal(10, scale.Map(low), 6);
        Assert.Equal(110, scale.Map(low + span), 6);
        Assert.True(scale.Map(low + (Math.Min(a, b) * span)) <= scale.Map(low + (Math.Max(a, b) * span)));
    });

    [Fact]
    public void On_a_logarithm_equal_factors_are_equal_lengths()
    {
        var scale = new Scale(0.01, 100, 0, 400, Log: true);
        Assert.Equal([0, 100, 200, 300, 400], new[] { 0.01, 0.1, 1, 10, 100 }.Select(v => Math.Round(scale.Map(v), 9)));
    }

    [Theory]
    [InlineData(double.PositiveInfinity, 110)]
    [InlineData(double.NegativeInfinity, 10)]
    [InlineData(1e300, 110)]
    public void What_lies_beyond_stays_at_the_end(double value, double place) => Assert.Equal(place, new Scale(0, 1, 10, 110).Map(value));

    [Fact]
    public void The_range_holds_all_numbers_with_air() => Gen.Double[-1e12, 1e12].Array[1, 20].Sample(values =>
    {
        (double low, double high) = Scale.Around(values);
        Assert.True(low < high);
        Assert.All(values, v => Assert.InRange(v, low, high));
    });

    [Fact]
    public void Extreme_and_missing_numbers_give_a_range_too()
    {
        foreach (double[] values in (double[][])[[], [double.NaN], [double.PositiveInfinity], [double.MaxValue, double.MinValue], [double.MaxValue], [0], [double.Epsilon], [-3]])
        {
            foreach (bool log in (bool[])[false, true])
            {
                (double low, double high) = Scale.Around(values, log);
                Assert.True(low < high && double.IsFinite(low) && double.IsFinite(high), $"{string.Join(' ', values)}: {low} to {high}");
            }
        }
    }
}
