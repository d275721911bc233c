using Budwood.Numbers.Linear;

namespace Budwood.Simulate;

/// <summary>What the relevance vector machine is compared with: least squares, and ridge regression whose small weights are cut round by round.</summary>
public static class SparseRegression
{
    /// <summary>Weights of all columns by least squares of smallest norm [p].</summary>
    public static double[] LeastSquaresWeights(Matrix x, ReadOnlySpan<double> y) => LeastSquares.MinimumNorm(x, y);

    /// <summary>Weights by sequentially thresholded ridge regression (Rudy, Brunton, Proctor and Kutz 2017, algorithm 1); cut columns have weight 0 [p].</summary>
    /// <param name="penalty">Ridge penalty for columns of unit length.</param>
    /// <param name="threshold">Weights below this, for columns of unit length, are cut.</param>
    /// <param name="rounds">Rounds of cutting and fitting again.</param>
    public static double[] ThresholdedRidge(Matrix x, ReadOnlySpan<double> y, double penalty, double threshold, int rounds = 10)
    {
        Matrix columns = x.Transposed();
        double[] lengths = new double[x.Columns];
        for (int j = 0; j < lengths.Length; j++)
        {
            lengths[j] = Vectors.Norm(columns.Row(j));
            if (lengths[j] > 0) Vectors.Scale(columns.Row(j), 1 / lengths[j]);
        }
        Matrix scaled = columns.Transposed(), target = new(y.Length, 1, y.ToArray());
        int[] kept = [.. Enumerable.Range(0, x.Columns).Where(j => lengths[j] > 0)];
        double[] w = Fit(scaled, target, kept, penalty);
        for (int round = 0; round < rounds; round++)
        {
            int[] staying = [.. kept.Where((_, i) => Math.Abs(w[i]) >= threshold)];
            if (staying.Length == kept.Length || staying.Length == 0) break;
            kept = staying;
            w = Fit(scaled, target, kept, penalty);
        }
        // The last fit is without penalty, so that the weights that stay are not shrunk.
        if (kept.Length > 0) w = LeastSquares.MinimumNorm(scaled.TakeColumns(kept), y);
        double[] weights = new double[x.Columns];
        for (int i = 0; i < kept.Length; i++) weights[kept[i]] = w[i] / lengths[kept[i]];
        return weights;
    }

    private static double[] Fit(Matrix x, Matrix y, int[] kept, double penalty) =>
        penalty > 0 ? LeastSquares.Ridge(x.TakeColumns(kept), y, penalty).Values : LeastSquares.MinimumNorm(x.TakeColumns(kept), y).Values;
}
