using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Budwood.Numbers;

namespace Budwood.Checkpoints;

/// <summary>A model's config.json, kept whole: key order and keys that Budwood does not know survive every edit.</summary>
public sealed class ModelConfig
{
    private readonly KeyValuePair<string, JsonElement>[] _fields;
    private readonly Dictionary<string, int> _index;

    private ModelConfig(KeyValuePair<string, JsonElement>[] fields, string where)
    {
        _fields = fields;
        _index = new Dictionary<string, int>(fields.Length, StringComparer.Ordinal);
        for (int i = 0; i < fields.Length; i++) _index.Add(fields[i].Key, i);
        Where = where;
        Architectures = ReadTexts("architectures");
    }

    /// <summary>Reads a config.json; malformed text, double keys or a Git LFS pointer end in a <see cref="Fault"/> that names file and line.</summary>
    public static ModelConfig Read(string path)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            string what = e is FileNotFoundException or DirectoryNotFoundException ? "there is no config.json here" : "the file cannot be read";
            throw new Fault("BW3105", ExitCode.Input, what, path, e is FileNotFoundException or DirectoryNotFoundException ? null : e.Message,
                "Name a folder that holds a Hugging Face checkpoint.", e);
        }
        return Parse(bytes, path);
    }

    /// <summary>Reads a config from bytes; <paramref name="where"/> names them in messages.</summary>
    public static ModelConfig Parse(ReadOnlySpan<byte> utf8, string where)
    {
        JsonElement root = ConfigText.Parse(utf8, where);
        return new ModelConfig([.. root.EnumerateObject().Select(p => KeyValuePair.Create(p.Name, p.Value))], where);
    }

    /// <summary>The file it was read from, for messages.</summary>
    public string Where { get; }

    /// <summary>The names of the fields, in the order of the file.</summary>
    public IEnumerable<string> Fields => _fields.Select(f => f.Key);

    public string? ModelType => TryText("model_type", out string? text) ? text : null;

    /// <summary>Class names of transformers, such as <c>LlamaForCausalLM</c>; empty when the config names none.</summary>
    public IReadOnlyList<string> Architectures { get; }

    /// <summary>The value of a field as it stands in the file; false when it is absent (a null is there, and is <see cref="JsonValueKind.Null"/>).</summary>
    public bool TryGet(string field, out JsonElement value)
    {
        bool found = _index.TryGetValue(field, out int i);
        value = found ? _fields[i].Value : default;
        return found;
    }

    /// <summary>Whether the field is there and not null.</summary>
    public bool Has(string field) => TryGet(field, out JsonElement value) && value.ValueKind != JsonValueKind.Null;

    public bool TryInt(string field, out long number)
    {
        number = 0;
        return TryGet(field, out JsonElement value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out number);
    }

    public bool TryText(string field, [NotNullWhen(true)] out string? text)
    {
        text = TryGet(field, out JsonElement value) ? Text(value) : null;
        return text is not null;
    }

    public bool TryFlag(string field, out bool flag)
    {
        flag = TryGet(field, out JsonElement value) && value.ValueKind == JsonValueKind.True;
        return value.ValueKind is JsonValueKind.True or JsonValueKind.False;
    }

    /// <summary>Number of elements of an array field; false when the field is absent or something else.</summary>
    public bool TryLength(string field, out int length)
    {
        bool found = TryGet(field, out JsonElement value) && value.ValueKind == JsonValueKind.Array;
        length = found ? value.GetArrayLength() : 0;
        return found;
    }

    /// <summary>The key under which this config states its element type: <c>torch_dtype</c> (older) or <c>dtype</c> (transformers 5).</summary>
    public string DTypeField => Has("torch_dtype") || (!Has("dtype") && !_index.ContainsKey("dtype")) ? "torch_dtype" : "dtype";

    /// <summary>The stated element type as it is spelled, from the root or else a nested text config; null when none is stated.</summary>
    public string? DTypeText
    {
        get
        {
            foreach (string key in (ReadOnlySpan<string>)["torch_dtype", "dtype"])
            {
                if (TryText(key, out string? text)) return text;
            }
            foreach (string part in (ReadOnlySpan<string>)["text_config", "llm_config", "language_config", "decoder", "encoder", "vision_config"])
            {
                if (!TryGet(part, out JsonElement nested) || nested.ValueKind != JsonValueKind.Object) continue;
                foreach (string key in (ReadOnlySpan<string>)["torch_dtype", "dtype"])
                {
                    if (nested.TryGetProperty(key, out JsonElement value) && Text(value) is { } text) return text;
                }
            }
            return null;
        }
    }

    /// <summary>The stated element type; null when none is stated or the word is not one of torch's (<c>auto</c>).</summary>
    public DType? DType => DTypeText is { } text && DTypes.TryParseTorch(text, out DType type) ? type : null;

    /// <summary>How the weights are quantised, in words such as "bitsandbytes 4-bit (nf4)"; null when the config states no quantisation.</summary>
    public string? Quantization
    {
        get
        {
            foreach (string key in (ReadOnlySpan<string>)["quantization_config", "compression_config"])
            {
                if (TryGet(key, out JsonElement value) && value.ValueKind == JsonValueKind.Object) return QuantizationWords.Of(value, key);
            }
            return TryGet("text_config", out JsonElement text) && text.ValueKind == JsonValueKind.Object
                && text.TryGetProperty("quantization_config", out JsonElement inner)
                && inner.ValueKind == JsonValueKind.Object ? QuantizationWords.Of(inner, "text_config.quantization_config") : null;
        }
    }

    /// <summary>Whether the output head shares the input embedding: the field, else what the family does when it is silent.</summary>
    public bool TiesEmbeddings => TryFlag("tie_word_embeddings", out bool ties) ? ties : Family.For(this)?.TiesByDefault ?? true;

    /// <summary>A copy with one field changed where it stands, or appended; a null value writes <c>null</c>.</summary>
    public ModelConfig Set(string field, JsonNode? value)
    {
        KeyValuePair<string, JsonElement> entry = KeyValuePair.Create(field, Element(value));
        if (!_index.TryGetValue(field, out int i)) return new ModelConfig([.. _fields, entry], Where);
        KeyValuePair<string, JsonElement>[] fields = [.. _fields];
        fields[i] = entry;
        return new ModelConfig(fields, Where);
    }

    /// <summary>A copy without the field; the same config when it is not there.</summary>
    public ModelConfig Remove(string field) => _index.ContainsKey(field) ? new ModelConfig([.. _fields.Where(f => f.Key != field)], Where) : this;

    /// <summary>A copy that states the element type under the spelling that it already uses.</summary>
    public ModelConfig WithDType(DType type)
    {
        string name = type.TorchName();
        if (DTypeText?.StartsWith("torch.", StringComparison.Ordinal) == true) name = "torch." + name;
        ModelConfig result = Set(DTypeField, JsonValue.Create(name));
        // A config with both spellings would contradict itself otherwise.
        return DTypeField == "torch_dtype" && result.Has("dtype") ? result.Set("dtype", JsonValue.Create(name)) : result;
    }

    /// <summary>The file's bytes: indented by two spaces, as transformers writes it.</summary>
    public byte[] ToBytes() => ConfigText.Write(_fields);

    private string[] ReadTexts(string field) =>
        TryGet(field, out JsonElement value) && value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray().Select(Text).OfType<string>()] : [];

    private static string? Text(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static JsonElement Element(JsonNode? value)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(bytes, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            if (value is null) writer.WriteNullValue();
            else value.WriteTo(writer);
        }
        using JsonDocument document = JsonDocument.Parse(bytes.WrittenMemory);
        return document.RootElement.Clone();
    }
}
