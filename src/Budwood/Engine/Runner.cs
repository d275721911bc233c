using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Budwood.Checkpoints;
using Budwood.Files;
using Budwood.Methods;
using Budwood.Numbers;

namespace Budwood.Engine;

/// <summary>How a plan is run: where to, with what means.</summary>
public sealed record RunOptions
{
    public required string Out { get; init; }
    public bool Force { get; init; }

    /// <summary>Threads; by default as many as the machine has.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Bytes that the process may take; by default a quarter of the machine.</summary>
    public long MemoryBytes { get; init; } = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4;

    /// <summary>Bytes of tensors in one output file.</summary>
    public long ShardBytes { get; init; } = 5_000_000_000;

    /// <summary>Copy *.py of the donor too; they are never run.</summary>
    public bool CopyCode { get; init; }

    /// <summary>The configuration, verbatim: written beside the output and into the card.</summary>
    public required string Configuration { get; init; }

    /// <summary>Told bytes done and bytes in all.</summary>
    public Action<long, long>? Progress { get; init; }

    /// <summary>Told once the plan fits the means: threads, peak memory, bytes.</summary>
    public Action<PlanFigures>? Planned { get; init; }

    /// <summary>Told lines that are of interest while it runs.</summary>
    public Action<string>? Say { get; init; }

    /// <summary>Keep finished shards when the run is interrupted, and go on from those that an earlier run of the same work has kept.</summary>
    public bool Resume { get; init; } = true;

    /// <summary>Told where the time goes.</summary>
    public Profile Profile { get; init; } = new();

    /// <summary>End after planning.</summary>
    public bool DryRun { get; init; }
}

/// <summary>The figures of a plan that a person wants to see before it runs.</summary>
public sealed record PlanFigures(int Tensors, int Copies, long ReadBytes, long WriteBytes, long PeakBytes, long MemoryBytes, int Threads, int Files, long FreeDiskBytes);

/// <summary>A model or adapter that an output was made from, by its content.</summary>
/// <param name="Adapter">What the adapter is, in a few words; null for a model.</param>
public sealed record Parent(string Label, Digest Digest, bool IsBase, string? Adapter = null)
{
    /// <summary>Its name on the hub; null for a folder of one's own.</summary>
    public string? Hub { get; init; }

    /// <summary>It went into the formula beside a model and is none itself.</summary>
    public bool IsCompanion { get; init; }
}

/// <summary>A finished run.</summary>
public sealed record RunOutcome(Receipt Receipt, string Folder, IReadOnlyList<Parent> Parents, IReadOnlyList<string> Files, TimeSpan Elapsed)
{
    /// <summary>What an interrupted run had finished.</summary>
    public Resumption Resumed { get; init; } = new(0, 0);
}

