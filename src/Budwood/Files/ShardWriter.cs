using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Budwood.Files;

/// <summary>Writes the shards of an output on threads of its own, beside the page cache where the file system allows it.</summary>
/// <remarks>
/// Workers fill a buffer and go on computing while it is written. A buffer starts at the same place within a page as its bytes do in the file, so that all but the ends
/// can go to the disk as they are; the ends, pages that two pieces share, go through the page cache.
/// </remarks>
public sealed class ShardWriter : IDisposable
{
    /// <summary>The data of a shard should start at a multiple of this.</summary>
    public const int Alignment = 4096;

    /// <summary>Writes that are under way at once: a disk is only busy when it has the next one at hand.</summary>
    private const int Writers = 3;

    private readonly OutputFolder _folder;
    private readonly List<(SafeFileHandle File, SafeFileHandle? Direct)> _files = [];
    private readonly List<int> _underWay = [];
    private readonly BlockingCollection<nint> _free = [];
    private readonly BlockingCollection<ShardPiece> _full = [];
    private readonly Thread[] _threads = new Thread[Writers];
    private readonly int _room;
    private readonly bool _sharesExtents;
    private int _unmade, _directRefused;
    private ExceptionDispatchInfo? _failure;
    private long _waitTicks, _writeTicks, _directBytes, _bytes;

    /// <param name="workers">Threads that fill buffers.</param>
    /// <param name="pieceBytes">The largest piece; longer ones go in parts.</param>
    public ShardWriter(OutputFolder folder, int workers, int pieceBytes)
    {
        _folder = folder;
        _room = pieceBytes;
        _sharesExtents = CopiesWithoutBytes(folder.StagingPath);
        _unmade = Buffers(workers);
        for (int i = 0; i < _threads.Length; i++)
        {
            _threads[i] = new Thread(Work) { IsBackground = true, Name = $"budwood writer {i}" };
            _threads[i].Start();
        }
    }

    // Elsewhere a copy inside the kernel goes through the page cache, and the sync at the end waits for all of it: direct writes are faster.
    private static bool CopiesWithoutBytes(string folder)
    {
        try
        {
            return OperatingSystem.IsLinux() && new DriveInfo(folder).DriveFormat is "btrfs" or "xfs" or "zfs" or "bcachefs" or "nfs" or "nfs4" or "cifs" or "smb2" or "smb3";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return false;
        }
    }

    private static int Buffers(int workers) => workers + Writers + 1;

    /// <summary>Bytes of buffers that a writer for so many workers holds.</summary>
    public static long BufferBytes(int workers, int pieceBytes) => Buffers(workers) * (pieceBytes + (2L * Alignment));

    /// <summary>Seconds that writers spent in writes, and that workers waited for a free buffer.</summary>
    public (double Writing, double Waiting) Seconds => (TimeSpan.FromTicks(_writeTicks).TotalSeconds, TimeSpan.FromTicks(_waitTicks).TotalSeconds);

    /// <summary>Bytes written, and how many of them went beside the page cache.</summary>
    public (long All, long Direct) Bytes => (_bytes, _directBytes);

    /// <summary>Creates a file of the output with its header; returns its number.</summary>
    public int Add(string fileName, SafetensorsLayout layout)
    {
        SafeFileHandle file = _folder.Create(fileName, layout.Length);
        _folder.Write(file, 0, layout.Header.Span);
        _files.Add((file, Posix.OpenDirect(Path.Join(_folder.StagingPath, fileName))));
        _underWay.Add(0);
        return _files.Count - 1;
    }

    /// <summary>Counts in a file that is finished already; returns its number.</summary>
    public int Add(SafeFileHandle finished)
    {
        _files.Add((finished, null));
        _underWay.Add(0);
        return _files.Count - 1;
    }

    /// <summary>Waits until all that was sent to a file is written.</summary>
    public void WaitFor(int file)
    {
        lock (_underWay)
            while (_underWay[file] > 0) Monitor.Wait(_underWay);
        _failure?.Throw();
    }

    /// <summary>The file with this number, for reading back.</summary>
    public SafeFileHandle this[int file] => _files[file].File;

    /// <summary>A buffer for bytes that will stand at <paramref name="offset"/> of a file; waits until one is free. Null when they are more than a buffer holds.</summary>
    public ShardPiece? Rent(int file, long offset, int length)
    {
        if (length > _room) return null;
        return new ShardPiece(this, Take(), file, offset, length);
    }

    /// <summary>Writes bytes that stand elsewhere, in parts if need be.</summary>
    public void Write(int file, long offset, ReadOnlySpan<byte> bytes)
    {
        for (int at = 0; at < bytes.Length; at += _room)
        {
            int length = Math.Min(_room, bytes.Length - at);
            ShardPiece piece = Rent(file, offset + at, length)!;
            bytes.Slice(at, length).CopyTo(piece.Span);
            piece.Send();
        }
    }

