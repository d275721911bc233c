using Budwood.Recipes.Claims;

namespace Budwood.Tests.Recipes.Claims;

public class ConditionTests
{
    [Theory]
    [InlineData(">= 0.01", 0.01, true)]
    [InlineData("> 0.01", 0.01, false)]
    [InlineData("<= -2e-3", -0.002, true)]
    [InlineData("== 3", 3, true)]
    [InlineData("!= 3", 3, false)]
    [InlineData("in [0.9, 1.1]", 1.1, true)]
    [InlineData("in (0.9, 1.1)", 1.1, false)]
    [InlineData("outside [0, 1]", 1, false)]
    [InlineData("outside (0, 1)", 1, true)]
    [InlineData("outside [0, 1]", -5, true)]
    public void Numbers_lie_in_it_or_not(string text, double value, bool inside)
    {
        Condition condition = Condition.Parse(text)!;
        Assert.Equal(inside, condition.Contains(value));
        Assert.Equal(!inside, condition.Complement().Contains(value));
    }

    [Theory]
    [InlineData("about 3")]
    [InlineData(">= ")]
    [InlineData("in [2, 1]")]
    [InlineData("in 0..1")]
    [InlineData(">= 1.2.3")]
    public void What_is_no_condition_is_none(string text) => Assert.Null(Condition.Parse(text));

    [Theory]
    [InlineData(">= 0.5", "<= 0.5", true)]
    [InlineData("> 0.5", "<= 0.5", false)]
    [InlineData(">= 0.5", "<= 0.4", false)]
    [InlineData("in [0, 1]", "in [2, 3]", false)]
    [InlineData("outside [0, 1]", "in [0.5, 2]", true)]
    public void Overlaps_are_seen(string one, string other, bool overlaps) => Assert.Equal(overlaps, Condition.Parse(one)!.Overlaps(Condition.Parse(other)!));

    [Theory]
    [InlineData(">= 0", 0, double.PositiveInfinity, true)]
    [InlineData("> 0", 0, double.PositiveInfinity, false)]
    [InlineData("<= 1", 0, 1, true)]
    [InlineData("< 1", 0, 1, false)]
    [InlineData(">= -1", -1, 1, true)]
    [InlineData("!= 2", 0, 1, true)]
    [InlineData("in [0, 1]", double.NegativeInfinity, double.PositiveInfinity, false)]
    public void Covering_a_whole_range_is_seen(string text, double low, double high, bool covers) => Assert.Equal(covers, Condition.Parse(text)!.Covers(low, high));
}
