using System.Text.RegularExpressions;

namespace Budwood.Simulate;

/// <summary>A term of an evolution equation in one dimension: a power of u times a derivative of u.</summary>
/// <param name="Power">p of u^p.</param>
/// <param name="Order">q of d^q u / dx^q; at 0 there is no second factor.</param>
public readonly partial record struct EvolutionTerm(int Power, int Order)
{
    /// <summary>As the field writes it: <c>u^2</c>, <c>uu_{x}</c>, <c>u_{xx}</c>.</summary>
    public string Name => (Power switch { 0 => "", 1 => "u", _ => $"u^{Power}" }) + (Order > 0 ? "u_{" + new string('x', Order) + "}" : "");

    /// <summary>Whether the term is a multiple of u or of one of its derivatives.</summary>
    public bool IsLinear => Order == 0 ? Power == 1 : Power == 0;

    /// <summary>Reads a name; <c>u*u_x</c> and <c>u u_x</c> mean <c>uu_{x}</c>.</summary>
    public static bool TryParse(string text, out EvolutionTerm term)
    {
        Match m = Shape().Match(text);
        int power = !m.Groups[1].Success ? 0 : m.Groups[2].Success ? int.Parse(m.Groups[2].ValueSpan, null) : 1, order = m.Groups[3].Length;
        term = new EvolutionTerm(power, order);
        return m.Success && power + order > 0;
    }

    [GeneratedRegex(@"^(?:(u(?:\^([1-9][0-9]?))?)(?!_))?(?:[ *]?u_\{?(x{1,8})\}?)?$")]
    private static partial Regex Shape();
}
