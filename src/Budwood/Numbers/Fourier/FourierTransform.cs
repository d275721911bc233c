using System.Numerics;

namespace Budwood.Numbers.Fourier;

/// <summary>The discrete Fourier transform of one length, any length, with its tables.</summary>
/// <remarks>Forward: <c>X[k] = sum over j of x[j] exp(-2 pi i jk/n)</c>, not scaled; inverse with +i and 1/n. Mixed radix in the self-sorting order of Stockham
/// (Cochran et al. 1967; Temperton 1983), O(n sum of factors); lengths with a prime factor above 31 through a convolution (Bluestein 1970), O(n log n). Not safe
/// to use from several threads: the work space belongs to the transform.</remarks>
public sealed class FourierTransform
{
    private const int LargestFactor = 31;

    private readonly int[] _factors;
    private readonly Complex[] _roots; // exp(-2 pi i k / n)
    private readonly Complex[] _work;
    private readonly Bluestein? _bluestein;

    public FourierTransform(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        Length = length;
        _factors = Factors(length);
        if (_factors.Length > 0 && _factors.Max() > LargestFactor)
        {
            _bluestein = new Bluestein(length);
            (_roots, _work) = ([], []);
            return;
        }
        _roots = Roots(length);
        _work = new Complex[length];
    }

    public int Length { get; }

    /// <summary>Transforms in place.</summary>
    public void Forward(Span<Complex> x)
    {
        Check(x.Length);
        if (_bluestein is { } b) b.Forward(x);
        else Run(x);
    }

    /// <summary>Inverts <see cref="Forward"/>, in place; divides by the length.</summary>
    public void Inverse(Span<Complex> x)
    {
        Check(x.Length);
        // The inverse is the forward transform with real and imaginary parts exchanged before and after.
        for (int i = 0; i < x.Length; i++) x[i] = new Complex(x[i].Imaginary, x[i].Real);
        if (_bluestein is { } b) b.Forward(x);
        else Run(x);
        double scale = 1.0 / Length;
        for (int i = 0; i < x.Length; i++) x[i] = new Complex(x[i].Imaginary * scale, x[i].Real * scale);
    }

    /// <summary>exp(-2 pi i k / n) for k = 0 .. n - 1, exact on the axes and symmetric over the octants.</summary>
    public static Complex[] Roots(int n)
    {
        var roots = new Complex[n];
        for (int k = 0; k < n; k++)
        {
            // Angles are folded into an eighth of the circle: sine and cosine have their full accuracy there.
            long eighths = 8L * k, octant = eighths / n, rest = eighths % n;
            double angle = 2 * Math.PI * (octant % 2 == 0 ? rest : n - rest) / (8.0 * n);
            (double s, double c) = Math.SinCos(angle);
            (double x, double y) = octant switch
            {
                0 => (c, s),
                1 => (s, c),
                2 => (-s, c),
                3 => (-c, s),
                4 => (-c, -s),
                5 => (-s, -c),
                6 => (s, -c),
                _ => (c, -s),
            };
            roots[k] = new Complex(x, -y);
        }
        return roots;
    }

    private void Check(int length)
    {
        if (length != Length) throw new ArgumentException($"{length} values for a transform of length {Length}");
    }

    private static int[] Factors(int n)
    {
        var factors = new List<int>();
        foreach (int f in (ReadOnlySpan<int>)[4, 2, 3, 5])
            for (; n % f == 0; n /= f) factors.Add(f);
        for (int f = 7; n > 1; f += 2)
        {
            if ((long)f * f > n) f = n;
            for (; n % f == 0; n /= f) factors.Add(f);
        }
        return [.. factors];
    }

