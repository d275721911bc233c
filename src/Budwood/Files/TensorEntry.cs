using Budwood.Numbers;

namespace Budwood.Files;

/// <summary>One tensor as a file describes it: name, element type, shape, and where its bytes lie.</summary>
/// <param name="Offset">Of the first byte, counted from the start of the file.</param>
/// <param name="Bytes">Length of the data.</param>
public sealed record TensorEntry(string Name, DType DType, Shape Shape, long Offset, long Bytes)
{
    /// <summary>Offset of the byte behind the last one.</summary>
    public long End => Offset + Bytes;
}

/// <summary>A file that holds tensors, whatever its format: a list of entries over one source of bytes.</summary>
public abstract class WeightFile(IByteSource source) : IDisposable
{
    /// <summary>The tensors in file order.</summary>
    public abstract IReadOnlyList<TensorEntry> Tensors { get; }

    /// <summary>Free-form notes of the writer; empty where the format or the file has none.</summary>
    public abstract IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>The path as opened.</summary>
    public string Path => Source.Name;

    public IByteSource Source { get; } = source;

    public void Dispose()
    {
        Source.Dispose();
        GC.SuppressFinalize(this);
    }
}

/// <summary>One tensor of a model and the file that it lies in.</summary>
public sealed record WeightTensor(TensorEntry Entry, WeightFile File)
{
    public string Name => Entry.Name;
    public DType DType => Entry.DType;
    public Shape Shape => Entry.Shape;
    public long Bytes => Entry.Bytes;

    /// <summary>Fills <paramref name="into"/> from byte <paramref name="offset"/> of this tensor.</summary>
    public void Read(long offset, Span<byte> into)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(into.Length, Entry.Bytes - offset);
        File.Source.Read(Entry.Offset + offset, into);
    }
}
