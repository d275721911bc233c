using System.Numerics;

namespace Budwood.Simulate;

/// <summary>Second-order time steps for v' = c v + N(v): the linear part by the trapezoid rule, the nonlinear part extrapolated from two states.</summary>
/// <remarks>Crank-Nicolson and Adams-Bashforth: <c>(1 - h c/2) v' = (1 + h c/2) v + 3h/2 N(v) - h/2 N(v_old)</c>. The one-step model of paper 24, step 2; its
/// truncation error of order h^2 is part of every model error that is estimated with it.</remarks>
public sealed class CrankNicolsonAdamsBashforth
{
    private readonly Complex[] _forward, _backward, _rate;
    private readonly SpectralRate _nonlinear;

    /// <summary>Prepares steps of one length.</summary>
    /// <param name="symbol">c: the linear part, one number a mode [modes].</param>
    public CrankNicolsonAdamsBashforth(ReadOnlySpan<Complex> symbol, double step, SpectralRate nonlinear)
    {
        if (!(step > 0)) throw new ArgumentOutOfRangeException(nameof(step), step, "a time step is positive");
        (Step, _nonlinear) = (step, nonlinear);
        _forward = new Complex[symbol.Length];
        _backward = new Complex[symbol.Length];
        _rate = new Complex[symbol.Length];
        for (int k = 0; k < symbol.Length; k++) (_forward[k], _backward[k]) = (1 + (0.5 * step * symbol[k]), 1 - (0.5 * step * symbol[k]));
    }

    /// <summary>Length of a step.</summary>
    public double Step { get; }

    /// <summary>The state after the two given, which are one step apart.</summary>
    public void Advance(ReadOnlySpan<Complex> old, ReadOnlySpan<Complex> now, Span<Complex> next)
    {
        _nonlinear(now, _rate);
        for (int k = 0; k < _rate.Length; k++) next[k] = (_forward[k] * now[k]) + (1.5 * Step * _rate[k]);
        _nonlinear(old, _rate);
        for (int k = 0; k < _rate.Length; k++) next[k] = (next[k] - (0.5 * Step * _rate[k])) / _backward[k];
    }
}
