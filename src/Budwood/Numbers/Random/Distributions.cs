using Budwood.Numbers.Special;

namespace Budwood.Numbers.Random;

/// <summary>Draws from the usual distributions, out of a random stream.</summary>
public static class Distributions
{
    /// <summary>Exponential with mean 1.</summary>
    public static double Exponential(this RandomStream random) => -Math.Log(1 - random.Uniform()); // 1 - u lies in (0, 1]

    /// <summary>Gamma with scale 1 (Marsaglia and Tsang 2000); below shape 1 by the power of a uniform.</summary>
    public static double Gamma(this RandomStream random, double shape)
    {
        if (!(shape > 0)) throw new ArgumentOutOfRangeException(nameof(shape), shape, "the shape of a gamma distribution is positive");
        double factor = 1;
        if (shape < 1) (factor, shape) = (Math.Pow(1 - random.Uniform(), 1 / shape), shape + 1);
        double d = shape - (1.0 / 3), c = 1 / Math.Sqrt(9 * d);
        while (true)
        {
            double x = random.Normal(), root = 1 + (c * x), v = root * root * root, u = 1 - random.Uniform();
            if (root > 0 && Math.Log(u) < (0.5 * x * x) + d - (d * v) + (d * Math.Log(v))) return factor * d * v;
        }
    }

    /// <summary>Beta, as the share of one of two gamma variables.</summary>
    public static double Beta(this RandomStream random, double a, double b)
    {
        double x = random.Gamma(a), y = random.Gamma(b);
        return x / (x + y);
    }

    /// <summary>Number of independent tries up to and with the first success: 1, 2, ... (by inversion; at most 1e18).</summary>
    public static long Geometric(this RandomStream random, double success)
    {
        if (!(success is > 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(success), success, "a chance of success lies in (0, 1]");
        if (success == 1) return 1;
        // log(1 - p) near 0 has to be computed from p itself.
        return 1 + (long)Math.Min(1e18, Math.Floor(-random.Exponential() / Elementary.Log1P(-success)));
    }

    /// <summary>Shares that sum to 1; small concentrations give few large shares.</summary>
    public static void Dirichlet(this RandomStream random, double concentration, Span<double> into)
    {
        double sum = 0;
        for (int i = 0; i < into.Length; i++) sum += into[i] = random.Gamma(concentration);
        // Of very small concentrations all may underflow: then any one takes all.
        if (sum > 0) for (int i = 0; i < into.Length; i++) into[i] /= sum;
        else into[random.Below(into.Length)] = 1;
    }
}
