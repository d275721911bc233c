using System.Numerics;
using Budwood.Numbers.Linear;
using Budwood.Numbers.Random;

namespace Budwood.Tests.Numbers.Linear;

public class ComplexMatrixTests
{
    private static ComplexMatrix Drawn(int rows, int columns, long seed)
    {
        var random = new RandomStream(seed, "complex");
        return ComplexMatrix.Of(rows, columns, (_, _) => new Complex(random.Normal(), random.Normal()));
    }

    private static void Near(ComplexMatrix a, ComplexMatrix b, double tolerance = 1e-12) =>
        Assert.True(a.Values.Zip(b.Values, (x, y) => (x - y).Magnitude).Max() <= tolerance * (1 + b.Values.Max(v => v.Magnitude)));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(9)]
    [InlineData(48)]
    public void Hermitian_eigenvectors_diagonalise_and_have_a_fixed_phase(int n)
    {
        ComplexMatrix x = Drawn(n, n, 1), a = ComplexMatrix.Of(n, n, (i, j) => x[i, j] + Complex.Conjugate(x[j, i]));
        HermitianEigen e = HermitianEigen.Of(a);
        ComplexMatrix v = e.Vectors, lambda = ComplexMatrix.Of(n, n, (i, j) => i == j ? e.Values[i] : 0);
        Near(v.Adjoint() * v, ComplexMatrix.Identity(n));
        Near(v * lambda * v.Adjoint(), a);
        Assert.Equal(e.Values.Order(), e.Values);
        for (int j = 0; j < n; j++) Assert.True(v[0, j].Real > 0 && Math.Abs(v[0, j].Imaginary) < 1e-14);
    }

    [Fact]
    public void Pauli_matrices()
    {
        HermitianEigen e = HermitianEigen.Of(new ComplexMatrix(2, 2, [0, -Complex.ImaginaryOne, Complex.ImaginaryOne, 0]));
        Assert.Equal([-1, 1], e.Values.Select(v => Math.Round(v, 14)));
        Assert.Equal(Math.Sqrt(0.5), e.Vectors[1, 1].Imaginary, 1e-14);
    }

    [Fact]
    public void Systems_are_solved()
    {
        ComplexMatrix a = Drawn(13, 13, 2), b = Drawn(13, 3, 3);
        Near(a * a.Solve(b), b);
        Assert.Throws<ArithmeticException>(() => new ComplexMatrix(2, 2).Solve(ComplexMatrix.Identity(2)));
    }
}
