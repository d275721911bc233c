using System.Numerics;
using Budwood.Numbers.Fourier;
using Budwood.Numbers.Random;

namespace Budwood.Tests.Numbers.Fourier;

public class FourierTransformTests
{
    private static Complex[] Drawn(int n)
    {
        var random = new RandomStream(n, "signal");
        return [.. Enumerable.Range(0, n).Select(_ => new Complex(random.Normal(), random.Normal()))];
    }

    private static Complex[] Naive(Complex[] x)
    {
        int n = x.Length;
        return [.. Enumerable.Range(0, n).Select(k =>
        {
            Complex sum = 0;
            for (int j = 0; j < n; j++) sum += x[j] * Complex.FromPolarCoordinates(1, -2 * Math.PI * ((long)j * k % n) / n);
            return sum;
        })];
    }

    [Fact]
    public void Every_length_to_64_and_some_primes_agree_with_the_sum()
    {
        foreach (int n in (int[])[.. Enumerable.Range(1, 64), 67, 97, 101, 128, 210, 251, 360, 509, 512, 1009, 1024])
        {
            Complex[] x = Drawn(n), y = (Complex[])x.Clone(), wanted = Naive(x);
            var transform = new FourierTransform(n);
            transform.Forward(y);
            for (int k = 0; k < n; k++) Assert.True((y[k] - wanted[k]).Magnitude < 2e-12 * Math.Sqrt(n), $"length {n}, mode {k}: {y[k]} for {wanted[k]}");
            transform.Inverse(y);
            for (int k = 0; k < n; k++) Assert.True((y[k] - x[k]).Magnitude < 1e-12, $"length {n}, back at {k}");
        }
    }

    [Fact]
    public void Real_values_give_half_of_the_complex_spectrum_and_come_back()
    {
        foreach (int n in (int[])[1, 2, 3, 4, 5, 6, 33, 64, 100, 101, 256])
        {
            double[] x = [.. Drawn(n).Select(v => v.Real)], back = new double[n];
            Complex[] full = [.. x.Select(v => new Complex(v, 0))];
            var real = new RealFourierTransform(n);
            var half = new Complex[real.Modes];
            real.Forward(x, half);
            new FourierTransform(n).Forward(full);
            for (int k = 0; k < half.Length; k++) Assert.True((half[k] - full[k]).Magnitude < 1e-12 * n, $"length {n}, mode {k}");
            real.Inverse(half, back);
            for (int i = 0; i < n; i++) Assert.Equal(x[i], back[i], 1e-13);
        }
    }

    [Fact]
    public void Sums_of_squares_are_kept()
    {
        Complex[] x = Drawn(3 * 5 * 7 * 8);
        double before = x.Sum(v => v.Magnitude * v.Magnitude);
        new FourierTransform(x.Length).Forward(x);
        Assert.Equal(before, x.Sum(v => v.Magnitude * v.Magnitude) / x.Length, 1e-9);
    }

    [Fact]
    public void Frequencies_are_in_the_order_of_the_transform()
    {
        Assert.Equal([0, 1, 2, 3, -4, -3, -2, -1], Spectra.Frequencies(8, 1.0 / 8));
        Assert.Equal([0, 1, 2, -2, -1], Spectra.Frequencies(5, 0.2));
        Assert.Equal([0, 1, -2], Spectra.WaveNumbers(4, 2 * Math.PI));
    }

    [Fact]
    public void Derivatives_of_waves_are_exact()
    {
        const int N = 48;
        double[] x = [.. Enumerable.Range(0, N).Select(i => 3.0 * i / N)], u = [.. x.Select(v => Math.Sin(2 * Math.PI * 5 * v / 3))];
        double k = 2 * Math.PI * 5 / 3;
        double[][] d = Spectra.Derivatives(u, 3, 4);
        for (int i = 0; i < N; i++)
        {
            Assert.Equal(k * Math.Cos(k * x[i]), d[0][i], 1e-10);
            Assert.Equal(k * k * k * k * Math.Sin(k * x[i]), d[3][i], 1e-7);
        }
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(5, 9)]
    [InlineData(100, 31)]
    public void Convolutions_agree_with_the_sum(int n, int m)
    {
        double[] x = [.. Drawn(n).Select(v => v.Real)], y = [.. Drawn(m).Select(v => v.Imaginary)], wanted = new double[n + m - 1];
        for (int i = 0; i < n; i++) for (int j = 0; j < m; j++) wanted[i + j] += x[i] * y[j];
        double[] got = Spectra.Convolve(x, y);
        Assert.Equal(wanted.Length, got.Length);
        for (int i = 0; i < got.Length; i++) Assert.Equal(wanted[i], got[i], 1e-12);
    }
}
