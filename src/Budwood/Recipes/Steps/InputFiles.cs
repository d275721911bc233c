namespace Budwood.Recipes.Steps;

/// <summary>Where a path of a recipe lies: from the working directory, then from the recipe's folder; where both exist and differ, an error names both.</summary>
internal static class InputFiles
{
    public static bool Exists(Recipe recipe, string path) => Beside(recipe, path) is { } beside && (File.Exists(beside) || Directory.Exists(beside));

    /// <summary>The path as it will be opened.</summary>
    public static string Find(Recipe recipe, StepInput input)
    {
        string path = input.Path;
        bool here = File.Exists(path) || Directory.Exists(path);
        if (Beside(recipe, path) is { } beside && (File.Exists(beside) || Directory.Exists(beside)))
        {
            if (here && Path.GetFullPath(path) != Path.GetFullPath(beside))
                throw new Fault("BW1230", ExitCode.Usage, "the path means two things", input.Node.Where, $"'{Path.GetFullPath(path)}' and '{Path.GetFullPath(beside)}'", "Write the one that you mean in full.");
            return here ? path : beside;
        }
        return path;
    }

    private static string? Beside(Recipe recipe, string path) =>
        Path.IsPathRooted(path) || Path.GetDirectoryName(recipe.File) is not { } folder || !File.Exists(recipe.File) ? null : Path.Join(folder, path);
}
