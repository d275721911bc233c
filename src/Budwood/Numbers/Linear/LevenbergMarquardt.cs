namespace Budwood.Numbers.Linear;

/// <summary>Parameters that minimise a sum of squared residuals which depend on them smoothly.</summary>
/// <remarks>Levenberg 1944, Marquardt 1963; damping by the ratio of gain and prediction (Nielsen 1999). Derivatives by central differences.</remarks>
/// <param name="Parameters">Where the search ended.</param>
/// <param name="Squares">Sum of squares there.</param>
/// <param name="Steps">Steps taken.</param>
public sealed record LevenbergMarquardt(double[] Parameters, double Squares, int Steps)
{
    /// <summary>Searches from a start.</summary>
    /// <param name="residuals">Writes the residuals for parameters; values that are not finite make a step fail.</param>
    /// <param name="count">Number of residuals.</param>
    public static LevenbergMarquardt Fit(Action<double[], double[]> residuals, int count, ReadOnlySpan<double> start, int mostSteps = 400)
    {
        double[] p = start.ToArray(), r = new double[count], trial = new double[p.Length], tried = new double[count];
        residuals(p, r);
        double squares = Vectors.Dot(r, r), damping = 1e-3, growth = 2;
        if (!double.IsFinite(squares)) return new LevenbergMarquardt(p, double.PositiveInfinity, 0);
        int step = 0;
        for (; step < mostSteps && squares > 0; step++)
        {
            Matrix j = Jacobian(residuals, count, p);
            Matrix normal = j.Gram();
            double[] gradient = j.TransposeTimes(r);
            if (gradient.Max(Math.Abs) <= 1e-16 * squares) break;
            bool moved = false;
            for (int attempt = 0; attempt < 40 && !moved; attempt++)
            {
                Matrix damped = normal.Copy();
                for (int i = 0; i < p.Length; i++) damped[i, i] += damping * Math.Max(normal[i, i], 1e-12);
                double[]? move = Cholesky.TryOf(damped)?.Solve(gradient);
                double better = double.PositiveInfinity, predicted = 0;
                if (move is not null)
                {
                    for (int i = 0; i < p.Length; i++)
                    {
                        trial[i] = p[i] - move[i];
                        predicted += move[i] * ((damping * Math.Max(normal[i, i], 1e-12) * move[i]) + gradient[i]);
                    }
                    residuals(trial, tried);
                    better = Vectors.Dot(tried, tried);
                }
                if (better <= squares)
                {
                    double gain = predicted > 0 ? (squares - better) / predicted : 0;
                    damping *= Math.Max(1.0 / 3, 1 - Math.Pow((2 * gain) - 1, 3));
                    growth = 2;
                    moved = true;
                    bool still = squares - better <= 1e-15 * squares && Still(p, trial);
                    (squares, p, trial, r, tried) = (better, trial, p, tried, r);
                    if (still) return new LevenbergMarquardt(p, squares, step + 1);
                }
                else
                {
                    damping *= growth;
                    growth *= 2;
                }
            }
            if (!moved) break;
        }
        return new LevenbergMarquardt(p, squares, step);
    }

    private static bool Still(double[] a, double[] b)
    {
        for (int i = 0; i < a.Length; i++) if (Math.Abs(a[i] - b[i]) > 1e-9 * (1e-3 + Math.Abs(a[i]))) return false;
        return true;
    }

    private static Matrix Jacobian(Action<double[], double[]> residuals, int count, double[] p)
    {
        var j = new Matrix(count, p.Length);
        double[] at = (double[])p.Clone(), up = new double[count], down = new double[count];
        for (int k = 0; k < p.Length; k++)
        {
            double h = 6e-6 * Math.Max(1e-2, Math.Abs(p[k])); // cube root of eps
            at[k] = p[k] + h;
            residuals(at, up);
            at[k] = p[k] - h;
            residuals(at, down);
            at[k] = p[k];
            for (int i = 0; i < count; i++) j[i, k] = (up[i] - down[i]) / (2 * h);
        }
        return j;
    }
}
