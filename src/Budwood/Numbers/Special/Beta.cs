namespace Budwood.Numbers.Special;

/// <summary>The regularised incomplete beta function and its inverse: binomial tails, exact intervals for a proportion, Student's and Fisher's distributions.</summary>
/// <remarks>Continued fraction (Abramowitz and Stegun 1964, 26.5.8; modified Lentz evaluation, Thompson and Barnett 1986). Relative errors of about 1e-12.</remarks>
public static class Beta
{
    private const double Tiny = 1e-300;

    /// <summary>I_x(a, b): the chance that a beta variable stays below x.</summary>
    public static double Regularised(double a, double b, double x)
    {
        if (!(a > 0 && b > 0) || double.IsNaN(x)) return double.NaN;
        if (x <= 0) return 0;
        if (x >= 1) return 1;
        double front = Math.Exp((a * Math.Log(x)) + (b * Elementary.Log1P(-x)) - LogBeta(a, b));
        // The fraction converges fast on the side of the mean where x lies.
        return x < (a + 1) / (a + b + 2) ? front * Fraction(a, b, x) / a : 1 - (front * Fraction(b, a, 1 - x) / b);
    }

    /// <summary>The x with I_x(a, b) = p.</summary>
    public static double Inverse(double a, double b, double p)
    {
        if (!(p is >= 0 and <= 1)) return double.NaN;
        if (p is 0 or 1) return p;
        // In log x: chances of success near 1e-6 need relative, not absolute, accuracy.
        double log = Roots.Increasing(y => Regularised(a, b, Math.Exp(y)) - p, -700, 0);
        double x = Math.Exp(log);
        return x < 0.5 ? x : -Math.Exp(Roots.Increasing(y => Regularised(b, a, Math.Exp(y)) - (1 - p), -700, 0)) + 1;
    }

    /// <summary>log of the beta function.</summary>
    public static double LogBeta(double a, double b) => Gamma.Log(a) + Gamma.Log(b) - Gamma.Log(a + b);

    private static double Fraction(double a, double b, double x)
    {
        double c = 1, d = 1 - ((a + b) * x / (a + 1));
        d = 1 / (Math.Abs(d) < Tiny ? Tiny : d);
        double h = d;
        for (int m = 1; m < 100_000; m++)
        {
            double even = m * (b - m) * x / ((a + (2 * m) - 1) * (a + (2 * m)));
            double odd = -(a + m) * (a + b + m) * x / ((a + (2 * m)) * (a + (2 * m) + 1));
            double before = h;
            foreach (double term in (ReadOnlySpan<double>)[even, odd])
            {
                d = 1 + (term * d);
                d = 1 / (Math.Abs(d) < Tiny ? Tiny : d);
                c = 1 + (term / c);
                if (Math.Abs(c) < Tiny) c = Tiny;
                h *= c * d;
            }
            if (Math.Abs(h - before) <= 1e-16 * Math.Abs(h)) break;
        }
        return h;
    }
}
