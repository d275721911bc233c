using System.Numerics;
using Budwood.Numbers.Fourier;

namespace Budwood.Simulate;

/// <summary>An evolution equation u_t = sum of coefficients times <see cref="EvolutionTerm"/>s on a periodic interval, solved in Fourier space.</summary>
/// <remarks>Pseudo-spectral and without de-aliasing, as the authors of paper 24 have it; <c>u^p u_x</c> is taken as the derivative of <c>u^(p+1)/(p+1)</c>.
/// Kuramoto-Sivashinsky is <c>{uu_{x}: -1, u_{xx}: -1, u_{xxxx}: -1}</c>. Not safe to use from several threads.</remarks>
public sealed class PeriodicEquation
{
    private readonly RealFourierTransform _transform;
    private readonly (EvolutionTerm Term, double Coefficient)[] _products;
    private readonly double[] _field, _work, _derivative, _flux, _source; // the last two: coefficients of polynomials in u
    private readonly Complex[] _slope, _spectrum; // i k

    /// <summary>The equation on <paramref name="points"/> equally spaced points of a period.</summary>
    public PeriodicEquation(int points, double period, IEnumerable<(EvolutionTerm Term, double Coefficient)> terms)
    {
        if (!(period > 0)) throw new ArgumentOutOfRangeException(nameof(period), period, "a period is positive");
        (Points, Period) = (points, period);
        (EvolutionTerm Term, double Coefficient)[] all = [.. terms.Where(t => t.Coefficient != 0)];
        _transform = new RealFourierTransform(points);
        (_field, _work, _derivative) = (new double[points], new double[points], new double[points]);
        _spectrum = new Complex[_transform.Modes];
        _slope = [.. Spectra.WaveNumbers(points, period).Select(k => new Complex(0, k))];
        Symbol = new Complex[_transform.Modes];
        foreach ((EvolutionTerm term, double c) in all.Where(t => t.Term.IsLinear))
            for (int k = 0; k < Symbol.Length; k++) Symbol[k] += c * Power(_slope[k], term.Order);
        var polynomials = all.Where(t => !t.Term.IsLinear).ToLookup(t => t.Term.Order);
        int degree = all.Select(t => t.Term.Power + 1).DefaultIfEmpty(0).Max();
        (_flux, _source) = (new double[degree + 1], new double[degree + 1]);
        foreach ((EvolutionTerm term, double c) in polynomials[0]) _source[term.Power] += c;
        foreach ((EvolutionTerm term, double c) in polynomials[1]) _flux[term.Power + 1] += c / (term.Power + 1);
        _products = [.. all.Where(t => !t.Term.IsLinear && t.Term.Order > 1)];
    }

    public int Points { get; }

    public double Period { get; }

    /// <summary>The linear part, one number a mode [points/2 + 1].</summary>
    public Complex[] Symbol { get; }

    /// <summary>Spectrum of the part that is not linear.</summary>
    public void Nonlinear(ReadOnlySpan<Complex> state, Span<Complex> rate)
    {
        rate.Clear();
        _transform.Inverse(state, _field);
        if (_flux.Any(c => c != 0))
        {
            Polynomial(_flux, _work);
            _transform.Forward(_work, rate);
            for (int k = 0; k < rate.Length; k++) rate[k] *= _slope[k];
        }
        if (_products.Length == 0 && _source.All(c => c == 0)) return;
        Polynomial(_source, _work);
        foreach ((EvolutionTerm term, double c) in _products)
        {
            for (int k = 0; k < _spectrum.Length; k++) _spectrum[k] = state[k] * Power(_slope[k], term.Order);
            _transform.Inverse(_spectrum, _derivative);
            for (int i = 0; i < _work.Length; i++) _work[i] += c * Power(_field[i], term.Power) * _derivative[i];
        }
        _transform.Forward(_work, _spectrum);
        for (int k = 0; k < rate.Length; k++) rate[k] += _spectrum[k];
    }

    /// <summary>Runs the equation with <see cref="ExponentialTimeDifferencing"/> and hands out the field after the wanted steps, counted from 1.</summary>
    public void Run(ReadOnlySpan<double> start, double step, long steps, Func<long, bool> wanted, Action<long, double[]> take, CancellationToken stop = default)
    {
        var solver = new ExponentialTimeDifferencing(Symbol, step, Nonlinear);
        var v = new Complex[_transform.Modes];
        _transform.Forward(start, v);
        for (long n = 1; n <= steps; n++)
        {
            if ((n & 1023) == 0) stop.ThrowIfCancellationRequested();
            solver.Advance(v);
            if (!wanted(n)) continue;
            double[] field = new double[Points];
            _transform.Inverse(v, field);
            take(n, field);
        }
    }

    /// <summary>The field one step of <see cref="CrankNicolsonAdamsBashforth"/> after two fields that are a step apart.</summary>
    public double[] OneStep(ReadOnlySpan<double> old, ReadOnlySpan<double> now, double step)
    {
        var solver = new CrankNicolsonAdamsBashforth(Symbol, step, Nonlinear);
        Complex[] a = new Complex[_transform.Modes], b = new Complex[_transform.Modes], c = new Complex[_transform.Modes];
        _transform.Forward(old, a);
        _transform.Forward(now, b);
        solver.Advance(a, b, c);
        double[] next = new double[Points];
        _transform.Inverse(c, next);
        return next;
    }

    private void Polynomial(double[] coefficients, double[] to)
    {
        for (int i = 0; i < to.Length; i++)
        {
            double sum = 0;
            for (int p = coefficients.Length - 1; p >= 0; p--) sum = (sum * _field[i]) + coefficients[p];
            to[i] = sum;
        }
    }

    private static Complex Power(Complex x, int n)
    {
        Complex y = Complex.One;
        for (int i = 0; i < n; i++) y *= x;
        return y;
    }

    private static double Power(double x, int n)
    {
        double y = 1;
        for (int i = 0; i < n; i++) y *= x;
        return y;
    }
}
