using Budwood.Numbers.Random;

namespace Budwood.Tests.Numbers;

public class RandomStreamTests
{
    [Fact]
    public void A_stream_read_in_vectors_has_the_words_of_its_counters()
    {
        var stream = Philox.For(42, "rule", "mask", "1", "tensor");
        Span<uint> block = stackalloc uint[4];
        foreach (long start in new[] { 0L, 4, 3, 1 << 20, (1L << 34) - 8, 12345677 })
        {
            // Lengths that end within wide vectors, narrow ones and single counters.
            foreach (int length in new[] { 203, 100, 64, 63, 31 })
            {
                float[] numbers = new float[length];
                stream.Uniform(start, numbers);
                for (int i = 0; i < numbers.Length; i++)
                {
                    stream.Block((ulong)((start + i) >> 2), block);
                    Assert.Equal((block[(int)((start + i) & 3)] >> 8) * (1f / (1 << 24)), numbers[i]);
                }
            }
        }
    }

    [Fact]
    public void A_tape_gives_the_same_numbers_wherever_the_reading_begins()
    {
        // The reference generator's first words for seed 5489, low 24 bits as a share of one.
        uint[] words = [3499211612, 581869302, 3890346734, 3586334585, 545404204];
        var tape = new MersenneTape(5489);
        float[] all = new float[400_000];
        tape.Uniform(0, all);
        Assert.Equal(words.Select(w => (w & 0xFFFFFF) * (1f / (1 << 24))), all[..5]);
        foreach ((int start, int length) in new[] { (0, 1), (623, 3), (624, 624), (100_000, 5000), (105_000, 5000), (319_489, 700), (7, 100), (398_000, 2000) })
        {
            float[] part = new float[length];
            tape.Uniform(start, part);
            Assert.Equal(all[start..(start + length)], part);
        }
    }
}
