using System.Diagnostics;
using System.Text;
using Budwood.Files;

namespace Budwood.Engine;

/// <summary>What a step's work left in its folder.</summary>
public sealed record StepOutcome(IReadOnlyList<StoredOutput> Outputs);

/// <summary>Outputs of steps, addressed by all that they depend on, so that nothing in it is ever stale.</summary>
/// <remarks>
/// An entry is a folder that appears by a rename once its files are synced; the digests of its files are compared on every use. Two processes that want the same
/// step wait for one another by a lock on its address, which dies with its process. Failures are not kept.
/// </remarks>
public sealed class Store
{
    private readonly Action<string>? _say;
    private readonly HashSet<string> _inUse = new(StringComparer.Ordinal);

    /// <param name="folder">Where the store lies; created when needed.</param>
    /// <param name="limitBytes">When it grows beyond this, what was used longest ago is removed.</param>
    /// <param name="say">Told what a person should know: damage, removals.</param>
    public Store(string folder, long limitBytes, Action<string>? say = null)
    {
        (Folder, LimitBytes, _say) = (folder, limitBytes, say);
        try
        {
            foreach (string part in (string[])["entries", "locks", "work", "last"]) Directory.CreateDirectory(Path.Join(folder, part));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw EngineFaults.StoreUnusable(folder, e);
        }
    }

    public string Folder { get; }
    public long LimitBytes { get; }

    /// <summary>The store of this user: <c>BUDWOOD_HOME/store</c>, at most <c>BUDWOOD_STORE_LIMIT</c> (20GB when not set).</summary>
    public static Store OfUser(Action<string>? say = null)
    {
        string home = BudwoodHome.Folder ?? throw EngineFaults.NoHome();
        string? limit = Environment.GetEnvironmentVariable("BUDWOOD_STORE_LIMIT");
        long bytes = 20_000_000_000;
        if (!string.IsNullOrEmpty(limit) && !Sizes.TryParse(limit, out bytes)) throw EngineFaults.StoreLimit(limit);
        return new Store(Path.Join(home, "store"), bytes, say);
    }

    private string Place(string address) => Path.Join(Folder, "entries", address[..2], address);

    /// <summary>The entry of a key when it is there and undamaged.</summary>
    /// <param name="since">What was made before does not count: a fresh run asks for it, whichever of its processes made it.</param>
    public StoreEntry? Find(StepKey key, DateTimeOffset? since = null)
    {
        string address = key.Address, folder = Place(address);
        if (!Directory.Exists(folder)) return null;
        StoreEntry? entry = StoreEntry.Read(folder);
        if (entry?.Made < since) return null;
        string? damage = entry is null ? "entry.json" : entry.Key != key.Text ? "entry.json" : entry.Damage();
        if (damage is null)
        {
            entry!.Touch();
            lock (_inUse) _inUse.Add(address);
            return entry;
        }
        _say?.Invoke($"the stored output of {key.Method} is damaged ({damage}) and is made again: {address}");
        Remove(folder);
        return null;
    }

    /// <summary>The entry of a key; made by <paramref name="work"/>, in a folder of its own, when it is not there.</summary>
    /// <param name="since">What was made before is made again.</param>
    /// <param name="stop">Ends waiting for another process that makes the same.</param>
    /// <returns>The entry, and whether it was there already.</returns>
    public (StoreEntry Entry, bool Hit) GetOrMake(StepKey key, DateTimeOffset? since, Func<string, StepOutcome> work, CancellationToken stop)
    {
        if (Find(key, since) is { } found) return (found, true);
        using IDisposable held = Lock(key.Address, stop);
        // Another process may have made it in the meantime.
        if (Find(key, since) is { } made) return (made, true);
        string address = key.Address, at = Path.Join(Folder, "work", address), place = Place(address);
        Remove(at);
        Directory.CreateDirectory(at);
        var clock = Stopwatch.StartNew();
        try
        {
            StepOutcome outcome = work(at);
            StoreEntry.Seal(at, key.Text, outcome.Outputs, clock.Elapsed.TotalSeconds);
            Posix.SyncFolder(at);
            Directory.CreateDirectory(Path.GetDirectoryName(place)!);
            if (Directory.Exists(place)) Remove(place);
            Directory.Move(at, place);
            Posix.SyncFolder(Path.GetDirectoryName(place)!);
        }
        catch (Exception e) when (FileFaults.IsDiskFull(e))
        {
            throw FileFaults.DiskFull(Folder, null, Posix.FreeBytes(Folder), e);
        }
        finally
        {
            if (Directory.Exists(at)) Remove(at);
        }
        lock (_inUse) _inUse.Add(address);
        StoreEntry entry = StoreEntry.Read(place) ?? throw EngineFaults.StoreUnusable(place, new IOException("an entry that was just written cannot be read"));
        return (entry, false);
    }

