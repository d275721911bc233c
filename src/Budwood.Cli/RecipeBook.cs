using System.Globalization;
using System.Reflection;
using Budwood.Recipes.Steps;

namespace Budwood.Cli;

/// <summary>The recipes that come with the program, one a paper.</summary>
internal static class RecipeBook
{
    private const string Prefix = "recipe/";
    private static readonly Assembly s_own = typeof(RecipeBook).Assembly;

    /// <summary>Names of the recipes: <c>24-medida-ks</c>.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. s_own.GetManifestResourceNames().Where(n => n.StartsWith(Prefix, StringComparison.Ordinal)).Select(n => n[Prefix.Length..^".yml".Length]).Order(StringComparer.Ordinal)];

    /// <summary>The recipe of a slug, a number or a full name; null when there is none.</summary>
    public static string? Find(string word)
    {
        string? number = int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out int n) ? n.ToString("00", CultureInfo.InvariantCulture) + "-" : null;
        return Names.FirstOrDefault(name => name == word || name[3..] == word || (number is not null && name.StartsWith(number, StringComparison.Ordinal)));
    }

    /// <summary>Text of a recipe.</summary>
    public static string Text(string name)
    {
        using Stream stream = s_own.GetManifestResourceStream($"{Prefix}{name}.yml")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    /// <summary>Reads a recipe of the book.</summary>
    public static Recipe Open(string name) => Read(Text(name), $"{name}.yml");

    /// <summary>Reads a recipe's text with all methods of the program.</summary>
    public static Recipe Read(string text, string file) => RecipeReader.Read(text, file, Catalogue.Find, Catalogue.All.Select(m => m.Card.Name));
}
