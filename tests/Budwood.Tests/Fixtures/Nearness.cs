using Budwood.Numbers;

namespace Budwood.Tests.Fixtures;

/// <summary>Comparisons of results in units in the last place.</summary>
internal static class Nearness
{
    /// <summary>Every pair of values is equal or neighbours in the type.</summary>
    public static void OneUlp(DType type, float[] x, float[] y)
    {
        Assert.Equal(x.Length, y.Length);
        int step = type == DType.BF16 ? 1 << 16 : 1;
        for (int i = 0; i < x.Length; i++)
            Assert.True(Math.Abs(Key(x[i]) - Key(y[i])) <= step, $"element {i}: {x[i]:R} and {y[i]:R}");
    }

    // Bit patterns in the order of their values; both zeros are 0.
    private static long Key(float v)
    {
        int bits = BitConverter.SingleToInt32Bits(v);
        return bits < 0 ? -(long)(bits & 0x7FFFFFFF) : bits;
    }
}
