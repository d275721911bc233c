using System.Text;
using Budwood.Files;
using Budwood.Numbers;

namespace Budwood.Checkpoints;

/// <summary>A tensor in a file of a folder, read without the folder being a model.</summary>
public sealed class FolderTensor
{
    private readonly WeightTensor _tensor;

    internal FolderTensor(string file, WeightTensor tensor) => (File, _tensor) = (file, tensor);

    /// <summary>Name of the file that it stands in.</summary>
    public string File { get; }
    public string Name => _tensor.Name;
    public DType DType => _tensor.DType;
    public Shape Shape => _tensor.Shape;
    public long Bytes => _tensor.Bytes;

    /// <summary>Reads bytes of it from an offset.</summary>
    public void Read(long offset, Span<byte> into) => _tensor.Read(offset, into);

    /// <summary>Identity of its content, as <c>xxh128:hex</c>.</summary>
    public string Digest(CancellationToken stop = default) => Digests.OfTensor(_tensor, stop).ToString();
}

/// <summary>A folder that may hold a model, looked at without trust: its files, what their formats hold, its card, its configuration.</summary>
public sealed class ModelFolder : IDisposable
{
    private const int MostText = 16_000_000;

    private readonly List<WeightFile> _opened = [];

    public ModelFolder(FolderScan scan) => Scan = scan;

    /// <summary>The files.</summary>
    public FolderScan Scan { get; }

    /// <summary>The folder as the user named it.</summary>
    public string Label => Scan.Label;

    /// <summary>Lists a folder, or one file.</summary>
    public static ModelFolder Open(string path, string? label = null) => new(FolderScan.Open(path, label));

    /// <summary>Names of the files.</summary>
    public IReadOnlyList<string> Names => [.. Scan.Files.Select(f => f.Name)];

    /// <summary>Bytes of all files.</summary>
    public long Bytes => Scan.Files.Sum(f => f.Length);

    public bool Has(string name) => Scan.Files.Any(f => f.Name == name);

    /// <summary>A text file of it; null when there is none of that name, or it is too large for a text.</summary>
    public string? Text(string name)
    {
        if (Scan.Files.FirstOrDefault(f => f.Name == name) is not { } file || file.Length > MostText) return null;
        using IByteSource source = file.Open();
        byte[] bytes = new byte[source.Length];
        source.Read(0, bytes);
        return Encoding.UTF8.GetString(bytes);
    }

    /// <summary>config.json; null when there is none, or it cannot be read.</summary>
    public ModelConfig? Config() => Parsed("config.json");

    /// <summary>Any JSON object of it as a configuration; null when there is none, or it cannot be read.</summary>
    public ModelConfig? Parsed(string name)
    {
        if (Text(name) is not { } text) return null;
        try
        {
            return ModelConfig.Parse(Encoding.UTF8.GetBytes(text), name);
        }
        catch (Fault)
        {
            return null;
        }
    }

    /// <summary>README.md with its front matter.</summary>
    public CardText Card() => CardText.Parse(Text("README.md") ?? "");

    /// <summary>What a file's format holds that runs or lies.</summary>
    public IReadOnlyList<FormatFinding> Formats(string name)
    {
        using IByteSource source = Scan.Files.Single(f => f.Name == name).Open();
        return FormatScan.Of(source, name);
    }

    /// <summary>All tensors of all weight files that can be opened: safetensors and PyTorch checkpoints.</summary>
    public IEnumerable<FolderTensor> Tensors()
    {
        foreach (ScannedFile file in Scan.Files)
        {
            WeightFile? weights = null;
            IByteSource source = file.Open();
            try
            {
                FileKind kind = FileKinds.Of(source);
                if (kind == FileKind.Safetensors) weights = SafetensorsFile.Open(source);
                else if (kind is FileKind.Zip or FileKind.Pickle) weights = PickleFile.Open(source);
                else source.Dispose();
            }
            catch (Fault)
            {
                // A refused file is a finding of its format; the reader has disposed of the source.
            }
            if (weights is null) continue;
            _opened.Add(weights);
            foreach (TensorEntry tensor in weights.Tensors) yield return new FolderTensor(file.Name, new WeightTensor(tensor, weights));
        }
    }

    /// <summary>The digest that run.json would give to tensors of these names and digests.</summary>
    public static string DigestOf(IEnumerable<(string Name, string Digest)> tensors) => Digests.Checkpoint(tensors.Select(t => (t.Name, Files.Digest.Parse(t.Digest)))).ToString();

    public void Dispose()
    {
        foreach (WeightFile file in _opened) file.Dispose();
        _opened.Clear();
    }
}
