using System.Runtime.InteropServices;
using Budwood.Numbers;
using Budwood.Numbers.Kernels;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Numbers;

public class RankedDropTests
{
    public enum Kind { Fine, Coarse, Deltas, Equal }

    public static TheoryData<int, Kind> Rows()
    {
        var rows = new TheoryData<int, Kind>();
        foreach (int count in new[] { 2, 7, 8, 255, 2048, 5635, RankedDrop.Longest }) foreach (Kind kind in Enum.GetValues<Kind>()) rows.Add(count, kind);
        return rows;
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void Keeps_exactly_what_ranking_every_element_keeps(int count, Kind kind)
    {
        float[] v = RuleHarness.Values(count, count, 1e-3), uniform = new float[count + 16];
        // Many equal magnitudes and zeros of both signs; what stored bfloat16 leaves, with bins of one magnitude and of several; one magnitude only.
        if (kind == Kind.Coarse) for (int i = 0; i < count; i++) v[i] = MathF.Round(v[i] * 4096) / 4096;
        float[] bases = RuleHarness.Values(count, count + 1, 2e-2);
        if (kind == Kind.Deltas) for (int i = 0; i < count; i++) v[i] = Rounding.ToBF16(Rounding.ToBF16(bases[i]) + v[i]) - Rounding.ToBF16(bases[i]);
        if (kind == Kind.Equal) for (int i = 0; i < count; i++) v[i] = i % 3 == 0 ? -0.5f : 0.5f;
        var random = new System.Random(count);
        for (int i = 0; i < count; i++) uniform[i] = random.NextSingle();
        float Keep(int rank) => 0.2f + (0.6f * rank / count);

        using var ranks = new Ranking(count);
        ranks.ByMagnitude(MemoryMarshal.Cast<float, uint>(v.AsSpan()));
        float[] expected = [.. v.Select((x, i) => uniform[i] < Keep(ranks[i]) ? x : 0)];
        byte[] mask = new byte[(count + 7) / 8];
        RankedDrop drop = RankedDrop.For<PeerF32, int>(count, 1, count, 0, (_, _, rank) => Keep(rank));
        // What it remembers of a row must not reach the next one.
        drop.Apply([.. v.Select(x => -x)], [.. uniform.Reverse()], default);
        drop.Apply(v, uniform, mask);

        Assert.Equal(expected, v);
        Assert.Equal([.. Enumerable.Range(0, count).Select(i => uniform[i] < Keep(ranks[i]))], Enumerable.Range(0, count).Select(i => (mask[i / 8] >> (i % 8) & 1) == 1));
    }

    [Fact]
    public void A_mask_sets_what_has_no_bit_to_zero()
    {
        float[] v = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
        Masks.Apply([0b1010_0101, 0b0000_0110], v);
        Assert.Equal([1, 0, 3, 0, 0, 6, 0, 8, 0, 10, 11], v);
    }

    [Theory]
    [InlineData(8)]
    [InlineData(11)]
    [InlineData(2048)]
    public void Gathered_signs_spread_again(int count)
    {
        float[] v = [.. Enumerable.Range(0, count).Select(i => i % 3 == 0 || i % 7 == 2 ? BitConverter.Int32BitsToSingle(-1) : 0f)], again = new float[count];
        byte[] bits = new byte[(count + 7) / 8];
        Masks.Gather(v, bits);
        Masks.Spread(bits, again);
        Assert.Equal(v.Select(BitConverter.SingleToInt32Bits), again.Select(BitConverter.SingleToInt32Bits));
        Assert.Equal(v.Count(float.IsNegative), bits.Sum(b => int.PopCount(b)));
    }
}
