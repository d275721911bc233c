using System.Globalization;
using Budwood.Files;
using Budwood.Numbers;

namespace Budwood.Checkpoints.Audit;

/// <summary>How to check.</summary>
/// <param name="Progress">Called with the bytes that were read since the last call, from any thread.</param>
/// <param name="Values">Read the weights for NaN, infinities and ties; without it, headers and side files only.</param>
/// <param name="Cache">Where digests are remembered; the user's cache when null.</param>
public sealed record CheckOptions(int Threads, Action<long>? Progress = null, bool Values = true, DigestCache? Cache = null);

/// <summary>Opens a folder strictly and lists all that is wrong with it, or surprising, at once.</summary>
public static class CheckpointCheck
{
    // What config.json and tensors disagree in where the weights are packed: names, types and shapes are those of the packing.
    private static readonly string[] s_packed = ["BW3121", "BW3122", "BW3124", "BW3126"];

    /// <summary>Checks a model folder, an adapter folder, or one weight file.</summary>
    public static CheckReport Run(string folder, CheckOptions options, CancellationToken stop = default)
    {
        var findings = new List<Finding>();
        Digest? digest = null;
        try
        {
            digest = OfModel(folder, options, findings, stop);
        }
        catch (Fault fault) when (fault.Code == AdapterSummary.RefusesAsModel)
        {
            digest = OfAdapter(folder, options, findings, stop);
        }
        catch (Fault fault)
        {
            findings.AddRange(Finding.Of(fault));
        }
        return new CheckReport(folder, [.. findings.OrderBy(f => f.Severity)], digest);
    }

    private static Digest? OfModel(string folder, CheckOptions options, List<Finding> findings, CancellationToken stop)
    {
        using Checkpoint checkpoint = Checkpoint.Open(folder);
        Digest? digest = options.Values ? Read(checkpoint, options, findings, stop) : null;
        Fits(checkpoint, options, findings, stop);
        // A single file has no folder of its own to look around in.
        if (!Directory.Exists(folder)) return digest;
        Beside(checkpoint, findings);
        TextChecks.Run(checkpoint, findings);
        Loaders(checkpoint, findings);
        return digest;
    }

    private static Digest? OfAdapter(string folder, CheckOptions options, List<Finding> findings, CancellationToken stop)
    {
        try
        {
            AdapterSummary summary = AdapterSummary.Read(folder);
            findings.Add(new(Severity.Note, "BW3542", string.Join("; ", summary.Lines()), folder));
            if (summary.Kind is null)
            {
                findings.Add(new(Severity.Error, "BW3543", "the kind of adapter is not stated", summary.Where, "peft_type is missing",
                    "Add \"peft_type\": \"LORA\" if it is one."));
            }
            if (summary.Base is null)
            {
                findings.Add(new(Severity.Warning, "BW3544", "the base model is not stated", summary.Where, "base_model_name_or_path is missing or empty",
                    "Ask its maker: an adapter on another base gives a wrong model without an error."));
            }
            if (summary.Targets.Count == 0 && summary.Kind is "lora" or "loha" or "lokr" or "ia3")
                findings.Add(new(Severity.Warning, "BW3545", "the modules that the adapter applies to are not stated", summary.Where,
                    "target_modules is missing or empty", null));
        }
        catch (Fault fault)
        {
            findings.AddRange(Finding.Of(fault));
        }
        string? file = SideFiles.Names(folder).FirstOrDefault(n => n.StartsWith("adapter_model", StringComparison.Ordinal)
            && n.EndsWith(".safetensors", StringComparison.Ordinal));
        if (file is null)
        {
            findings.Add(new(Severity.Warning, "BW3546", "the adapter's weights are a PyTorch file and were not read", folder, null,
                "Save the adapter as safetensors."));
            return null;
        }
        using Checkpoint checkpoint = Checkpoint.Open(Path.Join(folder, file));
        foreach (CheckpointTensor tensor in checkpoint.Tensors.Where(t => t.Name.Contains("lora_A", StringComparison.Ordinal)))
        {
            string twin = tensor.Name.Replace("lora_A", "lora_B", StringComparison.Ordinal);
            if (checkpoint.TryGet(twin, out _)) continue;
            findings.Add(new(Severity.Error, "BW3547", $"'{tensor.Name}' has no '{twin}' beside it", checkpoint.Folder, null, "Download the adapter again."));
        }
        return options.Values ? Read(checkpoint, options, findings, stop) : null;
    }

    /// <summary>Reads every tensor once.</summary>
    private static Digest Read(Checkpoint checkpoint, CheckOptions options, List<Finding> findings, CancellationToken stop)
    {
        var store = new DigestStore(options.Cache ?? DigestCache.Default);
        store.Load(checkpoint);
        (WeightTensor Tensor, TensorRead Read)[] reads = [.. TensorOrder.InOrder(checkpoint).Select(t => (t.Weight, new TensorRead(new StoredTensor(t.Weight), values: true)))];
        TensorScan.Run([.. reads.Select(r => r.Read)], options.Threads, options.Progress, stop);
        foreach ((WeightTensor tensor, TensorRead read) in reads)
        {
            // A cache that does not agree with the bytes on disk must not outlive this run.
            store[read.Tensor] = read.Digest;
            if (read.NaN + read.Infinite == 0) continue;
            findings.Add(new(Severity.Error, "BW3301", "the tensor holds values that are not finite", $"{tensor.File.Path}: {tensor.Name}",
                $"{Counts.NotFinite(read.NaN, read.Infinite)} in {Counts.Of(tensor.Shape.Count, "element")}",
                "Download the file again; if it is the same, the checkpoint was saved after training went wrong, or overflowed in its dtype."));
        }
        TensorRead[] ups = [.. reads.Where(r => r.Tensor.Name.Contains("lora_B", StringComparison.Ordinal)).Select(r => r.Read)];
        if (ups.Length > 0 && ups.All(r => r.IsZero))
        {
            findings.Add(new(Severity.Warning, "BW3548", "the adapter changes nothing: every lora_B is zero", checkpoint.Folder, "as freshly initialised",
                "Check that the adapter was saved after training."));
        }
        store.Keep(checkpoint);
        return store.Of(checkpoint);
    }

