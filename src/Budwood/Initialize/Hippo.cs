using System.Numerics;
using Budwood.Numbers.Linear;
using Budwood.Numbers.Special;

namespace Budwood.Initialize;

/// <summary>Families of orthogonal functions whose coefficients a state space model of the HiPPO kind keeps up to date.</summary>
public enum HippoMeasure
{
    /// <summary>Legendre polynomials over all of the past, scaled.</summary>
    Legs,

    /// <summary>Legendre polynomials over a sliding window of length 2.</summary>
    Legt,

    /// <summary>The Legendre memory unit's form of the sliding window.</summary>
    Lmu,

    /// <summary>Laguerre polynomials.</summary>
    Lagt,

    /// <summary>Laguerre polynomials, tilted.</summary>
    Tlagt,

    /// <summary>The normal part of LegS: what S4D-LegS keeps.</summary>
    Legsd,

    /// <summary>Fourier series over a sliding window.</summary>
    Fourier,

    /// <summary>Fourier series at twice the speed.</summary>
    Fourier2,

    /// <summary>Fourier series with exponential decay.</summary>
    FourierDecay,

    /// <summary>Damped Fourier modes, diagonal but for signs.</summary>
    FourierDiag,
}

/// <summary>A state matrix as diagonal plus low rank: A = V (diag(Values) - P P*) V*, one of each conjugate pair kept.</summary>
/// <param name="Values">Eigenvalues with imaginary part up to 0, ascending by it [N/2].</param>
/// <param name="Vectors">Eigenvectors of the normal part as columns, first entry real and positive [N, N/2].</param>
/// <param name="B">V* B [N/2].</param>
/// <param name="P">V* P, a row a rank [rank, N/2].</param>
public sealed record NormalPlusLowRank(Complex[] Values, ComplexMatrix Vectors, Complex[] B, ComplexMatrix P);

/// <summary>State matrices of the HiPPO family (Gu et al. 2020, 2022), exactly as closed forms, and their normal plus low rank form.</summary>
public static class Hippo
{
    /// <summary>A [N, N] and B [N] of a measure.</summary>
    public static (Matrix A, double[] B) Transition(HippoMeasure measure, int n)
    {
        double[] r = [.. Enumerable.Range(0, n).Select(i => Math.Sqrt((2 * i) + 1))];
        double[] ones = [.. Enumerable.Repeat(1.0, n)];
        switch (measure)
        {
            case HippoMeasure.Legs:
                return (Matrix.Of(n, n, (i, k) => i > k ? -r[i] * r[k] : i == k ? -(i + 1) : 0), r);
            case HippoMeasure.Legt:
                return (Matrix.Of(n, n, (i, k) => -0.5 * r[i] * r[k] * (i >= k ? 1 : Sign(i - k))), [.. r.Select(v => v / 2)]);
            case HippoMeasure.Lmu:
                return (Matrix.Of(n, n, (i, k) => ((2 * i) + 1) * (i < k ? -1.0 : Sign(i - k + 1))), [.. Enumerable.Range(0, n).Select(i => Sign(i) * ((2 * i) + 1))]);
            case HippoMeasure.Lagt:
                return (Matrix.Of(n, n, (i, k) => i > k ? -1 : i == k ? -0.5 : 0), ones);
            case HippoMeasure.Tlagt:
                return (Matrix.Of(n, n, (i, k) => i >= k ? -1 : 0), ones);
            case HippoMeasure.Legsd:
                {
                    (Matrix a, double[] b) = Transition(HippoMeasure.Legs, n);
                    return (Matrix.Of(n, n, (i, k) => a[i, k] + (0.5 * b[i] * b[k])), [.. b.Select(v => v / 2)]);
                }
        }
        if (n % 2 != 0) throw new ArgumentException($"the Fourier measures come in pairs of states: {n} is odd");
        // b = (1, 0, sqrt 2, 0, sqrt 2, ...): the cosines; J turns cosine and sine of each frequency into each other.
        double[] basis = [.. Enumerable.Range(0, n).Select(i => i % 2 == 1 ? 0 : i == 0 ? 1 : Math.Sqrt(2))];
        double Turn(int i, int k) => i / 2 != k / 2 || i == k ? 0 : i < k ? -(i / 2) : i / 2;
        return measure switch
        {
            HippoMeasure.Fourier => (Matrix.Of(n, n, (i, k) => (Math.PI * Turn(i, k)) - (basis[i] * basis[k])), basis),
            HippoMeasure.Fourier2 => (Matrix.Of(n, n, (i, k) => 2 * ((Math.PI * Turn(i, k)) - (basis[i] * basis[k]))), [.. basis.Select(v => 2 * v)]),
            HippoMeasure.FourierDecay => (Matrix.Of(n, n, (i, k) => (Math.PI * Turn(i, k)) - (0.5 * basis[i] * basis[k])), [.. basis.Select(v => v / 2)]),
            HippoMeasure.FourierDiag => (Matrix.Of(n, n, (i, k) => (2 * Math.PI * Turn(i, k)) - (i == k ? 0.5 : 0)), basis),
            _ => throw new ArgumentOutOfRangeException(nameof(measure), measure, "no such measure"),
        };
    }