    // a[k + M j]: element j of the transform of the subsequence that starts at k with stride M.
    private void Run(Span<Complex> x)
    {
        Span<Complex> a = x, b = _work;
        int n = Length, done = 1, stride = n;
        foreach (int r in _factors)
        {
            stride /= r;
            switch (r)
            {
                case 2: Two(a, b, done, stride); break;
                case 4: Four(a, b, done, stride); break;
                default: Many(a, b, r, done, stride); break;
            }
            done *= r;
            Span<Complex> kept = a;
            a = b;
            b = kept;
        }
        if (_factors.Length % 2 == 1) a.CopyTo(x);
    }

    private void Two(ReadOnlySpan<Complex> a, Span<Complex> b, int done, int stride)
    {
        int half = done * stride;
        for (int j = 0; j < done; j++)
        {
            Complex w = _roots[j * stride];
            int from = 2 * stride * j, to = stride * j;
            for (int k = 0; k < stride; k++)
            {
                Complex p = a[from + k], q = w * a[from + stride + k];
                b[to + k] = p + q;
                b[to + half + k] = p - q;
            }
        }
    }

    private void Four(ReadOnlySpan<Complex> a, Span<Complex> b, int done, int stride)
    {
        int quarter = done * stride;
        for (int j = 0; j < done; j++)
        {
            Complex w1 = _roots[j * stride], w2 = _roots[2 * j * stride], w3 = _roots[3 * j * stride];
            int from = 4 * stride * j, to = stride * j;
            for (int k = 0; k < stride; k++)
            {
                Complex x0 = a[from + k], x1 = w1 * a[from + stride + k], x2 = w2 * a[from + (2 * stride) + k], x3 = w3 * a[from + (3 * stride) + k];
                Complex s = x0 + x2, d = x0 - x2, t = x1 + x3, e = x1 - x3;
                var turned = new Complex(e.Imaginary, -e.Real); // -i e
                b[to + k] = s + t;
                b[to + quarter + k] = d + turned;
                b[to + (2 * quarter) + k] = s - t;
                b[to + (3 * quarter) + k] = d - turned;
            }
        }
    }

    private void Many(ReadOnlySpan<Complex> a, Span<Complex> b, int r, int done, int stride)
    {
        int part = done * stride, turn = Length / r;
        Span<Complex> t = stackalloc Complex[LargestFactor];
        for (int j = 0; j < done; j++)
        {
            for (int k = 0; k < stride; k++)
            {
                for (int q = 0; q < r; q++) t[q] = _roots[q * j * stride] * a[k + (stride * (q + (r * j)))];
                for (int s = 0; s < r; s++)
                {
                    Complex sum = t[0];
                    for (int q = 1; q < r; q++) sum += _roots[q * s % r * turn] * t[q];
                    b[k + (stride * j) + (part * s)] = sum;
                }
            }
        }
    }

    /// <summary>A transform as a convolution with a chirp, at a length that is a power of two.</summary>
    private sealed class Bluestein
    {
        private readonly Complex[] _chirp, _kernel, _work;
        private readonly FourierTransform _inner;

        public Bluestein(int n)
        {
            int size = (int)BitOperations.RoundUpToPowerOf2((uint)((2 * n) - 1));
            _inner = new FourierTransform(size);
            Complex[] roots = Roots(2 * n);
            _chirp = new Complex[n];
            _kernel = new Complex[size];
            _work = new Complex[size];
            for (int k = 0; k < n; k++) _chirp[k] = roots[(int)((long)k * k % (2 * n))]; // exp(-i pi k^2 / n)
            for (int k = 0; k < n; k++) _kernel[k] = _kernel[k == 0 ? 0 : size - k] = Complex.Conjugate(_chirp[k]);
            _inner.Forward(_kernel);
        }

        public void Forward(Span<Complex> x)
        {
            Array.Clear(_work);
            for (int k = 0; k < x.Length; k++) _work[k] = x[k] * _chirp[k];
            _inner.Forward(_work);
            for (int k = 0; k < _work.Length; k++) _work[k] *= _kernel[k];
            _inner.Inverse(_work);
            for (int k = 0; k < x.Length; k++) x[k] = _work[k] * _chirp[k];
        }
    }
}
