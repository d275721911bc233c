namespace Budwood.Files;

/// <summary>Faults of finding models: BW207x the hub cache, BW131x what a name means.</summary>
internal static partial class FileFaults
{
    internal static Fault HubMissing(HubCache hub, string name, string? revision, IReadOnlyList<string> cached)
    {
        IReadOnlyList<string> near = Nearest.Of(name, cached);
        if (near.Count == 0) near = Nearest.Of(name.Split('/')[^1], cached.Select(c => c.Split('/')[^1]));
        string[] meant = [.. cached.Where(c => near.Contains(c) || near.Contains(c.Split('/')[^1])).Take(3)];
        string hint = meant.Length > 0 ? $"; nearest there: {string.Join(", ", meant.Select(m => $"'{m}'"))}" : "";
        return new("BW2070", ExitCode.Input, "there is no such folder, and the hub cache has no such model", name, $"the cache is {hub.Folder}{hint}",
            Download(hub, name, revision));
    }

    internal static Fault HubNoRevision(HubCache hub, string name, string? revision, IReadOnlyList<string> references, IReadOnlyList<string> commits) =>
        new("BW2070", ExitCode.Input, $"the hub cache has the model but not its revision '{Cut(revision ?? "main")}'", name,
            references.Count + commits.Count == 0 ? "it has none at all"
                : $"found {Some([.. references, .. commits.Select(c => c.Length > 12 ? c[..12] : c)])}",
            Download(hub, name, revision));

    internal static Fault HubIncomplete(HubCache hub, string name, string? revision, string snapshot, string found) =>
        new("BW2071", ExitCode.Input, $"the download of '{name}' is incomplete", snapshot, found, Download(hub, name, revision));

    internal static Fault HubReference(HubCache hub, string name, string? revision, string reference, string found) =>
        new("BW2072", ExitCode.Input, "a reference of the hub cache is damaged", reference, $"'{Cut(found)}', expected a commit",
            Download(hub, name, revision));

    internal static Fault HubAmbiguous(string name, string revision, IReadOnlyList<string> commits) =>
        new("BW2073", ExitCode.Input, $"'{Cut(revision)}' begins several commits of '{name}'", null, Some(commits), "Write more digits of the commit.");

    internal static Fault HubName(string name) =>
        new("BW2074", ExitCode.Input, $"'{Cut(name)}' is not a name of the hub", null, "expected org/name or name, of letters, digits, '-', '_' and '.'",
            "Write the name as the page of the model shows it.");

    internal static Fault HubRevision(string name, string revision) =>
        new("BW2074", ExitCode.Input, $"'{Cut(revision)}' is not a revision", name, "expected a branch, a tag or a commit",
            "Write the revision as the page of the model shows it.");

    internal static Fault TwoPlaces(string path, string working, string config) =>
        new("BW1310", ExitCode.Usage, $"'{Cut(path)}' means two things", null,
            $"'{working}' from the working folder and '{config}' from the folder of the configuration",
            "Write the one that is meant as an absolute path.");

    internal static Fault LocalRevision(string path, string found, string revision) =>
        new("BW1311", ExitCode.Usage, $"a revision '{Cut(revision)}' of a folder on this machine", found, null,
            $"Leave '@{Cut(revision)}' out, or rename the folder if '{Cut(path)}' of the hub is meant.");

    private static string Download(HubCache hub, string name, string? revision) =>
        "Budwood never downloads by itself"
        + (hub.Offline ? ", and HF_HUB_OFFLINE is set (unset it for the download)" : "")
        + $"; run: hf download {name}" + (revision is null ? "" : $" --revision {Cut(revision)}");
}
