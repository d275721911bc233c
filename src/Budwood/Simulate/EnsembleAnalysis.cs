using Budwood.Numbers.Linear;

namespace Budwood.Simulate;

/// <summary>Corrects an ensemble of forecasts by observations: the analysis step of ensemble Kalman filters.</summary>
/// <remarks>States are columns: an ensemble is [n, members], observed values are H times the state. Covariances divide by members - 1 (Evensen 2003).</remarks>
public static class EnsembleAnalysis
{
    /// <summary>Mean over the members [n].</summary>
    public static double[] Mean(Matrix ensemble)
    {
        double[] mean = new double[ensemble.Rows];
        for (int i = 0; i < mean.Length; i++) mean[i] = Vectors.Mean(ensemble.Row(i));
        return mean;
    }

    /// <summary>Members minus their mean [n, members].</summary>
    public static Matrix Anomalies(Matrix ensemble)
    {
        Matrix a = ensemble.Copy();
        for (int i = 0; i < a.Rows; i++)
        {
            double mean = Vectors.Mean(a.Row(i));
            foreach (ref double v in a.Row(i)) v -= mean;
        }
        return a;
    }

    /// <summary>Covariance of the members [n, n].</summary>
    public static Matrix Covariance(Matrix ensemble)
    {
        Matrix a = Anomalies(ensemble);
        return (1.0 / (ensemble.Columns - 1)) * a.TimesTransposed(a);
    }

    /// <summary>Anomalies times a factor: a larger spread for what the model's own errors would add.</summary>
    public static Matrix Inflated(Matrix ensemble, double factor)
    {
        double[] mean = Mean(ensemble);
        return Matrix.Of(ensemble.Rows, ensemble.Columns, (i, m) => mean[i] + (factor * (ensemble[i, m] - mean[i])));
    }

    /// <summary>The gain B H' (H B H' + R)^-1 [n, m] of a background covariance.</summary>
    /// <param name="covariance">B [n, n].</param>
    /// <param name="operatorMatrix">H [m, n].</param>
    /// <param name="noise">R [m, m].</param>
    public static Matrix Gain(Matrix covariance, Matrix operatorMatrix, Matrix noise)
    {
        Matrix hb = operatorMatrix * covariance; // [m, n]
        return Cholesky.Of(hb.TimesTransposed(operatorMatrix) + noise).Solve(hb).Transposed();
    }

    /// <summary>Stochastic analysis: every member moves towards its own perturbed observation (Burgers, van Leeuwen and Evensen 1998).</summary>
    /// <param name="perturbed">Observations with noise of R added, one column a member [m, members].</param>
    public static Matrix Stochastic(Matrix ensemble, Matrix operatorMatrix, Matrix perturbed, Matrix gain) =>
        ensemble + (gain * (perturbed - (operatorMatrix * ensemble)));

    /// <summary>Deterministic analysis by the ensemble transform (Bishop, Etherton and Majumdar 2001), with the symmetric square root (Hunt et al. 2007).</summary>
    /// <param name="observed">y [m].</param>
    /// <returns>The analysis [n, members], weights of the mean [members], and the transform of the anomalies [members, members].</returns>
    public static (Matrix Analysis, double[] MeanWeights, Matrix Transform) Transform(Matrix ensemble, Matrix operatorMatrix, ReadOnlySpan<double> observed, Matrix noise)
    {
        int members = ensemble.Columns;
        Matrix anomalies = Anomalies(ensemble), seen = operatorMatrix * anomalies; // [m, members]
        Matrix weighted = Cholesky.Of(noise).Solve(seen); // R^-1 H A
        Matrix inner = seen.TransposeTimes(weighted); // (HA)' R^-1 HA
        for (int i = 0; i < members; i++)
            for (int j = 0; j < i; j++) inner[i, j] = inner[j, i] = 0.5 * (inner[i, j] + inner[j, i]);
        for (int i = 0; i < members; i++) inner[i, i] += members - 1;
        SymmetricEigen eigen = SymmetricEigen.Of(inner);
        double[] mean = Mean(ensemble), forecast = operatorMatrix * mean;
        double[] innovation = new double[observed.Length];
        for (int i = 0; i < innovation.Length; i++) innovation[i] = observed[i] - forecast[i];
        double[] meanWeights = eigen.Apply(v => 1 / v) * weighted.TransposeTimes(innovation);
        Matrix transform = eigen.Apply(v => Math.Sqrt((members - 1) / v));
        Matrix weights = transform.Copy();
        for (int i = 0; i < members; i++)
            for (int j = 0; j < members; j++) weights[i, j] += meanWeights[i];
        Matrix analysis = anomalies * weights;
        for (int i = 0; i < analysis.Rows; i++) foreach (ref double v in analysis.Row(i)) v += mean[i];
        return (analysis, meanWeights, transform);
    }

