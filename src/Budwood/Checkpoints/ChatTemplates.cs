using System.Collections.Concurrent;
using System.Reflection;
using System.Text;
using System.Text.Json;

namespace Budwood.Checkpoints;

/// <summary>Chat templates: the built-in ones, those of a model folder, and the edit that leaves one of several.</summary>
public static class ChatTemplates
{
    /// <summary>The file that programs of today read first.</summary>
    public const string FileName = "chat_template.jinja";

    private const string Config = "tokenizer_config.json", Alone = "chat_template.json", Resource = "chat/", Key = "chat_template";

    private static readonly ConcurrentDictionary<string, string> s_texts = new(StringComparer.Ordinal);

    /// <summary>Names of the built-in templates.</summary>
    public static IReadOnlyList<string> Names { get; } =
        [.. typeof(ChatTemplates).Assembly.GetManifestResourceNames().Where(n => n.StartsWith(Resource, StringComparison.Ordinal))
            .Select(n => n[Resource.Length..]).Order(StringComparer.Ordinal)];

    /// <summary>The text of a built-in template; null when the name is none.</summary>
    public static string? BuiltIn(string name) => Names.Contains(name) ? s_texts.GetOrAdd(name, Read) : null;

    /// <summary>Whether a text is a Jinja template, and not a name.</summary>
    public static bool IsJinja(string text) => text.Length >= 20 && text.Contains('{', StringComparison.Ordinal);

    /// <summary>The templates of a folder, the one that counts first.</summary>
    public static IReadOnlyList<(string File, string Text)> Of(string folder)
    {
        var found = new List<(string, string)>();
        string jinja = Path.Combine(folder, FileName);
        if (File.Exists(jinja)) found.Add((FileName, File.ReadAllText(jinja)));
        foreach (string file in (string[])[Config, Alone])
            if (InJson(Path.Combine(folder, file)) is { } text) found.Add((file, text));
        return found;
    }

    /// <summary>A tokenizer_config.json without its template; every other byte stays.</summary>
    public static byte[] Without(ReadOnlySpan<byte> config)
    {
        int bom = config.StartsWith("\uFEFF"u8) ? 3 : 0;
        var reader = new Utf8JsonReader(config[bom..], new JsonReaderOptions { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip });
        // A value goes with the comma before it; the first one, with the comma behind it.
        int before = -1, from = -1, to = -1;
        while (reader.Read())
        {
            if (reader.CurrentDepth != 1 || reader.TokenType != JsonTokenType.PropertyName) continue;
            int start = bom + (int)reader.TokenStartIndex;
            if (from >= 0)
            {
                if (before < 0) to = start;
                break;
            }
            bool isTemplate = reader.ValueTextEquals(Key);
            reader.Read();
            reader.Skip();
            int end = bom + (int)reader.BytesConsumed;
            if (isTemplate) (from, to) = (before < 0 ? start : before, end);
            else before = end;
        }
        return from < 0 ? config.ToArray() : [.. config[..from], .. config[to..]];
    }

    private static string Read(string name)
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(Resource + name)!;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }

    // One text, or several with names, of which 'default' is meant.
    private static string? InJson(string path)
    {
        if (!File.Exists(path)) return null;
        JsonElement root = ConfigText.Parse(File.ReadAllBytes(path), path);
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty(Key, out JsonElement template)) return null;
        return template.ValueKind switch
        {
            JsonValueKind.String => template.GetString(),
            JsonValueKind.Object when template.TryGetProperty("default", out JsonElement text) && text.ValueKind == JsonValueKind.String => text.GetString(),
            JsonValueKind.Array => template.EnumerateArray().Where(IsDefault).Select(t => t.GetProperty("template").GetString()).FirstOrDefault(),
            _ => null,
        };
    }

    private static bool IsDefault(JsonElement entry) => entry.ValueKind == JsonValueKind.Object
        && entry.TryGetProperty("name", out JsonElement name) && name.ValueKind == JsonValueKind.String && name.ValueEquals("default")
        && entry.TryGetProperty("template", out JsonElement text) && text.ValueKind == JsonValueKind.String;
}
