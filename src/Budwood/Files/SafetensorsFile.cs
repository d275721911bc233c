namespace Budwood.Files;

/// <summary>A safetensors file whose header has been checked in full, so that every tensor it lists can be read.</summary>
public sealed class SafetensorsFile : WeightFile
{
    /// <summary>The largest header that is read or written, 100 MB as in the safetensors library.</summary>
    public const long HeaderLimit = 100_000_000;

    private SafetensorsFile(IByteSource source, SafetensorsHeader header) : base(source)
    {
        Tensors = header.Tensors;
        Metadata = header.Metadata;
    }

    public override IReadOnlyList<TensorEntry> Tensors { get; }

    public override IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Opens a file, reads its header and checks it against the file.</summary>
    public static SafetensorsFile Open(string path) => Open(FileSource.Open(path));

    /// <summary>Reads and checks the header; the file owns the source from here on, and disposes it when the header is refused.</summary>
    public static SafetensorsFile Open(IByteSource source)
    {
        try
        {
            return new SafetensorsFile(source, SafetensorsHeader.Read(source));
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }
}
