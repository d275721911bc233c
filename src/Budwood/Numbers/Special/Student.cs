namespace Budwood.Numbers.Special;

/// <summary>Student's t distribution.</summary>
public static class Student
{
    /// <summary>The t below which a variable with these degrees of freedom stays with chance p.</summary>
    public static double Quantile(double p, double freedom)
    {
        if (!(p is > 0 and < 1) || !(freedom > 0)) return double.NaN;
        if (p < 0.5) return -Quantile(1 - p, freedom);
        // The share f/(f + t^2) has a beta distribution (Abramowitz and Stegun 1964, 26.7.1).
        double share = Beta.Inverse(0.5 * freedom, 0.5, 2 * (1 - p));
        return Math.Sqrt(freedom * (1 - share) / share);
    }
}