/// <summary>Runs methods: the only place that knows how each kind of body is run.</summary>
public static class Runner
{
    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, NewLine = "\n" };

    /// <summary>Files of the donor that travel with the weights.</summary>
    private static readonly string[] s_travels =
    [
        "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json", "vocab.txt", "merges.txt", "tokenizer.model", "spiece.model",
        "sentencepiece.bpe.model", "chat_template.jinja", "chat_template.json", "generation_config.json", "preprocessor_config.json", "processor_config.json", "video_preprocessor_config.json",
        "normalizer.json", "LICENSE", "LICENSE.txt", "LICENSE.md", "NOTICE", "NOTICE.txt", "modules.json", "sentence_bert_config.json", "config_sentence_transformers.json", "1_Pooling/config.json",
    ];

    /// <summary>Those of them that are one vocabulary and come from one folder.</summary>
    private static readonly string[] s_tokenizer =
    [
        "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json", "vocab.txt", "merges.txt", "tokenizer.model", "spiece.model",
        "sentencepiece.bpe.model", "chat_template.jinja", "chat_template.json",
    ];

    /// <summary>Runs a planned rule into an output folder that appears whole or not at all; null after a dry run.</summary>
    public static RunOutcome? Run(Plan plan, RunOptions options, CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        (int threads, int pieceBytes, long peak) = Fit(plan, options);
        var shards = ShardPlan.Plan([.. plan.Slots.Select(s => (s.Slot.Name, s.Slot.Stored, s.Slot.Shape))], options.ShardBytes, ShardWriter.Alignment);
        long free = FreeBytes(options.Out);
        options.Planned?.Invoke(new PlanFigures(plan.Slots.Count, plan.Slots.Count(s => s.Slot.IsCopy), plan.ReadBytes, shards.TotalBytes, peak, options.MemoryBytes, threads, shards.Files.Count, free));
        // What an interrupted run has left is used or removed first.
        if (free + OutputFolder.LeftoverBytes(options.Out) < shards.FileBytes + 1_000_000) throw EngineFaults.DiskTooSmall(options.Out, shards.FileBytes, free);
        if (options.DryRun) return null;

        IReadOnlyList<string> inputs = RunKey.Inputs(plan);
        // Looked for now, so that one which vanishes meanwhile is missed.
        (string, string)[] travelling = [.. Travelling(plan, options.CopyCode)];
        using var folder = OutputFolder.Begin(options.Out, options.Force,
            [.. plan.StoredInputs.SelectMany(m => m.Added is { } added ? [m.Folder, added.Folder] : (string[])[m.Folder]).Distinct(StringComparer.Ordinal)],
            options.Resume ? RunKey.Of(plan, options, pieceBytes) : null);
        foreach (string leftover in folder.RemovedLeftovers) options.Say?.Invoke($"removed what an interrupted run left: {leftover}");
        using var output = new Shards(folder, shards, plan.Slots, inputs, threads, pieceBytes);
        try
        {
            var passOptions = new PassOptions(threads, pieceBytes, plan.Request.Allow.Contains("nan"))
            {
                Profile = options.Profile, MaskBytes = Math.Clamp(options.MemoryBytes - peak, 0, MaskRoom.Most),
            };
            return Run(plan, options, folder, shards, output, passOptions, travelling, clock, stop);
        }
        catch (Exception e) when (e is OperationCanceledException || e is Fault fault && FileFaults.MayPass(fault))
        {
            int finished = output.Leave();
            if (finished > 0 && e is OperationCanceledException) throw new RunInterrupted(finished, shards.Files.Count);
            if (finished > 0) options.Say?.Invoke($"kept {finished} of {shards.Files.Count} shards, which are finished: the same command goes on from there");
            throw;
        }
        finally
        {
            output.Settle();
        }
    }

    private static RunOutcome Run(Plan plan, RunOptions options, OutputFolder folder, ShardPlan shards, Shards output, PassOptions passOptions,
        IReadOnlyList<(string From, string Name)> travelling, Stopwatch clock, CancellationToken stop)
    {
        long done = 0, all = plan.ReadBytes + plan.WriteBytes;
        Action<long>? progress = options.Progress is null ? null : n => options.Progress(Interlocked.Add(ref done, n), all);
        WeightFile[] read = [.. plan.StoredInputs.SelectMany(FilesOf).SelectMany(w => w.Files).Distinct()];
        var watch = new InputWatch(read);
        var known = KnownDigests(plan.StoredInputs);
        output.Begin(known, plan.StoredInputs.SelectMany(FilesOf).SelectMany(w => w.Tensors), progress, options.Say, stop);
        options.Profile.EndPart("plan");
        Passes.Run(plan.Request.Rule, output.Remaining, output, passOptions with { Progress = progress, InputDigests = known }, stop);
        options.Profile.EndPart("passes");
        output.Finish(options.Profile);
        var receipt = Receipt.Of(plan, output.Results());
        IReadOnlyList<Parent> parents = Parents(plan, known, stop);
        watch.Check(known, stop);
        Checkpoint[] adapted = [.. plan.StoredModels.Where(m => m.Added is not null)];
        // Who names an adapter asks for a change, whatever the method.
        bool mayCopy = adapted.Length == 0 && plan.Request.Rule.MayCopy(plan.Request.Models.Count);
        // Tables that every program computes for itself are no loss.
        bool lost = plan.Removed.Any(t => plan.Reference.Model?.IsKnownBuffer(t.Stored) != true);
        if (receipt.IsIdentical && !lost && !mayCopy && !plan.Request.Allow.Contains("unchanged"))
            throw EngineFaults.NothingChanged(plan.Reference.Label, EqualToReference(plan, parents), [.. adapted.Select(m => m.Added!).Where(a => a.ChangesNothing).Select(a => a.Label)]);
        WriteRest(folder, plan, options, shards, receipt, parents, travelling);
        stop.ThrowIfCancellationRequested();
        folder.Commit();
        options.Profile.EndPart("publish");
        return new RunOutcome(receipt, folder.FullPath, parents, [.. shards.Files.Select(f => f.FileName)], clock.Elapsed) { Resumed = new(output.Kept, shards.Files.Count) };
    }

    /// <summary>Runs a job on inputs that are open; what it writes on the way is gone when it ends, however it ends.</summary>
    public static JobOutcome Run(Job job, object parameters, IReadOnlyDictionary<string, IReadOnlyList<Artifact>> inputs, JobOptions options,
        CancellationToken stop)
    {
        bool writes = job.Ports.Outputs.Any(o => o.Kind == ArtifactKind.Checkpoint);
        // Before the work, not after it.
        if (writes)
            OutputFolder.Check(options.Run.Out, options.Run.Force,
                [.. inputs.Values.SelectMany(p => p).Where(a => a.Kind == ArtifactKind.Checkpoint).Select(a => a.Checkpoint.Folder).Distinct(StringComparer.Ordinal)]);
        using var desk = new JobDesk(job, inputs, options, stop);
        job.RunAny(desk, parameters);
        foreach (Port port in job.Ports.Outputs)
            if (port.Kind == ArtifactKind.Checkpoint ? desk.Written is null && desk.Drawn is null : !port.Optional && !desk.Outputs.ContainsKey(port.Name))
                throw new InvalidOperationException($"{job.Card.Name} gave nothing to its output '{port.Name}'.");
        return new JobOutcome(desk.Outputs, desk.Shown, desk.Written) { Checkpoint = desk.Written?.Receipt.Digest ?? desk.Drawn };
    }

    /// <summary>Refuses a plan that the memory does not suffice for.</summary>
    internal static void CheckFits(Plan plan, RunOptions options) => Fit(plan, options);

    // Fewer threads, then smaller pieces: speed is given up before the run is refused.
    private static (int Threads, int PieceBytes, long Peak) Fit(Plan plan, RunOptions options)
    {
        long least = long.MaxValue;
        for (int threads = options.Threads; threads >= 1; threads--)
        {
            for (int piece = Digests.PieceBytes; piece >= 64 << 10; piece /= 2)
            {
                long peak = plan.PeakBytes(threads, piece);
                if (peak <= options.MemoryBytes) return (threads, piece, peak);
                least = Math.Min(least, peak);
            }
        }
        throw EngineFaults.MemoryTooSmall(least, options.MemoryBytes);
    }

    private static long FreeBytes(string folder)
    {
        string? at = Path.GetFullPath(folder);
        while (at is not null && !Directory.Exists(at)) at = Path.GetDirectoryName(at);
        return at is null ? long.MaxValue : new DriveInfo(at).AvailableFreeSpace;
    }

    private static ConcurrentDictionary<WeightTensor, Digest> KnownDigests(IReadOnlyList<Checkpoint> models)
    {
        var known = new ConcurrentDictionary<WeightTensor, Digest>();
        foreach (WeightFiles weights in models.SelectMany(FilesOf))
        {
            foreach (IGrouping<WeightFile, WeightTensor> file in weights.Tensors.GroupBy(t => t.File))
            {
                if (!DigestCache.Default.TryGet(file.Key.Path, out IReadOnlyDictionary<string, Digest>? digests)) continue;
                foreach (WeightTensor tensor in file) if (digests.TryGetValue(tensor.Name, out Digest digest)) known[tensor] = digest;
            }
        }
        return known;
    }

    private static IEnumerable<WeightFiles> FilesOf(Checkpoint model) => model.Added is { } added ? [model.Weights, added.Weights] : [model.Weights];

    // A model under an adapter and the adapter are two parents; one that several references share is listed once.
    private static IReadOnlyList<Parent> Parents(Plan plan, ConcurrentDictionary<WeightTensor, Digest> known, CancellationToken stop)
    {
        var parents = new List<Parent>();
        IReadOnlyList<Checkpoint> models = plan.StoredModels;
        foreach (Checkpoint model in plan.StoredInputs)
        {
            bool isBase = plan.Request.Base is { } b && ReferenceEquals(model, plan.Request.Models[b]);
            foreach (IGrouping<WeightFile, WeightTensor> file in FilesOf(model).SelectMany(w => w.Tensors).GroupBy(t => t.File))
                DigestCache.Default.Put(file.Key.Path, file.ToDictionary(t => t.Name, t => known.GetOrAdd(t, missing => Digests.OfTensor(missing, stop)), StringComparer.Ordinal));
            // By canonical names, as the output's own digest: a model with another prefix on its names is the same model.
            Digest digest = Digests.Checkpoint(model.AsStored.Tensors.Select(t => (t.Name, known[t.Weight])));
            List(new(model.AsStored.Label, digest, isBase) { Hub = HubCache.NameOf(model.Folder), IsCompanion = !models.Contains(model) });
            if (model.Added is not { } added) continue;
            digest = Digests.Checkpoint(added.Weights.Tensors.Select(t => (t.Name, known[t])));
            List(new(added.Label, digest, isBase, added.Summary) { Hub = HubCache.NameOf(added.Folder) });
        }
        return parents;

        void List(Parent parent)
        {
            int at = parents.FindIndex(p => p.Label == parent.Label && p.Digest == parent.Digest);
            if (at < 0) parents.Add(parent);
            else parents[at] = parents[at] with { IsBase = parents[at].IsBase || parent.IsBase };
        }
    }

    private static IReadOnlyList<string> EqualToReference(Plan plan, IReadOnlyList<Parent> parents)
    {
        if (parents.FirstOrDefault(p => p.Label == plan.Reference.Label && p is { Adapter: null, IsCompanion: false })
            is not { Digest: var reference }) return [];
        return [.. parents.Where(p => p.Digest == reference && p.Label != plan.Reference.Label).Select(p => p.Label)];
    }

    private static void WriteRest(OutputFolder folder, Plan plan, RunOptions options, ShardPlan shards, Receipt receipt, IReadOnlyList<Parent> parents,
        IReadOnlyList<(string From, string Name)> travelling)
    {
        if (shards.IndexJson is { } index) folder.Write(ShardPlan.IndexName, index);
        if (plan.Config is { } config) folder.Write("config.json", config.ToBytes());
        foreach ((string from, string name) in travelling)
            Travel(folder, Path.Combine(from, name), name, plan.Request.ChatTemplate is not null);
        if (plan.Request.ChatTemplate is { } template) folder.Write(ChatTemplates.FileName, template);
        folder.Write("mergekit_config.yml", options.Configuration);
        MethodCard card = plan.Request.Rule.Card;
        string? baseLabel = plan.Request.Base is { } b ? plan.Request.Models[b].Label : null;
        IReadOnlyList<string> labels = [.. plan.StoredModels.Select(m => m.Label)];
        IReadOnlyList<(string, string?, string)> digests =
            [.. parents.Select(p => p.IsCompanion ? ($"{p.Label} (companion)", null, p.Digest.ToString()) : (p.Label, p.Hub, p.Digest.ToString()))];
        folder.Write("README.md", ModelCard.OfMerge(Path.GetFileName(folder.FullPath), card.Name, card.Summary, baseLabel, labels, License(plan.StoredModels, options), options.Configuration, digests, receipt.Lines()));
        folder.Write("run.json", RunJson(plan, options, receipt, parents));
    }

    // Without base_model the first model that has a file lends it; of the tokenizer's files all come from one folder.
    private static IEnumerable<(string From, string Name)> Travelling(Plan plan, bool copyCode)
    {
        string tokenizer = (plan.Request.Tokenizer ?? plan.Donor).TokenizerFolder;
        string[] folders = plan.Request.Base is null ? [.. plan.Request.Models.Select(m => m.Folder)] : [plan.Donor.Folder];
        foreach (string name in s_travels)
        {
            string? from = (s_tokenizer.Contains(name) ? [tokenizer] : folders).FirstOrDefault(f => File.Exists(Path.Combine(f, name)));
            if (from is not null) yield return (from, name);
        }
        if (!copyCode) yield break;
        foreach (string file in Directory.EnumerateFiles(plan.Donor.Folder, "*.py").Order(StringComparer.Ordinal))
            yield return (plan.Donor.Folder, Path.GetFileName(file));
    }

    private static void Travel(OutputFolder folder, string file, string name, bool oneTemplate)
    {
        if (!oneTemplate || !name.Contains("chat_template", StringComparison.Ordinal) && name != "tokenizer_config.json") folder.CopyIn(file, name);
        else if (name == "tokenizer_config.json") folder.Write(name, ChatTemplates.Without(ReadWhole(file)));
    }

    private static byte[] ReadWhole(string file)
    {
        using FileSource source = FileSource.Open(file);
        byte[] bytes = new byte[source.Length];
        source.Read(0, bytes);
        return bytes;
    }

    private static string? License(IReadOnlyList<Checkpoint> models, RunOptions options)
    {
        (string Label, string License)[] known = [.. models.Select(m => (m.Label, License: ModelCard.LicenseOf(m.Folder))).Where(p => p.License is not null).Select(p => (p.Label, p.License!))];
        string[] different = [.. known.Select(k => k.License).Distinct()];
        if (different.Length > 1) options.Say?.Invoke($"the parents have different licenses, the card names none: {string.Join(", ", known.Select(k => $"{k.Label}: {k.License}"))}");
        return different.Length == 1 ? different[0] : null;
    }

    private static string RunJson(Plan plan, RunOptions options, Receipt receipt, IReadOnlyList<Parent> parents)
    {
        MethodCard card = plan.Request.Rule.Card;
        var json = new JsonObject
        {
            ["budwood"] = typeof(Runner).Assembly.GetName().Version?.ToString(3),
            ["method"] = card.Name,
            ["revision"] = card.Revision,
            ["arithmetic"] = plan.Request.Arithmetic switch { Arithmetic.Ours => "budwood", Arithmetic.Mergekit014 => "mergekit@0.1.4", _ => "mergekit@0.1.5" },
            ["seed"] = plan.Request.Seed,
            ["configuration"] = options.Configuration,
            ["parents"] = ParentsJson(parents),
            ["digest"] = receipt.Digest.ToString(),
            ["receipt"] = ReceiptJson(receipt),
            ["notes"] = new JsonArray([.. plan.Notes.Select(n => (JsonNode)JsonValue.Create(n))]),
            ["tensors"] = new JsonObject(plan.Slots.OrderBy(s => s.Slot.Name, StringComparer.Ordinal).Select(s => KeyValuePair.Create(s.Slot.Name, (JsonNode?)JsonValue.Create(receipt.TensorDigests[s.Slot.Name].ToString())))),
        };
        var text = new StringBuilder(json.ToJsonString(s_json));
        return text.Append('\n').ToString();
    }

    /// <summary>Parents as JSON: what <c>--json</c> prints and run.json keeps.</summary>
    public static JsonArray ParentsJson(IReadOnlyList<Parent> parents) => new([.. parents.Select(p =>
    {
        string what = p.IsCompanion ? "companion" : p.Adapter is null ? "model" : "adapter";
        var one = new JsonObject { [what] = p.Label, ["digest"] = p.Digest.ToString(), ["base"] = p.IsBase };
        if (p.Adapter is not null) one["kind"] = p.Adapter;
        return (JsonNode)one;
    })]);

    /// <summary>The receipt as JSON: what <c>--json</c> prints and run.json keeps.</summary>
    public static JsonObject ReceiptJson(Receipt receipt) => new()
    {
        ["reference"] = receipt.Reference,
        ["changed"] = receipt.Changed,
        ["same"] = receipt.Same,
        ["added"] = receipt.Added,
        ["removed"] = receipt.Removed,
        ["elements_changed"] = receipt.ElementsChanged,
        ["not_finite"] = receipt.NotFinite,
        ["dtypes"] = new JsonArray([.. receipt.DTypes.Select(d => (JsonNode)new JsonObject { ["from"] = d.From.TorchName(), ["to"] = d.To.TorchName(), ["tensors"] = d.Tensors })]),
        ["vocabulary"] = receipt.Vocabulary is { } v ? new JsonObject { ["from"] = v.From, ["to"] = v.To } : null,
        ["roles"] = Rows(receipt.Roles),
    };

    /// <summary>A table as a JSON array of objects; numbers that JSON cannot hold become text.</summary>
    public static JsonArray Rows(Table table) => new([.. table.Rows.Select(row => (JsonNode)new JsonObject(table.Columns.Select((c, i) => KeyValuePair.Create(c.Name, Cell(row[i])))))]);

    private static JsonNode? Cell(object? value) => value switch
    {
        null => null,
        bool b => JsonValue.Create(b),
        long l => JsonValue.Create(l),
        int i => JsonValue.Create(i),
        double d when double.IsFinite(d) => JsonValue.Create(d),
        double d => JsonValue.Create(d.ToString(CultureInfo.InvariantCulture)),
        _ => JsonValue.Create(value.ToString()),
    };
}
