namespace Budwood.Files;

/// <summary>The folder of what Budwood keeps between runs: BUDWOOD_HOME, or a folder in the user's data.</summary>
public static class BudwoodHome
{
    /// <summary>The folder; null when the user has none.</summary>
    public static string? Folder
    {
        get
        {
            string? home = Environment.GetEnvironmentVariable("BUDWOOD_HOME");
            if (!string.IsNullOrEmpty(home)) return Path.GetFullPath(home);
            string data = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify);
            return data.Length == 0 ? null : Path.Join(data, "budwood");
        }
    }
}