    /// <summary>Deterministic analysis, one observation after another, with a reduced gain for the anomalies (Whitaker and Hamill 2002).</summary>
    /// <param name="variances">Diagonal of R [m]; errors of observations are independent.</param>
    public static Matrix Serial(Matrix ensemble, Matrix operatorMatrix, ReadOnlySpan<double> observed, ReadOnlySpan<double> variances)
    {
        int members = ensemble.Columns;
        double[] mean = Mean(ensemble);
        Matrix anomalies = Anomalies(ensemble);
        for (int m = 0; m < observed.Length; m++)
        {
            double[] seen = anomalies.TransposeTimes(operatorMatrix.Row(m)); // H A of one observation [members]
            double spread = Vectors.Dot(seen, seen) / (members - 1), total = spread + variances[m];
            double reduced = 1 / (1 + Math.Sqrt(variances[m] / total));
            double innovation = observed[m] - Vectors.Dot(operatorMatrix.Row(m), mean);
            double[] gain = anomalies * seen;
            Vectors.Scale(gain, 1 / ((members - 1) * total));
            for (int i = 0; i < mean.Length; i++)
            {
                mean[i] += gain[i] * innovation;
                Vectors.Axpy(-reduced * gain[i], seen, anomalies.Row(i));
            }
        }
        for (int i = 0; i < mean.Length; i++) foreach (ref double v in anomalies.Row(i)) v += mean[i];
        return anomalies;
    }

    /// <summary>Correlation that falls from 1 at 0 to exactly 0 at twice the radius (Gaspari and Cohn 1999, equation 4.10).</summary>
    /// <param name="ratio">Distance over the radius.</param>
    public static double GaspariCohn(double ratio)
    {
        double r = Math.Abs(ratio);
        if (r >= 2) return 0;
        return r <= 1
            ? 1 + (r * r * ((-5.0 / 3) + (r * ((5.0 / 8) + (r * (0.5 - (r / 4)))))))
            : 4 - (5 * r) + (r * r * ((5.0 / 3) + (r * ((5.0 / 8) + (r * (-0.5 + (r / 12))))))) - (2 / (3 * r));
    }

    /// <summary>A covariance cut off by distance: element-wise product with <see cref="GaspariCohn"/> on a ring of points.</summary>
    public static Matrix Localised(Matrix covariance, double radius)
    {
        int n = covariance.Rows;
        return Matrix.Of(n, n, (i, j) =>
        {
            int d = Math.Abs(i - j);
            return covariance[i, j] * GaspariCohn(Math.Min(d, n - d) / radius);
        });
    }

    /// <summary>The best linear analysis of one background: what 3D-Var minimises to, xb + K (y - H xb), and its covariance (I - K H) B.</summary>
    public static (double[] Analysis, Matrix Covariance) Variational(ReadOnlySpan<double> background, Matrix covariance, Matrix operatorMatrix, ReadOnlySpan<double> observed, Matrix noise)
    {
        Matrix gain = Gain(covariance, operatorMatrix, noise);
        double[] seen = operatorMatrix * background, difference = new double[seen.Length];
        for (int i = 0; i < seen.Length; i++) difference[i] = observed[i] - seen[i];
        double[] analysis = gain * difference;
        for (int i = 0; i < analysis.Length; i++) analysis[i] += background[i];
        return (analysis, covariance - (gain * (operatorMatrix * covariance)));
    }
}
