using System.Globalization;
using System.Text.Json;
using Budwood.Checkpoints;

namespace Budwood.Adapters;

/// <summary>An adapter's adapter_config.json: what PEFT's fields mean for its weights, with everything else said or refused.</summary>
public sealed class AdapterConfig
{
    public const string FileName = "adapter_config.json";

    // Fields that do not touch what base + adapter is: training, bookkeeping, and how the adapter was started.
    private static readonly string[] s_idle =
    [
        "peft_type", "task_type", "auto_mapping", "base_model_name_or_path", "revision", "inference_mode", "lora_dropout", "megatron_config", "megatron_core", "loftq_config", "eva_config",
        "corda_config", "lora_ga_config", "qalora_group_size", "peft_version", "runtime_config", "merge_weights", "init_lora_weights", "velora_config",
    ];

    private static readonly string[] s_read =
    [
        "r", "lora_alpha", "target_modules", "exclude_modules", "fan_in_fan_out", "bias", "use_rslora", "use_dora", "modules_to_save", "layers_to_transform", "layers_pattern", "rank_pattern",
        "alpha_pattern", "lora_bias", "target_parameters", "ensure_weight_tying", "trainable_token_indices",
    ];

    // Known to PEFT, without meaning as long as they are off.
    private static readonly string[] s_unsupported =
        ["layer_replication", "alora_invocation_tokens", "use_qalora", "arrow_config", "monteclora_config", "use_bdlora", "kasa_config", "enable_lora"];

    // Every peft_type of PEFT 0.21.2, and those that it has removed.
    private static readonly string[] s_kinds =
    [
        "ADALORA", "ADAMSS", "ADAPTION_PROMPT", "BEFT", "BOFT", "BONE", "C3A", "CARTRIDGE", "CPT", "DEFT", "DELORA", "FOURIERFT", "FROD", "GLORA", "GRALORA", "HIRA", "HRA", "IA3", "LILY", "LN_TUNING",
        "LOHA", "LOKR", "LORA", "MISS", "MULTITASK_PROMPT_TUNING", "OFT", "OSF", "PEANUT", "POLY", "PREFIX_TUNING", "PROMPT_TUNING", "PSOFT", "PVERA", "P_TUNING", "RANDLORA", "ROAD", "SHADOW", "SHIRA",
        "SUPERTUNING", "TINYLORA", "TRAINABLE_TOKENS", "UNILORA", "VBLORA", "VERA", "WAVEFT", "XLORA",
    ];

    private readonly Dictionary<string, JsonElement> _fields;
    private readonly List<string> _notes = [];

    private AdapterConfig(JsonElement root, string where)
    {
        Where = where;
        _fields = root.EnumerateObject().ToDictionary(p => p.Name, p => p.Value, StringComparer.Ordinal);
        Kind = Text("peft_type")?.ToUpperInvariant() is { } kind && AdapterKind.Find(kind) is { } known ? known
            : throw AdapterFaults.UnknownKind(where, Text("peft_type"), AdapterKind.All.Select(k => k.Name), s_kinds);
        ReadPast();
        Rank = Whole("r") ?? throw AdapterFaults.MissingField(where, "r", null);
        if (Rank < 1) throw AdapterFaults.BadField(where, "r", Raw("r"), "a whole number from 1 on");
        Alpha = Number("lora_alpha") ?? throw AdapterFaults.MissingField(where, "lora_alpha", "PEFT would take 8, whatever it was in training");
        IsRankStabilised = Flag("use_rslora");
        IsDora = Flag("use_dora");
        HasLoraBias = Flag("lora_bias");
        InputFirst = Flag("fan_in_fan_out");
        KeepsTies = Flag("ensure_weight_tying");
        Bias = Text("bias") ?? "none";
        if (Bias is not ("none" or "all" or "lora_only")) throw AdapterFaults.BadField(where, "bias", $"'{Bias}'", "none, all or lora_only");
        ModulesToSave = Words("modules_to_save");
        RankPattern = new ModulePatterns(where, "rank_pattern", Numbers("rank_pattern"));
        AlphaPattern = new ModulePatterns(where, "alpha_pattern", Numbers("alpha_pattern"));
        Targets = new TargetModules(this);
        CheckStart();
    }

