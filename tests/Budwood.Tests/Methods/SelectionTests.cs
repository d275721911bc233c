using Budwood.Methods;

namespace Budwood.Tests.Methods;

public sealed class SelectionTests
{
    // Thresholds 2 and 5 of magnitudes 0 to 7, signs mixed: what stays is told one by one, whichever way the block is gone through.
    [Theory]
    [InlineData(0, 0, 0, 1000, 1000)] // all equal ones stay
    [InlineData(0, 0, 1000, 2000, 0)] // none stays
    [InlineData(0, 0, 3, 9, 5)] // the borders lie within
    [InlineData(10, 20, 3, 9, 5)] // behind all borders
    [InlineData(2, 4, 3, 100000, 5)] // one of them within
    public void Blocks_are_cut_as_one_by_one(long low, long high, long lowFrom, long lowTo, long highTo)
    {
        foreach (int count in (int[])[8, 64, 61, 4096, 4091])
        {
            var random = new Random(count);
            float[] v = new float[(count + 7) & ~7];
            for (int i = 0; i < v.Length; i++) v[i] = random.Next(8) * (random.Next(2) == 0 ? 1 : -1);
            float[] expected = [.. v];
            (long seenLow, long seenHigh) = (low, high);
            for (int i = 0; i < count; i++)
            {
                float m = Math.Abs(v[i]);
                bool stays = m switch { 2 => seenLow >= lowFrom && seenLow < lowTo, 5 => seenHigh < highTo, _ => m > 2 && m < 5 };
                if (m == 2) seenLow++;
                if (m == 5) seenHigh++;
                if (!stays) expected[i] = 0;
            }
            var selection = new Selection { LowKey = Bits(2), HighKey = Bits(5), LowFrom = lowFrom, LowTo = lowTo, HighTo = highTo };
            Assert.Equal((seenLow, seenHigh), selection.Apply(v, count, low, high));
            Assert.Equal(expected[..count], v[..count]);
            AssertTakesDifferences(selection, count, low, high, expected);
        }
    }

    // What was expected of values is expected of differences that are those values.
    private static unsafe void AssertTakesDifferences(Selection selection, int count, long low, long high, float[] expected)
    {
        var random = new Random(count);
        float[] values = new float[expected.Length], minus = new float[expected.Length], y = new float[expected.Length];
        for (int i = 0; i < values.Length; i++) values[i] = random.Next(8) * (random.Next(2) == 0 ? 1 : -1);
        for (int i = 0; i < values.Length; i++) minus[i] = (i % 5) - 2;
        float[] from = [.. values.Zip(minus, (a, b) => a + b)];
        fixed (float* f = from, m = minus) selection.Apply<Budwood.Numbers.Plain>(f, m, y, count, low, high);
        Assert.Equal(expected[..count], y[..count]);
    }

    [Fact]
    public void Without_an_upper_threshold_infinities_stay()
    {
        float[] v = [float.PositiveInfinity, float.NegativeInfinity, 1, 2, -2, 3, 0, -1];
        new Selection { LowKey = Bits(2) }.Apply(v, 8, 0, 0);
        Assert.Equal([float.PositiveInfinity, float.NegativeInfinity, 0, 2, -2, 3, 0, 0], v);
    }

    private static uint Bits(float v) => BitConverter.SingleToUInt32Bits(v);
}
