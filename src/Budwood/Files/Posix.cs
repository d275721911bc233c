using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Budwood.Files;

/// <summary>What the operating system knows about a file beyond its name: which file it is, how large, when written.</summary>
public readonly record struct FileFacts(ulong Device, ulong Inode, long Bytes, long ModifiedSeconds, uint ModifiedNanoseconds, ushort Mode)
{
    public bool IsRegular => (Mode & 0xF000) == 0x8000;
    public bool IsFolder => (Mode & 0xF000) == 0x4000;

    /// <summary>Whether two names lead to one file.</summary>
    public bool IsSameFileAs(FileFacts other) => Device == other.Device && Inode == other.Inode;
}

/// <summary>The few calls of libc that .NET does not offer; elsewhere than on Linux each says so by its result and the callers go another way.</summary>
internal static partial class Posix
{
    private const int AtCurrentFolder = -100;
    private const int CloseOnExec = 0x80000;
    private const int WriteOnly = 1;
    private const int LockExclusive = 2, LockNonBlocking = 4;
    private const uint NoReplace = 1, Exchange = 2;

    /// <summary>Error numbers of Linux that callers tell apart.</summary>
    internal const int NotPermitted = 1, NoEntry = 2, AccessDenied = 13, Exists = 17, CrossDevice = 18, NotAFolder = 20, Invalid = 22,
        NoSpace = 28, ReadOnly = 30, NameTooLong = 36, NoCall = 38, NotEmpty = 39, NotSupported = 95, Quota = 122;

