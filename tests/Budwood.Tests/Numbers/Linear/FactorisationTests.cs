using Budwood.Numbers.Linear;
using Budwood.Numbers.Random;

namespace Budwood.Tests.Numbers.Linear;

public class FactorisationTests
{
    private static Matrix Drawn(int rows, int columns, long seed)
    {
        var random = new RandomStream(seed, "matrix");
        return Matrix.Of(rows, columns, (_, _) => random.Normal());
    }

    private static void Near(Matrix a, Matrix b, double tolerance = 1e-12) =>
        Assert.True((a - b).FrobeniusNorm() <= tolerance * (1 + b.FrobeniusNorm()), $"off by {(a - b).FrobeniusNorm():E2}");

    [Theory]
    [InlineData(1, 1)]
    [InlineData(7, 3)]
    [InlineData(40, 40)]
    [InlineData(129, 31)]
    public void QR_reconstructs_with_orthonormal_columns(int m, int n)
    {
        Matrix a = Drawn(m, n, 1);
        HouseholderQr qr = HouseholderQr.Of(a);
        (Matrix q, Matrix r) = (qr.Q(), qr.R());
        Near(q * r, a);
        Near(q.Gram(), Matrix.Identity(n));
        for (int i = 0; i < n; i++) for (int j = 0; j < i; j++) Assert.Equal(0, r[i, j]);
    }

    [Fact]
    public void Columns_of_hilbert_matrices_stay_orthonormal()
    {
        Matrix hilbert = Matrix.Of(12, 12, (i, j) => 1.0 / (i + j + 1)); // condition beyond 1e16
        Near(HouseholderQr.Of(hilbert).Q().Gram(), Matrix.Identity(12), 1e-14);
    }

    [Fact]
    public void Cholesky_and_LU_solve_and_agree_on_the_determinant()
    {
        Matrix x = Drawn(30, 12, 2), a = x.Gram();
        double[] b = Drawn(12, 1, 3).Values;
        Cholesky c = Cholesky.Of(a);
        LuDecomposition lu = LuDecomposition.Of(a);
        Near(c.Lower.TimesTransposed(c.Lower), a);
        double[] first = c.Solve(b), second = lu.Solve(b);
        for (int i = 0; i < 12; i++) Assert.Equal(first[i], second[i], 1e-10);
        Assert.Equal(Math.Log(lu.Determinant()), c.LogDeterminant(), 1e-9);
        Near(a * c.Inverse(), Matrix.Identity(12), 1e-10);
        Matrix square = Drawn(25, 25, 4);
        Near(square * LuDecomposition.Of(square).Solve(Matrix.Identity(25)), Matrix.Identity(25), 1e-11);
    }

