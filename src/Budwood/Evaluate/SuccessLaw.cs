using Budwood.Numbers.Linear;

namespace Budwood.Evaluate;

/// <summary>How a chance of success grows with the size of a model: PU(N) = exp(-c N^-alpha).</summary>
/// <remarks>The task scaling law of paper 29, step 2: log(-log PU) is a straight line in log N. It assumes one dominant right answer and one exponent for all its
/// tokens; the length of the answer is inside c.</remarks>
public sealed record SuccessLaw(double C, double Alpha, StraightLine Line)
{
    /// <summary>log(-log p), the scale on which the law is straight; chances must lie inside (0, 1).</summary>
    public static double Scale(double chance) => Math.Log(-Math.Log(chance));

    /// <summary>Fits the law to chances at several sizes; chances of 0 and 1 are left out, as their place on the scale is infinite.</summary>
    /// <param name="weights">None for equal weights; inverse variances otherwise, see <see cref="Weights"/>.</param>
    /// <exception cref="ArithmeticException">Fewer than two sizes have a chance inside (0, 1).</exception>
    public static SuccessLaw Fit(ReadOnlySpan<double> sizes, ReadOnlySpan<double> chances, ReadOnlySpan<double> weights = default)
    {
        var (x, y, w) = (new List<double>(), new List<double>(), new List<double>());
        for (int i = 0; i < sizes.Length; i++)
        {
            if (!(chances[i] is > 0 and < 1)) continue;
            x.Add(Math.Log(sizes[i]));
            y.Add(Scale(chances[i]));
            w.Add(weights.IsEmpty ? 1 : weights[i]);
        }
        if (x.Distinct().Count() < 2) throw new ArithmeticException("the law needs chances of success between 0 and 1 at two sizes or more");
        StraightLine line = StraightLine.Fit(x.ToArray(), y.ToArray(), w.ToArray()); // log c - alpha log N
        return new SuccessLaw(Math.Exp(line.Intercept), -line.Slope, line);
    }

    /// <summary>The chance at a size.</summary>
    public double At(double size) => Math.Exp(-Math.Exp(Line.At(Math.Log(size))));

    /// <summary>Weights by the delta method: var(log(-log p)) is about var(p) / (p log p)^2.</summary>
    public static double[] Weights(ReadOnlySpan<double> chances, ReadOnlySpan<double> variances)
    {
        double[] w = new double[chances.Length];
        for (int i = 0; i < w.Length; i++)
        {
            double slope = chances[i] * Math.Log(chances[i]);
            w[i] = slope * slope / variances[i];
        }
        return w;
    }

    /// <summary>Prediction of the mean chance from one law for the mean (dataset level).</summary>
    /// <param name="chances">One row a question, one column a size.</param>
    public static SuccessLaw OfMeans(ReadOnlySpan<double> sizes, Matrix chances) => Fit(sizes, Means(chances));

    /// <summary>Mean chance at each size [sizes].</summary>
    public static double[] Means(Matrix chances)
    {
        double[] means = new double[chances.Columns];
        for (int j = 0; j < means.Length; j++) means[j] = Vectors.Mean(chances.Column(j));
        return means;
    }

    /// <summary>One law a question (instance level); null where a question has too few chances inside (0, 1).</summary>
    /// <remarks>The better predictor of the mean: a mixture of such curves is not such a curve (paper 29, step 3).</remarks>
    public static IReadOnlyList<SuccessLaw?> OfEach(ReadOnlySpan<double> sizes, Matrix chances)
    {
        var laws = new List<SuccessLaw?>();
        for (int i = 0; i < chances.Rows; i++)
        {
            int inside = 0;
            foreach (double p in chances.Row(i)) if (p is > 0 and < 1) inside++;
            laws.Add(inside >= 2 ? Fit(sizes, chances.Row(i)) : null);
        }
        return laws;
    }

    /// <summary>Mean of the predictions for single questions; a question without a law counts with its last measured chance.</summary>
    public static double PredictMean(IReadOnlyList<SuccessLaw?> laws, Matrix chances, double size)
    {
        double[] p = new double[laws.Count];
        for (int i = 0; i < p.Length; i++) p[i] = laws[i]?.At(size) ?? chances[i, chances.Columns - 1];
        return Vectors.Mean(p);
    }
}
