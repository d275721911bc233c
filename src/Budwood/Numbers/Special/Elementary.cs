using System.Numerics;

namespace Budwood.Numbers.Special;

/// <summary>Elementary functions near the points where their plain formulas lose digits.</summary>
public static class Elementary
{
    /// <summary>log(1 + x), accurate near 0.</summary>
    /// <remarks>Kahan's correction of log(u) by the rounding of u = 1 + x.</remarks>
    public static double Log1P(double x)
    {
        double u = 1 + x;
        return u == 1 ? x : double.IsInfinity(u) ? u : Math.Log(u) * x / (u - 1);
    }

    /// <summary>exp(x) - 1, accurate near 0.</summary>
    public static double ExpM1(double x)
    {
        if (Math.Abs(x) > 0.5) return Math.Exp(x) - 1;
        // 2 sinh(x/2) exp(x/2), with the odd series of sinh: no cancellation.
        double h = x / 2, square = h * h, term = h, sum = h;
        for (int k = 3; k < 21; k += 2) sum += term *= square / (k * (k - 1));
        return 2 * sum * Math.Exp(h);
    }

    /// <summary>exp(z) - 1, accurate near 0.</summary>
    public static Complex ExpM1(Complex z)
    {
        // e^a cos b - 1 = (e^a - 1) cos b - 2 sin(b/2)^2
        (double sin, double cos) = Math.SinCos(z.Imaginary);
        double half = Math.Sin(z.Imaginary / 2);
        return new Complex((ExpM1(z.Real) * cos) - (2 * half * half), Math.Exp(z.Real) * sin);
    }

    /// <summary>log(1 + exp(x)).</summary>
    public static double Softplus(double x) => x > 0 ? x + Log1P(Math.Exp(-x)) : Log1P(Math.Exp(x));

    /// <summary>log of the sum of exponentials.</summary>
    public static double LogSumExp(ReadOnlySpan<double> x)
    {
        double most = double.NegativeInfinity, sum = 0;
        foreach (double v in x) most = Math.Max(most, v);
        if (double.IsInfinity(most)) return most;
        foreach (double v in x) sum += Math.Exp(v - most);
        return most + Math.Log(sum);
    }
}
