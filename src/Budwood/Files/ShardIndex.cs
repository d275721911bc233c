using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Budwood.Files;

/// <summary>The map from tensor names to shards that <c>model.safetensors.index.json</c> holds; its metadata is not used, since sizes are computed.</summary>
internal sealed class ShardIndex
{
    private const long SizeLimit = 100_000_000;

    private ShardIndex(Dictionary<string, string> shardOf, IReadOnlyList<string> shards)
    {
        ShardOf = shardOf;
        Shards = shards;
    }

    /// <summary>File name of the shard by tensor name.</summary>
    public IReadOnlyDictionary<string, string> ShardOf { get; }

    /// <summary>The file names, each once, sorted.</summary>
    public IReadOnlyList<string> Shards { get; }

    public static ShardIndex Read(string path)
    {
        using FileSource source = FileSource.Open(path);
        return Read(source);
    }

    /// <summary>Reads an index from wherever its bytes are.</summary>
    internal static ShardIndex Read(IByteSource source)
    {
        string path = source.Name;
        if (source.Length > SizeLimit) throw FileFaults.IndexTooLarge(path, source.Length, SizeLimit);
        byte[] bytes = new byte[source.Length];
        source.Read(0, bytes);
        ReadOnlySpan<byte> head = bytes.AsSpan(0, Math.Min(bytes.Length, FileKinds.HeadBytes));
        FileKind kind = FileKinds.Of(head, bytes.Length);
        if (kind == FileKind.GitLfsPointer) throw FileFaults.LfsPointer(path, FileKinds.LfsSize(head), bytes.Length);
        if (kind == FileKind.Empty) throw FileFaults.IndexShape(path, "the file is empty");
        if (kind == FileKind.Html) throw FileFaults.IndexShape(path, $"an HTML page that begins with \"{FileKinds.FirstLine(head)}\"");
        if (!Utf8.IsValid(bytes)) throw FileFaults.IndexJson(path, null, "it is not UTF-8 text");
        try
        {
            return Parse(path, bytes);
        }
        catch (JsonException e)
        {
            string message = e.Message;
            int cut = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
            throw FileFaults.IndexJson(path, e.LineNumber + 1, (cut > 0 ? message[..cut] : message).TrimEnd('.'), e);
        }
        catch (InvalidOperationException e)
        {
            throw FileFaults.IndexJson(path, null, "a name holds half of a surrogate pair", e);
        }
    }

    private static ShardIndex Parse(string path, ReadOnlySpan<byte> json)
    {
        // Editors of Windows put a byte order mark in front, which JSON does not know.
        if (json.StartsWith("\uFEFF"u8)) json = json[3..];
        var reader = new Utf8JsonReader(json);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject) throw FileFaults.IndexShape(path, "the text is not a JSON object");
        HashSet<string> keys = new(StringComparer.Ordinal);
        Dictionary<string, string>? shardOf = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string key = reader.GetString()!;
            if (!keys.Add(key)) throw FileFaults.IndexDuplicate(path, key);
            reader.Read();
            if (key == "weight_map") shardOf = ParseMap(path, ref reader);
            else reader.Skip();
        }
        while (reader.Read())
        {
        }
        if (shardOf is null) throw FileFaults.IndexShape(path, "weight_map is missing");
        if (shardOf.Count == 0) throw FileFaults.IndexShape(path, "weight_map is empty");
        return new ShardIndex(shardOf, [.. shardOf.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)]);
    }

    private static Dictionary<string, string> ParseMap(string path, ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject) throw FileFaults.IndexShape(path, "weight_map is not an object");
        var shardOf = new Dictionary<string, string>(StringComparer.Ordinal);
        var unsafeShards = new Dictionary<string, Fault>(StringComparer.Ordinal);
        // Thousands of tensors share a few shards: one string a shard.
        var pool = new Dictionary<string, string>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string tensor = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.String) throw FileFaults.IndexShape(path, $"the shard of '{FileFaults.Cut(tensor)}' is not a string");
            string shard = reader.GetString()!;
            if (!pool.TryGetValue(shard, out string? pooled)) pool.Add(shard, pooled = shard);
            if (!IsPlain(shard)) unsafeShards.TryAdd(shard, FileFaults.UnsafeShard(path, tensor, shard));
            if (!shardOf.TryAdd(tensor, pooled)) throw FileFaults.IndexDuplicate(path, tensor);
        }
        if (unsafeShards.Count > 0) throw Fault.Several([.. unsafeShards.Values]);
        return shardOf;
    }

    /// <summary>A file name and nothing else, on every system: no folder, no drive, no stream, no way up.</summary>
    internal static bool IsPlain(string name) =>
        name.Length > 0 && name is not ("." or "..") && !name.AsSpan().ContainsAny('/', '\\', ':') && !name.Any(char.IsControl)
        && Encoding.UTF8.GetByteCount(name) <= 255;
}
