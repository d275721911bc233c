using Budwood.Numbers.Linear;

namespace Budwood.Initialize;

/// <summary>How far the state of the diagonal restriction of HiPPO-LegS is from the state of LegS itself under one input.</summary>
/// <remarks>Paper 01, the theorem behind S4D-LegS: (A, b) and its normal part (M, b/2) agree in the limit of many states for smooth inputs. The raw impulse responses do
/// not agree at any number of states.</remarks>
public static class SmoothInput
{
    /// <summary>Relative L2 errors of the first rows of the state, both systems discretised by zero-order hold; N^2 a sample.</summary>
    /// <param name="states">N.</param>
    /// <param name="input">Samples at distance <paramref name="step"/>.</param>
    public static double[] RowErrors(int states, ReadOnlySpan<double> input, double step, int rows)
    {
        (Matrix legs, double[] b) = Hippo.Transition(HippoMeasure.Legs, states);
        (Matrix normal, double[] half) = Hippo.Transition(HippoMeasure.Legsd, states);
        (Matrix a1, double[] b1) = Discretisation.Dense(DiscretisationRule.Zoh, legs, b, step);
        (Matrix a2, double[] b2) = Discretisation.Dense(DiscretisationRule.Zoh, normal, half, step);
        double[] x = new double[states], y = new double[states], difference = new double[rows], size = new double[rows];
        foreach (double u in input)
        {
            x = a1 * x;
            y = a2 * y;
            Vectors.Axpy(u, b1, x);
            Vectors.Axpy(u, b2, y);
            for (int i = 0; i < rows; i++)
            {
                difference[i] += (y[i] - x[i]) * (y[i] - x[i]);
                size[i] += x[i] * x[i];
            }
        }
        return [.. difference.Zip(size, (d, s) => Math.Sqrt(d / s))];
    }
}
