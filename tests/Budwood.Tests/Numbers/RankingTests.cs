using Budwood.Numbers.Kernels;

namespace Budwood.Tests.Numbers;

public sealed class RankingTests
{
    [Theory]
    [InlineData(1, 5)]
    [InlineData(2, 5)]
    [InlineData(1000, 3)] // many equal ones
    [InlineData(1000, int.MaxValue)]
    [InlineData(1001, 1)] // all of them
    public void The_nth_key_is_the_one_of_a_sort(int count, int most)
    {
        var random = new System.Random(count);
        int[] keys = [.. Enumerable.Range(0, count).Select(_ => random.Next(most) - (most / 2))], sorted = [.. keys.Order()];
        foreach (int at in new[] { 0, count - 1, count / 2, count / 3, count / 2 }) Assert.Equal(sorted[at], Ranking.Nth(keys, at));
        Assert.Equal(sorted, keys.Order());
    }

    [Fact]
    public void Keys_in_order_or_turned_round_are_no_trouble()
    {
        int[] up = [.. Enumerable.Range(0, 100_000)], down = [.. up.Reverse()];
        Assert.Equal(70_000, Ranking.Nth(up, 70_000));
        Assert.Equal(70_000, Ranking.Nth(down, 70_000));
    }
}
