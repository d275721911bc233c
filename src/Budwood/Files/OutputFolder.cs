using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Budwood.Files;

/// <summary>An output folder that appears whole or not at all: written beside its place, synced to disk, then given its name.</summary>
/// <remarks>
/// The files grow in <c>.NAME.partial-xxxxxxxx</c>, whose lock file stands beside it under the same name with <c>.lock</c>, so that
/// it is held before the folder is there and until it is gone. A run that dies leaves both, and the next run removes them.
/// </remarks>
public sealed class OutputFolder : IDisposable
{
    private const string LockSuffix = ".lock";

    private readonly string _asWritten;
    private readonly bool _force;
    private readonly string? _madeParent;
    private readonly ConcurrentDictionary<SafeFileHandle, string> _open = new();
    private readonly ConcurrentDictionary<string, long?> _promised = new(StringComparer.Ordinal);
    private readonly List<string> _removedLeftovers = [];
    private SafeFileHandle? _lock;
    private bool _done;

    private OutputFolder(string asWritten, string target, bool force, string? madeParent)
    {
        _asWritten = asWritten;
        FullPath = target;
        _force = force;
        _madeParent = madeParent;
        StagingPath = "";
    }

    /// <summary>Where the folder will appear, links followed.</summary>
    public string FullPath { get; }

    /// <summary>The folder that is being filled.</summary>
    public string StagingPath { get; private set; }

    /// <summary>Names of what interrupted runs had left beside the output, now removed.</summary>
    public IReadOnlyList<string> RemovedLeftovers => _removedLeftovers;

    /// <summary>Refuses a place that <see cref="Begin"/> would refuse: one that is taken, or in the way of an input. Mends what a killed run left there.</summary>
    /// <returns>Where the folder really is, and its parent.</returns>
    internal static (string Target, string Parent) Check(string path, bool force, IReadOnlyCollection<string> inputFolders)
    {
        string target = RealPath.Of(path);
        string? parent = Path.GetDirectoryName(target);
        if (parent is null) throw FileFaults.OutputUnusable(path, "it is the root of the file system");
        foreach (string input in inputFolders)
        {
            string real = RealPath.Of(input);
            bool inside = RealPath.Holds(real, target), around = RealPath.Holds(target, real);
            string how = inside && around ? "is the input" : inside ? "lies in the input" : "holds the input";
            if (inside || around) throw FileFaults.OutputIsInput(path, input, how);
        }
        Recover(target, parent);
        CheckFree(path, target, force);
        return (target, parent);
    }

    /// <summary>Checks that the output may be written and opens an empty folder for it.</summary>
    /// <param name="path">The folder to appear.</param>
    /// <param name="force">Replaces what is there.</param>
    /// <param name="inputFolders">Folders and files that the run reads: the output may be none of them, lie in none and hold none.</param>
    public static OutputFolder Begin(string path, bool force, IReadOnlyCollection<string> inputFolders)
    {
        (string target, string parent) = Check(path, force, inputFolders);
        string? made = null;
        try
        {
            made = FirstMissing(parent);
            Directory.CreateDirectory(parent);
        }
        catch (Exception e) when (FileFaults.IsReading(e))
        {
            RemoveEmpty(parent, made);
            throw e is UnauthorizedAccessException ? FileFaults.OutputNotPermitted(path, Existing(parent), e) : FileFaults.OutputUnusable(path, e.Message, e);
        }
        var folder = new OutputFolder(path, target, force, made);
        try
        {
            folder.Stage(parent);
            return folder;
        }
        catch (Exception e)
        {
            folder.Dispose();
            if (!FileFaults.IsReading(e)) throw;
            if (FileFaults.IsDiskFull(e)) throw FileFaults.DiskFull(path, null, Posix.FreeBytes(parent), e);
            throw e is UnauthorizedAccessException || e.HResult == Posix.ReadOnly ? FileFaults.OutputNotPermitted(path, parent, e)
                : FileFaults.OutputUnusable(path, e.Message, e);
        }
    }

