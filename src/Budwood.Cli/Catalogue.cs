using Budwood.Methods;
using Budwood.Methods.Generated;

namespace Budwood.Cli;

/// <summary>Every method that this program has, from all its assemblies.</summary>
internal static class Catalogue
{
    public static IReadOnlyList<Method> All { get; } = [.. BudwoodCoreCatalogue.All.Concat(BudwoodLabCatalogue.All).OrderBy(m => m.Card.Name, StringComparer.Ordinal)];

    public static Method? Find(string name) => All.FirstOrDefault(m => m.Card.Name == name || m.Card.Name == name.Replace('-', '_'));

    /// <summary>Rules that a merge file may name.</summary>
    public static IEnumerable<Rule> Rules => All.OfType<Rule>();
}
