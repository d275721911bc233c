using Microsoft.Win32.SafeHandles;

namespace Budwood.Files;

/// <summary>Bytes at positions: what every reader of weights reads from, be it a file, a part of an archive, or memory.</summary>
/// <remarks>Reads are positioned and hold no state, so any number of threads may read one source at once.</remarks>
public interface IByteSource : IDisposable
{
    /// <summary>The name that messages use: the path as the user wrote it.</summary>
    string Name { get; }

    long Length { get; }

    /// <summary>Fills <paramref name="into"/> whole from <paramref name="offset"/>, or throws a <see cref="Fault"/> that names file and offset.</summary>
    void Read(long offset, Span<byte> into);
}

/// <summary>A file on disk, read at positions; one that shrinks, vanishes or fails while it is read ends in a <see cref="Fault"/>.</summary>
public sealed class FileSource : IByteSource
{
    private readonly SafeFileHandle _handle;

    private FileSource(string path, SafeFileHandle handle, long length)
    {
        Name = path;
        _handle = handle;
        Length = length;
    }

    public string Name { get; }
    public long Length { get; }

    /// <summary>For copies inside the kernel.</summary>
    internal SafeFileHandle Handle => _handle;

    /// <summary>Opens a regular file for reading.</summary>
    public static FileSource Open(string path)
    {
        // A FIFO would block the open for ever, and a device has no length: look before opening.
        if (Posix.Stat(path) is { IsRegular: false, IsFolder: false }) throw FileFaults.NotAFile(path, "a pipe, socket or device");
        if (Directory.Exists(path)) throw FileFaults.NotAFile(path, "a folder");
        SafeFileHandle? handle = null;
        try
        {
            handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return new FileSource(path, handle, RandomAccess.GetLength(handle));
        }
        catch (Exception e) when (FileFaults.IsReading(e))
        {
            handle?.Dispose();
            throw FileFaults.Opening(path, e);
        }
    }

    public void Read(long offset, Span<byte> into)
    {
        if (offset < 0 || into.Length > Length - offset) throw FileFaults.PastTheEnd(Name, offset, into.Length, Length);
        while (into.Length > 0)
        {
            int got;
            try
            {
                got = RandomAccess.Read(_handle, into, offset);
            }
            catch (Exception e) when (FileFaults.IsReading(e))
            {
                throw FileFaults.Reading(Name, offset, e);
            }
            if (got == 0) throw FileFaults.Shrunk(Name, offset, Length);
            offset += got;
            into = into[got..];
        }
    }

    public void Dispose() => _handle.Dispose();
}

/// <summary>Bytes in memory behind the interface of a file: small artifacts that were never written, and tests.</summary>
public sealed class MemorySource(ReadOnlyMemory<byte> bytes, string name = "memory") : IByteSource
{
    public string Name { get; } = name;
    public long Length => bytes.Length;

    public void Read(long offset, Span<byte> into)
    {
        if (offset < 0 || into.Length > Length - offset) throw FileFaults.PastTheEnd(Name, offset, into.Length, Length);
        bytes.Span.Slice((int)offset, into.Length).CopyTo(into);
    }

    public void Dispose()
    {
    }
}
