using System.Numerics;

namespace Budwood.Initialize;

/// <summary>A diagonal state space of one channel in steps: its convolution kernel, and the recurrence that computes the same.</summary>
/// <remarks>Paper 01, steps 5-9. x_k = A x_(k-1) + B u_k, y_k = 2 Re(C x_k) + D u_k: the output at a step uses the state after the update.</remarks>
public sealed class DiagonalKernel
{
    private readonly Complex[] _a, _b, _exponents;

    /// <summary>Discretises modes A, B [N/2]; one step for all modes, or one a mode.</summary>
    public DiagonalKernel(ReadOnlySpan<Complex> a, ReadOnlySpan<Complex> b, ReadOnlySpan<double> steps, DiscretisationRule rule = DiscretisationRule.Zoh)
    {
        if (b.Length != a.Length || (steps.Length != 1 && steps.Length != a.Length)) throw new ArgumentException($"{a.Length} modes with {b.Length} inputs and {steps.Length} steps");
        (_a, _b, _exponents) = (new Complex[a.Length], new Complex[a.Length], new Complex[a.Length]);
        for (int n = 0; n < a.Length; n++)
        {
            double step = steps[steps.Length == 1 ? 0 : n];
            (_a[n], _b[n]) = Discretisation.Diagonal(rule, a[n], b[n], step);
            _exponents[n] = Discretisation.Exponent(rule, a[n], step);
        }
    }

    /// <summary>Discrete A [N/2].</summary>
    public IReadOnlyList<Complex> A => _a;

    /// <summary>Discrete B [N/2].</summary>
    public IReadOnlyList<Complex> B => _b;

    /// <summary>K_l = 2 Re sum of C B exp(l log A): a Vandermonde product, L N/2 operations.</summary>
    /// <param name="c">C [N/2].</param>
    public double[] Kernel(ReadOnlySpan<Complex> c, int length)
    {
        double[] k = new double[length];
        for (int n = 0; n < _a.Length; n++)
        {
            Complex weight = 2 * c[n] * _b[n];
            for (int l = 0; l < length; l++)
            {
                // The angle is a product of its own at every l: powers by multiplication lose the phase of fast modes.
                (double sin, double cos) = Math.SinCos(l * _exponents[n].Imaginary);
                k[l] += Math.Exp(l * _exponents[n].Real) * ((weight.Real * cos) - (weight.Imaginary * sin));
            }
        }
        return k;
    }

    /// <summary>Outputs of the recurrence; the state [N/2] is carried from call to call.</summary>
    public double[] Run(ReadOnlySpan<double> u, ReadOnlySpan<Complex> c, double d, Span<Complex> state)
    {
        double[] y = new double[u.Length];
        for (int t = 0; t < u.Length; t++)
        {
            double sum = 0;
            for (int n = 0; n < _a.Length; n++)
            {
                state[n] = (_a[n] * state[n]) + (_b[n] * u[t]);
                sum += (c[n].Real * state[n].Real) - (c[n].Imaginary * state[n].Imaginary);
            }
            y[t] = (2 * sum) + (d * u[t]);
        }
        return y;
    }

    /// <summary>States of the recurrence from a state of 0, real and imaginary parts side by side [T, N].</summary>
    public Numbers.Linear.Matrix States(ReadOnlySpan<double> u)
    {
        var states = new Numbers.Linear.Matrix(u.Length, 2 * _a.Length);
        var x = new Complex[_a.Length];
        for (int t = 0; t < u.Length; t++)
        {
            for (int n = 0; n < x.Length; n++)
            {
                x[n] = (_a[n] * x[n]) + (_b[n] * u[t]);
                (states[t, n], states[t, x.Length + n]) = (x[n].Real, x[n].Imaginary);
            }
        }
        return states;
    }

    /// <summary>Whether each mode stays below a share of the Nyquist frequency: step |Im A| / 2 pi below limit/2, whatever the sampling rate.</summary>
    public static bool[] BandLimit(ReadOnlySpan<Complex> a, double step, double limit)
    {
        bool[] keep = new bool[a.Length];
        for (int n = 0; n < keep.Length; n++) keep[n] = step * Math.Abs(a[n].Imaginary) / (2 * Math.PI) < limit / 2;
        return keep;
    }
}
