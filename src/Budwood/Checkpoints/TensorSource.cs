using Budwood.Numbers;

namespace Budwood.Checkpoints;

/// <summary>Where the values of a tensor come from: a file, a file plus an adapter, or a step that has not been written.</summary>
public abstract class TensorSource
{
    /// <summary>The type in which the values are (or would be) stored.</summary>
    public abstract DType DType { get; }

    public abstract Shape Shape { get; }

    /// <summary>A reader for one thread; it takes its buffers from the pool that is handed to it.</summary>
    public abstract TensorReader Open(BufferPool pool);

    /// <summary>The tensor of a file whose bytes a reader sees piece by piece, for digests; null when it sees other parts of it or none.</summary>
    public virtual StoredTensor? Stored => null;

    /// <summary>The sources that this one reads; none for a tensor of a file.</summary>
    public virtual IEnumerable<TensorSource> From => [];

    /// <summary>Bytes of buffer that a reader needs for a piece of so many elements.</summary>
    public abstract long BufferBytes(int elements);
}

/// <summary>Reads one tensor piece by piece; not safe for use by several threads.</summary>
public abstract class TensorReader : IDisposable
{
    /// <summary>Brings elements <paramref name="start"/> to <c>start + count</c> near.</summary>
    public abstract void Fetch(long start, int count);

    /// <summary>Values of the fetched piece as float32, from element <paramref name="offset"/> of the piece.</summary>
    public abstract void Load(int offset, Span<float> values);

    /// <summary>The bytes of the fetched piece as they are or would be stored; empty where the piece is no run of bytes.</summary>
    public virtual ReadOnlySpan<byte> Bytes => default;

    /// <summary>The bytes of <see cref="TensorSource.Stored"/> that the piece was made from.</summary>
    public virtual ReadOnlySpan<byte> StoredBytes => default;

    public abstract void Dispose();
}
