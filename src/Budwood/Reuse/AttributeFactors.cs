using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Budwood.Checkpoints;

namespace Budwood.Reuse;

/// <summary>How well a statement about a model stands.</summary>
public enum FactorStatus { Verified, Claimed, Missing, Contradicted }

/// <summary>One factor of an attribute of reuse, with what it rests on.</summary>
/// <param name="Evidence">File and line, or file and field; empty where nothing was found.</param>
public sealed record Factor(string Attribute, string Name, FactorStatus Status, string Evidence, string What);

/// <summary>The factors that the study's engineers look for in a model, read from a folder.</summary>
internal sealed partial class AttributeFactors
{
    public const string Provenance = "provenance", Reproducibility = "reproducibility", Portability = "portability";

    // A factor, what speaks for it in the text of a card, and the fields of its front matter. Words, in any case; the first line that has one is the evidence.
    private static readonly (string Attribute, string Name, string Words, string[] Fields)[] s_stated =
    [
        (Provenance, "data_set", @"training (data|set|corpus)|trained on|fine-?tuned on|data ?sets? used", ["datasets"]),
        (Provenance, "performance_table", @"^#+.*\b(evaluation|results?|performance|benchmarks?|metrics)\b", ["model-index"]),
        (Provenance, "paper_link", @"arxiv\.org/|aclanthology\.org/|doi\.org/|@(article|inproceedings|misc)\{", []),
        (Provenance, "changes", @"differs? from the (paper|original)|deviat|unlike the (paper|original)|changes? (to|from|against) the (paper|original)|modified version", ["base_model_relation"]),
        (Reproducibility, "hardware", @"\b(gpus?|tpus?|a100|h100|v100|rtx|mi\d00x?|cpu cores?)\b", []),
        (Reproducibility, "training_configuration", @"hyper-?parameters|learning rate|batch size|warm-?up", []),
        (Reproducibility, "demo", @"from_pretrained|pipeline\(|colab|gradio|spaces/", ["widget"]),
        (Reproducibility, "environment", @"framework versions|requirements\.txt|docker|pip install|conda", []),
        (Portability, "latency", @"latency|tokens per second|throughput|inference (time|speed)", []),
        (Portability, "fine_tuning_instructions", @"fine-?tun(e|ing)", []),
        (Portability, "cost", @"\b(cost|co2|carbon|gpu hours)\b", ["co2_eq_emissions"]),
    ];

    private readonly ModelFolder _folder;
    private readonly CardText _card;
    private readonly ModelConfig? _config, _run;
    private readonly List<Factor> _factors = [];

    private AttributeFactors(ModelFolder folder) => (_folder, _card, _config, _run) = (folder, folder.Card(), folder.Config(), folder.Parsed("run.json"));

    /// <summary>All factors of a folder, attribute by attribute.</summary>
    public static IReadOnlyList<Factor> Of(ModelFolder folder, CancellationToken stop)
    {
        var f = new AttributeFactors(folder);
        foreach (var stated in s_stated) f.Stated(stated.Attribute, stated.Name, stated.Words, stated.Fields);
        bool agrees = f.Digests(stop);
        f.Architecture(stop);
        f.Logs();
        f.Documentation();
        f.Licence();
        f.Variants();
        if (agrees) f.Configured();
        return [.. f._factors.OrderBy(x => Array.IndexOf([Provenance, Reproducibility, Portability], x.Attribute))];
    }

    /// <summary>Score of an attribute, 0 to 100: the share of its factors that is verified, and of those claimed a part.</summary>
    public static double Score(IEnumerable<Factor> factors, string attribute, double claimed)
    {
        Factor[] own = [.. factors.Where(f => f.Attribute == attribute)];
        return 100 * own.Sum(f => f.Status switch { FactorStatus.Verified => 1, FactorStatus.Claimed => claimed, _ => 0 }) / own.Length;
    }

    [GeneratedRegex(@"(?:^|\.)(?:layers?|h|blocks?)\.(\d+)\.")]
    private static partial Regex LayerNumber();

    private void Add(string attribute, string name, FactorStatus status, string evidence, string what) => _factors.Add(new Factor(attribute, name, status, evidence, what));

