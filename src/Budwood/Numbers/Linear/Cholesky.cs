namespace Budwood.Numbers.Linear;

/// <summary>A = L L' for a symmetric positive definite matrix.</summary>
/// <remarks>Golub and Van Loan 2013, algorithm 4.2.1 by rows; n^3/3 operations. Only the lower half of A is read.</remarks>
public sealed class Cholesky
{
    private Cholesky(Matrix lower) => Lower = lower;

    /// <summary>The lower triangle [n, n]; zeros above.</summary>
    public Matrix Lower { get; }

    /// <summary>Factors a positive definite matrix.</summary>
    /// <exception cref="ArithmeticException">The matrix is not positive definite to working precision.</exception>
    public static Cholesky Of(Matrix a) =>
        TryOf(a) ?? throw new ArithmeticException($"a {a.Size} matrix is not positive definite to working precision");

    /// <summary>Factors a matrix, or says with null that it is not positive definite to working precision.</summary>
    public static Cholesky? TryOf(Matrix a)
    {
        if (a.Rows != a.Columns) throw new ArgumentException($"Cholesky needs a square matrix, not {a.Size}");
        int n = a.Rows;
        var l = new Matrix(n, n);
        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j < i; j++) l[i, j] = (a[i, j] - Vectors.Dot(l.Row(i)[..j], l.Row(j)[..j])) / l[j, j];
            double rest = a[i, i] - Vectors.Dot(l.Row(i)[..i], l.Row(i)[..i]);
            if (!(rest > 0)) return null;
            l[i, i] = Math.Sqrt(rest);
        }
        return new Cholesky(l);
    }

    /// <summary>Solves A x = b.</summary>
    public double[] Solve(ReadOnlySpan<double> b)
    {
        int n = Lower.Rows;
        double[] x = Forward(b);
        for (int i = n - 1; i >= 0; i--)
        {
            x[i] /= Lower[i, i];
            Vectors.Axpy(-x[i], Lower.Row(i)[..i], x);
        }
        return x;
    }

    /// <summary>Solves A X = B for all columns of B [n, k].</summary>
    public Matrix Solve(Matrix b)
    {
        Matrix columns = b.Transposed();
        for (int j = 0; j < columns.Rows; j++) Solve(columns.Row(j)).CopyTo(columns.Row(j));
        return columns.Transposed();
    }

    /// <summary>Solves L y = b: b in coordinates in which the covariance A is the identity.</summary>
    public double[] Forward(ReadOnlySpan<double> b)
    {
        double[] y = b.ToArray();
        for (int i = 0; i < y.Length; i++) y[i] = (y[i] - Vectors.Dot(Lower.Row(i)[..i], y.AsSpan(0, i))) / Lower[i, i];
        return y;
    }

    /// <summary>The inverse of A.</summary>
    public Matrix Inverse() => Solve(Matrix.Identity(Lower.Rows));

    /// <summary>log det A.</summary>
    public double LogDeterminant()
    {
        double sum = 0;
        for (int i = 0; i < Lower.Rows; i++) sum += Math.Log(Lower[i, i]);
        return 2 * sum;
    }
}
