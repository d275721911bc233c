using Budwood.Numbers.Linear;

namespace Budwood.Simulate;

/// <summary>A term that a model lacks or has too much of, with the coefficient to add to the model's right-hand side.</summary>
/// <param name="Column">Column of the library.</param>
/// <param name="Deviation">Posterior standard deviation of the coefficient.</param>
public sealed record DiscoveredTerm(string Name, int Column, double Coefficient, double Deviation);

/// <summary>The structural error of a model, found from what it predicts and what was observed one short step later.</summary>
/// <remarks>MEDIDA (paper 24, steps 3-7): mismatch over step = sum of candidate terms on the observed state, solved by <see cref="AutomaticRelevance"/>.</remarks>
public static class StructuralError
{
    /// <summary>Finds the terms of the mismatch.</summary>
    /// <param name="observed">Observed fields [pairs, n], a step after the model's start.</param>
    /// <param name="modelled">What the model made of the start [pairs, n].</param>
    /// <param name="step">Time between the two.</param>
    /// <param name="period">Length of the periodic interval.</param>
    /// <param name="alphaLimit">Threshold of the regression: lower means fewer terms.</param>
    public static IReadOnlyList<DiscoveredTerm> Find(Matrix observed, Matrix modelled, double step, double period, TermLibrary library, double alphaLimit = 100, double tolerance = 0.1)
    {
        (Matrix x, double[] y) = Regression(observed, modelled, step, period, library);
        AutomaticRelevance fit = AutomaticRelevance.Fit(x, y, alphaLimit, tolerance);
        return [.. fit.Support.Select((j, i) => new DiscoveredTerm(library.Names[j], j, fit.Weights[i],
            fit.Standardised[i] == 0 ? 0 : Math.Abs(fit.Weights[i] / fit.Standardised[i]) * fit.Deviations[i]))];
    }

    /// <summary>The regression itself: library columns of all pairs, one below the other [pairs n, terms], and mismatch over step [pairs n].</summary>
    public static (Matrix Library, double[] Mismatch) Regression(Matrix observed, Matrix modelled, double step, double period, TermLibrary library)
    {
        if (observed.Rows != modelled.Rows || observed.Columns != modelled.Columns)
            throw new ArgumentException($"{observed.Rows} x {observed.Columns} observed values for {modelled.Rows} x {modelled.Columns} modelled ones");
        int n = observed.Columns;
        var x = new Matrix(observed.Rows * n, library.Names.Count);
        double[] y = new double[x.Rows];
        for (int pair = 0; pair < observed.Rows; pair++)
        {
            library.Of(observed.Row(pair), period).Values.CopyTo(x.Values, (long)pair * n * x.Columns);
            for (int i = 0; i < n; i++) y[(pair * n) + i] = (observed[pair, i] - modelled[pair, i]) / step;
        }
        return (x, y);
    }

    /// <summary>Distance between two sets of coefficients, relative to the norm of the first, in percent (paper 24, step 7).</summary>
    /// <param name="truth">Coefficients of the system by term; missing terms are 0.</param>
    public static double ErrorPercent(IReadOnlyDictionary<string, double> truth, IReadOnlyDictionary<string, double> model)
    {
        double difference = 0, size = 0;
        foreach (string term in truth.Keys.Union(model.Keys).Order(StringComparer.Ordinal))
        {
            double a = truth.GetValueOrDefault(term), b = model.GetValueOrDefault(term);
            difference += (a - b) * (a - b);
            size += a * a;
        }
        return 100 * Math.Sqrt(difference / size);
    }
}
