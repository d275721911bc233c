using System.Text.Json;
using Budwood.Files;

namespace Budwood.Checkpoints.Audit;

/// <summary>The small files beside the weights: tokenizer, templates, generation settings.</summary>
internal static class SideFiles
{
    // The largest tokenizer.json in use has about 35 MB.
    private const long LargestBytes = 512L << 20;

    /// <summary>The whole file without a byte order mark.</summary>
    public static ReadOnlyMemory<byte> Bytes(string path)
    {
        using FileSource source = FileSource.Open(path);
        if (source.Length > LargestBytes) throw new IOException($"{source.Length} bytes, more than such a file can sensibly have");
        byte[] bytes = new byte[source.Length];
        source.Read(0, bytes);
        return bytes.AsSpan().StartsWith("\uFEFF"u8) ? bytes.AsMemory(3) : bytes;
    }

    /// <summary>What a file that is no JSON is instead, in words; null when its first bytes do not tell.</summary>
    public static string? Kind(string path)
    {
        using FileSource source = FileSource.Open(path);
        return FileKinds.Of(source) switch
        {
            FileKind.GitLfsPointer => "a Git LFS pointer (run: git lfs pull)",
            FileKind.Empty => "an empty file",
            FileKind.Html => "an HTML page",
            FileKind.Zeros => "zero bytes only",
            _ => null,
        };
    }

    /// <summary>Names of the files in a folder, sorted; of a file, none.</summary>
    public static IReadOnlyList<string> Names(string folder)
    {
        try
        {
            return Directory.Exists(folder) ? [.. Directory.EnumerateFiles(folder).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)] : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Token ids of a config field: a number or a list of numbers.</summary>
    public static IEnumerable<long> Ids(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number when value.TryGetInt64(out long id) => [id],
        JsonValueKind.Array => value.EnumerateArray().Where(e => e.ValueKind == JsonValueKind.Number && e.TryGetInt64(out _)).Select(e => e.GetInt64()),
        _ => [],
    };
}
