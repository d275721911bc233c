using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Budwood.Checkpoints;

/// <summary>The text of a config.json: strict reading with line numbers, and writing the way transformers writes.</summary>
internal static class ConfigText
{
    // Python writes bare Infinity and NaN (Mamba 2 has "time_step_limit": [0.0, Infinity]), which JSON does not know.
    // They travel as strings that begin with this private character and are written bare again.
    private const char Bare = '\uE0FF';
    private static readonly string[] s_bare = ["-Infinity", "Infinity", "NaN"];
    private static readonly JsonDocumentOptions s_options = new() { MaxDepth = 64 };

    /// <summary>The root object, or a fault that names file and line.</summary>
    public static JsonElement Parse(ReadOnlySpan<byte> utf8, string where)
    {
        if (utf8.StartsWith("\uFEFF"u8)) utf8 = utf8[3..];
        if (utf8.TrimStart(" \t\r\n"u8).IsEmpty) throw Wrong("BW3101", "the file is empty", where, null,
            "Download it again, or restore it from the model's repository.");
        if (utf8.StartsWith("version https://git-lfs"u8))
        {
            throw Wrong("BW3104", "this is a Git LFS pointer, not the file itself", where, "a text that begins with 'version https://git-lfs'",
                "Run 'git lfs pull' in that folder, or download the model with 'hf download'.");
        }
        if (utf8.TrimStart(" \t\r\n"u8)[0] == (byte)'<')
        {
            throw Wrong("BW3101", "this is an HTML or XML page, not JSON", where, "a text that begins with '<'",
                "Download the file again; a server answered with a page.");
        }
        if (!Utf8.IsValid(utf8)) throw Wrong("BW3101", "the file is not UTF-8 text", where, null, "Save it as UTF-8, or download it again.");
        byte[] bytes = Quoted(utf8);
        try
        {
            CheckKeys(bytes, where);
            using JsonDocument document = JsonDocument.Parse(bytes, s_options);
            return document.RootElement.Clone();
        }
        catch (JsonException e)
        {
            throw new Fault("BW3101", ExitCode.Input, "malformed JSON", $"{where}:{(e.LineNumber ?? 0) + 1}", Trim(e.Message), "Mend the file at that line.",
                e);
        }
        catch (InvalidOperationException e)
        {
            throw new Fault("BW3101", ExitCode.Input, "a key or a text is not valid Unicode", where, "half of a surrogate pair", "Mend the file.", e);
        }
    }

    /// <summary>Indent 2, one array element a line, a final newline: as json.dumps(indent=2) has it, non-ASCII left as it is.</summary>
    public static byte[] Write(IEnumerable<KeyValuePair<string, JsonElement>> fields)
    {
        var text = new StringBuilder();
        WriteObject(text, fields, 0);
        text.Append('\n');
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static void WriteObject(StringBuilder text, IEnumerable<KeyValuePair<string, JsonElement>> fields, int depth)
    {
        bool any = false;
        text.Append('{');
        foreach ((string key, JsonElement value) in fields)
        {
            text.Append(any ? "," : "").Append('\n').Append(' ', 2 * depth + 2);
            WriteKey(text, key);
            text.Append(": ");
            WriteValue(text, value, depth + 1);
            any = true;
        }
        if (any) text.Append('\n').Append(' ', 2 * depth);
        text.Append('}');
    }

    private static void WriteValue(StringBuilder text, JsonElement value, int depth)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                WriteObject(text, value.EnumerateObject().Select(p => KeyValuePair.Create(p.Name, p.Value)), depth);
                break;
            case JsonValueKind.Array:
                bool any = false;
                text.Append('[');
                foreach (JsonElement item in value.EnumerateArray())
                {
                    text.Append(any ? "," : "").Append('\n').Append(' ', 2 * depth + 2);
                    WriteValue(text, item, depth + 1);
                    any = true;
                }
                if (any) text.Append('\n').Append(' ', 2 * depth);
                text.Append(']');
                break;
            default:
                string raw = value.GetRawText();
                // The raw text keeps 1e-05 and the author's escapes as they were.
                if (raw.Length > 2 && raw[1] == Bare) text.Append(raw, 2, raw.Length - 3);
                else text.Append(raw);
                break;
        }
    }

    private static void WriteKey(StringBuilder text, string key)
    {
        text.Append('"');
        foreach (char c in key)
        {
            if (c is '"' or '\\') text.Append('\\').Append(c);
            else if (c < ' ') text.Append("\\u").Append(((int)c).ToString("x4"));
            else text.Append(c);
        }
        text.Append('"');
    }

    // Python's json keeps the last of two equal keys without a word; a config that says two things is refused instead.
    private static void CheckKeys(byte[] bytes, string where)
    {
        var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = 64 });
        var open = new Stack<HashSet<string>>();
        bool first = true;
        while (reader.Read())
        {
            if (first && reader.TokenType != JsonTokenType.StartObject)
            {
                throw Wrong("BW3103", "the file does not hold a JSON object", where, $"found {Kind(reader.TokenType)}, expected an object {{...}}",
                    "Use the model's own config.json.");
            }
            first = false;
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject:
                    open.Push(new HashSet<string>(StringComparer.Ordinal));
                    break;
                case JsonTokenType.EndObject:
                    open.Pop();
                    break;
                case JsonTokenType.String when reader.ValueIsEscaped:
                    // Half a surrogate pair throws here, and not wherever the text is asked for later.
                    reader.GetString();
                    break;
                case JsonTokenType.PropertyName:
                    string key = reader.GetString()!;
                    if (open.Peek().Add(key)) break;
                    int line = 1 + bytes.AsSpan(0, (int)reader.TokenStartIndex).Count((byte)'\n');
                    throw Wrong("BW3102", $"the key '{key}' stands twice in one object", $"{where}:{line}", null, "Remove one of the two.");
            }
        }
    }

    private static byte[] Quoted(ReadOnlySpan<byte> utf8)
    {
        if (utf8.IndexOf("Infinity"u8) < 0 && utf8.IndexOf("NaN"u8) < 0) return utf8.ToArray();
        string text = Encoding.UTF8.GetString(utf8);
        var result = new StringBuilder(text.Length + 16);
        bool inside = false;
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (inside && c == '\\' && i + 1 < text.Length)
            {
                result.Append(c).Append(text[++i]);
                continue;
            }
            if (c == '"') inside = !inside;
            string? bare = inside ? null : Array.Find(s_bare, b => string.CompareOrdinal(text, i, b, 0, b.Length) == 0);
            if (bare is null)
            {
                result.Append(c);
                continue;
            }
            result.Append('"').Append(Bare).Append(bare).Append('"');
            i += bare.Length - 1;
        }
        return Encoding.UTF8.GetBytes(result.ToString());
    }

    private static string Kind(JsonTokenType type) => type switch
    {
        JsonTokenType.StartArray => "an array",
        JsonTokenType.String => "a string",
        JsonTokenType.Number => "a number",
        _ => "a plain value",
    };

    private static string Trim(string message)
    {
        int end = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return (end < 0 ? message : message[..end]).TrimEnd('.');
    }

    private static Fault Wrong(string code, string what, string where, string? found, string next) => new(code, ExitCode.Input, what, where, found, next);
}
