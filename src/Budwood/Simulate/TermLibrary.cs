using Budwood.Numbers.Fourier;
using Budwood.Numbers.Linear;

namespace Budwood.Simulate;

/// <summary>Candidate terms of an evolution equation, u^p times a derivative of u, as columns of a regression.</summary>
/// <remarks>The library of PDE-FIND (Rudy, Brunton, Proctor and Kutz 2017) without its constant: the derivative order q is the outer index, the power p the inner
/// one; at q = 0 the other factor is 1, so that the first columns are u, u^2, ... (paper 24, step 4).</remarks>
public sealed class TermLibrary
{
    private readonly EvolutionTerm[] _terms;

    /// <summary>All terms up to a power and an order of derivative.</summary>
    public TermLibrary(int highestPower = 4, int highestDerivative = 4)
    {
        if (highestPower < 1 || highestDerivative < 0)
            throw new ArgumentOutOfRangeException(nameof(highestPower), $"a library has powers from 1 and derivatives from 0, not {highestPower} and {highestDerivative}");
        _terms = [.. from q in Enumerable.Range(0, highestDerivative + 1) from p in Enumerable.Range(0, highestPower + 1) where p + q > 0 select new EvolutionTerm(p, q)];
        HighestDerivative = highestDerivative;
        Names = [.. _terms.Select(t => t.Name)];
    }

    public int HighestDerivative { get; }

    /// <summary>The term of each column.</summary>
    public IReadOnlyList<EvolutionTerm> Terms => _terms;

    /// <summary>Names as the field writes them: <c>u^2</c>, <c>uu_{x}</c>, <c>u_{xx}</c>.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Column of a term by its name; -1 where it has none.</summary>
    public int IndexOf(string name)
    {
        for (int j = 0; j < Names.Count; j++) if (Names[j] == name) return j;
        return -1;
    }

    /// <summary>The columns for a periodic field, with spectral derivatives [n, terms].</summary>
    /// <param name="u">Values on equally spaced points of one period.</param>
    public Matrix Of(ReadOnlySpan<double> u, double period) => Columns(u, Spectra.Derivatives(u, period, HighestDerivative));

    /// <summary>The columns for a field whose derivatives, orders 1 and up, are at hand [n, terms].</summary>
    public Matrix Columns(ReadOnlySpan<double> u, double[][] derivatives)
    {
        var library = new Matrix(u.Length, _terms.Length);
        for (int i = 0; i < u.Length; i++)
        {
            for (int j = 0; j < _terms.Length; j++)
            {
                (int p, int q) = _terms[j];
                double value = q == 0 ? 1 : derivatives[q - 1][i];
                for (int k = 0; k < p; k++) value *= u[i];
                library[i, j] = value;
            }
        }
        return library;
    }
}
