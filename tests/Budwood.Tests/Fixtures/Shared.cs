namespace Budwood.Tests.Fixtures;

/// <summary>Finds goldens, cases and real models that are too large to copy: <c>BUDWOOD_SHARED</c>, else a folder <c>shared</c> beside the repository.</summary>
internal static class Shared
{
    private static readonly Lazy<string?> s_root = new(Find);

    /// <summary>A path below the folder; the test is skipped, with the reason, where it is not there.</summary>
    public static string Path(string relative)
    {
        string? path = Find(relative);
        Assert.SkipUnless(path is not null, $"{relative} is not at hand: set BUDWOOD_SHARED to the folder that holds it");
        return path!;
    }

    /// <summary>A path below the folder; null where it is not there.</summary>
    public static string? Find(string relative) =>
        s_root.Value is { } root && System.IO.Path.Combine(root, relative) is var path && (Directory.Exists(path) || File.Exists(path)) ? path : null;

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable("BUDWOOD_SHARED") is { Length: > 0 } set) return Directory.Exists(set) ? set : null;
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (!File.Exists(System.IO.Path.Combine(at.FullName, "Budwood.slnx"))) continue;
            string beside = System.IO.Path.Combine(at.Parent?.FullName ?? "/", "shared");
            return Directory.Exists(beside) ? beside : null;
        }
        return null;
    }
}
