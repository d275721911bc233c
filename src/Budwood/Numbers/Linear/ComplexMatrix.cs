using System.Numerics;

namespace Budwood.Numbers.Linear;

/// <summary>A dense matrix of complex float64 values, stored row after row.</summary>
public sealed class ComplexMatrix
{
    /// <summary>A matrix of zeros.</summary>
    public ComplexMatrix(int rows, int columns) : this(rows, columns, new Complex[checked(rows * columns)])
    {
    }

    /// <summary>A matrix over values that are there already, row after row; they are not copied.</summary>
    public ComplexMatrix(int rows, int columns, Complex[] values)
    {
        if (rows < 0 || columns < 0 || values.Length != (long)rows * columns)
            throw new ArgumentException($"{values.Length} values are no {rows} x {columns} matrix");
        (Rows, Columns, Values) = (rows, columns, values);
    }

    public int Rows { get; }

    public int Columns { get; }

    /// <summary>All values, row after row.</summary>
    public Complex[] Values { get; }

    public ref Complex this[int row, int column] => ref Values[(row * Columns) + column];

    /// <summary>One row, to read or write.</summary>
    public Span<Complex> Row(int row) => Values.AsSpan(row * Columns, Columns);

    public static ComplexMatrix Identity(int n) => Of(n, n, (i, j) => i == j ? Complex.One : Complex.Zero);

    /// <summary>Fills a matrix from a formula of row and column.</summary>
    public static ComplexMatrix Of(int rows, int columns, Func<int, int, Complex> value)
    {
        var m = new ComplexMatrix(rows, columns);
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++) m[i, j] = value(i, j);
        return m;
    }

    public ComplexMatrix Copy() => new(Rows, Columns, (Complex[])Values.Clone());

    /// <summary>Conjugate transpose.</summary>
    public ComplexMatrix Adjoint() => Of(Columns, Rows, (i, j) => Complex.Conjugate(this[j, i]));

    public static ComplexMatrix operator *(ComplexMatrix a, ComplexMatrix b)
    {
        if (a.Columns != b.Rows) throw new ArgumentException($"no product of {a.Rows} x {a.Columns} and {b.Rows} x {b.Columns}");
        var c = new ComplexMatrix(a.Rows, b.Columns);
        for (int i = 0; i < a.Rows; i++)
        {
            Span<Complex> to = c.Row(i);
            for (int k = 0; k < a.Columns; k++)
            {
                Complex factor = a[i, k];
                ReadOnlySpan<Complex> row = b.Row(k);
                for (int j = 0; j < row.Length; j++) to[j] += factor * row[j];
            }
        }
        return c;
    }

    /// <summary>Matrix times vector.</summary>
    public static Complex[] operator *(ComplexMatrix a, ReadOnlySpan<Complex> x)
    {
        if (a.Columns != x.Length) throw new ArgumentException($"no product of {a.Rows} x {a.Columns} and a vector of {x.Length}");
        var y = new Complex[a.Rows];
        for (int i = 0; i < y.Length; i++)
        {
            ReadOnlySpan<Complex> row = a.Row(i);
            for (int j = 0; j < row.Length; j++) y[i] += row[j] * x[j];
        }
        return y;
    }

    /// <summary>Solves A X = B by elimination with partial pivoting (Golub and Van Loan 2013, algorithm 3.4.1).</summary>
    /// <exception cref="ArithmeticException">The matrix is singular.</exception>
    public ComplexMatrix Solve(ComplexMatrix b)
    {
        if (Rows != Columns || b.Rows != Rows) throw new ArgumentException($"no system of {Rows} x {Columns} with {b.Rows} right-hand rows");
        (ComplexMatrix a, ComplexMatrix x) = (Copy(), b.Copy());
        for (int k = 0; k < Rows; k++)
        {
            int pivot = k;
            for (int i = k + 1; i < Rows; i++) if (Complex.Abs(a[i, k]) > Complex.Abs(a[pivot, k])) pivot = i;
            if (!(Complex.Abs(a[pivot, k]) > 0)) throw new ArithmeticException($"a {Rows} x {Columns} matrix is singular: column {k} depends on those before it");
            Swap(a, k, pivot);
            Swap(x, k, pivot);
            for (int i = k + 1; i < Rows; i++)
            {
                Complex factor = a[i, k] / a[k, k];
                Subtract(factor, a.Row(k)[k..], a.Row(i)[k..]);
                Subtract(factor, x.Row(k), x.Row(i));
            }
        }
        for (int i = Rows - 1; i >= 0; i--)
        {
            Span<Complex> row = x.Row(i);
            for (int k = i + 1; k < Rows; k++) Subtract(a[i, k], x.Row(k), row);
            for (int j = 0; j < row.Length; j++) row[j] /= a[i, i];
        }
        return x;
    }

    private static void Subtract(Complex factor, ReadOnlySpan<Complex> from, Span<Complex> to)
    {
        for (int j = 0; j < from.Length; j++) to[j] -= factor * from[j];
    }

    private static void Swap(ComplexMatrix m, int i, int j)
    {
        if (i == j) return;
        Complex[] kept = m.Row(i).ToArray();
        m.Row(j).CopyTo(m.Row(i));
        kept.CopyTo(m.Row(j));
    }
}
