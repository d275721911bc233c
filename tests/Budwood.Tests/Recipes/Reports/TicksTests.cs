using Budwood.Recipes.Reports.Plots;
using CsCheck;

namespace Budwood.Tests.Recipes.Reports;

public class TicksTests
{
    private static readonly Gen<(double Low, double High)> s_ranges = Gen.Select(Gen.Double[-1e6, 1e6], Gen.Double[-6, 6], (low, power) => (low, low + Math.Pow(10, power)));

    [Fact]
    public void They_lie_in_the_range_rise_evenly_and_are_about_as_many_as_asked_for() => Gen.Select(s_ranges, Gen.Int[2, 9]).Sample((range, about) =>
    {
        Ticks ticks = Ticks.Linear(range.Low, range.High, about);
        // Far from zero a narrow range is as exact as its numbers are apart.
        double span = range.High - range.Low, most = Math.Max(Math.Abs(range.Low), Math.Abs(range.High)), slack = (span * 1e-6) + (4 * (Math.BitIncrement(most) - most));
        Assert.InRange(ticks.At.Count, 1, (2 * about) + 2);
        Assert.All(ticks.At, v => Assert.InRange(v, range.Low - slack, range.High + slack));
        for (int i = 2; i < ticks.At.Count; i++) Assert.Equal(ticks.At[1] - ticks.At[0], ticks.At[i] - ticks.At[i - 1], slack);
        Assert.True(ticks.At.Zip(ticks.At.Skip(1)).All(p => p.First < p.Second));
    });

    [Fact]
    public void No_two_labels_are_alike() => s_ranges.Sample(range =>
    {
        Ticks ticks = Ticks.Linear(range.Low, range.High);
        Assert.Equal(ticks.Labels.Count, ticks.At.Count);
        Assert.Equal(ticks.Labels.Count, ticks.Labels.Distinct().Count());
    });

    [Theory]
    [InlineData(0, 1, 5, "0.0 0.2 0.4 0.6 0.8 1.0")]
    [InlineData(-1.1, 2.3, 5, "−1 0 1 2")]
    [InlineData(0, 7e6, 4, "0 2·10⁶ 4·10⁶ 6·10⁶")]
    [InlineData(0, 3e-5, 3, "0 1·10⁻⁵ 2·10⁻⁵ 3·10⁻⁵")]
    [InlineData(100, 104, 4, "100 101 102 103 104")]
    public void Their_labels_read_well(double low, double high, int about, string expected) => Assert.Equal(expected, string.Join(' ', Ticks.Linear(low, high, about).Labels));

    [Fact]
    public void Decimal_steps_are_the_decimal_numbers_themselves() => Assert.Equal([0, 0.1, 0.2, 0.3, 0.4, 0.5], Ticks.Linear(0, 0.5).At);

    [Theory]
    [InlineData(1, 1000, "1 10 100 1000")]
    [InlineData(1e-6, 1e3, "10⁻⁶ 10⁻⁴ 0.01 1 100")]
    [InlineData(9, 1100, "10 20 50 100 200 500 1000")]
    [InlineData(3, 40, "3 5 7 10 20 30")]
    public void Logarithmic_ones_stand_at_powers_of_ten(double low, double high, string expected) => Assert.Equal(expected, string.Join(' ', Ticks.Logarithmic(low, high).Labels));

    [Fact]
    public void Logarithmic_ones_lie_in_the_range() => Gen.Select(Gen.Double[-12, 12], Gen.Double[0.05, 20]).Sample((power, decades) =>
    {
        double low = Math.Pow(10, power), high = Math.Pow(10, power + decades);
        Ticks ticks = Ticks.Logarithmic(low, high);
        Assert.NotEmpty(ticks.At);
        Assert.All(ticks.At, v => Assert.InRange(v, low * 0.999, high * 1.001));
        Assert.Equal(ticks.At.Count, ticks.Labels.Distinct().Count());
    });

    [Theory]
    [InlineData(0, 0)]
    [InlineData(5, 5)]
    [InlineData(1e300, 1e300)]
    [InlineData(1, 1.0000000000000002)]
    public void A_range_of_nothing_still_has_one(double low, double high) => Assert.NotEmpty(Ticks.Linear(low, high).At);
}
