using System.Text.RegularExpressions;

namespace Budwood.Files;

/// <summary>Models that <c>hf download</c> has put on this machine, read where they lie; nothing is ever written there or fetched.</summary>
public sealed partial class HubCache
{
    private const int ShortestCommit = 7;

    public HubCache(string folder, bool offline = false)
    {
        Folder = folder;
        Offline = offline;
    }

    /// <summary>The folder that holds <c>models--org--name</c>.</summary>
    public string Folder { get; }

    /// <summary>Whether HF_HUB_OFFLINE is set; messages say so, for the download that they advise.</summary>
    public bool Offline { get; }

    /// <summary>The cache that the variables of Hugging Face name: HF_HUB_CACHE, HF_HOME/hub, and else ~/.cache/huggingface/hub.</summary>
    public static HubCache FromEnvironment() => FromEnvironment(Environment.GetEnvironmentVariable);

    internal static HubCache FromEnvironment(Func<string, string?> variable)
    {
        string home = Value("HOME") ?? Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);
        string huggingFace = Value("HF_HOME") ?? Path.Join(Value("XDG_CACHE_HOME") ?? Path.Join(home, ".cache"), "huggingface");
        // Two older names stand behind the new ones.
        string folder = Value("HF_HUB_CACHE") ?? Value("HUGGINGFACE_HUB_CACHE") ?? (Value("HF_HOME") is null ? Value("TRANSFORMERS_CACHE") : null)
            ?? Path.Join(huggingFace, "hub");
        string offline = (Value("HF_HUB_OFFLINE") ?? Value("TRANSFORMERS_OFFLINE") ?? "").ToUpperInvariant();
        return new HubCache(Home(folder), offline is "1" or "ON" or "YES" or "TRUE");

