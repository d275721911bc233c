using System.Numerics;
using Budwood.Numbers.Special;

namespace Budwood.Simulate;

/// <summary>Writes the spectrum of the nonlinear part of an evolution equation for a given spectrum.</summary>
/// <param name="state">Spectrum of the state [modes].</param>
/// <param name="rate">Where the spectrum of the nonlinear rate goes [modes].</param>
public delegate void SpectralRate(ReadOnlySpan<Complex> state, Span<Complex> rate);

/// <summary>Fourth-order time steps for equations whose stiff part is linear and diagonal: v' = c v + N(v).</summary>
/// <remarks>Exponential time differencing, Runge-Kutta of order four (Cox and Matthews 2002), with coefficients by contour means (Kassam and Trefethen 2005, section
/// 2): the plain formulas lose all digits where h c is near 0. A step costs four evaluations of N. Not safe to use from several threads.</remarks>
public sealed class ExponentialTimeDifferencing
{
    /// <summary>Points of the circle of radius 1 around each h c over which coefficients are averaged: 32 give full accuracy.</summary>
    public const int ContourPoints = 32;

    private readonly SpectralRate _nonlinear;
    private readonly Complex[] _nv, _a, _na, _b, _nb, _c, _nc;

    /// <summary>Prepares steps of one length.</summary>
    /// <param name="symbol">c: the linear part, one number a mode [modes].</param>
    public ExponentialTimeDifferencing(ReadOnlySpan<Complex> symbol, double step, SpectralRate nonlinear)
    {
        if (!(step > 0)) throw new ArgumentOutOfRangeException(nameof(step), step, "a time step is positive");
        _nonlinear = nonlinear;
        int n = symbol.Length;
        Step = step;
        (E, E2, Q, F1, F2, F3) = (new Complex[n], new Complex[n], new Complex[n], new Complex[n], new Complex[n], new Complex[n]);
        (_nv, _a, _na, _b, _nb, _c, _nc) = (new Complex[n], new Complex[n], new Complex[n], new Complex[n], new Complex[n], new Complex[n], new Complex[n]);
        for (int k = 0; k < n; k++) Coefficients(k, step * symbol[k]);
    }

    /// <summary>Length of a step.</summary>
    public double Step { get; }

    /// <summary>exp(h c) [modes].</summary>
    public Complex[] E { get; }

    /// <summary>exp(h c / 2) [modes].</summary>
    public Complex[] E2 { get; }

    /// <summary>h (e^(z/2) - 1) / z at z = h c [modes].</summary>
    public Complex[] Q { get; }

    /// <summary>Weight of N(v) [modes].</summary>
    public Complex[] F1 { get; }

    /// <summary>Half the weight of the two middle evaluations [modes].</summary>
    public Complex[] F2 { get; }

    /// <summary>Weight of the last evaluation [modes].</summary>
    public Complex[] F3 { get; }

    /// <summary>Takes one step, in place (Kassam and Trefethen 2005, equations 26-29).</summary>
    public void Advance(Span<Complex> v)
    {
        int n = E.Length;
        _nonlinear(v, _nv);
        for (int k = 0; k < n; k++) _a[k] = (E2[k] * v[k]) + (Q[k] * _nv[k]);
        _nonlinear(_a, _na);
        for (int k = 0; k < n; k++) _b[k] = (E2[k] * v[k]) + (Q[k] * _na[k]);
        _nonlinear(_b, _nb);
        for (int k = 0; k < n; k++) _c[k] = (E2[k] * _a[k]) + (Q[k] * ((2 * _nb[k]) - _nv[k]));
        _nonlinear(_c, _nc);
        for (int k = 0; k < n; k++) v[k] = (E[k] * v[k]) + (F1[k] * _nv[k]) + (2 * F2[k] * (_na[k] + _nb[k])) + (F3[k] * _nc[k]);
    }

    private void Coefficients(int k, Complex center)
    {
        Complex q = 0, f1 = 0, f2 = 0, f3 = 0;
        for (int j = 0; j < ContourPoints; j++)
        {
            // Points lie between the axes; the full circle keeps the imaginary parts that dispersive terms need, and drops them where c is real.
            Complex z = center + Complex.FromPolarCoordinates(1, 2 * Math.PI * (j + 0.5) / ContourPoints), e = Complex.Exp(z), cube = z * z * z;
            q += Elementary.ExpM1(z / 2) / z;
            f1 += (-4 - z + (e * (4 - (3 * z) + (z * z)))) / cube;
            f2 += (2 + z + (e * (z - 2))) / cube;
            f3 += (-4 - (3 * z) - (z * z) + (e * (4 - z))) / cube;
        }
        double mean = Step / ContourPoints;
        bool real = center.Imaginary == 0;
        (Q[k], F1[k], F2[k], F3[k]) = (Mean(q), Mean(f1), Mean(f2), Mean(f3));
        (E[k], E2[k]) = (Complex.Exp(center), Complex.Exp(center / 2));

        Complex Mean(Complex sum) => real ? mean * sum.Real : mean * sum;
    }
}
