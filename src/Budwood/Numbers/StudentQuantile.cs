namespace Budwood.Numbers;

/// <summary>The 97.5 % quantile of Student's distribution: half the width of a 95 % interval, in standard errors.</summary>
public static class StudentQuantile
{
    /// <summary>The quantile for so many degrees of freedom, to 1e-10: the root of the distribution function, which is an elementary sum for whole numbers.</summary>
    public static double At975(int freedom)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(freedom);
        double low = 1.9, high = 13;
        for (int i = 0; i < 60; i++)
        {
            double middle = (low + high) / 2;
            if (Central(middle, freedom) < 0.95) low = middle;
            else high = middle;
        }
        return (low + high) / 2;
    }

    /// <summary>Probability of |T| at most t (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4).</summary>
    internal static double Central(double t, int freedom)
    {
        double angle = Math.Atan(t / Math.Sqrt(freedom)), cos = Math.Cos(angle), sin = Math.Sin(angle);
        if (freedom == 1) return 2 * angle / Math.PI;
        bool odd = freedom % 2 == 1;
        double term = odd ? cos : 1, sum = term;
        for (int k = odd ? 3 : 2; k <= freedom - 2; k += 2)
        {
            term *= cos * cos * (k - 1) / k;
            sum += term;
        }
        return odd ? 2 / Math.PI * (angle + (sin * sum)) : sin * sum;
    }
}
