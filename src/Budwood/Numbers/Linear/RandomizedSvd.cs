using Budwood.Numbers.Random;

namespace Budwood.Numbers.Linear;

/// <summary>The leading singular values and directions of a large matrix, found from random combinations of its columns.</summary>
/// <remarks>Halko, Martinsson and Tropp, Finding structure with randomness (SIAM Review 2011), algorithms 4.4 and 5.1. 4 m n (rank + extra) (powers + 1)
/// operations. Directions of nearly equal singular values may mix; <see cref="Error"/> says how much of the matrix is left out.</remarks>
public sealed class RandomizedSvd
{
    private RandomizedSvd(Matrix u, double[] values, Matrix v, double error) => (U, Values, V, Error) = (u, values, v, error);

    /// <summary>Left directions as columns [m, rank].</summary>
    public Matrix U { get; }

    /// <summary>Singular values in descending order [rank].</summary>
    public double[] Values { get; }

    /// <summary>Right directions as columns [n, rank].</summary>
    public Matrix V { get; }

    /// <summary>Frobenius norm of what the terms found leave of the matrix, relative to the norm of the matrix.</summary>
    public double Error { get; }

    /// <summary>Decomposes a matrix [m, n].</summary>
    /// <param name="rank">How many terms are wanted.</param>
    /// <param name="random">Where the combinations come from: the same stream, the same result.</param>
    /// <param name="powers">Rounds of multiplication by A A': each sharpens the decay of the singular values; two suit weights of networks.</param>
    /// <param name="extra">Combinations beyond the rank (p of the paper, which recommends 5 to 10).</param>
    public static RandomizedSvd Of(Matrix a, int rank, RandomStream random, int powers = 2, int extra = 10)
    {
        int least = Math.Min(a.Rows, a.Columns);
        if (rank < 1 || rank > least) throw new ArgumentOutOfRangeException(nameof(rank), rank, $"a {a.Size} matrix has ranks from 1 to {least}");
        int width = Math.Min(rank + extra, least);
        var omega = new Matrix(a.Columns, width);
        for (int i = 0; i < omega.Values.Length; i++) omega.Values[i] = random.Normal();
        Matrix q = Basis(a * omega);
        for (int i = 0; i < powers; i++)
        {
            // Orthonormal at every half step, or rounding loses the smaller directions.
            q = Basis(a.TransposeTimes(q));
            q = Basis(a * q);
        }
        Svd small = Svd.Of(q.TransposeTimes(a)); // [width, n]
        int[] leading = [.. Enumerable.Range(0, rank)];
        double[] values = small.Values[..rank];
        double norm = a.FrobeniusNorm(), kept = Vectors.Norm(values);
        // |A - U S V'|^2 = |A|^2 - |S|^2, because U is a projection of A's columns.
        double error = norm == 0 ? 0 : Math.Sqrt(Math.Max(0, (norm - kept) * (norm + kept))) / norm;
        return new RandomizedSvd(q * small.U.TakeColumns(leading), values, small.V.TakeColumns(leading), error);
    }

    private static Matrix Basis(Matrix a) => HouseholderQr.Of(a).Q();
}
