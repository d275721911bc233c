namespace Budwood.Files;

/// <summary>Paths as the file system sees them: absolute, links followed.</summary>
internal static class RealPath
{
    private const int MostLinks = 40;

    /// <summary>The absolute path with every link in it followed; parts that do not exist stay as they are.</summary>
    internal static string Of(string path)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        for (int links = 0; links < MostLinks; links++)
        {
            string? next = FollowFirst(full);
            if (next is null) break;
            full = Path.TrimEndingDirectorySeparator(next);
        }
        return full;
    }

    // Follows the first link on the way from the root; null when there is none.
    private static string? FollowFirst(string full)
    {
        string root = Path.GetPathRoot(full)!;
        string[] parts = full[root.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries);
        string at = root;
        for (int i = 0; i < parts.Length; i++)
        {
            string next = Path.Join(at, parts[i]);
            string? target;
            try
            {
                target = new FileInfo(next).LinkTarget;
            }
            catch (Exception e) when (FileFaults.IsReading(e))
            {
                return null;
            }
            if (target is not null) return Path.GetFullPath(Path.Join([Path.Combine(at, target), .. parts[(i + 1)..]]));
            at = next;
        }
        return null;
    }

    /// <summary>Whether <paramref name="inner"/> is <paramref name="outer"/> or lies in it; both must be real paths.</summary>
    internal static bool Holds(string outer, string inner)
    {
        // Compared as files where the system can say so: a bind mount gives one folder two real paths.
        FileFacts? facts = Posix.Stat(outer);
        for (string? at = inner; at is not null; at = Path.GetDirectoryName(at))
        {
            if (at == outer || (facts is { } o && Posix.Stat(at) is { } here && here.IsSameFileAs(o))) return true;
        }
        return false;
    }
}