    /// <summary>Facts of the file that a path leads to, links followed; null when there is none or the system cannot say.</summary>
    internal static FileFacts? Stat(string path)
    {
        if (!OperatingSystem.IsLinux()) return null;
        try
        {
            return statx(AtCurrentFolder, path, 0, 0x7FF, out StatX s) == 0
                ? new FileFacts(((ulong)s.DeviceMajor << 32) | s.DeviceMinor, s.Inode, (long)s.Size, s.ModifiedSeconds, s.ModifiedNanoseconds, s.Mode)
                : null;
        }
        catch (EntryPointNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Bytes of the disk that a file takes, reserved ones counted; null when the system cannot say.</summary>
    internal static long? AllocatedBytes(string path)
    {
        if (!OperatingSystem.IsLinux()) return null;
        try
        {
            return statx(AtCurrentFolder, path, 0, 0x7FF, out StatX s) == 0 ? (long)s.Blocks * 512 : null;
        }
        catch (EntryPointNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Makes names that were created, renamed or removed in a folder survive a power cut; best effort.</summary>
    internal static void SyncFolder(string path)
    {
        if (OperatingSystem.IsWindows()) return;
        // O_CLOEXEC has another number outside Linux; the descriptor lives for microseconds.
        int fd = open(path, OperatingSystem.IsLinux() ? CloseOnExec : 0);
        if (fd < 0) return;
        // A file system that cannot sync folders answers EINVAL: nothing to be done about it.
        _ = fsync(fd);
        _ = close(fd);
    }

    /// <summary>Opens a file for writing beside the page cache; null where the system or the file system has no such way.</summary>
    internal static SafeFileHandle? OpenDirect(string path)
    {
        if (!OperatingSystem.IsLinux()) return null;
        int direct = RuntimeInformation.ProcessArchitecture switch { Architecture.X64 or Architecture.X86 => 0x4000, Architecture.Arm64 or Architecture.Arm => 0x10000, _ => 0 };
        if (direct == 0) return null;
        int fd = open(path, WriteOnly | direct | CloseOnExec);
        return fd < 0 ? null : new SafeFileHandle(fd, ownsHandle: true);
    }

    /// <summary>Copies bytes from file to file inside the kernel; returns how many were copied, fewer than asked for where the kernel cannot.</summary>
    internal static long CopyRange(SafeFileHandle from, long fromOffset, SafeFileHandle to, long toOffset, long count)
    {
        if (!OperatingSystem.IsLinux()) return 0;
        long done = 0;
        try
        {
            while (done < count)
            {
                long n = copy_file_range(from, ref fromOffset, to, ref toOffset, (nuint)(count - done), 0);
                if (n <= 0) break;
                done += n;
            }
        }
        catch (EntryPointNotFoundException)
        {
            // An old libc: the caller copies.
        }
        return done;
    }

    /// <summary>Renames; a target that exists fails with <see cref="Exists"/>. Returns 0 or the error number.</summary>
    internal static int RenameNew(string from, string to) => Rename(from, to, NoReplace);

    /// <summary>Renames with the rules of rename(2): an empty folder is replaced. Returns 0 or the error number.</summary>
    internal static int Rename(string from, string to) => Rename(from, to, 0);

    /// <summary>Swaps two names in one step. Returns 0 or the error number.</summary>
    internal static int Swap(string one, string other) => Rename(one, other, Exchange);

    private static int Rename(string from, string to, uint flags)
    {
        if (!OperatingSystem.IsLinux()) return NoCall;
        try
        {
            return renameat2(AtCurrentFolder, from, AtCurrentFolder, to, flags) == 0 ? 0 : Marshal.GetLastPInvokeError();
        }
        catch (EntryPointNotFoundException)
        {
            return NoCall;
        }
    }

    /// <summary>Creates or opens a lock file and takes its lock without waiting; null when another holds it.</summary>
    /// <remarks>The lock goes with the process, however it ends.</remarks>
    internal static SafeFileHandle? TryLock(string path)
    {
        SafeFileHandle handle;
        try
        {
            // FileShare.None is a lock on every system; on Unix it is flock itself, unless the environment switched it off.
            handle = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e.GetType() == typeof(IOException) && (e.HResult is 11 or 35 || File.Exists(path))) // the holder may be gone by now
        {
            return null;
        }
        if (OperatingSystem.IsWindows()) return handle;
        if (flock(handle, LockExclusive | LockNonBlocking) != 0 && Marshal.GetLastPInvokeError() is 11 or 35) // EWOULDBLOCK of Linux and of the BSDs
        {
            handle.Dispose();
            return null;
        }
        // Another run may have removed the file between our opening and our locking: such a lock guards nothing.
        FileFacts? there = Stat(path);
        if (OperatingSystem.IsLinux() && (there is null || !StillThere(handle, there.Value)))
        {
            handle.Dispose();
            return null;
        }
        return handle;
    }

    private static bool StillThere(SafeFileHandle handle, FileFacts there) =>
        Stat($"/proc/self/fd/{handle.DangerousGetHandle()}") is not { } mine || mine.IsSameFileAs(there);

    /// <summary>Bytes that an unprivileged user may still write where <paramref name="folder"/> lies; null when unknown.</summary>
    internal static long? FreeBytes(string folder)
    {
        try
        {
            return new DriveInfo(OperatingSystem.IsWindows() ? Path.GetPathRoot(Path.GetFullPath(folder))! : folder).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }

    // The kernel's struct statx: 256 bytes on every architecture.
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct StatX
    {
        [FieldOffset(28)] public ushort Mode;
        [FieldOffset(32)] public ulong Inode;
        [FieldOffset(40)] public ulong Size;
        [FieldOffset(48)] public ulong Blocks; // of 512 bytes
        [FieldOffset(112)] public long ModifiedSeconds;
        [FieldOffset(120)] public uint ModifiedNanoseconds;
        [FieldOffset(136)] public uint DeviceMajor;
        [FieldOffset(140)] public uint DeviceMinor;
    }

#pragma warning disable IDE1006, SYSLIB1054 // The names are libc's own.
    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int statx(int folder, string path, int flags, uint mask, out StatX facts);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int renameat2(int fromFolder, string from, int toFolder, string to, uint flags);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int open(string path, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint copy_file_range(SafeFileHandle from, ref long fromOffset, SafeFileHandle to, ref long toOffset, nuint count, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(int fd);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int fd);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int flock(SafeFileHandle file, int operation);
#pragma warning restore IDE1006, SYSLIB1054
}
