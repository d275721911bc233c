using Budwood.Checkpoints;
using Budwood.Files;
using Budwood.Numbers;
using Budwood.Numbers.Kernels;

namespace Budwood.Adapters;

/// <summary>An adapter's folder as PEFT saves it: its configuration and its tensors.</summary>
public sealed class Adapter : IDisposable
{
    internal const string Prefix = "base_model.model.";
    private const string Safetensors = "adapter_model.safetensors", Pickle = "adapter_model.bin";

    private readonly List<string> _notes = [];
    private readonly List<(string Tensor, long NaN, long Infinite)> _notFinite = [];

    private Adapter(string label, string folder, AdapterConfig config, WeightFiles weights)
    {
        (Label, Folder, Config, Weights) = (label, folder, config, weights);
        _notes.AddRange(config.Notes);
        Tensors = Keys();
        foreach (AdapterTensor tensor in Tensors) if (Config.Kind.Owns(tensor.Part)) Scan(tensor);
    }

    /// <summary>The adapter as the configuration or command line names it.</summary>
    public string Label { get; }
    public string Folder { get; }
    public AdapterConfig Config { get; }
    public WeightFiles Weights { get; }

    /// <summary>Lines for the person: fields that were read past, files that were ignored.</summary>
    public IReadOnlyList<string> Notes => _notes;

    internal IReadOnlyList<AdapterTensor> Tensors { get; }
    internal IReadOnlyList<(string Tensor, long NaN, long Infinite)> NotFinite => _notFinite;

    /// <summary>Opens a folder: reads the configuration, and the thin matrices once, for values that are not finite.</summary>
    public static Adapter Open(string folder, string? label = null)
    {
        var config = AdapterConfig.Read(folder);
        string safe = Path.Join(folder, Safetensors), pickle = Path.Join(folder, Pickle);
        bool isSafe = File.Exists(safe);
        if (!isSafe && !File.Exists(pickle)) throw AdapterFaults.NoWeights(folder);
        WeightFiles weights = WeightFiles.Open(isSafe ? safe : pickle);
        try
        {
            var adapter = new Adapter(label ?? folder, folder, config, weights);
            if (isSafe && File.Exists(pickle)) adapter._notes.Add($"{folder}: {Pickle} is ignored, {Safetensors} is there too");
            return adapter;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <summary>The model with this adapter in its weights, as a merged model would store them; it closes the files of both.</summary>
    /// <param name="label">The sum as the configuration names it.</param>
    /// <param name="type">The type in which the sum is stored, whatever that of the model is; null keeps the model's.</param>
    public Checkpoint Onto(Checkpoint model, string? label = null, DType? type = null) => new AdapterFit(model, this, type).Sum(label ?? $"{model.Label}+{Label}");

    private List<AdapterTensor> Keys()
    {
        string[] bare = [.. Weights.Tensors.Select(t => t.Name).Where(n => !n.StartsWith(Prefix, StringComparison.Ordinal))];
        if (bare.Length > 0) throw AdapterFaults.KeysWithoutPrefix(Weights.Files[0].Path, bare, Weights.Tensors.Count, Prefix);
        var names = new HashSet<string>(StringComparer.Ordinal);
        List<AdapterTensor> keys = [.. Weights.Tensors.Select(t => Parse(t, names))];
        if (names.Count > 1) throw AdapterFaults.SeveralAdapters(Weights.Files[0].Path, [.. names.Order(StringComparer.Ordinal)]);
        return keys;
    }

    // PREFIX module . lora_A [.name] .weight | module . base_layer . weight | module [. modules_to_save [.name]] . weight
    private AdapterTensor Parse(WeightTensor tensor, HashSet<string> adapters)
    {
        string[] words = tensor.Name[Prefix.Length..].Split('.');
        for (int i = 1; i < words.Length; i++)
        {
            string module = string.Join('.', words[..i]);
            if (words[i] == "modules_to_save")
            {
                string[] rest = words[(i + 1)..];
                if (rest.Length > 1) adapters.Add(rest[0]);
                string[] whole = [.. words[..i], .. rest.Length > 1 ? rest[1..] : rest];
                return new(tensor.Name, string.Join('.', whole[..^1]), whole[^1], tensor, IsWhole: true);
            }
            if (words[i] is "base_layer" && i == words.Length - 2) return new(tensor.Name, module, $"base_layer.{words[i + 1]}", tensor);
            if (words[i] is "token_adapter" or "trainable_tokens_delta") return new(tensor.Name, module, "trainable_tokens_delta", tensor);
            foreach ((int length, string name, string part) in Endings(words[i..]))
            {
                if (!Config.Kind.Owns(part)) continue;
                if (length > 0) adapters.Add(name);
                return new(tensor.Name, module, part, tensor);
            }
        }
        return new(tensor.Name, string.Join('.', words[..^1]), words[^1], tensor, IsWhole: true);
    }

    // The ways to read 'lora_A.default.weight': as it stands, and without the name of the adapter.
    private static IEnumerable<(int Length, string Name, string Part)> Endings(string[] words)
    {
        yield return (0, "", string.Join('.', words));
        if (words.Length == 2) yield return (words[1] == "weight" ? 0 : 1, words[1], words[0]);
        if (words.Length == 3) yield return (1, words[1], $"{words[0]}.{words[2]}");
        if (words.Length == 3) yield return (1, words[1], words[0]);
    }

    private void Scan(AdapterTensor tensor)
    {
        if (!tensor.Weight.DType.IsArithmetic()) return;
        long nan = 0, infinite = 0;
        bool zero = true;
        Span<float> values = stackalloc float[512];
        foreach ((_, byte[] bytes, int count) in LowRankFactors.Chunks(tensor.Weight))
        {
            for (int done = 0; done < count; done += values.Length)
            {
                Span<float> some = values[..Math.Min(values.Length, count - done)];
                Conversion.Widen(tensor.Weight.DType, bytes.AsSpan((int)tensor.Weight.DType.Bytes(done)), some);
                (long n, long i) = Comparison.NotFiniteIn(some);
                (nan, infinite) = (nan + n, infinite + i);
                zero = zero && !some.ContainsAnyExcept(0f);
            }
        }
        tensor.IsZero = zero;
        if (nan + infinite > 0) _notFinite.Add((tensor.Key, nan, infinite));
    }

    public void Dispose() => Weights.Dispose();
}
