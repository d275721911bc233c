using System.Runtime.InteropServices;

namespace Budwood.Checkpoints;

/// <summary>Aligned native buffers of one thread, used again from piece to piece.</summary>
public sealed unsafe class BufferPool : IDisposable
{
    private const nuint Alignment = 64;
    private const long Page = 4096;
    private readonly List<(nint Pointer, long Bytes)> _free = [];
    private long _held;

    /// <summary>Most bytes held at any time.</summary>
    public long PeakBytes { get; private set; }

    /// <summary>A buffer of at least so many bytes; its content is undefined.</summary>
    public NativeBuffer Rent(long bytes)
    {
        // The smallest that suffices; a small wish does not take a large buffer from the one that will ask for it next.
        int found = -1, smaller = -1;
        for (int i = 0; i < _free.Count; i++)
        {
            long b = _free[i].Bytes;
            if (b < bytes) smaller = smaller < 0 || b > _free[smaller].Bytes ? i : smaller;
            else if (b <= Math.Max(Page, 4 * bytes) && (found < 0 || b < _free[found].Bytes)) found = i;
        }
        if (found >= 0)
        {
            (nint pointer, long held) = _free[found];
            _free.RemoveAt(found);
            return new NativeBuffer(this, pointer, held);
        }
        if (smaller >= 0)
        {
            Free(_free[smaller]);
            _free.RemoveAt(smaller);
        }
        long size = (bytes + Page - 1) & ~(Page - 1);
        nint p = (nint)NativeMemory.AlignedAlloc((nuint)size, Alignment);
        _held += size;
        PeakBytes = Math.Max(PeakBytes, _held);
        return new NativeBuffer(this, p, size);
    }

    internal void Return(nint pointer, long bytes) => _free.Add((pointer, bytes));

    private void Free((nint Pointer, long Bytes) buffer)
    {
        NativeMemory.AlignedFree((void*)buffer.Pointer);
        _held -= buffer.Bytes;
    }

    public void Dispose()
    {
        foreach ((nint, long) buffer in _free) Free(buffer);
        _free.Clear();
    }
}

/// <summary>A rented buffer; give it back by disposing it.</summary>
public readonly unsafe struct NativeBuffer : IDisposable, IEquatable<NativeBuffer>
{
    private readonly BufferPool? _pool;
    private readonly nint _pointer;
    private readonly long _bytes;

    internal NativeBuffer(BufferPool pool, nint pointer, long bytes) => (_pool, _pointer, _bytes) = (pool, pointer, bytes);

    public long Bytes => _bytes;

    /// <summary>Address of the first byte, aligned to 64.</summary>
    public void* Pointer => (void*)_pointer;

    /// <summary>The first <paramref name="count"/> bytes.</summary>
    public Span<byte> Span(int count) => new((void*)_pointer, count);

    /// <summary>The buffer as <paramref name="count"/> floats.</summary>
    public Span<float> Floats(int count) => new((void*)_pointer, count);

    public void Dispose() => _pool?.Return(_pointer, _bytes);

    public bool Equals(NativeBuffer other) => _pointer == other._pointer;
    public override bool Equals(object? obj) => obj is NativeBuffer other && Equals(other);
    public override int GetHashCode() => _pointer.GetHashCode();
    public static bool operator ==(NativeBuffer left, NativeBuffer right) => left.Equals(right);
    public static bool operator !=(NativeBuffer left, NativeBuffer right) => !left.Equals(right);
}
