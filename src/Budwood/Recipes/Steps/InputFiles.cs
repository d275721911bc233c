using Budwood.Files;

namespace Budwood.Recipes.Steps;

/// <summary>Where a path of a recipe lies: from the working directory, or from the recipe's folder, as models are looked up.</summary>
internal static class InputFiles
{
    /// <summary>The path as it will be opened; null when it is in neither place.</summary>
    public static string? Find(Recipe recipe, string path) =>
        ModelPath.Local(path, Environment.CurrentDirectory, File.Exists(recipe.File) ? Path.GetDirectoryName(Path.GetFullPath(recipe.File)) : null);
}
