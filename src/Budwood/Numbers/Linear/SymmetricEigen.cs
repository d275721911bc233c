namespace Budwood.Numbers.Linear;

/// <summary>Eigenvalues, smallest first, and orthonormal eigenvectors of a symmetric matrix.</summary>
/// <remarks>Householder reduction to a tridiagonal, then QL steps with implicit shifts (Wilkinson and Reinsch, Handbook for Automatic Computation, 1971, II/2 and
/// II/3; Golub and Van Loan 2013, section 8.3). About 9 n^3 operations with vectors. Errors are of the order of eps times the largest eigenvalue.</remarks>
public sealed class SymmetricEigen
{
    private SymmetricEigen(double[] values, Matrix vectors) => (Values, Vectors) = (values, vectors);

    /// <summary>Eigenvalues in ascending order [n].</summary>
    public double[] Values { get; }

    /// <summary>Eigenvectors as columns [n, n], in the order of the values; the entry largest in size is positive.</summary>
    public Matrix Vectors { get; }

    /// <summary>Decomposes a symmetric matrix; only its lower half is read.</summary>
    /// <exception cref="ArithmeticException">A value is not finite, or no convergence after 50 steps for one eigenvalue.</exception>
    public static SymmetricEigen Of(Matrix a)
    {
        if (a.Rows != a.Columns) throw new ArgumentException($"eigenvalues need a square matrix, not {a.Size}");
        int n = a.Rows;
        if (!a.Values.All(double.IsFinite)) throw new ArithmeticException($"a {a.Size} matrix has values that are not finite");
        double[] d = new double[n], e = new double[n];
        Matrix z = Tridiagonal(a, d, e); // rows are the columns of Q, so that rotations run along memory
        Diagonalise(d, e, z);
        int[] order = [.. Enumerable.Range(0, n).OrderBy(i => d[i])];
        var vectors = new Matrix(n, n);
        for (int j = 0; j < n; j++)
        {
            ReadOnlySpan<double> v = z.Row(order[j]);
            double sign = Sign(v);
            for (int i = 0; i < n; i++) vectors[i, j] = sign * v[i];
        }
        return new SymmetricEigen([.. order.Select(i => d[i])], vectors);
    }

    /// <summary>f(A) = V f(values) V'.</summary>
    public Matrix Apply(Func<double, double> f)
    {
        Matrix scaled = Vectors.Copy();
        double[] g = [.. Values.Select(f)];
        for (int i = 0; i < scaled.Rows; i++)
            for (int j = 0; j < scaled.Columns; j++) scaled[i, j] *= g[j];
        return scaled.TimesTransposed(Vectors);
    }

    /// <summary>+1 or -1: the sign of the entry largest in size, the first among equals.</summary>
    internal static double Sign(ReadOnlySpan<double> v)
    {
        double most = 0;
        foreach (double x in v) if (Math.Abs(x) > Math.Abs(most)) most = x;
        return most < 0 ? -1 : 1;
    }

    private static Matrix Tridiagonal(Matrix a, double[] d, double[] e)
    {
        int n = a.Rows;
        Matrix m = Matrix.Of(n, n, (i, j) => i >= j ? a[i, j] : a[j, i]);
        double[] factors = new double[n], w = new double[n];
        for (int k = 0; k < n - 2; k++)
        {
            // Row k holds the same values as column k; the reflection vector stays in its place right of the diagonal.
            Span<double> v = m.Row(k)[(k + 1)..];
            double norm = Linear.Vectors.Norm(v);
            if (norm == 0) continue;
            double alpha = v[0] > 0 ? -norm : norm;
            e[k] = alpha;
            v[0] -= alpha;
            double factor = factors[k] = -1 / (alpha * v[0]);
            Span<double> p = w.AsSpan(k + 1, v.Length);
            for (int i = 0; i < p.Length; i++) p[i] = factor * Linear.Vectors.Dot(m.Row(k + 1 + i)[(k + 1)..], v);
            Linear.Vectors.Axpy(-0.5 * factor * Linear.Vectors.Dot(p, v), v, p);
            for (int i = 0; i < p.Length; i++)
            {
                Span<double> row = m.Row(k + 1 + i)[(k + 1)..];
                Linear.Vectors.Axpy(-v[i], p, row);
                Linear.Vectors.Axpy(-p[i], v, row);
            }
        }
        for (int i = 0; i < n; i++) d[i] = m[i, i];
        if (n > 1) e[n - 2] = m[n - 2, n - 1];
        Matrix q = Matrix.Identity(n); // transposed
        for (int j = 0; j < n; j++)
        {
            for (int k = Math.Min(j - 1, n - 3); k >= 0; k--)
            {
                if (factors[k] == 0) continue;
                ReadOnlySpan<double> v = m.Row(k)[(k + 1)..];
                Span<double> part = q.Row(j)[(k + 1)..];
                Linear.Vectors.Axpy(-factors[k] * Linear.Vectors.Dot(v, part), v, part);
            }
        }
        return q;
    }

    // T z = z diag(d): e[i] couples i and i + 1.
    private static void Diagonalise(double[] d, double[] e, Matrix z)
    {
        int n = d.Length;
        for (int l = 0; l < n; l++)
        {
            for (int step = 0; ; step++)
            {
                int m = l;
                while (m < n - 1 && Math.Abs(e[m]) > LeastSquares.Epsilon * 0.5 * (Math.Abs(d[m]) + Math.Abs(d[m + 1]))) m++;
                if (m == l) break;
                if (step == 50) throw new ArithmeticException($"eigenvalue {l} of a {n} x {n} matrix does not converge");
                // Wilkinson's shift: the eigenvalue of the leading 2 x 2 block that is nearer to d[l].
                double g = (d[l + 1] - d[l]) / (2 * e[l]), r = double.Hypot(g, 1);
                g = d[m] - d[l] + (e[l] / (g + Math.CopySign(r, g)));
                double s = 1, c = 1, p = 0;
                int i = m - 1;
                for (; i >= l; i--)
                {
                    double f = s * e[i], b = c * e[i];
                    r = double.Hypot(f, g);
                    e[i + 1] = r;
                    if (r == 0)
                    {
                        // Underflow: the block splits here.
                        d[i + 1] -= p;
                        e[m] = 0;
                        break;
                    }
                    (s, c) = (f / r, g / r);
                    g = d[i + 1] - p;
                    r = ((d[i] - g) * s) + (2 * c * b);
                    p = s * r;
                    d[i + 1] = g + p;
                    g = (c * r) - b;
                    Linear.Vectors.Rotate(z.Row(i), z.Row(i + 1), c, s);
                }
                if (r == 0 && i >= l) continue;
                d[l] -= p;
                e[l] = g;
                e[m] = 0;
            }
        }
    }
}