    /// <summary>Creates a file and reserves its space; throws before the first byte when the disk cannot hold it.</summary>
    /// <param name="fileName">A name, or a relative path with '/' whose folders are created.</param>
    /// <param name="length">The length it will have; <see cref="Commit"/> checks it.</param>
    /// <returns>A handle that this folder owns; it may be closed before <see cref="Commit"/>.</returns>
    public SafeFileHandle Create(string fileName, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        string path = Place(fileName, length);
        long? free = Posix.FreeBytes(StagingPath);
        if (free < length) throw FileFaults.DiskFull(Shown(fileName), length, free);
        try
        {
            // Preallocation fails early on a full disk, where the figure above may be stale or a quota unknown.
            SafeFileHandle handle = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read, FileOptions.None, length);
            _open[handle] = fileName;
            return handle;
        }
        catch (Exception e) when (FileFaults.IsReading(e))
        {
            free = Posix.FreeBytes(StagingPath);
            throw free < length || FileFaults.IsDiskFull(e) ? FileFaults.DiskFull(Shown(fileName), length, free, e) : FileFaults.Writing(Shown(fileName), e);
        }
    }

    /// <summary>Writes at a position of a file made by <see cref="Create"/>; any number of threads at once.</summary>
    public void Write(SafeFileHandle file, long offset, ReadOnlySpan<byte> bytes)
    {
        try
        {
            RandomAccess.Write(file, bytes, offset);
        }
        catch (Exception e) when (FileFaults.IsReading(e))
        {
            throw FileFaults.Writing(Shown(_open.GetValueOrDefault(file) ?? "a file"), e);
        }
    }

    /// <summary>Writes a whole small file.</summary>
    public void Write(string fileName, ReadOnlySpan<byte> bytes)
    {
        using SafeFileHandle handle = Create(fileName, bytes.Length);
        Write(handle, 0, bytes);
        _open.TryRemove(handle, out _);
    }

    /// <summary>Writes a whole text file as UTF-8.</summary>
    public void Write(string fileName, string text) => Write(fileName, Encoding.UTF8.GetBytes(text));

    /// <summary>Copies a file in, under its own name or another one.</summary>
    public void CopyIn(string sourceFile, string? fileName = null)
    {
        fileName ??= Path.GetFileName(sourceFile);
        using FileSource source = FileSource.Open(sourceFile);
        using SafeFileHandle handle = Create(fileName, source.Length);
        byte[] buffer = new byte[(int)Math.Min(source.Length, 1 << 19)];
        for (long at = 0; at < source.Length; at += buffer.Length)
        {
            Span<byte> part = buffer.AsSpan(0, (int)Math.Min(buffer.Length, source.Length - at));
            source.Read(at, part);
            Write(handle, at, part);
        }
        _open.TryRemove(handle, out _);
    }

    /// <summary>Makes the output appear: everything reaches the disk first, then the folder takes its name in one step.</summary>
    public void Commit()
    {
        ObjectDisposedException.ThrowIf(_done, this);
        try
        {
            Flush();
        }
        catch (Exception e) when (FileFaults.IsReading(e))
        {
            throw FileFaults.Writing(_asWritten, e);
        }
        string parent = Path.GetDirectoryName(FullPath)!;
        bool swapped = Exists(FullPath) && !IsEmptyFolder(FullPath);
        if (swapped && !_force) throw FileFaults.OutputAppeared(_asWritten);
        try
        {
            if (swapped) Replace();
            else Release();
        }
        catch (Exception e) when (FileFaults.IsReading(e))
        {
            throw FileFaults.Writing(_asWritten, e);
        }
        _done = true;
        Posix.SyncFolder(parent);
        // After an exchange the staging name holds the old output. Left over when it cannot go: the next run removes it.
        if (swapped) TryDelete(StagingPath);
        Unlock();
    }

    /// <summary>Removes what was written unless it was committed.</summary>
    public void Dispose()
    {
        foreach (SafeFileHandle handle in _open.Keys) handle.Dispose();
        _open.Clear();
        if (!_done)
        {
            _done = true;
            if (StagingPath.Length > 0) TryDelete(StagingPath);
            Unlock();
            RemoveEmpty(Path.GetDirectoryName(FullPath)!, _madeParent);
        }
    }

    private static void CheckFree(string path, string target, bool force)
    {
        string working = RealPath.Of(".");
        if (Directory.Exists(target) && RealPath.Holds(target, working))
        {
            throw FileFaults.OutputUnusable(path, "it holds the working directory, which would be replaced");
        }
        if (force) return;
        if (File.Exists(target)) throw FileFaults.OutputExists(path, "found a file of that name");
        if (!Directory.Exists(target)) return;
        int count;
        try
        {
            count = Directory.EnumerateFileSystemEntries(target).Take(1001).Count();
        }
        catch (Exception e) when (FileFaults.IsReading(e))
        {
            throw FileFaults.OutputNotPermitted(path, target, e);
        }
        string entries = count > 1000 ? "more than 1000 entries" : count == 1 ? "1 entry" : $"{count} entries";
        if (count > 0) throw FileFaults.OutputExists(path, $"the folder is not empty, it holds {entries}");
    }

    private void Stage(string parent)
    {
        string prefix = Prefix(FullPath, "partial"), replaced = Prefix(FullPath, "replaced");
        for (int attempt = 0; _lock is null; attempt++)
        {
            string staging = Path.Join(parent, prefix + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4)));
            if (Exists(staging)) continue;
            _lock = Posix.TryLock(staging + LockSuffix);
            if (_lock is not null) StagingPath = staging;
            else if (attempt > 8) throw new IOException("no lock could be taken");
        }
        Directory.CreateDirectory(StagingPath);

        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (string entry in Directory.EnumerateFileSystemEntries(parent).ToArray())
        {
            string name = Path.GetFileName(entry);
            if (IsOurs(name, replaced) && Exists(FullPath))
            {
                Delete(entry);
                _removedLeftovers.Add(name);
                continue;
            }
            string leftover = name.EndsWith(LockSuffix, StringComparison.Ordinal) ? name[..^LockSuffix.Length] : name;
            if (!IsOurs(leftover, prefix) || leftover == Path.GetFileName(StagingPath) || !seen.Add(leftover)) continue;
            RemoveLeftover(Path.Join(parent, leftover));
        }
    }

    private void RemoveLeftover(string staging)
    {
        using SafeFileHandle? held = Posix.TryLock(staging + LockSuffix);
        if (held is null) throw FileFaults.OutputBusy(_asWritten, Path.GetFileName(staging));
        bool there = Exists(staging);
        if (there) Delete(staging);
        File.Delete(staging + LockSuffix);
        if (there) _removedLeftovers.Add(Path.GetFileName(staging));
    }

    private void Flush()
    {
        foreach ((SafeFileHandle handle, _) in _open)
        {
            if (!handle.IsClosed) RandomAccess.FlushToDisk(handle);
            handle.Dispose();
        }
        _open.Clear();
        foreach (string file in Directory.EnumerateFiles(StagingPath, "*", SearchOption.AllDirectories))
        {
            using SafeFileHandle handle = File.OpenHandle(file, FileMode.Open, FileAccess.ReadWrite);
            long length = RandomAccess.GetLength(handle);
            string name = Path.GetRelativePath(StagingPath, file).Replace('\\', '/');
            if (_promised.GetValueOrDefault(name) is { } promised && promised != length)
            {
                throw new InvalidOperationException($"{name} has {length} bytes, {promised} were promised.");
            }
            RandomAccess.FlushToDisk(handle);
        }
        foreach (string folder in Directory.EnumerateDirectories(StagingPath, "*", SearchOption.AllDirectories)) Posix.SyncFolder(folder);
        Posix.SyncFolder(StagingPath);
    }

    // Nothing, or an empty folder, has the name: rename(2) is one step, and refuses when something has come in meanwhile.
    private void Release()
    {
        int error = Posix.Rename(StagingPath, FullPath);
        if (error == 0) return;
        if (error is Posix.NotEmpty or Posix.Exists or Posix.NotAFolder) throw FileFaults.OutputAppeared(_asWritten);
        if (error is Posix.NotPermitted or Posix.AccessDenied) throw new UnauthorizedAccessException("renaming is not permitted");
        if (Directory.Exists(FullPath)) Directory.Delete(FullPath);
        Directory.Move(StagingPath, FullPath);
    }

    private void Replace()
    {
        if (Posix.Swap(StagingPath, FullPath) == 0) return;
        // File systems without exchange: two renames, and Recover mends what a crash between them leaves.
        string old = Path.Join(Path.GetDirectoryName(FullPath), Prefix(FullPath, "replaced") + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4)));
        Move(FullPath, old);
        try
        {
            Move(StagingPath, FullPath);
        }
        catch
        {
            Move(old, FullPath);
            throw;
        }
        TryDelete(old);
    }

    // A run that died between two renames has left the old output under another name: it gets its own back.
    private static void Recover(string target, string parent)
    {
        if (Exists(target) || !Directory.Exists(parent)) return;
        string prefix = Prefix(target, "replaced");
        try
        {
            string? old = Directory.EnumerateFileSystemEntries(parent).FirstOrDefault(e => IsOurs(Path.GetFileName(e), prefix));
            if (old is not null) Move(old, target);
        }
        catch (Exception e) when (FileFaults.IsReading(e))
        {
            // What comes next meets the same obstacle and names it.
        }
    }

    private string Place(string fileName, long? length)
    {
        ObjectDisposedException.ThrowIf(_done, this);
        string[] parts = fileName.Split('/');
        if (parts.Any(p => !ShardIndex.IsPlain(p))) throw new ArgumentException($"'{fileName}' is not a name inside the output folder.", nameof(fileName));
        if (!_promised.TryAdd(fileName, length)) throw new ArgumentException($"'{fileName}' is written twice.", nameof(fileName));
        string path = Path.Join([StagingPath, .. parts]);
        if (parts.Length > 1) Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return path;
    }

    private string Shown(string fileName) => Path.Join(_asWritten, fileName);

    // Only names of our own making: eight digits behind the prefix.
    private static bool IsOurs(string name, string prefix) =>
        name.Length == prefix.Length + 8 && name.StartsWith(prefix, StringComparison.Ordinal) && name.Skip(prefix.Length).All(char.IsAsciiHexDigitLower);

    private static string Prefix(string target, string what) => $".{Path.GetFileName(target)}.{what}-";

    private void Unlock()
    {
        if (_lock is null) return;
        // Removed while held: whoever opened it meanwhile finds that the name leads elsewhere and takes another.
        if (!OperatingSystem.IsWindows()) TryDelete(StagingPath + LockSuffix);
        _lock.Dispose();
        if (OperatingSystem.IsWindows()) TryDelete(StagingPath + LockSuffix);
        _lock = null;
    }

    private static bool Exists(string path) => File.Exists(path) || Directory.Exists(path);

    private static bool IsEmptyFolder(string path) => Directory.Exists(path) && !Directory.EnumerateFileSystemEntries(path).Any();

    private static void Move(string from, string to)
    {
        if (Directory.Exists(from)) Directory.Move(from, to);
        else File.Move(from, to);
    }

    private static void Delete(string path)
    {
        if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
        else File.Delete(path);
    }

    private static void TryDelete(string path)
    {
        try
        {
            Delete(path);
        }
        catch (Exception e) when (FileFaults.IsReading(e))
        {
            // Tidying up must not hide the reason for it.
        }
    }

    private static string? FirstMissing(string folder)
    {
        string? missing = null;
        for (string? at = folder; at is not null && !Directory.Exists(at); at = Path.GetDirectoryName(at)) missing = at;
        return missing;
    }

    private static string Existing(string folder)
    {
        string? at = folder;
        while (at is not null && !Directory.Exists(at)) at = Path.GetDirectoryName(at);
        return at ?? folder;
    }

    // Parents that this run made go again when they are still empty, from the innermost up to the first one made.
    private static void RemoveEmpty(string parent, string? made)
    {
        if (made is null) return;
        try
        {
            for (string? at = parent; at is not null && at.Length >= made.Length; at = Path.GetDirectoryName(at))
            {
                if (Directory.Exists(at)) Directory.Delete(at);
            }
        }
        catch (Exception e) when (FileFaults.IsReading(e))
        {
            // Not empty, or not ours to remove.
        }
    }
}
