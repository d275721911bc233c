namespace Budwood.Numbers.Special;

/// <summary>Zeros of monotone functions.</summary>
public static class Roots
{
    /// <summary>The zero of a function that rises from low to high; an end where it has the sign already.</summary>
    /// <remarks>Interpolation that halves the value kept at one end (the Illinois rule, Dowell and Jarratt 1971), with bisection where it is slow. Ends when the
    /// interval has no number inside, or the value is exactly zero.</remarks>
    public static double Increasing(Func<double, double> f, double low, double high)
    {
        double fl = f(low), fh = f(high);
        if (fl >= 0) return low;
        if (fh <= 0) return high;
        for (int i = 0; i < 400; i++)
        {
            double x = i % 3 == 2 ? low + (0.5 * (high - low)) : low - (fl * ((high - low) / (fh - fl)));
            if (!(x > low && x < high)) x = low + (0.5 * (high - low));
            if (x <= low || x >= high) break;
            double fx = f(x);
            if (fx == 0) return x;
            if (fx < 0) (low, fl, fh) = (x, fx, 0.5 * fh);
            else (high, fh, fl) = (x, fx, 0.5 * fl);
            if (high - low <= 2e-16 * Math.Max(Math.Abs(low), Math.Abs(high))) break;
        }
        return Math.Abs(fl) < Math.Abs(fh) ? low : high;
    }
}
