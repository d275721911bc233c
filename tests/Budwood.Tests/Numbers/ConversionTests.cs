using Budwood.Numbers;
using Budwood.Numbers.Kernels;

namespace Budwood.Tests.Numbers;

/// <summary>Rounding, writing and comparing blocks against the same element by element.</summary>
public class ConversionTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_comparison_counts_what_changed_and_what_is_not_finite(bool odd)
    {
        foreach (int count in new[] { 1, 16, 37, 4099 })
        {
            float[] y = Values(count, odd), reference = [.. y];
            for (int i = 0; i < count; i += 3) y[i] += 1;
            if (count > 20) (y[20], reference[20]) = (0f, -0f);
            Comparison c = Comparison.Of(y, reference);
            long changed = 0, bad = 0;
            double difference = 0, square = 0;
            for (int i = 0; i < count; i++)
            {
                if (y[i] != reference[i] && BitConverter.SingleToInt32Bits(y[i]) != BitConverter.SingleToInt32Bits(reference[i])) changed++;
                if (!float.IsFinite(y[i])) bad++;
                difference += (double)(y[i] - reference[i]) * (y[i] - reference[i]);
                square += (double)reference[i] * reference[i];
            }
            Assert.Equal((changed, bad), (c.Changed, c.NotFinite));
            if (odd) continue;
            Assert.Equal(difference, c.Difference, difference * 1e-12);
            Assert.Equal(square, c.Reference, square * 1e-12);
        }
    }

    [Theory]
    [InlineData(DType.BF16, false)]
    [InlineData(DType.BF16, true)]
    [InlineData(DType.F16, false)]
    [InlineData(DType.F32, true)]
    public void What_is_stored_is_compared_as_it_is_stored(DType type, bool odd)
    {
        foreach (int count in new[] { 1, 15, 16, 37, 4099 })
        {
            float[] y = Values(count, odd), rounded = [.. y], reference = [.. y];
            for (int i = 0; i < count; i += 3) reference[i] += 1;
            Rounding.To(type, reference);
            byte[] bytes = new byte[type.Bytes(count)], expected = new byte[type.Bytes(count)];
            Rounding.To(type, rounded);
            Conversion.Narrow(type, rounded, expected);
            Comparison whole = Comparison.Of(rounded, reference), stored = Comparison.OfStored(type, y, reference, bytes);
            Assert.Equal(expected, bytes);
            Assert.Equal((whole.Changed, whole.NotFinite), (stored.Changed, stored.NotFinite));
            if (!odd) Assert.Equal(whole, stored);
        }
    }

    [Fact]
    public void Values_that_are_not_finite_are_found_wherever_they_stand()
    {
        foreach (int count in new[] { 1, 31, 32, 33, 100 })
        {
            Assert.Equal((0L, 0L), Comparison.NotFiniteIn(Values(count, odd: false)));
            for (int i = 0; i < count; i++)
            {
                foreach (float value in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity })
                {
                    float[] values = Values(count, odd: false);
                    values[i] = value;
                    Assert.Equal(float.IsNaN(value) ? (1L, 0L) : (0L, 1L), Comparison.NotFiniteIn(values));
                }
            }
        }
    }

    private static float[] Values(int count, bool odd)
    {
        float[] special = [float.NaN, float.PositiveInfinity, float.NegativeInfinity, -0f, float.Epsilon, float.MaxValue, 1.00390625f, 1.01171875f];
        var random = new System.Random(count);
        return [.. Enumerable.Range(0, count).Select(i => odd && i % 5 == 0 ? special[i / 5 % special.Length] : (float)((random.NextDouble() - 0.5) * 4))];
    }
}
