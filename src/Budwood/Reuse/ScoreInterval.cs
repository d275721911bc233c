using Budwood.Numbers.Random;

namespace Budwood.Reuse;

/// <summary>The mean of scores with the interval that resampling the examples gives.</summary>
public sealed record ScoreInterval(double Mean, double Low, double High, long Examples)
{
    /// <summary>Resamples the examples with replacement; scores of one value are counted, so that a test set of 50,000 yes and no costs no more than one of 50.</summary>
    /// <param name="scores">Values with how many examples have each.</param>
    /// <param name="level">Share of resampled means that the interval holds.</param>
    public static ScoreInterval Of(IReadOnlyList<(double Score, long Count)> scores, int resamples, double level, RandomStream random)
    {
        (double Score, long Count)[] values = [.. scores.GroupBy(s => s.Score).Select(g => (g.Key, g.Sum(s => s.Count))).Where(v => v.Item2 > 0).OrderBy(v => v.Key)];
        long n = values.Sum(v => v.Count);
        double mean = values.Sum(v => v.Score * v.Count) / n;
        double[] means = new double[resamples];
        for (int r = 0; r < resamples; r++)
        {
            // A resample is one draw of a multinomial: binomials, value after value, of what is left.
            (long left, long among, double sum) = (n, n, 0);
            foreach ((double score, long count) in values)
            {
                long drawn = count == among ? left : Binomial(left, count / (double)among, random);
                sum += drawn * score;
                (left, among) = (left - drawn, among - count);
            }
            means[r] = sum / n;
        }
        Array.Sort(means);
        return new ScoreInterval(mean, At(means, (1 - level) / 2), At(means, (1 + level) / 2), n);
    }

    private static double At(double[] sorted, double share)
    {
        double place = share * (sorted.Length - 1);
        int below = (int)place;
        return below + 1 >= sorted.Length ? sorted[^1] : sorted[below] + ((place - below) * (sorted[below + 1] - sorted[below]));
    }

    /// <summary>Successes among n tries of chance p, exactly: halves by the order statistic of a beta, down to few tries (Relles 1972).</summary>
    public static long Binomial(long n, double p, RandomStream random)
    {
        long successes = 0;
        while (n > 32)
        {
            // The middle one of n uniforms is beta distributed; it tells how many of them lie below p.
            long i = (n / 2) + 1;
            double middle = random.Beta(i, n + 1 - i);
            if (middle <= p)
            {
                successes += i;
                n -= i;
                p = (p - middle) / (1 - middle);
            }
            else
            {
                n = i - 1;
                p /= middle;
            }
        }
        for (; n > 0; n--) if (random.Uniform() < p) successes++;
        return successes;
    }
}
