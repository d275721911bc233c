using System.Numerics;

namespace Budwood.Numbers.Linear;

/// <summary>Real eigenvalues, smallest first, and orthonormal eigenvectors of a complex Hermitian matrix.</summary>
/// <remarks>Cyclic Jacobi rotations after a phase that makes the pivot real (Golub and Van Loan 2013, section 8.5). About 60 n^3 operations: meant for
/// state matrices of a few hundred modes. Errors are of the order of eps times the largest eigenvalue.</remarks>
public sealed class HermitianEigen
{
    private const int MostSweeps = 60;

    private HermitianEigen(double[] values, ComplexMatrix vectors) => (Values, Vectors) = (values, vectors);

    /// <summary>Eigenvalues in ascending order [n].</summary>
    public double[] Values { get; }

    /// <summary>Eigenvectors as columns [n, n]; in each the first entry above 1e-8 is real and positive, which fixes the free phase.</summary>
    public ComplexMatrix Vectors { get; }

    /// <summary>Decomposes a Hermitian matrix; only its lower half is read.</summary>
    public static HermitianEigen Of(ComplexMatrix matrix)
    {
        if (matrix.Rows != matrix.Columns) throw new ArgumentException($"eigenvalues need a square matrix, not {matrix.Rows} x {matrix.Columns}");
        int n = matrix.Rows;
        ComplexMatrix a = ComplexMatrix.Of(n, n, (i, j) => i > j ? matrix[i, j] : i < j ? Complex.Conjugate(matrix[j, i]) : matrix[i, i].Real);
        ComplexMatrix z = ComplexMatrix.Identity(n); // rows are conjugates of the eigenvectors
        double norm = 0;
        foreach (Complex v in a.Values) norm = double.Hypot(norm, Complex.Abs(v));
        if (!double.IsFinite(norm)) throw new ArithmeticException($"a {n} x {n} matrix has values that are not finite");
        for (int sweep = 0; sweep < MostSweeps; sweep++)
        {
            double off = 0;
            for (int p = 0; p < n; p++)
                for (int q = 0; q < p; q++) off = double.Hypot(off, Complex.Abs(a[p, q]));
            if (off <= LeastSquares.Epsilon * 0.01 * norm) break;
            for (int p = 0; p < n - 1; p++)
                for (int q = p + 1; q < n; q++) Rotate(a, z, p, q);
        }
        double[] d = new double[n];
        for (int i = 0; i < n; i++) d[i] = a[i, i].Real;
        int[] order = [.. Enumerable.Range(0, n).OrderBy(i => d[i])];
        var vectors = new ComplexMatrix(n, n);
        for (int j = 0; j < n; j++)
        {
            ReadOnlySpan<Complex> row = z.Row(order[j]);
            Complex phase = Phase(row);
            for (int i = 0; i < n; i++) vectors[i, j] = Complex.Conjugate(row[i] * phase);
        }
        return new HermitianEigen([.. order.Select(i => d[i])], vectors);
    }

    private static Complex Phase(ReadOnlySpan<Complex> v)
    {
        foreach (Complex x in v)
        {
            double size = Complex.Abs(x);
            if (size > 1e-8) return Complex.Conjugate(x) / size;
        }
        return Complex.One;
    }

    private static void Rotate(ComplexMatrix a, ComplexMatrix z, int p, int q)
    {
        double size = Complex.Abs(a[p, q]), pp = a[p, p].Real, qq = a[q, q].Real;
        if (size == 0) return;
        Complex phase = a[p, q] / size; // a_pq = size * phase
        double zeta = (qq - pp) / (2 * size), t = 1 / (Math.Abs(zeta) + double.Hypot(1, zeta));
        if (zeta < 0) t = -t;
        double c = 1 / double.Hypot(1, t), s = c * t;
        // Rows of J* A with J = [[c, s phase], [-s conj(phase), c]], then columns; the matrix stays Hermitian, so columns follow from rows.
        Combine(a.Row(p), a.Row(q), c, s * phase);
        Combine(z.Row(p), z.Row(q), c, s * phase);
        int n = a.Rows;
        for (int i = 0; i < n; i++)
        {
            if (i == p || i == q) continue;
            a[i, p] = Complex.Conjugate(a[p, i]);
            a[i, q] = Complex.Conjugate(a[q, i]);
        }
        a[p, p] = pp - (t * size);
        a[q, q] = qq + (t * size);
        a[p, q] = a[q, p] = Complex.Zero;
    }

    // (x, y) := (c x - s y, conj(s) x + c y)
    private static void Combine(Span<Complex> x, Span<Complex> y, double c, Complex s)
    {
        Complex other = Complex.Conjugate(s);
        for (int i = 0; i < x.Length; i++) (x[i], y[i]) = ((c * x[i]) - (s * y[i]), (other * x[i]) + (c * y[i]));
    }
}