    /// <summary>The file it was read from.</summary>
    public string Where { get; }
    public AdapterKind Kind { get; }

    /// <summary>Rank of modules that <see cref="RankPattern"/> does not name.</summary>
    public long Rank { get; }
    public double Alpha { get; }

    /// <summary>Ranks of single modules.</summary>
    public ModulePatterns RankPattern { get; }

    /// <summary>Alphas of single modules.</summary>
    public ModulePatterns AlphaPattern { get; }

    /// <summary>The scale is alpha over the root of the rank, not over the rank.</summary>
    public bool IsRankStabilised { get; }

    /// <summary>Weights are split into magnitude and direction.</summary>
    public bool IsDora { get; }

    /// <summary>The second factor has a bias.</summary>
    public bool HasLoraBias { get; }

    /// <summary>The file says that weights are stored input first; where the layer is known, the layer decides.</summary>
    public bool InputFirst { get; }

    /// <summary>Tied weights stay tied when they are trained.</summary>
    public bool KeepsTies { get; }

    /// <summary>Which biases were trained: <c>none</c>, <c>all</c>, <c>lora_only</c>.</summary>
    public string Bias { get; }

    /// <summary>Modules that were trained in full and replace those of the base.</summary>
    public IReadOnlyList<string> ModulesToSave { get; }

    /// <summary>The modules that the adapter acts on.</summary>
    public TargetModules Targets { get; }

    /// <summary>Fields that were read past, for the person to know.</summary>
    public IReadOnlyList<string> Notes => _notes;

