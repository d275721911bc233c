using System.Numerics;
using Budwood.Numbers.Fourier;
using Budwood.Numbers.Linear;

namespace Budwood.Initialize;

/// <summary>The convolution kernel of a diagonal plus low rank state space of one channel (S4), discretised by the bilinear rule.</summary>
/// <remarks>Gu, Goel and Re 2022 (S4), appendix C.3: generating function at roots of unity through Cauchy sums and Woodbury's identity, then an inverse transform;
/// L N operations. One of each conjugate pair is kept.</remarks>
public sealed class LowRankKernel
{
    private readonly Complex[] _a, _b;
    private readonly ComplexMatrix _p;
    private readonly double _step;

    /// <summary>A = diag(a) - P P*.</summary>
    /// <param name="a">Eigenvalues of the normal part [N/2].</param>
    /// <param name="p">A row a rank [rank, N/2].</param>
    /// <param name="b">Input [N/2].</param>
    public LowRankKernel(Complex[] a, ComplexMatrix p, Complex[] b, double step) => (_a, _p, _b, _step) = (a, p, b, step);

    /// <summary>C (I - A^L), A discrete: what makes a kernel of finite length L a closed sum [N/2].</summary>
    public Complex[] Truncated(Complex[] c, int length)
    {
        int half = _a.Length, n = 2 * half;
        Complex[] full = [.. c, .. c.Select(Complex.Conjugate)];
        var power = ComplexMatrix.Identity(n);
        ComplexMatrix square = Discrete();
        for (int l = length; l > 0; l >>= 1)
        {
            if ((l & 1) == 1) power *= square;
            if (l > 1) square *= square;
        }
        ComplexMatrix row = new ComplexMatrix(1, n, full) * power;
        return [.. Enumerable.Range(0, half).Select(i => c[i] - row[0, i])];
    }

    /// <summary>The kernel of a length for C~ of that length, or of the steps of another rate.</summary>
    /// <param name="truncated">C~ = C (I - A^L) [N/2].</param>
    /// <param name="length">L, even or odd.</param>
    public double[] Kernel(Complex[] truncated, int length)
    {
        int rank = _p.Rows;
        var transform = new RealFourierTransform(length);
        var spectrum = new Complex[transform.Modes];
        Complex[] roots = FourierTransform.Roots(length);
        for (int j = 0; j < spectrum.Length; j++)
        {
            Complex w = roots[j % length];
            if (2 * j == length)
            {
                // The limit at w = -1, where z is infinite.
                double sum = 0;
                for (int n = 0; n < _a.Length; n++) sum += (truncated[n] * _b[n]).Real;
                spectrum[j] = _step * sum;
                continue;
            }
            Complex z = 2 * (1 - w) / (1 + w), direct = Cauchy(z, n => truncated[n] * _b[n]);
            var inner = ComplexMatrix.Of(rank, rank, (r, s) => (r == s ? 1 : 0) + Cauchy(z, n => Complex.Conjugate(_p[r, n]) * _p[s, n]));
            var right = ComplexMatrix.Of(rank, 1, (r, _) => Cauchy(z, n => Complex.Conjugate(_p[r, n]) * _b[n]));
            ComplexMatrix solved = inner.Solve(right);
            for (int r = 0; r < rank; r++)
            {
                int row = r;
                direct -= Cauchy(z, n => truncated[n] * _p[row, n]) * solved[r, 0];
            }
            spectrum[j] = 2 / (1 + w) * direct;
        }
        double[] kernel = new double[length];
        transform.Inverse(spectrum, kernel);
        return kernel;
    }

    // step * sum over both conjugates of v/(z - step a)
    private Complex Cauchy(Complex z, Func<int, Complex> v)
    {
        Complex sum = 0;
        for (int n = 0; n < _a.Length; n++)
        {
            Complex value = v(n), pole = _step * _a[n];
            sum += (value / (z - pole)) + (Complex.Conjugate(value) / (z - Complex.Conjugate(pole)));
        }
        return _step * sum;
    }

    private ComplexMatrix Discrete()
    {
        int half = _a.Length, n = 2 * half;
        Complex Full(Func<int, Complex> part, int i) => i < half ? part(i) : Complex.Conjugate(part(i - half));
        ComplexMatrix At(double sign) => ComplexMatrix.Of(n, n, (i, j) =>
        {
            Complex a = i == j ? Full(k => _a[k], i) : 0;
            for (int r = 0; r < _p.Rows; r++)
            {
                int row = r;
                a -= Full(k => _p[row, k], i) * Complex.Conjugate(Full(k => _p[row, k], j));
            }
            return (i == j ? 1 : 0) + (sign * 0.5 * _step * a);
        });
        return At(-1).Solve(At(1)); // (I - step A/2)^-1 (I + step A/2)
    }
}
