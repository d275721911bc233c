using System.Globalization;
using System.Text.Json;

namespace Budwood.Checkpoints.Audit;

/// <summary>What an adapter_config.json says, as far as a person asks first: kind, base, rank, scale, where it applies.</summary>
public sealed class AdapterSummary
{
    public const string ConfigName = "adapter_config.json";

    /// <summary>Code of the fault with which an adapter folder refuses to be opened as a model.</summary>
    internal const string RefusesAsModel = "BW2051";

    private readonly JsonElement _root;

    private AdapterSummary(JsonElement root, string where)
    {
        _root = root;
        Where = where;
    }

    /// <summary>The file it was read from.</summary>
    public string Where { get; }

    /// <summary>Kind in lower case, as PEFT names it (<c>lora</c>, <c>ia3</c>); null when the file does not say.</summary>
    public string? Kind => Text("peft_type")?.ToLowerInvariant();

    /// <summary>Name or path of the model that it was trained on; null when the file does not say.</summary>
    public string? Base => Text("base_model_name_or_path") is { Length: > 0 } name ? name : null;

    public string? Revision => Text("revision");

    public string? Task => Text("task_type");

    /// <summary>Rank that modules have unless <see cref="RankPattern"/> says otherwise.</summary>
    public long? Rank => _root.TryGetProperty("r", out JsonElement r) && r.ValueKind == JsonValueKind.Number && r.TryGetInt64(out long n) ? n : null;

    public double? Alpha => Number("lora_alpha") ?? Number("alpha");

    public bool RankStabilised => Flag("use_rslora");

    public bool Dora => Flag("use_dora");

    /// <summary>Module names; one entry when the file has a pattern.</summary>
    public IReadOnlyList<string> Targets => Texts("target_modules");

    /// <summary>The targets are a regular expression or a word such as <c>all-linear</c>.</summary>
    public bool TargetsArePattern => _root.TryGetProperty("target_modules", out JsonElement t) && t.ValueKind == JsonValueKind.String;

    /// <summary>Modules that were trained in full and replace those of the base.</summary>
    public IReadOnlyList<string> ModulesToSave => Texts("modules_to_save");

    /// <summary>Modules with a rank of their own.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> RankPattern => Pairs("rank_pattern");

    public IReadOnlyList<KeyValuePair<string, string>> AlphaPattern => Pairs("alpha_pattern");

    /// <summary>Reads <c>adapter_config.json</c> of a folder; a file that is missing or malformed ends in a <see cref="Fault"/>.</summary>
    public static AdapterSummary Read(string folder)
    {
        string path = Path.Join(folder, ConfigName);
        try
        {
            using JsonDocument document = JsonDocument.Parse(SideFiles.Bytes(path));
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? new AdapterSummary(document.RootElement.Clone(), path)
                : throw Wrong(path, $"found {document.RootElement.ValueKind}, expected an object", null);
        }
        catch (JsonException e)
        {
            throw Wrong($"{path}:{(e.LineNumber ?? 0) + 1}", SideFiles.Kind(path) ?? "malformed JSON", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new Fault("BW3541", ExitCode.Usage, $"{ConfigName} cannot be read", path, e.Message, "Download the adapter again.", e);
        }
    }

    /// <summary>Two or three lines for people.</summary>
    public IReadOnlyList<string> Lines()
    {
        string on = Base is { } name ? $"'{name}'" : "a base that is not stated";
        string head = $"adapter: {Kind ?? "kind not stated (peft_type is missing)"}{(Dora ? " with DoRA" : "")}, trained on {on}";
        if (Task is { } task) head += $", {task}";
        var lines = new List<string> { head };
        var numbers = new List<string>();
        if (Rank is { } r) numbers.Add($"r {r}{Except(RankPattern)}");
        if (Alpha is { } alpha)
        {
            string text = alpha.ToString("R", CultureInfo.InvariantCulture);
            string scale = Rank is not (> 0 and { } rank) ? "" : RankStabilised
                ? string.Create(CultureInfo.InvariantCulture, $", scale {alpha / Math.Sqrt(rank):G4} (rslora)")
                : string.Create(CultureInfo.InvariantCulture, $", scale {alpha / rank:G4}");
            numbers.Add($"alpha {text}{Except(AlphaPattern)}{scale}");
        }
        if (numbers.Count > 0) lines.Add(string.Join(", ", numbers));
        lines.Add("targets: " + (Targets.Count == 0 ? "not stated" : TargetsArePattern ? $"pattern {Targets[0]}" : Counts.Some(Targets, 12))
            + (ModulesToSave.Count == 0 ? "" : $"; trained in full: {Counts.Some(ModulesToSave)}"));
        return lines;
    }

    private static string Except(IReadOnlyList<KeyValuePair<string, string>> pattern) =>
        pattern.Count == 0 ? "" : $" ({Counts.Some([.. pattern.Select(p => $"{p.Value} for {p.Key}")], 3)})";

    private static Fault Wrong(string where, string found, Exception? inner) =>
        new("BW3540", ExitCode.Usage, $"{ConfigName} is not the configuration of an adapter", where, found, "Mend the file, or download the adapter again.",
            inner);

    private string? Text(string field) => _root.TryGetProperty(field, out JsonElement v) && v.ValueKind == JsonValueKind.String ? v.GetString() : null;

    private double? Number(string field) => _root.TryGetProperty(field, out JsonElement v) && v.ValueKind == JsonValueKind.Number ? v.GetDouble() : null;

    private bool Flag(string field) => _root.TryGetProperty(field, out JsonElement v) && v.ValueKind == JsonValueKind.True;

    private IReadOnlyList<string> Texts(string field) => !_root.TryGetProperty(field, out JsonElement v) ? [] : v.ValueKind switch
    {
        JsonValueKind.String => [v.GetString()!],
        JsonValueKind.Array => [.. v.EnumerateArray().Where(e => e.ValueKind == JsonValueKind.String).Select(e => e.GetString()!)
            .Order(StringComparer.Ordinal)],
        _ => [],
    };

    private IReadOnlyList<KeyValuePair<string, string>> Pairs(string field) =>
        _root.TryGetProperty(field, out JsonElement v) && v.ValueKind == JsonValueKind.Object
        ? [.. v.EnumerateObject().Select(p => KeyValuePair.Create(p.Name, p.Value.GetRawText()))] : [];
}