    /// <summary>Reads adapter_config.json of a folder.</summary>
    public static AdapterConfig Read(string folder)
    {
        string path = Path.Join(folder, FileName);
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw AdapterFaults.NoConfig(path);
        }
        return Parse(bytes, path);
    }

    /// <summary>Reads a configuration from bytes; <paramref name="where"/> names them in messages.</summary>
    public static AdapterConfig Parse(ReadOnlySpan<byte> utf8, string where)
    {
        JsonElement root;
        try
        {
            root = ConfigText.Parse(utf8, where);
        }
        catch (Fault fault)
        {
            throw AdapterFaults.NotConfig(fault);
        }
        return new AdapterConfig(root, where);
    }

    /// <summary>Rows of the embedding that were trained apart: by module, or for the embedding where the file only lists them.</summary>
    internal IReadOnlyList<(string? Module, IReadOnlyList<long> Rows)> TrainedTokens()
    {
        if (!_fields.TryGetValue("trainable_token_indices", out JsonElement value) || IsOff(value)) return [];
        return value.ValueKind switch
        {
            JsonValueKind.Array => [(null, Wholes(value, "trainable_token_indices"))],
            JsonValueKind.Object => [.. value.EnumerateObject().Select(p => ((string?)p.Name, Wholes(p.Value, "trainable_token_indices")))],
            _ => throw AdapterFaults.BadField(Where, "trainable_token_indices", Raw("trainable_token_indices"), "a list of token ids"),
        };
    }

    /// <summary>The scale of a module with so many ranks.</summary>
    public double Scale(string module, long rank)
    {
        double alpha = AlphaPattern.Find(module) ?? Alpha;
        return IsRankStabilised ? alpha / Math.Sqrt(rank) : alpha / rank;
    }

    private void ReadPast()
    {
        var quiet = new List<string>();
        foreach ((string field, JsonElement value) in _fields)
        {
            if (s_idle.Contains(field) || s_read.Contains(field)) continue;
            bool off = IsOff(value);
            if (s_unsupported.Contains(field))
            {
                if (!off) throw AdapterFaults.Unsupported(Where, field, Short(value));
                continue;
            }
            if (!off) throw AdapterFaults.UnknownField(Where, field, Short(value), s_idle.Concat(s_read).Concat(s_unsupported));
            quiet.Add(field);
        }
        if (quiet.Count > 0) _notes.Add($"{Where}: read past {string.Join(", ", quiet)} (not known here, and off)");
    }

    // Some ways to start change the base too, and what they took from it is not in the folder.
    private void CheckStart()
    {
        string? start = Text("init_lora_weights")?.ToLowerInvariant();
        if (start is not null && (start is "pissa" or "olora" or "corda" or "lora_ga" or "loftq" || start.StartsWith("pissa_niter", StringComparison.Ordinal)))
            throw AdapterFaults.BaseChanged(Where, Text("init_lora_weights")!);
    }

    private static bool IsOff(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.False => true,
        JsonValueKind.Array => value.GetArrayLength() == 0,
        JsonValueKind.Object => !value.EnumerateObject().Any(),
        JsonValueKind.String => value.GetString() is { Length: 0 },
        _ => false,
    };

    private static string Short(JsonElement value) => value.GetRawText() is { Length: > 80 } text ? text[..77] + "..." : value.GetRawText();

    private string Raw(string field) => Short(_fields[field]);

    internal bool Has(string field) => _fields.TryGetValue(field, out JsonElement value) && !IsOff(value);

    internal string? Text(string field) => _fields.TryGetValue(field, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private bool Flag(string field)
    {
        if (!_fields.TryGetValue(field, out JsonElement value) || value.ValueKind is JsonValueKind.False or JsonValueKind.Null) return false;
        return value.ValueKind == JsonValueKind.True ? true : throw AdapterFaults.BadField(Where, field, Raw(field), "true or false");
    }

    private double? Number(string field)
    {
        if (!_fields.TryGetValue(field, out JsonElement value) || value.ValueKind == JsonValueKind.Null) return null;
        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && double.IsFinite(number) ? number : throw AdapterFaults.BadField(Where, field, Raw(field), "a number");
    }

    private long? Whole(string field) => Number(field) is not { } number ? null
        : number == Math.Floor(number) && Math.Abs(number) < 1e9 ? (long)number : throw AdapterFaults.BadField(Where, field, Raw(field), "a whole number");

    /// <summary>A list of names; one name may stand without a list.</summary>
    internal IReadOnlyList<string> Words(string field)
    {
        if (!_fields.TryGetValue(field, out JsonElement value)) return [];
        return value.ValueKind switch
        {
            JsonValueKind.Null => [],
            JsonValueKind.String => [value.GetString()!],
            JsonValueKind.Array when value.EnumerateArray().All(e => e.ValueKind == JsonValueKind.String) => [.. value.EnumerateArray().Select(e => e.GetString()!)],
            _ => throw AdapterFaults.BadField(Where, field, Raw(field), "a list of names"),
        };
    }

    /// <summary>Whole numbers, one or a list; null when the field is absent or null.</summary>
    internal IReadOnlyList<long>? WholeNumbers(string field) =>
        !_fields.TryGetValue(field, out JsonElement value) || value.ValueKind == JsonValueKind.Null ? null : Wholes(value, field);

    private IReadOnlyList<long> Wholes(JsonElement value, string field)
    {
        IEnumerable<JsonElement> all = value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : [value];
        return [.. all.Select(e => e.ValueKind == JsonValueKind.Number && e.TryGetInt64(out long n) && n >= 0 ? n : throw AdapterFaults.BadField(Where, field, Raw(field), "whole numbers"))];
    }

    private IReadOnlyList<KeyValuePair<string, double>> Numbers(string field)
    {
        if (!_fields.TryGetValue(field, out JsonElement value) || value.ValueKind == JsonValueKind.Null) return [];
        if (value.ValueKind != JsonValueKind.Object) throw AdapterFaults.BadField(Where, field, Raw(field), "an object of module names and numbers");
        return [.. value.EnumerateObject().Select(p => KeyValuePair.Create(p.Name, p.Value.ValueKind == JsonValueKind.Number && p.Value.TryGetDouble(out double n) && n > 0 ? n
            : throw AdapterFaults.BadField(Where, field, $"{p.Name}: {p.Value.GetRawText()}", "numbers above 0")))];
    }

    /// <summary>Rank, scale and variant in a few words.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Kind.Name.ToLowerInvariant()}{(IsDora ? " with DoRA" : "")}, r {Rank}, alpha {Alpha:R}{(IsRankStabilised ? ", rank-stabilised" : "")}");
}