    /// <summary>Copies bytes of another file inside the kernel, as far as it goes; returns how many.</summary>
    public long Copy(FileSource from, long fromOffset, int file, long offset, long count)
    {
        if (!_sharesExtents) return 0;
        long start = Environment.TickCount64;
        long done = Posix.CopyRange(from.Handle, fromOffset, _files[file].File, offset, count);
        Interlocked.Add(ref _writeTicks, (Environment.TickCount64 - start) * TimeSpan.TicksPerMillisecond);
        Interlocked.Add(ref _bytes, done);
        return done;
    }

    /// <summary>Waits until everything is written; throws what went wrong.</summary>
    public void Finish()
    {
        _full.CompleteAdding();
        foreach (Thread thread in _threads) thread.Join();
        foreach ((_, SafeFileHandle? direct) in _files) direct?.Dispose();
        _failure?.Throw();
    }

    private nint Take()
    {
        _failure?.Throw();
        if (_free.TryTake(out nint buffer)) return buffer;
        if (Interlocked.Decrement(ref _unmade) >= 0) return Allocate(_room);
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        buffer = _free.Take();
        Interlocked.Add(ref _waitTicks, System.Diagnostics.Stopwatch.GetElapsedTime(start).Ticks);
        return buffer;
    }

    private static unsafe nint Allocate(int room) => (nint)NativeMemory.AlignedAlloc((nuint)room + (2 * Alignment), Alignment);

    private static unsafe void Free(nint buffer) => NativeMemory.AlignedFree((void*)buffer);

    internal void Send(ShardPiece piece)
    {
        lock (_underWay) _underWay[piece.File]++;
        _full.Add(piece);
    }

    internal void Return(nint buffer) => _free.Add(buffer);

    private void Work()
    {
        foreach (ShardPiece piece in _full.GetConsumingEnumerable())
        {
            long start = System.Diagnostics.Stopwatch.GetTimestamp();
            try
            {
                if (_failure is null) Write(piece);
            }
            catch (Exception e)
            {
                _failure ??= ExceptionDispatchInfo.Capture(e);
            }
            Interlocked.Add(ref _writeTicks, System.Diagnostics.Stopwatch.GetElapsedTime(start).Ticks);
            lock (_underWay)
            {
                if (--_underWay[piece.File] == 0) Monitor.PulseAll(_underWay);
            }
            _free.Add(piece.Buffer); // also after a failure: nobody may wait for ever
        }
    }

    private void Write(ShardPiece piece)
    {
        (SafeFileHandle file, SafeFileHandle? direct) = _files[piece.File];
        ReadOnlySpan<byte> bytes = piece.Span;
        Interlocked.Add(ref _bytes, bytes.Length);
        int first = (int)(-piece.Offset & (Alignment - 1)), whole = (bytes.Length - first) & ~(Alignment - 1);
        if (direct is null || _directRefused != 0 || whole <= 0)
        {
            _folder.Write(file, piece.Offset, bytes);
            return;
        }
        if (!TryDirect(direct, bytes.Slice(first, whole), piece.Offset + first))
        {
            // Opened, and yet refused: some file systems say so only when it is tried.
            _directRefused = 1;
            _folder.Write(file, piece.Offset, bytes);
            return;
        }
        Interlocked.Add(ref _directBytes, whole);
        if (first > 0) _folder.Write(file, piece.Offset, bytes[..first]);
        if (first + whole < bytes.Length) _folder.Write(file, piece.Offset + first + whole, bytes[(first + whole)..]);
    }

    private static bool TryDirect(SafeFileHandle direct, ReadOnlySpan<byte> bytes, long offset)
    {
        try
        {
            RandomAccess.Write(direct, bytes, offset);
            return true;
        }
        catch (Exception e) when (FileFaults.IsReading(e))
        {
            return false; // what is wrong with more than the way shows when the page cache is tried
        }
    }

    public void Dispose()
    {
        if (!_full.IsAddingCompleted) _full.CompleteAdding();
        foreach (Thread thread in _threads) thread.Join();
        foreach ((_, SafeFileHandle? direct) in _files) direct?.Dispose();
        while (_free.TryTake(out nint buffer)) Free(buffer);
        _free.Dispose();
        _full.Dispose();
    }
}

/// <summary>A buffer on its way to a shard: fill it, then send it; disposing what was not sent gives it back.</summary>
/// <remarks>One object each time: whoever has sent it can do nothing to the buffer any more, which may be somebody else's by then.</remarks>
public sealed unsafe class ShardPiece : IDisposable
{
    private readonly ShardWriter _writer;
    private readonly int _length;
    private bool _held = true;

    internal ShardPiece(ShardWriter writer, nint buffer, int file, long offset, int length) => (_writer, Buffer, File, Offset, _length) = (writer, buffer, file, offset, length);

    internal nint Buffer { get; }
    internal int File { get; }
    internal long Offset { get; }

    /// <summary>The bytes to fill.</summary>
    public Span<byte> Span => new((byte*)Buffer + (Offset & (ShardWriter.Alignment - 1)), _length);

    /// <summary>Hands the bytes over to be written; they may not be touched any more.</summary>
    public void Send()
    {
        _held = false;
        _writer.Send(this);
    }

    public void Dispose()
    {
        if (!_held) return;
        _held = false;
        _writer.Return(Buffer);
    }
}