    private void Stated(string attribute, string name, string words, string[] fields)
    {
        foreach (string field in fields)
        {
            if (_card.Field(field) is not [var first, ..]) continue;
            Add(attribute, name, FactorStatus.Claimed, Line(first.Line), $"{field}: {first.Value}");
            return;
        }
        string[] lines = _card.Body.Split('\n');
        int at = Array.FindIndex(lines, l => Regex.IsMatch(l, words, RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1)));
        if (at >= 0) Add(attribute, name, FactorStatus.Claimed, Line(_card.BodyLine + at), Cut(lines[at].Trim()));
        else Add(attribute, name, FactorStatus.Missing, "", "");
    }

    private static string Line(long line) => string.Create(CultureInfo.InvariantCulture, $"README.md:{line}");

    private static string Cut(string text) => text.Length <= 100 ? text : text[..99] + "…";

    // run.json says what every tensor was when it was written: recomputed, it is the only statement of a folder that can be proved.
    private bool Digests(CancellationToken stop)
    {
        if (_run is null || !_run.TryGet("tensors", out JsonElement said) || said.ValueKind != JsonValueKind.Object || !_run.TryText("digest", out string? whole))
        {
            Add(Provenance, "content_digests", FactorStatus.Missing, "", "no run.json with digests of tensors");
            return false;
        }
        var stored = new Dictionary<string, FolderTensor>(StringComparer.Ordinal);
        foreach (FolderTensor t in _folder.Tensors()) stored.TryAdd(t.Name, t);
        var wrong = new List<string>();
        var found = new List<(string, string)>();
        foreach (JsonProperty p in said.EnumerateObject())
        {
            if (!stored.Remove(p.Name, out FolderTensor? tensor))
            {
                wrong.Add($"{p.Name} is not there");
                continue;
            }
            string digest = tensor.Digest(stop);
            found.Add((p.Name, digest));
            if (p.Value.GetString() != digest) wrong.Add($"{p.Name} is {digest}, not {p.Value.GetString()}");
        }
        wrong.AddRange(stored.Keys.Select(n => $"{n} is not listed"));
        if (wrong.Count == 0 && ModelFolder.DigestOf(found) is var total && total != whole) wrong.Add($"digest is {total}, not {whole}");
        if (wrong.Count > 0) Add(Provenance, "content_digests", FactorStatus.Contradicted, "run.json: tensors", string.Join("; ", wrong.Take(3)) + (wrong.Count > 3 ? $"; and {wrong.Count - 3} more" : ""));
        else Add(Provenance, "content_digests", FactorStatus.Verified, "run.json: digest", $"{found.Count} tensors recomputed, {whole}");
        return wrong.Count == 0;
    }

    // A run.json whose digests hold is the configuration of this very content.
    private void Configured()
    {
        if (!_run!.TryText("configuration", out string? text) || text.Length == 0) return;
        _factors.RemoveAll(f => f.Name is "training_configuration" or "changes");
        Add(Reproducibility, "training_configuration", FactorStatus.Verified, "run.json: configuration", "the configuration of the run that wrote these digests");
        Add(Provenance, "changes", FactorStatus.Verified, "run.json: receipt", "counted while these digests were written");
    }

    private void Architecture(CancellationToken stop)
    {
        if (_config?.ModelType is not { } type)
        {
            Add(Provenance, "architecture", FactorStatus.Missing, "", "no config.json with a model_type");
            return;
        }
        string? field = ((string[])["num_hidden_layers", "n_layer", "n_layers", "num_layers"]).FirstOrDefault(f => _config.TryInt(f, out _));
        long highest = -1;
        foreach (FolderTensor t in _folder.Tensors())
        {
            stop.ThrowIfCancellationRequested();
            Match m = LayerNumber().Match(t.Name);
            if (m.Success) highest = Math.Max(highest, long.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture));
        }
        if (field is null || highest < 0) Add(Provenance, "architecture", FactorStatus.Claimed, "config.json: model_type", type);
        else if (_config.TryInt(field, out long layers) && layers == highest + 1) Add(Provenance, "architecture", FactorStatus.Verified, $"config.json: {field}", $"{type}, {layers} layers, as the tensors have");
        else Add(Provenance, "architecture", FactorStatus.Contradicted, $"config.json: {field}", $"{type}: the configuration says {layers} layers, the tensors have {highest + 1}");
    }

    private void Logs()
    {
        string? log = _folder.Names.FirstOrDefault(n => n.EndsWith("trainer_state.json", StringComparison.Ordinal) || n.Contains("tfevents", StringComparison.Ordinal) || n.EndsWith("all_results.json", StringComparison.Ordinal));
        Add(Provenance, "training_logs", log is null ? FactorStatus.Missing : FactorStatus.Claimed, log ?? "", log is null ? "" : "a log of the training");
    }

    private void Documentation()
    {
        int words = _card.Body.Split((char[])[' ', '\n', '\t'], StringSplitOptions.RemoveEmptyEntries).Length;
        // A hundred words say more than a template left empty.
        Add(Reproducibility, "documentation", words >= 100 ? FactorStatus.Verified : words > 0 ? FactorStatus.Claimed : FactorStatus.Missing, words > 0 ? "README.md" : "", $"{words} words");
    }

    private void Licence()
    {
        Licences l = Licences.Of(_folder, _card);
        FactorStatus status = l.Conflict ? FactorStatus.Contradicted : l.Agrees ? FactorStatus.Verified : l.Declared is not null || l.File is not null ? FactorStatus.Claimed : FactorStatus.Missing;
        string what = l.Conflict ? $"the card says {l.Declared}, {l.File} reads like {l.OfFile}" : l.Declared ?? l.OfFile ?? l.File ?? "";
        Add(Portability, "licence", status, l.Declared is not null ? Line(l.Line) : l.File ?? "", what);
    }

    private void Variants()
    {
        string? small = _folder.Names.FirstOrDefault(n => n.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) || n.Contains("int8", StringComparison.OrdinalIgnoreCase)
            || n.Contains("quant", StringComparison.OrdinalIgnoreCase) || n.Contains("q4", StringComparison.OrdinalIgnoreCase));
        if (small is not null) Add(Portability, "quantised_variants", FactorStatus.Verified, small, "the file is there");
        else if (_config?.Quantization is { } q) Add(Portability, "quantised_variants", FactorStatus.Verified, "config.json: quantization_config", q);
        else Stated(Portability, "quantised_variants", "quanti[sz]", []);
        string[] formats = [.. _folder.Names.Select(Framework).OfType<string>().Distinct()];
        Add(Portability, "framework_support", formats.Length == 0 ? FactorStatus.Missing : FactorStatus.Verified, _folder.Names.FirstOrDefault(n => Framework(n) is not null) ?? "", string.Join(", ", formats));
    }

    private static string? Framework(string name) => System.IO.Path.GetExtension(name).ToLowerInvariant() switch
    {
        ".safetensors" => "safetensors",
        ".bin" or ".pt" or ".pth" => "pytorch",
        ".h5" => "tensorflow",
        ".msgpack" => "flax",
        ".onnx" => "onnx",
        ".gguf" => "gguf",
        ".tflite" => "tflite",
        _ => null,
    };
}
