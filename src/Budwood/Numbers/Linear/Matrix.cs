namespace Budwood.Numbers.Linear;

/// <summary>A dense matrix of float64 values, stored row after row.</summary>
public sealed class Matrix
{
    /// <summary>A matrix of zeros.</summary>
    public Matrix(int rows, int columns) : this(rows, columns, new double[checked(rows * columns)])
    {
    }

    /// <summary>A matrix over values that are there already, row after row; they are not copied.</summary>
    public Matrix(int rows, int columns, double[] values)
    {
        if (rows < 0 || columns < 0 || values.Length != (long)rows * columns)
            throw new ArgumentException($"{values.Length} values are no {rows} x {columns} matrix");
        (Rows, Columns, Values) = (rows, columns, values);
    }

    public int Rows { get; }

    public int Columns { get; }

    /// <summary>All values, row after row.</summary>
    public double[] Values { get; }

    public ref double this[int row, int column] => ref Values[(row * Columns) + column];

    /// <summary>One row, to read or write.</summary>
    public Span<double> Row(int row) => Values.AsSpan(row * Columns, Columns);

    /// <summary>A copy of one column.</summary>
    public double[] Column(int column)
    {
        double[] values = new double[Rows];
        for (int i = 0; i < Rows; i++) values[i] = this[i, column];
        return values;
    }

    public static Matrix Identity(int n) => Diagonal(Enumerable.Repeat(1.0, n).ToArray());

    /// <summary>A square matrix with these values on its diagonal.</summary>
    public static Matrix Diagonal(ReadOnlySpan<double> values)
    {
        var d = new Matrix(values.Length, values.Length);
        for (int i = 0; i < values.Length; i++) d[i, i] = values[i];
        return d;
    }

    /// <summary>Fills a matrix from a formula of row and column.</summary>
    public static Matrix Of(int rows, int columns, Func<int, int, double> value)
    {
        var m = new Matrix(rows, columns);
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++) m[i, j] = value(i, j);
        return m;
    }

    public Matrix Copy() => new(Rows, Columns, (double[])Values.Clone());

    public Matrix Transposed()
    {
        var t = new Matrix(Columns, Rows);
        for (int i = 0; i < Rows; i++)
            for (int j = 0; j < Columns; j++) t.Values[(j * Rows) + i] = Values[(i * Columns) + j];
        return t;
    }

    /// <summary>Some of the columns, in the order given.</summary>
    public Matrix TakeColumns(ReadOnlySpan<int> columns)
    {
        var m = new Matrix(Rows, columns.Length);
        for (int i = 0; i < Rows; i++)
            for (int j = 0; j < columns.Length; j++) m[i, j] = this[i, columns[j]];
        return m;
    }

    /// <summary>Some of the rows, in the order given.</summary>
    public Matrix TakeRows(ReadOnlySpan<int> rows)
    {
        var m = new Matrix(rows.Length, Columns);
        for (int i = 0; i < rows.Length; i++) Row(rows[i]).CopyTo(m.Row(i));
        return m;
    }

    /// <summary>Matrix product; each element is a sum in the order of the inner index.</summary>
    public static Matrix operator *(Matrix a, Matrix b)
    {
        if (a.Columns != b.Rows) throw new ArgumentException($"no product of {a.Size} and {b.Size}");
        var c = new Matrix(a.Rows, b.Columns);
        for (int i = 0; i < a.Rows; i++)
        {
            Span<double> to = c.Row(i);
            ReadOnlySpan<double> from = a.Row(i);
            for (int k = 0; k < from.Length; k++) Vectors.Axpy(from[k], b.Row(k), to);
        }
        return c;
    }

    /// <summary>Matrix times vector.</summary>
    public static double[] operator *(Matrix a, ReadOnlySpan<double> x)
    {
        double[] y = new double[a.Rows];
        for (int i = 0; i < y.Length; i++) y[i] = Vectors.Dot(a.Row(i), x);
        return y;
    }

    public static Matrix operator *(double by, Matrix a)
    {
        Matrix m = a.Copy();
        Vectors.Scale(m.Values, by);
        return m;
    }

    public static Matrix operator +(Matrix a, Matrix b) => Sum(a, 1, b);

    public static Matrix operator -(Matrix a, Matrix b) => Sum(a, -1, b);

    private static Matrix Sum(Matrix a, double factor, Matrix b)
    {
        if (a.Rows != b.Rows || a.Columns != b.Columns) throw new ArgumentException($"no sum of {a.Size} and {b.Size}");
        Matrix m = a.Copy();
        Vectors.Axpy(factor, b.Values, m.Values);
        return m;
    }

    /// <summary><c>A' B</c> without forming the transpose.</summary>
    public Matrix TransposeTimes(Matrix b)
    {
        if (Rows != b.Rows) throw new ArgumentException($"no product of {Size} transposed and {b.Size}");
        var c = new Matrix(Columns, b.Columns);
        for (int k = 0; k < Rows; k++)
        {
            ReadOnlySpan<double> from = Row(k);
            for (int i = 0; i < from.Length; i++) Vectors.Axpy(from[i], b.Row(k), c.Row(i));
        }
        return c;
    }

    /// <summary><c>A' x</c>.</summary>
    public double[] TransposeTimes(ReadOnlySpan<double> x)
    {
        if (Rows != x.Length) throw new ArgumentException($"no product of {Size} transposed and a vector of {x.Length}");
        double[] y = new double[Columns];
        for (int k = 0; k < Rows; k++) Vectors.Axpy(x[k], Row(k), y);
        return y;
    }

    /// <summary><c>A B'</c>: inner products of rows.</summary>
    public Matrix TimesTransposed(Matrix b)
    {
        if (Columns != b.Columns) throw new ArgumentException($"no product of {Size} and {b.Size} transposed");
        var c = new Matrix(Rows, b.Rows);
        for (int i = 0; i < Rows; i++)
            for (int j = 0; j < b.Rows; j++) c[i, j] = Vectors.Dot(Row(i), b.Row(j));
        return c;
    }

    /// <summary><c>A' A</c>, exactly symmetric.</summary>
    public Matrix Gram()
    {
        var c = new Matrix(Columns, Columns);
        for (int k = 0; k < Rows; k++)
        {
            ReadOnlySpan<double> row = Row(k);
            for (int i = 0; i < row.Length; i++) Vectors.Axpy(row[i], row[i..], c.Row(i)[i..]);
        }
        for (int i = 0; i < Columns; i++)
            for (int j = 0; j < i; j++) c[i, j] = c[j, i];
        return c;
    }

    /// <summary>Square root of the sum of squares.</summary>
    public double FrobeniusNorm() => Vectors.Norm(Values);

    /// <summary>Largest sum of absolute values over the columns.</summary>
    public double OneNorm()
    {
        double[] sums = new double[Columns];
        for (int i = 0; i < Rows; i++)
            for (int j = 0; j < Columns; j++) sums[j] += Math.Abs(this[i, j]);
        return sums.Length == 0 ? 0 : sums.Max();
    }

    internal string Size => $"{Rows} x {Columns}";
}
