using System.Runtime.InteropServices;
using System.Text.Json;
using Budwood.Files;
using Budwood.Numbers;
using Budwood.Numbers.Kernels;

namespace Budwood.Cli.Tests;

/// <summary>What a case asks of the folder that a run wrote.</summary>
internal static class CaseOutput
{
    /// <summary>The questions that are understood; <c>reload</c> is not asked here.</summary>
    public static IReadOnlyList<string> Known { get; } =
    [
        "expect", "config", "config_any", "config_absent", "config_len", "metadata", "out_dtype", "finite", "value_set", "nonzero", "dtype_if", "tokens",
        "chat_template", "chat_template_not", "present", "absent",
    ];

    private sealed record Stored(DType Type, Shape Shape, double[] Values);

    public static List<string> Check(JsonElement asked, string source, string output)
    {
        var bad = new List<string>();
        var metadata = new List<IReadOnlyDictionary<string, string>?>();
        Dictionary<string, Stored> got = Read(Directory.EnumerateFiles(output, "*.safetensors").Order(StringComparer.Ordinal), metadata);
        string configPath = Path.Combine(output, "config.json");
        JsonElement config = File.Exists(configPath) ? JsonDocument.Parse(File.ReadAllBytes(configPath)).RootElement : default;

        if (asked.TryGetProperty("expect", out JsonElement expect))
            bad.AddRange(Compare(got, Read([Path.Combine(source, expect.GetProperty("file").GetString()!)], []), expect).Take(3));
        foreach (JsonProperty p in Members(asked, "config"))
            if (!Same(Dig(config, p.Name), p.Value)) bad.Add($"config.json: {p.Name} is {Dig(config, p.Name)} for {p.Value}");
        if (asked.TryGetProperty("config_any", out JsonElement any)
            && !any.EnumerateArray().Any(o => o.EnumerateObject().All(p => Same(Dig(config, p.Name), p.Value))))
            bad.Add($"config.json has none of {any}");
        foreach (string key in Cases.Strings(asked, "config_absent"))
            if (Dig(config, key) is { ValueKind: not JsonValueKind.Null }) bad.Add($"config.json still has {key}");
        foreach (JsonProperty p in Members(asked, "config_len"))
            if (Dig(config, p.Name) is not { ValueKind: JsonValueKind.Array } list || list.GetArrayLength() != p.Value.GetInt32())
                bad.Add($"config.json: {p.Name} has not {p.Value} entries");
        foreach (JsonProperty p in Members(asked, "metadata"))
            if (metadata.Any(m => m?.GetValueOrDefault(p.Name) != p.Value.GetString())) bad.Add($"__metadata__: {p.Name} is not {p.Value}");

        if (asked.TryGetProperty("out_dtype", out JsonElement type) && got.Values.Any(t => t.Type.ToString() != type.GetString()))
            bad.Add($"not everything is {type}");
        if (asked.TryGetProperty("finite", out JsonElement finite) && finite.GetBoolean())
            bad.AddRange(got.Where(t => !t.Value.Values.All(double.IsFinite)).Select(t => $"{t.Key} holds NaN or infinity"));
        foreach (JsonProperty p in Members(asked, "value_set"))
        {
            double[] allowed = [.. p.Value.EnumerateArray().Select(v => v.GetDouble())];
            if (!got.TryGetValue(p.Name, out Stored? t) || !t.Values.All(allowed.Contains)) bad.Add($"{p.Name} has values other than {p.Value}");
        }
        foreach (JsonProperty p in Members(asked, "nonzero"))
            if (got.TryGetValue(p.Name, out Stored? t) && t.Values.Count(v => v != 0) is var count && count != p.Value.GetInt32())
                bad.Add($"{p.Name} has {count} values that are not zero, for {p.Value}");
        foreach (JsonProperty p in Members(asked, "dtype_if"))
            if (got.TryGetValue(p.Name, out Stored? t) && t.Type.ToString() != p.Value.GetString()) bad.Add($"{p.Name} became {t.Type}");

        Dictionary<string, int> vocabulary = Members(asked, "tokens").Any() ? Vocabulary(Path.Combine(output, "tokenizer.json")) : [];
        foreach (JsonProperty p in Members(asked, "tokens"))
            if (vocabulary.GetValueOrDefault(p.Name, -1) != p.Value.GetInt32()) bad.Add($"token {p.Name} has not id {p.Value}");
        if (asked.TryGetProperty("chat_template", out JsonElement holds) && !Template(output).Contains(holds.GetString()!, StringComparison.Ordinal))
            bad.Add($"the chat template lacks {holds}");
        if (asked.TryGetProperty("chat_template_not", out JsonElement lacks) && Template(output).Contains(lacks.GetString()!, StringComparison.Ordinal))
            bad.Add($"the chat template holds {lacks}");
        bad.AddRange(Cases.Strings(asked, "present").Where(f => !Path.Exists(Path.Combine(output, f))).Select(f => $"{f} is missing in the output"));
        bad.AddRange(Cases.Strings(asked, "absent").Where(f => Path.Exists(Path.Combine(output, f))).Select(f => $"{f} is in the output"));
        return bad;
    }

