namespace Budwood.Numbers.Linear;

/// <summary>P A = L U with partial pivoting: solves square systems.</summary>
/// <remarks>Golub and Van Loan 2013, algorithm 3.4.1 (row-oriented); 2 n^3/3 operations.</remarks>
public sealed class LuDecomposition
{
    private readonly Matrix _lu;
    private readonly int[] _rows; // row of A that stands at each place
    private readonly int _sign;

    private LuDecomposition(Matrix lu, int[] rows, int sign) => (_lu, _rows, _sign) = (lu, rows, sign);

    /// <summary>Factors a square matrix; it is not changed.</summary>
    /// <exception cref="ArithmeticException">A pivot is zero: the matrix is singular.</exception>
    public static LuDecomposition Of(Matrix a)
    {
        if (a.Rows != a.Columns) throw new ArgumentException($"LU needs a square matrix, not {a.Size}");
        int n = a.Rows, sign = 1;
        Matrix lu = a.Copy();
        int[] rows = [.. Enumerable.Range(0, n)];
        double[] kept = new double[n];
        for (int k = 0; k < n; k++)
        {
            int pivot = k;
            for (int i = k + 1; i < n; i++) if (Math.Abs(lu[i, k]) > Math.Abs(lu[pivot, k])) pivot = i;
            if (!(Math.Abs(lu[pivot, k]) > 0)) throw new ArithmeticException($"a {a.Size} matrix is singular: column {k} depends on those before it");
            if (pivot != k)
            {
                lu.Row(k).CopyTo(kept);
                lu.Row(pivot).CopyTo(lu.Row(k));
                kept.CopyTo(lu.Row(pivot));
                (rows[k], rows[pivot], sign) = (rows[pivot], rows[k], -sign);
            }
            for (int i = k + 1; i < n; i++)
            {
                double factor = lu[i, k] /= lu[k, k];
                if (factor != 0) Vectors.Axpy(-factor, lu.Row(k)[(k + 1)..], lu.Row(i)[(k + 1)..]);
            }
        }
        return new LuDecomposition(lu, rows, sign);
    }

    /// <summary>Solves A x = b.</summary>
    public double[] Solve(ReadOnlySpan<double> b)
    {
        int n = _lu.Rows;
        double[] x = new double[n];
        for (int i = 0; i < n; i++) x[i] = b[_rows[i]] - Vectors.Dot(_lu.Row(i)[..i], x.AsSpan(0, i));
        for (int i = n - 1; i >= 0; i--) x[i] = (x[i] - Vectors.Dot(_lu.Row(i)[(i + 1)..], x.AsSpan(i + 1))) / _lu[i, i];
        return x;
    }

    /// <summary>Solves A X = B for all columns of B [n, k].</summary>
    public Matrix Solve(Matrix b)
    {
        Matrix columns = b.Transposed();
        for (int j = 0; j < columns.Rows; j++) Solve(columns.Row(j)).CopyTo(columns.Row(j));
        return columns.Transposed();
    }

    public double Determinant()
    {
        double product = _sign;
        for (int i = 0; i < _lu.Rows; i++) product *= _lu[i, i];
        return product;
    }
}