        string? Value(string name) => variable(name) is { Length: > 0 } set ? set : null;
        string Home(string path) => path == "~" || path.StartsWith("~/", StringComparison.Ordinal) ? home + path[1..] : path;
    }

    /// <summary>Whether a text has the form of a model's name on the hub: <c>org/name</c> or <c>name</c>.</summary>
    public static bool IsName(string text) =>
        text.Length <= 96 && Name().IsMatch(text) && !text.Contains("--", StringComparison.Ordinal) && !text.Contains("..", StringComparison.Ordinal)
        && !text.EndsWith(".git", StringComparison.Ordinal);

    /// <summary>The hub name of the model whose snapshot a folder is; null for any other folder.</summary>
    public static string? NameOf(string folder)
    {
        string[] parts = Path.GetFullPath(folder).Split(Path.DirectorySeparatorChar);
        int at = Array.FindLastIndex(parts, p => p.StartsWith("models--", StringComparison.Ordinal));
        return at >= 0 && at + 2 < parts.Length && parts[at + 1] == "snapshots" ? parts[at]["models--".Length..].Replace("--", "/", StringComparison.Ordinal)
            : null;
    }

    /// <summary>Whether anything of a model is in the cache.</summary>
    public bool Has(string name) => IsName(name) && Directory.Exists(Repository(name));

    /// <summary>The snapshot folder of a model: of a branch or tag, of a commit or its first seven digits or more, and else of main.</summary>
    public string Resolve(string name, string? revision = null)
    {
        if (!IsName(name)) throw FileFaults.HubName(name);
        if (revision is not null && !IsRevision(revision)) throw FileFaults.HubRevision(name, revision);
        string repository = Repository(name);
        if (!Directory.Exists(repository)) throw FileFaults.HubMissing(this, name, revision, Names());
        string commit = Commit(name, repository, revision);
        string snapshot = Path.Join(repository, "snapshots", commit);
        if (!Directory.Exists(snapshot)) throw FileFaults.HubIncomplete(this, name, revision, snapshot, "the snapshot is not there, only its name");
        CheckWhole(name, revision, repository, snapshot);
        return snapshot;
    }

    /// <summary>Names of the models in the cache, sorted.</summary>
    public IReadOnlyList<string> Names() =>
        [.. Entries(Folder).Where(n => n.StartsWith("models--", StringComparison.Ordinal))
            .Select(n => n["models--".Length..].Replace("--", "/", StringComparison.Ordinal))];

    private string Repository(string name) => Path.Join(Folder, "models--" + name.Replace("/", "--", StringComparison.Ordinal));

    private string Commit(string name, string repository, string? revision)
    {
        string wanted = revision ?? "main";
        string reference = Path.Join(repository, "refs", wanted);
        if (File.Exists(reference))
        {
            string commit = ReadReference(reference);
            return CommitName().IsMatch(commit) ? commit : throw FileFaults.HubReference(this, name, revision, reference, commit);
        }
        string[] snapshots = Entries(Path.Join(repository, "snapshots"));
        if (revision is not null && revision.Length >= ShortestCommit && CommitName().IsMatch(revision))
        {
            string[] matching = [.. snapshots.Where(s => s.StartsWith(revision, StringComparison.OrdinalIgnoreCase))];
            if (matching.Length == 1) return matching[0];
            if (matching.Length > 1) throw FileFaults.HubAmbiguous(name, revision, matching);
        }
        throw FileFaults.HubNoRevision(this, name, revision, References(repository), snapshots);
    }

    private static string ReadReference(string path)
    {
        using FileSource source = FileSource.Open(path);
        byte[] head = FileKinds.Head(source);
        return source.Length > head.Length ? "" : System.Text.Encoding.UTF8.GetString(head).Trim();
    }

    private static string[] References(string repository)
    {
        string refs = Path.Join(repository, "refs");
        try
        {
            if (!Directory.Exists(refs)) return [];
            return [.. Directory.EnumerateFiles(refs, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(refs, f))
                .Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (FileFaults.IsReading(e))
        {
            return [];
        }
    }

    private void CheckWhole(string name, string? revision, string repository, string snapshot)
    {
        string[] files = Entries(snapshot);
        string[] dangling = [.. files.Where(f => !IsThere(Path.Join(snapshot, f)))];
        if (dangling.Length > 0) throw FileFaults.HubIncomplete(this, name, revision, snapshot, $"these links lead nowhere: {FileFaults.Some(dangling)}");
        // The pickled twin of safetensors is often left out on purpose.
        string? index = files.Contains("model.safetensors.index.json") ? "model.safetensors.index.json"
            : files.Contains("pytorch_model.bin.index.json") && !files.Contains("model.safetensors") ? "pytorch_model.bin.index.json" : null;
        IReadOnlyList<string> shards = index is null ? [] : ShardIndex.Read(Path.Join(snapshot, index)).Shards;
        string[] missing = [.. shards.Where(s => !IsThere(Path.Join(snapshot, s)))];
        if (missing.Length > 0)
        {
            throw FileFaults.HubIncomplete(this, name, revision, snapshot,
                $"{index} names what is not there: {FileFaults.Some(missing)} ({missing.Length} of {shards.Count})");
        }
        string[] blobs = Entries(Path.Join(repository, "blobs"));
        string[] begun = [.. blobs.Where(b => b.EndsWith(".incomplete", StringComparison.Ordinal) && !blobs.Contains(b.Split('.')[0]))];
        if (begun.Length > 0 && IsNewest(snapshot))
        {
            throw FileFaults.HubIncomplete(this, name, revision, snapshot,
                $"begun and not finished: {FileFaults.Some([.. begun.Select(b => "blobs/" + b)], 2)}");
        }
    }

    // .NET says of a link that leads nowhere that it exists.
    private static bool IsThere(string path) => RealPath.Of(path) is var real && (File.Exists(real) || Directory.Exists(real));

    // A download that stopped is that of the snapshot made last; older ones are whole.
    private static bool IsNewest(string snapshot)
    {
        string above = Path.GetDirectoryName(snapshot)!;
        DateTime made = Directory.GetLastWriteTimeUtc(snapshot);
        return Entries(above).All(s => Directory.GetLastWriteTimeUtc(Path.Join(above, s)) <= made);
    }

    private static string[] Entries(string folder)
    {
        try
        {
            if (!Directory.Exists(folder)) return [];
            return [.. Directory.EnumerateFileSystemEntries(folder).Select(e => Path.GetFileName(e)).Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (FileFaults.IsReading(e))
        {
            throw FileFaults.ListingFolder(folder, e);
        }
    }

    // Branches may have slashes: refs/pr/1.
    private static bool IsRevision(string revision) =>
        revision.Length <= 200 && Revision().IsMatch(revision) && !revision.Contains("..", StringComparison.Ordinal);

    // Messages print it as a part of a command: nothing that a shell would act on.
    [GeneratedRegex(@"\A[A-Za-z0-9_][A-Za-z0-9_.+@=-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.+@=-]*)*\z", RegexOptions.CultureInvariant)]
    private static partial Regex Revision();

    [GeneratedRegex(@"\A(?:[A-Za-z0-9_][A-Za-z0-9_.-]*/)?[A-Za-z0-9_][A-Za-z0-9_.-]*\z", RegexOptions.CultureInvariant)]
    private static partial Regex Name();

    [GeneratedRegex(@"\A[0-9a-fA-F]{1,64}\z", RegexOptions.CultureInvariant)]
    private static partial Regex CommitName();
}
