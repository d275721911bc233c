using System.Numerics;

namespace Budwood.Numbers.Fourier;

/// <summary>Frequencies, derivatives and convolutions by way of the Fourier transform.</summary>
public static class Spectra
{
    /// <summary>Frequencies of a transform in cycles per unit of the spacing, in its order: 0, 1, ..., -n/2, ..., -1 over n times the spacing.</summary>
    public static double[] Frequencies(int n, double spacing = 1)
    {
        double[] f = new double[n];
        for (int i = 0; i < n; i++) f[i] = (i < (n + 1) / 2 ? i : i - n) / (n * spacing);
        return f;
    }

    /// <summary>Wave numbers 2 pi j / L of half a spectrum on a period L; the last of an even n is negative, as in <see cref="Frequencies"/>.</summary>
    public static double[] WaveNumbers(int n, double period)
    {
        double[] k = new double[(n / 2) + 1];
        for (int j = 0; j < k.Length; j++) k[j] = 2 * Math.PI * (2 * j == n ? -j : j) / period;
        return k;
    }

    /// <summary>Derivatives of a periodic field, orders 1 to <paramref name="highest"/>, as rows [highest, n].</summary>
    /// <remarks>Exact for band-limited fields. The mode n/2 of an even n has no derivative of odd order on the grid: its sine vanishes there.</remarks>
    public static double[][] Derivatives(ReadOnlySpan<double> u, double period, int highest)
    {
        var transform = new RealFourierTransform(u.Length);
        var spectrum = new Complex[transform.Modes];
        transform.Forward(u, spectrum);
        double[] k = WaveNumbers(u.Length, period);
        double[][] rows = new double[highest][];
        for (int q = 0; q < highest; q++)
        {
            for (int j = 0; j < k.Length; j++) spectrum[j] *= new Complex(0, k[j]);
            rows[q] = new double[u.Length];
            transform.Inverse(spectrum, rows[q]);
        }
        return rows;
    }

    /// <summary>All of the linear convolution: <c>n + m - 1</c> values.</summary>
    public static double[] Convolve(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        if (x.Length == 0 || y.Length == 0) return [];
        int length = x.Length + y.Length - 1;
        var transform = new RealFourierTransform((int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(2, length)));
        double[] a = new double[transform.Length], b = new double[transform.Length];
        x.CopyTo(a);
        y.CopyTo(b);
        Complex[] fa = new Complex[transform.Modes], fb = new Complex[transform.Modes];
        transform.Forward(a, fa);
        transform.Forward(b, fb);
        for (int k = 0; k < fa.Length; k++) fa[k] *= fb[k];
        transform.Inverse(fa, a);
        return a[..length];
    }
}
