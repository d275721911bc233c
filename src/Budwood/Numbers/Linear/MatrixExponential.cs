namespace Budwood.Numbers.Linear;

/// <summary>exp(A) of a square matrix.</summary>
/// <remarks>Scaling and squaring with the diagonal Pade approximant of degree 13 (Higham, SIAM J. Matrix Anal. Appl. 2005): relative error of the order of eps times
/// the condition of the problem. About 2 (8 + squarings) n^3 operations.</remarks>
public static class MatrixExponential
{
    // Coefficients of the numerator of the [13/13] approximant; the denominator has alternating signs.
    private static readonly double[] s_pade =
    [
        64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000, 10559470521600, 670442572800, 33522128640, 1323241920,
        40840800, 960960, 16380, 182, 1,
    ];

    private const double Theta = 5.371920351148152; // largest norm for which degree 13 is accurate to 2^-53

    public static Matrix Of(Matrix a)
    {
        if (a.Rows != a.Columns) throw new ArgumentException($"an exponential needs a square matrix, not {a.Size}");
        double norm = a.OneNorm();
        if (!double.IsFinite(norm)) throw new ArithmeticException($"a {a.Size} matrix has values that are not finite");
        int squarings = norm > Theta ? (int)Math.Ceiling(Math.Log2(norm / Theta)) : 0;
        Matrix x = Math.ScaleB(1, -squarings) * a, x2 = x * x, x4 = x2 * x2, x6 = x4 * x2, one = Matrix.Identity(a.Rows);
        double[] b = s_pade;
        Matrix odd = x * ((x6 * ((b[13] * x6) + (b[11] * x4) + (b[9] * x2))) + (b[7] * x6) + (b[5] * x4) + (b[3] * x2) + (b[1] * one));
        Matrix even = (x6 * ((b[12] * x6) + (b[10] * x4) + (b[8] * x2))) + (b[6] * x6) + (b[4] * x4) + (b[2] * x2) + (b[0] * one);
        Matrix result = LuDecomposition.Of(even - odd).Solve(even + odd);
        for (int i = 0; i < squarings; i++) result *= result;
        return result;
    }
}
