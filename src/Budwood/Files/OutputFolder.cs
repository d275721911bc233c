using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Budwood.Files;

/// <summary>An output folder that appears whole or not at all: written beside its place, synced to disk, then given its name.</summary>
/// <remarks>
/// The files grow in <c>.NAME.partial-xxxxxxxx</c>, whose lock file stands beside it under the same name with <c>.lock</c>, so that
/// it is held before the folder is there and until it is gone. A run that dies leaves both. The lock file holds the <see cref="Files.Journal"/>
/// of what was finished: the next run of the same work takes both over, any other run removes them.
/// </remarks>
public sealed partial class OutputFolder : IDisposable
{
    private readonly string _asWritten;
    private readonly bool _force;
    private readonly string? _madeParent;
    private readonly ConcurrentDictionary<SafeFileHandle, string> _open = new();
    private readonly ConcurrentDictionary<string, long?> _promised = new(StringComparer.Ordinal);
    private readonly List<string> _removedLeftovers = [];
    private SafeFileHandle? _lock;
    private bool _done, _left;

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

    /// <summary>What is finished so far, for a later run of the same work; null when nothing will be kept.</summary>
    internal Journal? Journal { get; private set; }

    /// <summary>Names of what interrupted runs had left beside the output, now removed.</summary>
    public IReadOnlyList<string> RemovedLeftovers => _removedLeftovers;

    /// <summary>Refuses a place that <see cref="Begin"/> would refuse: taken, or in the way of an input. Mends what a killed run left there.</summary>
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
    /// <param name="key">Names the work. What an interrupted run of the same work has finished is taken over; without a key nothing is kept.</param>
    public static OutputFolder Begin(string path, bool force, IReadOnlyCollection<string> inputFolders, Digest? key = null)
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
            folder.Stage(parent, key);
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
            // After the exchange the staging name holds the old output, which no journal describes.
            if (swapped) Journal?.End();
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

    /// <summary>Opens a file that an interrupted run has left in the folder; null when there is none of that name and length.</summary>
    internal SafeFileHandle? Reopen(string fileName, long length)
    {
        string path = Place(fileName, length);
        SafeFileHandle? handle = null;
        try
        {
            handle = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read);
            if (RandomAccess.GetLength(handle) == length)
            {
                _open[handle] = fileName;
                return handle;
            }
        }
        catch (Exception e) when (FileFaults.IsReading(e))
        {
            // Whatever is the matter with it, it is written anew.
        }
        handle?.Dispose();
        _promised.TryRemove(fileName, out _);
        return null;
    }

    /// <summary>Gives up a file that was opened by <see cref="Reopen"/>.</summary>
    internal void Discard(SafeFileHandle handle)
    {
        if (_open.TryRemove(handle, out string? name)) _promised.TryRemove(name, out _);
        handle.Dispose();
    }

    /// <summary>Removes every file that this run has neither created nor reopened.</summary>
    internal void RemoveOthers() => RemoveOthers(_promised.ContainsKey);

    private void RemoveOthers(Func<string, bool> stays)
    {
        foreach (string file in Directory.EnumerateFiles(StagingPath, "*", SearchOption.AllDirectories).ToArray())
            if (!stays(Path.GetRelativePath(StagingPath, file).Replace('\\', '/'))) File.Delete(file);
    }

    /// <summary>Puts everything of a file on disk, so that the journal may count on it.</summary>
    internal void Sync(SafeFileHandle file)
    {
        try
        {
            RandomAccess.FlushToDisk(file);
            Posix.SyncFolder(StagingPath);
        }
        catch (Exception e) when (FileFaults.IsReading(e))
        {
            throw FileFaults.Writing(Shown(_open.GetValueOrDefault(file) ?? "a file"), e);
        }
    }

    /// <summary>Ends the run without the output and leaves what is finished to a later one; all other files go.</summary>
    internal void Leave(IReadOnlyCollection<string> finished)
    {
        _left = true;
        try
        {
            RemoveOthers(finished.Contains);
        }
        catch (Exception e) when (FileFaults.IsReading(e))
        {
            // The run that takes the folder over tries again.
        }
    }

    /// <summary>Removes what was written unless it was committed or left to a later run.</summary>
    public void Dispose()
    {
        foreach (SafeFileHandle handle in _open.Keys) handle.Dispose();
        _open.Clear();
        if (_left && !_done)
        {
            _done = true;
            _lock?.Dispose();
        }
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
}
