using Budwood.Numbers.Random;
using Budwood.Numbers.Special;

namespace Budwood.Evaluate;

/// <summary>How a chance of success is estimated from the number of tries that some successes took.</summary>
public enum PassUntilEstimator
{
    /// <summary>(r-1)/(K-1): right on average; needs two successes or more.</summary>
    Unbiased,

    /// <summary>r/K: the most likely value, about twice too large on average for two successes and small chances.</summary>
    Mle,
}

/// <summary>A chance of success with an interval that covers it in 95 of 100 cases, or as asked.</summary>
/// <param name="Censored">The tries ended before the wanted number of successes.</param>
public readonly record struct SuccessEstimate(double Value, double Low, double High, bool Censored);

/// <summary>Chances of success measured by trying until some successes are reached, which resolves chances far below one over the number of questions.</summary>
/// <remarks>Paper 29, step 1. The number of failures before the r-th success is negative binomial; (r-1)/(K-1) is the unbiased estimator of smallest variance
/// (Haldane 1945).</remarks>
public static class PassUntil
{
    /// <summary>Estimates a chance from tries and successes.</summary>
    /// <param name="tries">K: tries up to and with the last success counted, or all tries of a run that was cut off.</param>
    /// <param name="successes">Successes in them.</param>
    /// <param name="wanted">r: successes at which the run stops; fewer mean that it was cut off.</param>
    public static SuccessEstimate Estimate(long tries, long successes, long wanted, PassUntilEstimator estimator = PassUntilEstimator.Unbiased, double confidence = 0.95)
    {
        if (tries < 1 || successes < 0 || successes > tries || wanted < 1 || successes > wanted)
            throw new ArgumentException($"{successes} of {wanted} successes in {tries} tries is no run of trying until success");
        double tail = 0.5 * (1 - confidence);
        if (successes < wanted)
        {
            // A fixed number of tries: binomial, with the exact interval of Clopper and Pearson 1934. Without any success the bound is one-sided: -ln(0.05)/K.
            return successes == 0 ? new SuccessEstimate(0, 0, Math.Min(1, -Math.Log(1 - confidence) / tries), true)
                : new SuccessEstimate((double)successes / tries, Beta.Inverse(successes, tries - successes + 1, tail),
                    successes == tries ? 1 : Beta.Inverse(successes + 1, tries - successes, 1 - tail), true);
        }
        double value = estimator == PassUntilEstimator.Mle || wanted == 1 ? (double)wanted / tries : tries == 1 ? 1 : (wanted - 1.0) / (tries - 1);
        // K <= k where at least r of k tries succeed, K >= k where at most r-1 of k-1 do.
        return new SuccessEstimate(value, Beta.Inverse(wanted, tries - wanted + 1, tail), tries == wanted ? 1 : Beta.Inverse(wanted, tries - wanted, 1 - tail), false);
    }

    /// <summary>Upper bound of a chance that never showed in so many tries: -ln(0.05)/K at 95 percent.</summary>
    public static double UpperBoundWithoutSuccess(long tries, double confidence = 0.95) => -Math.Log(1 - confidence) / tries;

    /// <summary>What r/K is on average when the chance is p: how far the plain estimator is off.</summary>
    /// <remarks>r (p/q)^r times the integral of t^(r-1) (1-t)^-r up to q, by parts; directly as a sum where q is small.</remarks>
    public static double ExpectationOfMle(int wanted, double p)
    {
        if (wanted < 1 || !(p is > 0 and <= 1)) throw new ArgumentException($"no expectation for {wanted} successes at a chance of {p}");
        double q = 1 - p;
        if (q == 0) return 1;
        if (q < 0.5)
        {
            double sum = 0, weight = Math.Pow(p, wanted); // chance of K = k
            for (long k = wanted; k < wanted + 4000 && weight > 1e-18; k++)
            {
                sum += weight * wanted / k;
                weight *= q * k / (k - wanted + 1);
            }
            return sum;
        }
        double integral = -Math.Log(p), ratio = q / p;
        for (int r = 1; r < wanted; r++) integral = (Math.Pow(ratio, r) / r) - integral;
        return wanted * Math.Pow(p / q, wanted) * integral;
    }

    /// <summary>Mean chance over questions with an interval by resampling the questions.</summary>
    public static SuccessEstimate Mean(ReadOnlySpan<double> chances, RandomStream random, int resamples = 1000, double confidence = 0.95)
    {
        int n = chances.Length;
        if (n == 0) throw new ArgumentException("no questions to average over");
        double[] means = new double[resamples];
        for (int b = 0; b < resamples; b++)
        {
            double sum = 0;
            for (int i = 0; i < n; i++) sum += chances[random.Below(n)];
            means[b] = sum / n;
        }
        Array.Sort(means);
        double tail = 0.5 * (1 - confidence);
        return new SuccessEstimate(Numbers.Linear.Vectors.Mean(chances), Numbers.Linear.Vectors.Quantile(means, tail), Numbers.Linear.Vectors.Quantile(means, 1 - tail), false);
    }
}
