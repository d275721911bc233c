using System.Runtime.InteropServices;

namespace Budwood.Checkpoints;

/// <summary>Aligned native buffers of one thread, used again from piece to piece.</summary>
public sealed unsafe class BufferPool : IDisposable
{
    private const nuint Alignment = 64;
    private readonly Stack<(nint Pointer, long Bytes)> _free = [];
    private long _held;

    /// <summary>Most bytes held at any time.</summary>
    public long PeakBytes { get; private set; }

    /// <summary>A buffer of at least so many bytes; its content is undefined.</summary>
    public NativeBuffer Rent(long bytes)
    {
        if (_free.TryPop(out (nint Pointer, long Bytes) b))
        {
            if (b.Bytes >= bytes) return new NativeBuffer(this, b.Pointer, b.Bytes);
            NativeMemory.AlignedFree((void*)b.Pointer);
            _held -= b.Bytes;
        }
        long size = (bytes + 4095) & ~4095L;
        nint p = (nint)NativeMemory.AlignedAlloc((nuint)size, Alignment);
        _held += size;
        PeakBytes = Math.Max(PeakBytes, _held);
        return new NativeBuffer(this, p, size);
    }

    internal void Return(nint pointer, long bytes) => _free.Push((pointer, bytes));

    public void Dispose()
    {
        while (_free.TryPop(out (nint Pointer, long Bytes) b))
        {
            NativeMemory.AlignedFree((void*)b.Pointer);
            _held -= b.Bytes;
        }
    }
}

/// <summary>A rented buffer; give it back by disposing it.</summary>
public readonly unsafe struct NativeBuffer : IDisposable, IEquatable<NativeBuffer>
{
    private readonly BufferPool _pool;
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

    public void Dispose() => _pool.Return(_pointer, _bytes);

    public bool Equals(NativeBuffer other) => _pointer == other._pointer;
    public override bool Equals(object? obj) => obj is NativeBuffer other && Equals(other);
    public override int GetHashCode() => _pointer.GetHashCode();
    public static bool operator ==(NativeBuffer left, NativeBuffer right) => left.Equals(right);
    public static bool operator !=(NativeBuffer left, NativeBuffer right) => !left.Equals(right);
}
