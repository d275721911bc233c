using System.Numerics;

namespace Budwood.Numbers.Fourier;

/// <summary>The Fourier transform of real values: half of the spectrum, the other half being its mirror image.</summary>
/// <remarks>Even lengths cost a complex transform of half the length, odd ones a full one. Not safe to use from several threads.</remarks>
public sealed class RealFourierTransform
{
    private readonly FourierTransform _inner;
    private readonly Complex[] _work, _roots;

    public RealFourierTransform(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        Length = length;
        bool even = length % 2 == 0;
        _inner = new FourierTransform(even ? length / 2 : length);
        _work = new Complex[_inner.Length];
        _roots = even ? FourierTransform.Roots(length)[..(length / 2)] : [];
    }

    /// <summary>Number of real values.</summary>
    public int Length { get; }

    /// <summary>Number of spectral values: <c>length / 2 + 1</c>, rounded down.</summary>
    public int Modes => (Length / 2) + 1;

    /// <summary>X[k] for k = 0 .. length / 2, not scaled.</summary>
    public void Forward(ReadOnlySpan<double> x, Span<Complex> spectrum)
    {
        Check(x.Length, spectrum.Length);
        if (_roots.Length == 0)
        {
            for (int i = 0; i < Length; i++) _work[i] = x[i];
            _inner.Forward(_work);
            _work.AsSpan(0, Modes).CopyTo(spectrum);
            return;
        }
        int half = Length / 2;
        for (int i = 0; i < half; i++) _work[i] = new Complex(x[2 * i], x[(2 * i) + 1]);
        _inner.Forward(_work);
        // Even and odd samples are the two symmetric parts of the transform of their complex pairing.
        for (int k = 0; k < half; k++)
        {
            Complex a = _work[k], b = Complex.Conjugate(_work[k == 0 ? 0 : half - k]);
            Complex even = 0.5 * (a + b), odd = 0.5 * (a - b);
            spectrum[k] = even + (_roots[k] * new Complex(odd.Imaginary, -odd.Real));
        }
        spectrum[half] = _work[0].Real - _work[0].Imaginary;
    }

    /// <summary>Real values from half a spectrum; divides by the length. Imaginary parts of the first value, and of the last for even lengths, are dropped.</summary>
    public void Inverse(ReadOnlySpan<Complex> spectrum, Span<double> x)
    {
        Check(x.Length, spectrum.Length);
        if (_roots.Length == 0)
        {
            _work[0] = spectrum[0].Real;
            for (int k = 1; k < Modes; k++)
            {
                _work[k] = spectrum[k];
                _work[Length - k] = Complex.Conjugate(spectrum[k]);
            }
            _inner.Inverse(_work);
            for (int i = 0; i < Length; i++) x[i] = _work[i].Real;
            return;
        }
        int half = Length / 2;
        for (int k = 0; k < half; k++)
        {
            Complex a = k == 0 ? spectrum[0].Real : spectrum[k], b = k == 0 ? spectrum[half].Real : Complex.Conjugate(spectrum[half - k]);
            Complex even = 0.5 * (a + b), odd = 0.5 * (a - b) * Complex.Conjugate(_roots[k]);
            _work[k] = new Complex(even.Real - odd.Imaginary, even.Imaginary + odd.Real); // even + i odd
        }
        _inner.Inverse(_work);
        for (int i = 0; i < half; i++) (x[2 * i], x[(2 * i) + 1]) = (_work[i].Real, _work[i].Imaginary);
    }

    private void Check(int values, int modes)
    {
        if (values != Length || modes != Modes) throw new ArgumentException($"{values} values and {modes} modes for a transform of {Length} values and {Modes} modes");
    }
}
