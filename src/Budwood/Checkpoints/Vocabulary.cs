using System.Text.Json;

namespace Budwood.Checkpoints;

/// <summary>The tokens of a model folder's tokenizer with their ids: what must agree before rows of embeddings are merged by number.</summary>
public sealed class Vocabulary
{
    private readonly Dictionary<string, int> _ids;

    private Vocabulary(Dictionary<string, int> ids) => _ids = ids;

    /// <summary>Rows that the tokens need: one more than the highest id.</summary>
    public int Rows => _ids.Count == 0 ? 0 : _ids.Values.Max() + 1;

    public int Count => _ids.Count;

    /// <summary>Reads a folder's tokenizer; null when it has none.</summary>
    public static Vocabulary? Read(string folder)
    {
        string At(string name) => Path.Combine(folder, name);
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        if (File.Exists(At("tokenizer.json"))) FromTokenizer(Json(At("tokenizer.json")), ids);
        else if (File.Exists(At("vocab.json"))) Map(Json(At("vocab.json")), ids);
        else if (File.Exists(At("vocab.txt"))) Lines(At("vocab.txt"), ids);
        else if (s_models.Select(At).FirstOrDefault(File.Exists) is { } model) Pieces(File.ReadAllBytes(model), model, ids);
        else return null;
        if (!File.Exists(At("tokenizer.json")) && File.Exists(At("added_tokens.json"))) Map(Json(At("added_tokens.json")), ids);
        return new Vocabulary(ids);
    }

    /// <summary>Reads the text of a tokenizer.json.</summary>
    internal static Vocabulary OfTokenizer(ReadOnlySpan<byte> utf8, string where)
    {
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        FromTokenizer(ConfigText.Parse(utf8, where), ids);
        return new Vocabulary(ids);
    }

    /// <summary>Reads the bytes of a SentencePiece model.</summary>
    internal static Vocabulary OfPieces(ReadOnlySpan<byte> bytes, string where)
    {
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        Pieces(bytes, where, ids);
        return new Vocabulary(ids);
    }

    private static readonly string[] s_models = ["tokenizer.model", "spiece.model", "sentencepiece.bpe.model"];

    /// <summary>What differs, in a few words; null when both give every token the same id.</summary>
    public string? Difference(Vocabulary other)
    {
        foreach ((string token, int id) in _ids.OrderBy(p => p.Value))
        {
            if (!other._ids.TryGetValue(token, out int there)) return $"{Count} against {other.Count} tokens: '{token}' ({id}) is in the first alone";
            if (there != id) return $"'{token}' is {id} in the first and {there} in the second";
        }
        if (Count == other.Count) return null;
        string more = other._ids.Where(p => !_ids.ContainsKey(p.Key)).MinBy(p => p.Value).Key;
        return $"{Count} against {other.Count} tokens: '{more}' ({other._ids[more]}) is in the second alone";
    }

    private static JsonElement Json(string path) => ConfigText.Parse(File.ReadAllBytes(path), path);

    private static void FromTokenizer(JsonElement root, Dictionary<string, int> ids)
    {
        if (root.ValueKind != JsonValueKind.Object) return;
        if (root.TryGetProperty("model", out JsonElement model) && model.ValueKind == JsonValueKind.Object
            && model.TryGetProperty("vocab", out JsonElement vocab))
        {
            if (vocab.ValueKind == JsonValueKind.Object) Map(vocab, ids);
            else if (vocab.ValueKind == JsonValueKind.Array)
            {
                // Unigram: [text, score], the id is the place.
                int at = 0;
                foreach (JsonElement piece in vocab.EnumerateArray())
                {
                    if (piece.ValueKind == JsonValueKind.Array && piece.GetArrayLength() > 0
                        && piece[0].ValueKind == JsonValueKind.String) ids.TryAdd(piece[0].GetString()!, at);
                    at++;
                }
            }
        }
        if (!root.TryGetProperty("added_tokens", out JsonElement added) || added.ValueKind != JsonValueKind.Array) return;
        foreach (JsonElement token in added.EnumerateArray())
        {
            if (token.ValueKind == JsonValueKind.Object && token.TryGetProperty("content", out JsonElement text) && text.ValueKind == JsonValueKind.String
                && token.TryGetProperty("id", out JsonElement id) && id.ValueKind == JsonValueKind.Number
                    && id.TryGetInt32(out int n)) ids[text.GetString()!] = n;
        }
    }

    private static void Map(JsonElement map, Dictionary<string, int> ids)
    {
        if (map.ValueKind != JsonValueKind.Object) return;
        foreach (JsonProperty p in map.EnumerateObject())
            if (p.Value.ValueKind == JsonValueKind.Number && p.Value.TryGetInt32(out int n)) ids[p.Name] = n;
    }

    private static void Lines(string path, Dictionary<string, int> ids)
    {
        int at = 0;
        foreach (string line in File.ReadLines(path)) ids.TryAdd(line, at++);
    }

    // A SentencePiece file is a protobuf: field 1, once a piece, holds the piece's text in its own field 1.
    private static void Pieces(ReadOnlySpan<byte> bytes, string path, Dictionary<string, int> ids)
    {
        int place = 0;
        for (int at = 0; at < bytes.Length;)
        {
            (int field, ReadOnlySpan<byte> value) = Field(bytes, ref at, path);
            if (field != 1) continue;
            for (int inner = 0; inner < value.Length;)
            {
                (int part, ReadOnlySpan<byte> text) = Field(value, ref inner, path);
                if (part == 1) ids.TryAdd(System.Text.Encoding.UTF8.GetString(text), place);
            }
            place++;
        }
    }

    private static Part Field(ReadOnlySpan<byte> bytes, ref int at, string path)
    {
        ulong tag = Varint(bytes, ref at, path);
        long length = (tag & 7) switch
        {
            0 => 0,
            1 => 8,
            5 => 4,
            2 => (long)Math.Min(Varint(bytes, ref at, path), int.MaxValue),
            _ => throw CheckpointFaults.NotSentencePiece(path),
        };
        if ((tag & 7) == 0) Varint(bytes, ref at, path);
        if (length > bytes.Length - at) throw CheckpointFaults.NotSentencePiece(path);
        ReadOnlySpan<byte> value = bytes.Slice(at, (int)length);
        at += (int)length;
        return new((int)(tag >> 3), value);
    }

    private static ulong Varint(ReadOnlySpan<byte> bytes, ref int at, string path)
    {
        ulong value = 0;
        for (int shift = 0; shift < 64 && at < bytes.Length; shift += 7)
        {
            byte b = bytes[at++];
            value |= (ulong)(b & 127) << shift;
            if (b < 128) return value;
        }
        throw CheckpointFaults.NotSentencePiece(path);
    }

    private readonly ref struct Part(int number, ReadOnlySpan<byte> value)
    {
        private readonly ReadOnlySpan<byte> _value = value;

        public void Deconstruct(out int field, out ReadOnlySpan<byte> bytes)
        {
            field = number;
            bytes = _value;
        }
    }
}
