using Budwood.Recipes.Steps;

namespace Budwood.Cli.Tests;

/// <summary>The catalogue of papers, and its page.</summary>
public class PapersPageTests
{
    [Fact]
    public void The_page_says_what_the_catalogue_says()
    {
        string path = Path.Join(Root(), "docs", "reference", "papers.md");
        if (Environment.GetEnvironmentVariable("BUDWOOD_REWRITE") == "1") File.WriteAllText(path, Papers.Page());
        Assert.True(File.Exists(path) && File.ReadAllText(path) == Papers.Page(),
            "docs/reference/papers.md is not what the catalogue says: BUDWOOD_REWRITE=1 dotnet test --project tests/Budwood.Cli.Tests --filter-class '*PapersPageTests'");
    }

    [Fact]
    public void Every_paper_has_an_entry_and_every_recipe_a_paper()
    {
        Assert.Equal(Enumerable.Range(1, 83), Papers.All.Select(p => p.Number));
        Assert.Equal(83, Papers.All.Select(p => p.Slug).Distinct().Count());
        Assert.All(Papers.All, p => Assert.True(p.Methods.Count > 0 && p.Title.Length > 5 && p.Kind.Length > 2, p.Slug));
        Assert.All(RecipeBook.Names, name => Assert.Equal(name, Papers.Find(name[3..])!.Recipe));
        // A word of a verdict stands only where a report bears it out.
        Assert.All(Papers.All.Where(p => p.Word is not null), p => Assert.True(p.Recipe is not null && p.Key is not null && p.Date is not null, p.Slug));
    }

    // Editors read it: the first line of every recipe names it.
    [Fact]
    public void The_schema_beside_the_recipes_is_the_methods_own()
    {
        string path = Path.Join(Root(), "recipes", "recipe.schema.json"), schema = RecipeSchema.Of(Catalogue.All).ToJsonString() + "\n";
        if (Environment.GetEnvironmentVariable("BUDWOOD_REWRITE") == "1") File.WriteAllText(path, schema);
        Assert.True(File.Exists(path) && File.ReadAllText(path) == schema,
            "recipes/recipe.schema.json is not what the cards say: BUDWOOD_REWRITE=1 dotnet test --project tests/Budwood.Cli.Tests --filter-class '*PapersPageTests'");
    }

    private static string Root()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Join(at.FullName, "Budwood.slnx"))) at = at.Parent!;
        return at.FullName;
    }
}
