using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Budwood.Files;

/// <content>The folder beside the output: its name and lock, what other runs have left there, and who may go on.</content>
public sealed partial class OutputFolder
{
    private const string LockSuffix = ".lock";

    private void Stage(string parent, Digest? key)
    {
        string prefix = Prefix(FullPath, "partial");
        for (int attempt = 0; _lock is null; attempt++)
        {
            string staging = Path.Join(parent, prefix + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4)));
            if (Exists(staging)) continue;
            _lock = Posix.TryLock(staging + LockSuffix);
            if (_lock is not null) StagingPath = staging;
            else if (attempt > 8) throw new IOException("no lock could be taken");
        }

        // Of two runs that begin at the same moment each sees the other's lock: the one with the later name gives up first.
        string own = Path.GetFileName(StagingPath), last = "";
        for (int tries = 0; Sweep(parent, key) is { } busy; tries++)
        {
            if (busy != last) (last, tries) = (busy, 0);
            if (tries >= (string.CompareOrdinal(busy, own) < 0 ? 10 : 50)) throw FileFaults.OutputBusy(_asWritten, busy);
            Thread.Sleep(20);
        }
        if (Journal is not null) return;
        Directory.CreateDirectory(StagingPath);
        if (key is { } k) Journal = Journal.Begin(_lock, k);
    }

    // Removes what other runs have left, and takes over what one of the same work has finished. Returns the name of a run that is still at it.
    private string? Sweep(string parent, Digest? key)
    {
        string prefix = Prefix(FullPath, "partial"), replaced = Prefix(FullPath, "replaced"), own = Path.GetFileName(StagingPath);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        (string Staging, SafeFileHandle Lock, Journal Journal)? earlier = null;
        try
        {
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
                if (!IsOurs(leftover, prefix) || leftover == own || !seen.Add(leftover)) continue;
                string staging = Path.Join(parent, leftover);
                SafeFileHandle? held = Posix.TryLock(staging + LockSuffix);
                if (held is null) return leftover;
                if (earlier is null && key is { } k && Directory.Exists(staging) && Journal.Resume(held, k) is { Entries.Count: > 0 } journal)
                {
                    earlier = (staging, held, journal);
                    continue;
                }
                using (held) RemoveLeftover(staging);
            }
            if (earlier is not { } found) return null;
            Unlock();
            (StagingPath, _lock, Journal) = found;
            earlier = null;
            return null;
        }
        finally
        {
            earlier?.Lock.Dispose();
        }
    }

    private void RemoveLeftover(string staging)
    {
        bool there = Exists(staging);
        if (there) Delete(staging);
        File.Delete(staging + LockSuffix);
        if (there) _removedLeftovers.Add(Path.GetFileName(staging));
    }

    /// <summary>Bytes that interrupted runs have left beside an output; they come free, or are used, when the next run begins.</summary>
    internal static long LeftoverBytes(string path)
    {
        string target = RealPath.Of(path);
        string? parent = Path.GetDirectoryName(target);
        try
        {
            return parent is null || !Directory.Exists(parent) ? 0 : Directory.EnumerateDirectories(parent, Prefix(target, "partial") + "*")
                .Where(d => IsOurs(Path.GetFileName(d), Prefix(target, "partial"))).SelectMany(d => new DirectoryInfo(d).EnumerateFiles()).Sum(f => Posix.AllocatedBytes(f.FullName) ?? f.Length);
        }
        catch (Exception e) when (FileFaults.IsReading(e))
        {
            return 0;
        }
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
