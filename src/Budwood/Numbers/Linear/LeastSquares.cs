namespace Budwood.Numbers.Linear;

/// <summary>Solutions of A X = B in the sense of least squares.</summary>
public static class LeastSquares
{
    /// <summary>Distance from 1 to the next float64.</summary>
    public const double Epsilon = 2.220446049250313e-16;

    /// <summary>The X [n, k] of smallest norm among those that minimise |A X - B|: the pseudo-inverse of A [m, n] times B [m, k].</summary>
    /// <remarks>Through the SVD (Golub and Van Loan 2013, section 5.5). Singular values up to <c>max(m, n) eps smax</c> count as zero: smaller ones are rounding,
    /// and dividing by them gives risks of 1e5 and more that are not statistical.</remarks>
    public static Matrix MinimumNorm(Matrix a, Matrix b)
    {
        Svd svd = Svd.Of(a);
        Matrix c = svd.U.TransposeTimes(b); // [r, k]
        double cut = Cut(a, svd.Values);
        for (int i = 0; i < svd.Values.Length; i++) Vectors.Scale(c.Row(i), svd.Values[i] > cut ? 1 / svd.Values[i] : 0);
        return svd.V * c;
    }

    /// <summary>The same for one right-hand side.</summary>
    public static double[] MinimumNorm(Matrix a, ReadOnlySpan<double> b) => MinimumNorm(a, new Matrix(b.Length, 1, b.ToArray())).Values;

    /// <summary>The x that minimises |A x - b| for A of full column rank, by Householder QR: a tenth of the cost of the SVD.</summary>
    public static double[] FullRank(Matrix a, ReadOnlySpan<double> b) => HouseholderQr.Of(a).Solve(b);

    /// <summary>The X that minimises |A X - B|^2 + penalty |X|^2; the smaller of the two Gram matrices is factored.</summary>
    /// <exception cref="ArithmeticException">The penalty is too small for a matrix of lower rank.</exception>
    public static Matrix Ridge(Matrix a, Matrix b, double penalty)
    {
        bool wide = a.Columns > a.Rows;
        Matrix gram = wide ? a.TimesTransposed(a) : a.Gram();
        for (int i = 0; i < gram.Rows; i++) gram[i, i] += penalty;
        // A'(AA' + penalty I)^-1 B = (A'A + penalty I)^-1 A'B
        return wide ? a.TransposeTimes(Cholesky.Of(gram).Solve(b)) : Cholesky.Of(gram).Solve(a.TransposeTimes(b));
    }

    /// <summary>Number of singular values above <c>max(m, n) eps smax</c>.</summary>
    public static int Rank(Matrix a)
    {
        Svd svd = Svd.Of(a);
        double cut = Cut(a, svd.Values);
        return svd.Values.Count(s => s > cut);
    }

    private static double Cut(Matrix a, double[] values) => values.Length == 0 ? 0 : Math.Max(a.Rows, a.Columns) * Epsilon * values[0];
}
