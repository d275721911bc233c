using System.Buffers;
using System.Globalization;
using System.Text;
using Budwood.Numbers;

namespace Budwood.Files;

/// <summary>The plan of a model folder's weights: one file, or shards and their index.</summary>
public sealed class ShardPlan
{
    private readonly Dictionary<string, (int File, TensorEntry Entry)> _byName;

    private ShardPlan(IReadOnlyList<(string FileName, SafetensorsLayout Layout)> files, Dictionary<string, (int, TensorEntry)> byName, byte[]? indexJson,
        long totalBytes)
    {
        Files = files;
        _byName = byName;
        IndexJson = indexJson;
        TotalBytes = totalBytes;
    }

    /// <summary>The files in the order in which they fill.</summary>
    public IReadOnlyList<(string FileName, SafetensorsLayout Layout)> Files { get; }

    /// <summary>Content of <see cref="IndexName"/>; null when one file holds all.</summary>
    public byte[]? IndexJson { get; }

    /// <summary>File name of the index.</summary>
    public const string IndexName = "model.safetensors.index.json";

    /// <summary>Bytes of all tensors, headers not counted.</summary>
    public long TotalBytes { get; }

    /// <summary>Length of all files together, headers and index counted.</summary>
    public long FileBytes => Files.Sum(f => f.Layout.Length) + (IndexJson?.Length ?? 0);

    /// <summary>Where a tensor goes: the position of its file in <see cref="Files"/>, and its place there.</summary>
    public (int File, TensorEntry Entry) this[string name] => _byName[name];

    public bool TryGet(string name, out int file, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out TensorEntry? entry)
    {
        bool found = _byName.TryGetValue(name, out (int File, TensorEntry Entry) place);
        (file, entry) = (place.File, place.Entry);
        return found;
    }

    /// <summary>
    /// Fills shards in the given order: a tensor that would take the current one over the limit starts the next; one larger than the limit stands alone.
    /// </summary>
    /// <param name="inProcessingOrder">Tensors in the order in which they will be made; the index lists them so.</param>
    /// <param name="shardBytes">Limit of tensor bytes a shard; <see cref="long.MaxValue"/> for one file.</param>
    /// <param name="alignment">The data of each file start at a multiple of this.</param>
    public static ShardPlan Plan(IReadOnlyList<(string Name, DType DType, Shape Shape)> inProcessingOrder, long shardBytes, int alignment = 8)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(shardBytes);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        List<List<(string Name, DType DType, Shape Shape)>> shards = [[]];
        long total = 0, current = 0;
        foreach ((string Name, DType DType, Shape Shape) tensor in inProcessingOrder)
        {
            if (!seen.Add(tensor.Name)) throw FileFaults.WritingName(tensor.Name, "it is listed twice");
            long bytes;
            try
            {
                bytes = tensor.DType.Bytes(tensor.Shape.Count);
                total = checked(total + bytes);
            }
            catch (OverflowException)
            {
                throw FileFaults.WritingSize(tensor.Name, tensor.DType, tensor.Shape, "is more than a file can hold");
            }
            if (shards[^1].Count > 0 && bytes > shardBytes - current)
            {
                shards.Add([]);
                current = 0;
            }
            shards[^1].Add(tensor);
            current += bytes;
        }

        var files = new (string, SafetensorsLayout)[shards.Count];
        var byName = new Dictionary<string, (int, TensorEntry)>(StringComparer.Ordinal);
        for (int i = 0; i < files.Length; i++)
        {
            string name = files.Length == 1 ? "model.safetensors"
                : string.Create(CultureInfo.InvariantCulture, $"model-{i + 1:00000}-of-{files.Length:00000}.safetensors");
            files[i] = (name, SafetensorsLayout.Plan(shards[i], alignment));
            foreach (TensorEntry entry in files[i].Item2.Tensors) byName.Add(entry.Name, (i, entry));
        }
        return new ShardPlan(files, byName, files.Length == 1 ? null : Index(inProcessingOrder, files, byName, total), total);
    }

    private static byte[] Index(IReadOnlyList<(string Name, DType, Shape)> order, (string FileName, SafetensorsLayout)[] files,
        Dictionary<string, (int File, TensorEntry)> byName, long total)
    {
        var json = new ArrayBufferWriter<byte>(1024);
        Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture,
            $"{{\n  \"metadata\": {{\n    \"total_size\": {total}\n  }},\n  \"weight_map\": {{\n"), json);
        for (int i = 0; i < order.Count; i++)
        {
            json.Write("    \""u8);
            JsonText.Escape(json, JsonText.Strict.GetBytes(order[i].Name));
            Encoding.UTF8.GetBytes($"\": \"{files[byName[order[i].Name].File].FileName}\"{(i < order.Count - 1 ? "," : "")}\n", json);
        }
        json.Write("  }\n}\n"u8);
        return json.WrittenSpan.ToArray();
    }
}