    /// <summary>Generalised Laguerre functions t^alpha-weighted with decay beta: A [N, N] and B [N], scaled to orthonormal states.</summary>
    public static (Matrix A, double[] B) GeneralisedLaguerre(int n, double alpha, double beta)
    {
        double[] scale = [.. Enumerable.Range(0, n).Select(i => Math.Exp(0.5 * (Gamma.Log(i + alpha + 1) - Gamma.Log(i + 1))))];
        double front = Math.Exp(-0.5 * Gamma.Log(1 - alpha)) * Math.Pow(beta, 0.5 * (1 - alpha));
        double[] b = new double[n];
        double binomial = 1; // (alpha + i over i)
        for (int i = 0; i < n; i++)
        {
            if (i > 0) binomial *= (alpha + i) / i;
            b[i] = front * binomial / scale[i];
        }
        return (Matrix.Of(n, n, (i, k) => (i > k ? -1 : i == k ? -0.5 * (1 + beta) : 0) * scale[k] / scale[i]), b);
    }

    /// <summary>P, a row a rank: A + P'P is a multiple of the identity plus a skew matrix.</summary>
    public static Matrix LowRank(HippoMeasure measure, int n)
    {
        double half = Math.Sqrt(0.5);
        return measure switch
        {
            HippoMeasure.Legs => Matrix.Of(1, n, (_, i) => Math.Sqrt(i + 0.5)),
            HippoMeasure.Legt => Matrix.Of(2, n, (row, i) => i % 2 != row ? half * Math.Sqrt((2 * i) + 1) : 0),
            HippoMeasure.Lagt => Matrix.Of(1, n, (_, _) => half),
            HippoMeasure.Fourier => Scaled(1),
            HippoMeasure.Fourier2 => Scaled(Math.Sqrt(2)),
            HippoMeasure.FourierDecay => Scaled(half),
            _ => throw new ArgumentOutOfRangeException(nameof(measure), measure, "this measure has no low-rank form here"),
        };

        Matrix Scaled(double by) => Matrix.Of(1, n, (_, i) => by * (i % 2 == 1 ? 0 : i == 0 ? 1 : Math.Sqrt(2)));
    }

    /// <summary>The normal plus low rank form for an even number of states, by a Hermitian solve of -i (A + P'P - c).</summary>
    /// <remarks>Never by a general eigensolver: the eigenvectors of A itself have a condition beyond 1e19 at 32 states.</remarks>
    public static NormalPlusLowRank Normal(HippoMeasure measure, int n)
    {
        if (n % 2 != 0 || n < 2) throw new ArgumentException($"conjugate pairs need an even number of states, not {n}");
        (Matrix a, double[] b) = Transition(measure, n);
        Matrix p = LowRank(measure, n), normal = a + p.TransposeTimes(p);
        double center = 0;
        for (int i = 0; i < n; i++) center += normal[i, i] / n;
        var skew = ComplexMatrix.Of(n, n, (i, k) => i == k ? 0 : new Complex(0, -0.5 * (normal[i, k] - normal[k, i])));
        HermitianEigen eigen = HermitianEigen.Of(skew);
        int kept = n / 2;
        Complex[] values = [.. eigen.Values.Take(kept).Select(w => new Complex(center, w))];
        var vectors = ComplexMatrix.Of(n, kept, (i, j) => eigen.Vectors[i, j]);
        if (Math.Abs(eigen.Values[kept - 1]) < 1e-10)
        {
            // Fourier measures have 0 twice, with a plane of eigenvectors: constant and unused state, as the peer pairs them.
            values[kept - 1] = center;
            for (int i = 0; i < n; i++) vectors[i, kept - 1] = i == 0 ? Math.Sqrt(0.5) : i == 1 ? new Complex(0, Math.Sqrt(0.5)) : 0;
        }
        ComplexMatrix adjoint = vectors.Adjoint();
        Complex[] vb = adjoint * (Complex[])[.. b.Select(v => new Complex(v, 0))];
        var vp = new ComplexMatrix(p.Rows, kept);
        for (int row = 0; row < p.Rows; row++) (adjoint * (Complex[])[.. p.Row(row).ToArray().Select(v => new Complex(v, 0))]).CopyTo(vp.Row(row));
        return new NormalPlusLowRank(values, vectors, vb, vp);
    }

    private static double Sign(int power) => power % 2 == 0 ? 1 : -1;
}
