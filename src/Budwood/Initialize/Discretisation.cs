using System.Numerics;
using Budwood.Numbers.Linear;
using Budwood.Numbers.Special;

namespace Budwood.Initialize;

/// <summary>How a continuous state space becomes steps of a sequence.</summary>
public enum DiscretisationRule
{
    /// <summary>Zero-order hold: exact for an input that is constant during a step.</summary>
    Zoh,

    /// <summary>The trapezoid rule (Tustin).</summary>
    Bilinear,

    /// <summary>Forward Euler.</summary>
    Euler,

    /// <summary>Backward Euler.</summary>
    Backward,
}

/// <summary>From x' = A x + B u to x_k = A' x_(k-1) + B' u_k.</summary>
public static class Discretisation
{
    /// <summary>Of a dense system: A [N, N], B [N].</summary>
    public static (Matrix A, double[] B) Dense(DiscretisationRule rule, Matrix a, ReadOnlySpan<double> b, double step)
    {
        int n = a.Rows;
        Matrix one = Matrix.Identity(n);
        double[] input = b.ToArray();
        switch (rule)
        {
            case DiscretisationRule.Zoh:
                {
                    // exp of [[A, B], [0, 0]] holds both parts, and does not need A to be invertible (Van Loan 1978).
                    Matrix block = MatrixExponential.Of(Matrix.Of(n + 1, n + 1, (i, j) => i == n ? 0 : step * (j == n ? input[i] : a[i, j])));
                    return (Matrix.Of(n, n, (i, j) => block[i, j]), [.. Enumerable.Range(0, n).Select(i => block[i, n])]);
                }

            case DiscretisationRule.Bilinear:
                {
                    var lu = LuDecomposition.Of(one - (0.5 * step * a));
                    return (lu.Solve(one + (0.5 * step * a)), [.. lu.Solve(input).Select(v => step * v)]);
                }

            case DiscretisationRule.Backward:
                {
                    var lu = LuDecomposition.Of(one - (step * a));
                    return (lu.Solve(one), [.. lu.Solve(input).Select(v => step * v)]);
                }

            default:
                return (one + (step * a), [.. input.Select(v => step * v)]);
        }
    }

    /// <summary>Of one mode of a diagonal system.</summary>
    public static (Complex A, Complex B) Diagonal(DiscretisationRule rule, Complex a, Complex b, double step)
    {
        Complex z = step * a;
        return rule switch
        {
            DiscretisationRule.Zoh => (Complex.Exp(z), b * HeldInput(z, step)),
            DiscretisationRule.Bilinear => ((1 + (z / 2)) / (1 - (z / 2)), step * b / (1 - (z / 2))),
            DiscretisationRule.Backward => (1 / (1 - z), step * b / (1 - z)),
            _ => (1 + z, step * b),
        };
    }

    /// <summary>log of the discrete A, whose multiples are the exponents of the kernel.</summary>
    public static Complex Exponent(DiscretisationRule rule, Complex a, double step)
    {
        Complex z = step * a;
        return rule == DiscretisationRule.Zoh ? z : Complex.Log(Diagonal(rule, a, 1, step).A);
    }

    // (e^z - 1)/A; the step itself at A = 0.
    private static Complex HeldInput(Complex z, double step) => z == Complex.Zero ? step : step * Elementary.ExpM1(z) / z;
}