    /// <summary>Configuration against tensors.</summary>
    private static void Fits(Checkpoint checkpoint, CheckOptions options, List<Finding> findings, CancellationToken stop)
    {
        if (checkpoint.Config is not { } config)
        {
            if (Directory.Exists(checkpoint.Folder)) findings.AddRange(Finding.Of(CheckpointFaults.NoConfig(checkpoint.Folder)));
            return;
        }
        if (config.Quantization is { } how)
        {
            findings.Add(new(Severity.Note, "BW3507", $"the weights are quantised: {how}", config.Where, "names and shapes of packed weights are not checked",
                "For merging, start from the full-precision model."));
        }
        if (checkpoint.Model is not { } model) return;
        Func<string, string, bool>? same = options.Values ? (a, b) => SameValues(checkpoint, a, b, options, stop) : null;
        IReadOnlyList<Misfit> misfits = Misfits.Check(config, model, n => checkpoint.Weights.TryGet(n, out WeightTensor? t) ? (t.DType, t.Shape) : null,
            checkpoint.Weights.Tensors.Select(t => t.Name), same);
        findings.AddRange(misfits.Where(m => config.Quantization is null || !s_packed.Contains(m.Code)).Select(Finding.Of));
    }

    private static bool SameValues(Checkpoint checkpoint, string a, string b, CheckOptions options, CancellationToken stop)
    {
        if (!checkpoint.Weights.TryGet(a, out WeightTensor? x) || !checkpoint.Weights.TryGet(b, out WeightTensor? y) || x.Shape != y.Shape) return false;
        if (!TensorPair.CanCompare(x.DType, y.DType)) return false;
        TensorPair pair = TensorPair.Whole(new StoredTensor(x), new StoredTensor(y), hashA: false, hashB: false);
        TensorScan.Run([pair], options.Threads, null, stop);
        return pair.Changed == 0;
    }

    /// <summary>Files that lie in the folder and are not the model.</summary>
    private static void Beside(Checkpoint checkpoint, List<Finding> findings)
    {
        string folder = checkpoint.Folder;
        IReadOnlyList<string> names = SideFiles.Names(folder);
        foreach (string stray in checkpoint.Weights.StrayFiles)
        {
            findings.Add(new(Severity.Warning, "BW3504", $"{stray} is not part of the model", Path.Join(folder, stray),
                $"the model is {Counts.Some(checkpoint.Weights.FileNames, 3)}",
                "It is neither read nor copied; delete it if nothing else needs it."));
        }
        if (names.Contains(AdapterSummary.ConfigName))
        {
            findings.Add(new(Severity.Warning, "BW3506", $"{AdapterSummary.ConfigName} lies beside full weights", Path.Join(folder, AdapterSummary.ConfigName),
                null, "Transformers takes such a folder for an adapter and loads the base named there: delete the file if the adapter is merged already."));
        }
        string[] code = [.. names.Where(n => n.EndsWith(".py", StringComparison.Ordinal))];
        bool mapped = checkpoint.Config?.Has("auto_map") == true;
        if (code.Length > 0 || mapped)
        {
            string what = code.Length > 0 ? $"Python code beside the weights: {Counts.Some(code)}"
                : "config.json names Python code that is not here (auto_map)";
            findings.Add(new(Severity.Warning, "BW3505", what, folder, "Budwood never runs it",
                mapped ? "Transformers runs it only with trust_remote_code: read it first." : "Config.json does not refer to it."));
        }
    }

    private static void Loaders(Checkpoint checkpoint, List<Finding> findings)
    {
        if (checkpoint.Config is not { } config) return;
        string type = config.ModelType ?? "";
        string classes = config.Architectures.Count > 0 ? string.Join(", ", config.Architectures) : "the Auto classes";
        string shape = $"{Counts.Of(checkpoint.Weights.Tensors.Count, "tensor")}, {Sizes.Show(checkpoint.Weights.TotalBytes)}, {Types(checkpoint)}";
        Finding who = type.StartsWith("budwood_", StringComparison.Ordinal)
            ? new(Severity.Note, "BW3508", $"only Budwood loads it (model_type {type})", checkpoint.Folder, shape)
            : type.Length == 0
            ? new(Severity.Warning, "BW3509", "config.json does not state a model_type", config.Where, shape,
                "Transformers needs it to find the class: add it.")
            : checkpoint.Family is { } family
            ? new(Severity.Note, "BW3508", $"transformers loads it with {classes}; Budwood knows the family {family.Name}", checkpoint.Folder, shape)
            : new(Severity.Note, "BW3509", $"Budwood has no table for model_type {type}: tensors are matched by name, shapes are not checked",
                checkpoint.Folder, shape, config.Has("auto_map") ? "Transformers loads it with code from the folder only."
                    : $"Transformers loads it with {classes} if it knows that type.");
        findings.Add(who);
    }

    private static string Types(Checkpoint checkpoint) => string.Join(", ", checkpoint.Weights.Tensors.GroupBy(t => t.DType)
        .OrderByDescending(g => g.Sum(t => t.Bytes)).Select(g => string.Create(CultureInfo.InvariantCulture, $"{g.Key.Name()} {g.Count()}")));
}
