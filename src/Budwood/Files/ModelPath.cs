namespace Budwood.Files;

/// <summary>Finds what a command line or a configuration means by a model: a path, or a name in the hub cache.</summary>
public static class ModelPath
{
    /// <summary>
    /// The folder or file meant. A relative path is looked up in the working folder and then in that of the configuration; what is in neither and has the form
    /// of a hub name is looked up in the hub cache.
    /// </summary>
    public static string Resolve(string path, string? revision, string workingFolder, string? configFolder) =>
        Resolve(path, revision, workingFolder, configFolder, HubCache.FromEnvironment());

    /// <summary>The same with a cache of one's own.</summary>
    public static string Resolve(string path, string? revision, string workingFolder, string? configFolder, HubCache hub)
    {
        if (!IsPath(path)) throw FileFaults.Missing(path, "model", []);
        if (Local(path, workingFolder, configFolder) is { } found) return revision is null ? found : throw FileFaults.LocalRevision(path, found, revision);
        if (!HubCache.IsName(path)) throw Missing(path, workingFolder, configFolder);
        if (hub.Has(path)) return hub.Resolve(path, revision);
        // A misspelt folder has the form of a hub name too: neighbours of nearly that name tell which was meant.
        string name = Path.GetFileName(path);
        bool local = path.Contains('/') ? Places(Path.GetDirectoryName(path)!, workingFolder, configFolder).Any(Directory.Exists)
            : Nearest.Of(name, Neighbours(path, workingFolder, configFolder)).Count > 0;
        if (local && revision is null) throw Missing(path, workingFolder, configFolder);
        return hub.Resolve(path, revision);
    }

    /// <summary>The folder or file that a path means on this disk; null when it is in neither place, refused when two different ones are meant.</summary>
    internal static string? Local(string path, string workingFolder, string? configFolder)
    {
        if (!IsPath(path)) return null;
        string[] found = [.. Places(path, workingFolder, configFolder).Where(p => Directory.Exists(p) || File.Exists(p))];
        if (found.Length > 1 && !IsSame(found[0], found[1])) throw FileFaults.TwoPlaces(path, found[0], found[1]);
        return found.FirstOrDefault();
    }

    // What the system takes for a path at all.
    private static bool IsPath(string path) => path.Length > 0 && !path.Contains('\0');

    private static IEnumerable<string> Places(string path, string workingFolder, string? configFolder)
    {
        if (Path.IsPathRooted(path)) return [path];
        string working = Path.Join(workingFolder, path);
        // As the user wrote it where that says the same.
        if (Path.GetFullPath(path) == Path.GetFullPath(working)) working = path;
        return configFolder is null ? [working] : [working, Path.Join(configFolder, path)];
    }

    private static IEnumerable<string> Neighbours(string path, string workingFolder, string? configFolder) =>
        Places(path, workingFolder, configFolder).SelectMany(FileFaults.Siblings);

    private static bool IsSame(string one, string other) =>
        RealPath.Of(one) == RealPath.Of(other) || (Posix.Stat(one) is { } a && Posix.Stat(other) is { } b && a.IsSameFileAs(b));

    private static Fault Missing(string path, string workingFolder, string? configFolder) =>
        FileFaults.Missing(path, "model", Neighbours(path, workingFolder, configFolder).Distinct(StringComparer.Ordinal));
}