    [Fact]
    public void What_cannot_be_factored_says_so()
    {
        Assert.Null(Cholesky.TryOf(Matrix.Diagonal([1, -1])));
        Assert.Throws<ArithmeticException>(() => Cholesky.Of(Matrix.Diagonal([1, 0])));
        Assert.Throws<ArithmeticException>(() => LuDecomposition.Of(new Matrix(3, 3)));
        Assert.Throws<ArithmeticException>(() => HouseholderQr.Of(Matrix.Of(5, 2, (i, _) => i)).Solve(new double[5]));
        Assert.Throws<ArithmeticException>(() => Svd.Of(Matrix.Diagonal([1, double.NaN])));
        Assert.Throws<ArgumentException>(() => HouseholderQr.Of(new Matrix(2, 3)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(20)]
    [InlineData(101)]
    public void Symmetric_eigenvectors_diagonalise(int n)
    {
        Matrix x = Drawn(n, n, 5), a = x + x.Transposed();
        SymmetricEigen e = SymmetricEigen.Of(a);
        Near(e.Vectors.Gram(), Matrix.Identity(n));
        Near(e.Vectors * Matrix.Diagonal(e.Values) * e.Vectors.Transposed(), a);
        Assert.Equal(e.Values.Order(), e.Values);
        Near(e.Apply(v => v * v), a * a);
    }

    [Fact]
    public void The_second_difference_has_its_known_spectrum()
    {
        const int N = 64;
        SymmetricEigen e = SymmetricEigen.Of(Matrix.Of(N, N, (i, j) => i == j ? 2 : Math.Abs(i - j) == 1 ? -1 : 0));
        for (int k = 0; k < N; k++) Assert.Equal(2 - (2 * Math.Cos(Math.PI * (k + 1) / (N + 1))), e.Values[k], 1e-13);
    }

    [Fact]
    public void Eigenvalues_of_equal_size_and_of_zero_are_found()
    {
        Assert.Equal([0, 0, 0], SymmetricEigen.Of(new Matrix(3, 3)).Values);
        SymmetricEigen e = SymmetricEigen.Of(Matrix.Of(5, 5, (_, _) => 1));
        Assert.Equal(5, e.Values[4], 1e-13);
        Near(e.Vectors.Gram(), Matrix.Identity(5));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(6, 4)]
    [InlineData(4, 6)]
    [InlineData(60, 60)]
    [InlineData(200, 17)]
    public void Singular_values_reconstruct(int m, int n)
    {
        Matrix a = Drawn(m, n, 6);
        Svd svd = Svd.Of(a);
        int r = Math.Min(m, n);
        Near(svd.Truncated(r), a);
        Near(svd.U.Gram(), Matrix.Identity(r));
        Near(svd.V.Gram(), Matrix.Identity(r));
        Assert.Equal(svd.Values.OrderDescending(), svd.Values);
    }

    [Fact]
    public void Small_singular_values_keep_their_digits()
    {
        double[] d = [1, 1e-4, 1e-8, 1e-12, 1e-16];
        Matrix q = HouseholderQr.Of(Drawn(5, 5, 7)).Q();
        // Scaled columns: the condition is one of scaling, which Jacobi rotations do not feel.
        double[] values = Svd.Of(q * Matrix.Diagonal(d)).Values;
        for (int i = 0; i < 5; i++) Assert.Equal(1, values[i] / d[i], 1e-12);
    }

    [Fact]
    public void Matrices_of_lower_rank_have_complete_bases()
    {
        Matrix a = Matrix.Of(8, 5, (i, j) => (i + 1) * (j + 1));
        Svd svd = Svd.Of(a);
        Near(svd.U.Gram(), Matrix.Identity(5));
        Assert.Equal(1, LeastSquares.Rank(a));
        Near(Svd.Of(new Matrix(4, 3)).U.Gram(), Matrix.Identity(3));
    }

    [Fact]
    public void Wide_matrices_take_the_other_way_with_the_same_accuracy()
    {
        const int N = Svd.JacobiLimit + 8;
        // Circulant: singular values are known from its symbol.
        Matrix a = Matrix.Of(N, N, (i, j) => ((i - j + N) % N) switch { 0 => 2, 1 => 1, _ => 0 });
        double[] known = [.. Enumerable.Range(0, N).Select(k => Math.Sqrt(5 + (4 * Math.Cos(2 * Math.PI * k / N)))).OrderDescending()];
        Svd svd = Svd.Of(a);
        for (int k = 0; k < N; k++) Assert.Equal(known[k], svd.Values[k], 1e-12);
        Near(svd.Truncated(N), a, 1e-11);
    }

    [Fact]
    public void Least_squares_of_minimum_norm_has_the_four_properties_of_penrose()
    {
        foreach (Matrix a in (Matrix[])[Drawn(9, 4, 8), Drawn(4, 9, 9), Drawn(9, 2, 10) * Drawn(2, 6, 11)])
        {
            Matrix x = LeastSquares.MinimumNorm(a, Matrix.Identity(a.Rows));
            Near(a * x * a, a);
            Near(x * a * x, x);
            Near((a * x).Transposed(), a * x);
            Near((x * a).Transposed(), x * a);
        }
    }

    [Fact]
    public void Ridge_is_the_same_from_both_gram_matrices_and_nears_least_squares()
    {
        Matrix a = Drawn(10, 6, 12), b = Drawn(10, 2, 13);
        Near(LeastSquares.Ridge(a, b, 0.7), LuDecomposition.Of(a.Gram() + (0.7 * Matrix.Identity(6))).Solve(a.TransposeTimes(b)));
        Matrix wide = a.Transposed(), c = Drawn(6, 2, 14);
        Near(LeastSquares.Ridge(wide, c, 0.7), LuDecomposition.Of(wide.Gram() + (0.7 * Matrix.Identity(10))).Solve(wide.TransposeTimes(c)));
        Near(LeastSquares.Ridge(a, b, 1e-12), LeastSquares.MinimumNorm(a, b), 1e-9);
        double[] x = LeastSquares.FullRank(a, b.Column(0));
        for (int i = 0; i < 6; i++) Assert.Equal(LeastSquares.MinimumNorm(a, b)[i, 0], x[i], 1e-12);
    }

    [Fact]
    public void Random_combinations_find_the_leading_terms_and_say_what_is_left()
    {
        Matrix a = Drawn(120, 8, 15) * Drawn(8, 90, 16) + (1e-3 * Drawn(120, 90, 17));
        RandomizedSvd few = RandomizedSvd.Of(a, 8, new RandomStream(3, "svd"));
        Svd all = Svd.Of(a);
        for (int i = 0; i < 8; i++) Assert.Equal(1, few.Values[i] / all.Values[i], 1e-9);
        Assert.Equal((a - all.Truncated(8)).FrobeniusNorm() / a.FrobeniusNorm(), few.Error, 1e-6);
        Assert.Equal(few.Values, RandomizedSvd.Of(a, 8, new RandomStream(3, "svd")).Values);
    }

    [Fact]
    public void Exponentials_of_nilpotent_rotating_and_large_matrices()
    {
        Near(MatrixExponential.Of(Matrix.Of(3, 3, (i, j) => j == i + 1 ? 1 : 0)), new Matrix(3, 3, [1, 1, 0.5, 0, 1, 1, 0, 0, 1]));
        Near(MatrixExponential.Of(new Matrix(2, 2, [0, -20, 20, 0])), new Matrix(2, 2, [Math.Cos(20), -Math.Sin(20), Math.Sin(20), Math.Cos(20)]));
        Matrix x = Drawn(6, 6, 18);
        Near(MatrixExponential.Of(x) * MatrixExponential.Of(-1 * x), Matrix.Identity(6), 1e-11);
    }

    [Fact]
    public void Lines_and_curves_are_recovered()
    {
        double[] x = [1, 2, 3, 4, 5], y = [.. x.Select(v => 2 - (0.5 * v))];
        StraightLine line = StraightLine.Fit(x, y);
        Assert.Equal((2, -0.5), (Math.Round(line.Intercept, 12), Math.Round(line.Slope, 12)));
        Assert.Equal(1, line.Determination, 1e-12);
        LevenbergMarquardt fit = LevenbergMarquardt.Fit((p, r) => { for (int i = 0; i < 5; i++) r[i] = (p[0] * Math.Exp(p[1] * x[i])) - (3 * Math.Exp(-0.4 * x[i])); }, 5, [1, 0]);
        Assert.Equal(3, fit.Parameters[0], 1e-8);
        Assert.Equal(-0.4, fit.Parameters[1], 1e-8);
        // Rosenbrock's valley as a sum of squares.
        fit = LevenbergMarquardt.Fit((p, r) => (r[0], r[1]) = (10 * (p[1] - (p[0] * p[0])), 1 - p[0]), 2, [-1.2, 1]);
        Assert.Equal(1, fit.Parameters[0], 1e-7);
    }
}
