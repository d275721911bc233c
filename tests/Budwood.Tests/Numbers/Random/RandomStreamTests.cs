using Budwood.Numbers.Random;

namespace Budwood.Tests.Numbers.Random;

public class RandomStreamTests
{
    [Fact]
    public void Equal_names_give_equal_numbers_and_others_do_not()
    {
        var a = new RandomStream(1, "x");
        Assert.Equal(a.Normals(5), new RandomStream(1, "x").Normals(5));
        Assert.NotEqual(new RandomStream(1, "x").Normals(5), new RandomStream(2, "x").Normals(5));
        Assert.NotEqual(new RandomStream(1, "x").Normals(5), new RandomStream(1, "y").Normals(5));
    }

    // Standard errors at 200,000 draws: mean 0.0022, variance 0.0032 (normal), fourth moment 0.022; bounds are five of them.
    [Fact]
    public void Normal_numbers_have_the_moments_of_normal_numbers()
    {
        double[] x = new RandomStream(3, "moments").Normals(200_000);
        Assert.Equal(0, x.Average(), 0.0112);
        Assert.Equal(1, x.Average(v => v * v), 0.016);
        Assert.Equal(3, x.Average(v => v * v * v * v), 0.11);
    }

    [Fact]
    public void Whole_numbers_are_even_and_uniform_ones_stay_inside()
    {
        var random = new RandomStream(4, "below");
        int[] counts = new int[7];
        for (int i = 0; i < 70_000; i++) counts[random.Below(7)]++;
        // Chi-square with 6 degrees of freedom: 22.5 is passed with probability 0.001.
        Assert.True(counts.Sum(c => (c - 10_000.0) * (c - 10_000.0) / 10_000) < 22.5, string.Join(' ', counts));
        for (int i = 0; i < 1000; i++) Assert.InRange(random.Uniform(), 0, 1 - 1e-16);
    }

    [Fact]
    public void A_shuffle_keeps_every_item()
    {
        int[] items = [.. Enumerable.Range(0, 100)];
        new RandomStream(5, "shuffle").Shuffle<int>(items);
        Assert.NotEqual(Enumerable.Range(0, 100), items);
        Assert.Equal(Enumerable.Range(0, 100), items.Order());
    }

    [Fact]
    public void Picks_follow_the_probabilities()
    {
        var random = new RandomStream(6, "pick");
        int[] counts = new int[3];
        for (int i = 0; i < 30_000; i++) counts[random.Pick([0.5, 0, 0.5])]++;
        Assert.Equal(0, counts[1]);
        Assert.Equal(15_000, counts[0], 433.0);
    }
}
