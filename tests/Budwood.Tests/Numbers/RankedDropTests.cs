using System.Runtime.InteropServices;
using Budwood.Numbers;
using Budwood.Numbers.Kernels;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Numbers;

public class RankedDropTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(255)]
    [InlineData(2048)]
    [InlineData(5635)]
    public void Keeps_exactly_what_ranking_every_element_keeps(int count)
    {
        foreach (bool coarse in new[] { false, true })
        {
            float[] v = RuleHarness.Values(count, count, 1e-3), uniform = new float[count + 16];
            if (coarse) Rounding.To(DType.BF16, v);
            if (coarse) for (int i = 0; i < count; i++) v[i] = MathF.Round(v[i] * 4096) / 4096; // many equal magnitudes, zeros of both signs
            var random = new System.Random(count);
            for (int i = 0; i < count; i++) uniform[i] = random.NextSingle();
            float Keep(int rank) => 0.2f + (0.6f * rank / count);

            using var ranks = new Ranking(count);
            ranks.ByMagnitude(MemoryMarshal.Cast<float, uint>(v.AsSpan()));
            float[] expected = [.. v.Select((x, i) => uniform[i] < Keep(ranks[i]) ? x : 0)];
            byte[] mask = new byte[(count + 7) / 8];
            RankedDrop.For<PeerF32>(count, coarse ? 1 : 2, count, Keep).Apply(v, uniform, mask);

            Assert.Equal(expected, v);
            Assert.Equal([.. Enumerable.Range(0, count).Select(i => uniform[i] < Keep(ranks[i]))], Enumerable.Range(0, count).Select(i => (mask[i / 8] >> (i % 8) & 1) == 1));
        }
    }

    [Fact]
    public void A_mask_sets_what_has_no_bit_to_zero()
    {
        float[] v = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
        Masks.Apply([0b1010_0101, 0b0000_0110], v);
        Assert.Equal([1, 0, 3, 0, 0, 6, 0, 8, 0, 10, 11], v);
    }
}
