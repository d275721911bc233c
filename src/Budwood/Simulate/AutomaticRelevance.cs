using Budwood.Numbers.Linear;

namespace Budwood.Simulate;

/// <summary>Sparse linear regression that decides by itself which columns matter: each weight has a prior of its own width, and columns whose width shrinks to
/// nothing are dropped.</summary>
/// <remarks>Automatic relevance determination on a given basis (Tipping 2001, equations 12-17; paper 24, step 5). Columns and target are standardised by population
/// standard deviations. A round costs p^3 with p columns left; X'X is formed once.</remarks>
public sealed class AutomaticRelevance
{
    private AutomaticRelevance(int[] support, double[] standardised, double[] weights, double[] alphas, double[] gammas, double[] deviations, double beta, int rounds) =>
        (Support, Standardised, Weights, Alphas, Gammas, Deviations, Beta, Rounds) = (support, standardised, weights, alphas, gammas, deviations, beta, rounds);

    /// <summary>Columns kept, in order.</summary>
    public int[] Support { get; }

    /// <summary>Posterior means for columns and target of deviation 1.</summary>
    public double[] Standardised { get; }

    /// <summary>Posterior means for the columns as given: the coefficients.</summary>
    public double[] Weights { get; }

    /// <summary>Precisions of the priors.</summary>
    public double[] Alphas { get; }

    /// <summary>How well the data determine each weight: 1 - alpha S_jj, from 0 to 1.</summary>
    public double[] Gammas { get; }

    /// <summary>Posterior standard deviations of <see cref="Standardised"/>.</summary>
    public double[] Deviations { get; }

    /// <summary>Precision of the noise in the standardised target.</summary>
    public double Beta { get; }

    /// <summary>Rounds until nothing changed.</summary>
    public int Rounds { get; }

    /// <summary>Fits y [n] by columns of X [n, p].</summary>
    /// <param name="alphaLimit">Columns whose precision reaches this are dropped: 100 in the paper. Lower means fewer terms.</param>
    /// <param name="tolerance">Ends when no precision changes by more.</param>
    /// <param name="rounds">Most rounds.</param>
    /// <exception cref="ArithmeticException">A column or the target is constant, or the columns left depend on each other.</exception>
    public static AutomaticRelevance Fit(Matrix x, ReadOnlySpan<double> y, double alphaLimit = 100, double tolerance = 0.1, int rounds = 3000)
    {
        int n = x.Rows, p = x.Columns;
        if (y.Length != n) throw new ArgumentException($"{y.Length} targets for {n} rows");
        Matrix columns = x.Transposed();
        double[] spread = new double[p], target = y.ToArray();
        double targetSpread = Standardise(target, "the target");
        for (int j = 0; j < p; j++) spread[j] = Standardise(columns.Row(j), $"column {j}");
        Matrix gram = columns.TimesTransposed(columns);
        double[] moments = columns * target;

        int[] kept = [.. Enumerable.Range(0, p)];
        double[] alpha = [.. Enumerable.Repeat(1e-6, p)];
        double beta = 1e-6;
        double[] mean = [], gamma = [], deviation = [];
        int round = 0;
        for (; round < rounds; round++)
        {
            var precision = Matrix.Of(kept.Length, kept.Length, (i, j) => (beta * gram[kept[i], kept[j]]) + (i == j ? alpha[i] : 0));
            Matrix s = Cholesky.Of(precision).Inverse();
            double[] moment = [.. kept.Select(j => moments[j])];
            mean = s * moment;
            Vectors.Scale(mean, beta); // m = beta S X'y
            gamma = new double[kept.Length];
            deviation = new double[kept.Length];
            double[] renewed = new double[kept.Length];
            for (int j = 0; j < kept.Length; j++)
            {
                gamma[j] = 1 - (alpha[j] * s[j, j]);
                deviation[j] = Math.Sqrt(s[j, j]);
                renewed[j] = gamma[j] / (mean[j] * mean[j]); // infinite for a mean of zero: dropped
            }
            double[] residual = (double[])target.Clone();
            for (int j = 0; j < kept.Length; j++) Vectors.Axpy(-mean[j], columns.Row(kept[j]), residual);
            beta = (n - Vectors.Sum(gamma)) / Vectors.Dot(residual, residual);

            int[] staying = [.. Enumerable.Range(0, kept.Length).Where(j => renewed[j] < alphaLimit)];
            if (staying.Length == 0) staying = [Enumerable.Range(0, kept.Length).MinBy(j => double.IsNaN(renewed[j]) ? double.PositiveInfinity : renewed[j])];
            double change = staying.Max(j => Math.Abs(renewed[j] - alpha[j]));
            // The posterior of this round stands for the columns that stay; it is not computed again without the others.
            (kept, alpha) = (Take(kept, staying), Take(renewed, staying));
            (mean, gamma, deviation) = (Take(mean, staying), Take(gamma, staying), Take(deviation, staying));
            if (change < tolerance && round > 1)
            {
                round++;
                break;
            }
        }
        double[] weights = [.. kept.Select((j, i) => mean[i] * targetSpread / spread[j])];
        return new AutomaticRelevance(kept, mean, weights, alpha, gamma, deviation, beta, round);
    }

    private static T[] Take<T>(T[] values, int[] at) => [.. at.Select(i => values[i])];

    private static double Standardise(Span<double> values, string what)
    {
        double mean = Vectors.Mean(values), deviation = Math.Sqrt(Vectors.Variance(values, less: 0));
        if (!(deviation > 0) || !double.IsFinite(deviation)) throw new ArithmeticException($"{what} is constant or not finite, so that it cannot be standardised");
        for (int i = 0; i < values.Length; i++) values[i] = (values[i] - mean) / deviation;
        return deviation;
    }
}