    /// <summary>Holds an address until disposed; waits while another process holds it.</summary>
    private Locked Lock(string address, CancellationToken stop)
    {
        bool said = false;
        while (true)
        {
            stop.ThrowIfCancellationRequested();
            if (TryLock(address) is { } held) return held;
            if (!said) _say?.Invoke($"waiting for another process that makes {address}");
            said = true;
            stop.WaitHandle.WaitOne(50);
        }
    }

    /// <summary>Whether another process makes the output of a key just now.</summary>
    public bool IsBusy(StepKey key)
    {
        using Locked? held = TryLock(key.Address);
        return held is null;
    }

    private Locked? TryLock(string address)
    {
        try
        {
            return new Locked(new FileStream(Path.Join(Folder, "locks", address), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException e) when (e is not DirectoryNotFoundException)
        {
            return FileFaults.IsDiskFull(e) ? throw FileFaults.DiskFull(Folder, null, Posix.FreeBytes(Folder), e) : null;
        }
    }

    private sealed class Locked(FileStream file) : IDisposable
    {
        // The file stays: another process may have it open by now, and a lock on a removed name would hold nothing.
        public void Dispose() => file.Dispose();
    }

    /// <summary>Why a step was not found: what of its key changed since it was last asked for at this place of this recipe.</summary>
    /// <param name="place">Recipe, step and instance.</param>
    public string WhyMissed(string place, StepKey key)
    {
        string path = LastPath(place);
        try
        {
            if (!File.Exists(path)) return "it never ran";
            string before = File.ReadAllText(path);
            return before == key.Text ? "its output was removed" : StepKey.Differences(before, key.Text);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "it never ran";
        }
    }

    /// <summary>Remembers the key that a place of a recipe had.</summary>
    public void Remember(string place, StepKey key)
    {
        try
        {
            WholeFile.Write(LastPath(place), Encoding.UTF8.GetBytes(key.Text), replace: true);
        }
        catch (Fault)
        {
            // Only an explanation is lost.
        }
    }

    private string LastPath(string place) => Path.Join(Folder, "last", Digest.Of(Encoding.UTF8.GetBytes(place)).Hex);

    /// <summary>Removes what was used longest ago until the store is within its limit, and what killed runs left; never what this process used.</summary>
    public void Trim()
    {
        foreach (string left in Directory.EnumerateDirectories(Path.Join(Folder, "work")))
        {
            using Locked? held = TryLock(Path.GetFileName(left));
            if (held is not null) Remove(left);
        }
        var entries = new List<(string Folder, long Bytes, DateTime Used)>();
        foreach (string folder in Directory.EnumerateDirectories(Path.Join(Folder, "entries")).SelectMany(Directory.EnumerateDirectories))
        {
            var info = new FileInfo(Path.Join(folder, "entry.json"));
            if (info.Exists) entries.Add((folder, new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).Sum(f => f.Length), info.LastWriteTimeUtc));
        }
        long total = entries.Sum(e => e.Bytes);
        foreach ((string folder, long bytes, _) in entries.OrderBy(e => e.Used))
        {
            if (total <= LimitBytes) return;
            string address = Path.GetFileName(folder);
            lock (_inUse) if (_inUse.Contains(address)) continue;
            using Locked? held = TryLock(address);
            if (held is null) continue;
            Remove(folder);
            total -= bytes;
            _say?.Invoke($"removed from the store to stay within {Sizes.Show(LimitBytes)}: {address} ({Sizes.Show(bytes)})");
        }
    }

    // First away from its place, so that nobody finds half of it.
    private void Remove(string folder)
    {
        try
        {
            if (!Directory.Exists(folder)) return;
            string aside = Path.Join(Folder, "work", $"removed-{Guid.NewGuid():n}");
            Directory.Move(folder, aside);
            Directory.Delete(aside, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw EngineFaults.StoreUnusable(folder, e);
        }
    }
}
