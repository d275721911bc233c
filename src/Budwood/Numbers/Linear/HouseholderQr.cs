namespace Budwood.Numbers.Linear;

/// <summary>A = Q R with orthonormal columns in Q and an upper triangle R, for matrices at least as tall as wide.</summary>
/// <remarks>Householder reflections (Golub and Van Loan, Matrix Computations, 2013, algorithm 5.2.1); 2 n^2 (m - n/3) operations. The diagonal of R may have
/// either sign. Backward stable: Q'Q = I to rounding whatever the condition of A.</remarks>
public sealed class HouseholderQr
{
    private readonly Matrix _columns; // [n, m]: A transposed, so that reflections run along memory; below the diagonal the reflection vectors
    private readonly double[] _diagonal; // [n]: of R
    private readonly double[] _factors; // [n]: 2 / |v|^2

    private HouseholderQr(Matrix columns, double[] diagonal, double[] factors) => (_columns, _diagonal, _factors) = (columns, diagonal, factors);

    /// <summary>Factors a matrix [m, n] with m >= n; it is not changed.</summary>
    public static HouseholderQr Of(Matrix a)
    {
        if (a.Rows < a.Columns) throw new ArgumentException($"QR needs at least as many rows as columns, not {a.Size}");
        Matrix t = a.Transposed();
        int n = a.Columns;
        double[] diagonal = new double[n], factors = new double[n];
        for (int k = 0; k < n; k++)
        {
            Span<double> v = t.Row(k)[k..];
            double norm = Vectors.Norm(v);
            if (norm == 0) continue;
            double alpha = v[0] > 0 ? -norm : norm; // away from v[0], so that nothing cancels
            diagonal[k] = alpha;
            v[0] -= alpha;
            factors[k] = -1 / (alpha * v[0]); // 2 / |v|^2, and |v|^2 = -2 alpha v0
            for (int j = k + 1; j < n; j++)
            {
                Span<double> x = t.Row(j)[k..];
                Vectors.Axpy(-factors[k] * Vectors.Dot(v, x), v, x);
            }
        }
        return new HouseholderQr(t, diagonal, factors);
    }

    /// <summary>The upper triangle [n, n].</summary>
    public Matrix R()
    {
        int n = _columns.Rows;
        return Matrix.Of(n, n, (i, j) => i > j ? 0 : i == j ? _diagonal[i] : _columns[j, i]);
    }

    /// <summary>The orthonormal columns [m, n].</summary>
    public Matrix Q()
    {
        (int n, int m) = (_columns.Rows, _columns.Columns);
        var q = new Matrix(n, m); // transposed while it grows
        for (int j = 0; j < n; j++)
        {
            q[j, j] = 1;
            for (int k = j; k >= 0; k--) Reflect(k, q.Row(j));
        }
        return q.Transposed();
    }

    /// <summary>The x that minimises |A x - b|, for A of full column rank.</summary>
    /// <exception cref="ArithmeticException">A column depends on the others to working precision.</exception>
    public double[] Solve(ReadOnlySpan<double> b)
    {
        (int n, int m) = (_columns.Rows, _columns.Columns);
        double[] y = b.ToArray();
        for (int k = 0; k < n; k++) Reflect(k, y);
        double most = _diagonal.Length == 0 ? 0 : _diagonal.Max(Math.Abs), least = Math.Max(m, n) * LeastSquares.Epsilon * most;
        double[] x = new double[n];
        for (int i = n - 1; i >= 0; i--)
        {
            if (Math.Abs(_diagonal[i]) <= least) throw new ArithmeticException($"column {i} of the least-squares problem depends on those before it");
            double sum = y[i];
            for (int j = i + 1; j < n; j++) sum -= _columns[j, i] * x[j];
            x[i] = sum / _diagonal[i];
        }
        return x;
    }

    private void Reflect(int k, Span<double> x)
    {
        ReadOnlySpan<double> v = _columns.Row(k)[k..];
        Span<double> part = x[k..];
        Vectors.Axpy(-_factors[k] * Vectors.Dot(v, part), v, part);
    }
}