    private static IEnumerable<string> Compare(Dictionary<string, Stored> got, Dictionary<string, Stored> want, JsonElement expect)
    {
        (double atol, double rtol) = (expect.GetProperty("atol").GetDouble(), expect.GetProperty("rtol").GetDouble());
        if (expect.GetProperty("names").GetString() == "all")
            foreach (string extra in got.Keys.Except(want.Keys)) yield return $"{extra} is in the output and not expected";
        foreach ((string name, Stored w) in want.OrderBy(p => p.Key, StringComparer.Ordinal))
        {
            if (!got.TryGetValue(name, out Stored? g)) yield return $"{name} is missing";
            else if (g.Type != w.Type || !g.Shape.Equals(w.Shape)) yield return $"{name} is {g.Type} {g.Shape} for {w.Type} {w.Shape}";
            else
            {
                bool Near(double x, double y) => x == y || Math.Abs(x - y) <= atol + (rtol * Math.Abs(y));
                int[] off = [.. Enumerable.Range(0, w.Values.Length).Where(i => !Near(g.Values[i], w.Values[i]))];
                if (off is [var i, ..]) yield return $"{name}[{i}] is {g.Values[i]:R} for {w.Values[i]:R} ({off.Length} of {w.Values.Length} differ)";
            }
        }
    }

    private static Dictionary<string, Stored> Read(IEnumerable<string> files, List<IReadOnlyDictionary<string, string>?> metadata)
    {
        var all = new Dictionary<string, Stored>(StringComparer.Ordinal);
        foreach (string path in files)
        {
            using SafetensorsFile file = SafetensorsFile.Open(path);
            metadata.Add(file.Metadata);
            foreach (TensorEntry entry in file.Tensors)
            {
                byte[] bytes = new byte[entry.Bytes];
                file.Source.Read(entry.Offset, bytes);
                all[entry.Name] = new Stored(entry.DType, entry.Shape, Values(entry.DType, bytes, entry.Shape.Count));
            }
        }
        return all;
    }

    private static double[] Values(DType type, byte[] bytes, long count)
    {
        if (type == DType.F64) return MemoryMarshal.Cast<byte, double>(bytes).ToArray();
        if (type == DType.I64) return [.. MemoryMarshal.Cast<byte, long>(bytes).ToArray().Select(v => (double)v)];
        if (type == DType.I32) return [.. MemoryMarshal.Cast<byte, int>(bytes).ToArray().Select(v => (double)v)];
        if (type is DType.U8 or DType.Bool) return [.. bytes.Select(v => (double)v)];
        float[] values = new float[count];
        Conversion.Widen(type, bytes, values);
        return [.. values.Select(v => (double)v)];
    }

    private static IEnumerable<JsonProperty> Members(JsonElement asked, string name) =>
        asked.TryGetProperty(name, out JsonElement members) ? members.EnumerateObject() : [];

    private static JsonElement? Dig(JsonElement config, string key)
    {
        foreach (string part in key.Split('.'))
            if (config.ValueKind != JsonValueKind.Object || !config.TryGetProperty(part, out config)) return null;
        return config;
    }

    private static bool Same(JsonElement? found, JsonElement wanted) =>
        found is { } f ? JsonElement.DeepEquals(f, wanted) : wanted.ValueKind == JsonValueKind.Null;

    private static Dictionary<string, int> Vocabulary(string path)
    {
        var all = new Dictionary<string, int>(StringComparer.Ordinal);
        if (!File.Exists(path)) return all;
        JsonElement json = JsonDocument.Parse(File.ReadAllBytes(path)).RootElement;
        foreach (JsonProperty p in Members(json.GetProperty("model"), "vocab")) all[p.Name] = p.Value.GetInt32();
        if (json.TryGetProperty("added_tokens", out JsonElement added))
            foreach (JsonElement t in added.EnumerateArray()) all[t.GetProperty("content").GetString()!] = t.GetProperty("id").GetInt32();
        return all;
    }

    // The file wins over the configuration, as in transformers.
    private static string Template(string output)
    {
        string file = Path.Combine(output, "chat_template.jinja"), config = Path.Combine(output, "tokenizer_config.json");
        if (File.Exists(file)) return File.ReadAllText(file);
        if (!File.Exists(config)) return "";
        if (!JsonDocument.Parse(File.ReadAllBytes(config)).RootElement.TryGetProperty("chat_template", out JsonElement t)) return "";
        return t.ValueKind == JsonValueKind.String ? t.GetString()! : t.ToString();
    }
}
