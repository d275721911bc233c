using System.Collections.Concurrent;
using Budwood.Checkpoints;
using Budwood.Checkpoints.Audit;
using Budwood.Engine;
using Budwood.Files;
using Budwood.Methods;

namespace Budwood.Recipes.Steps;

/// <summary>What a recipe's steps are run with.</summary>
public sealed record WorkMeans
{
    public required Store Store { get; init; }

    /// <summary>All rules by name: jobs may call them.</summary>
    public required Func<string, Method?> Find { get; init; }

    public int Threads { get; init; } = Environment.ProcessorCount;
    public long MemoryBytes { get; init; } = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4;

    /// <summary>What the store has from before is made again; null takes whatever it has.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Details that only a curious person wants: hits, and why something was missed.</summary>
    public Action<string>? Detail { get; init; }
}

/// <summary>Runs single steps of a recipe against the store.</summary>
public sealed class StepWork(Recipe recipe, WorkMeans means)
{
    private readonly Dictionary<StepInstance, StoreEntry> _done = [];
    private readonly ConcurrentDictionary<string, (string Digest, Artifact? What)> _files = new(StringComparer.Ordinal);

    /// <summary>Steps that were found in the store, and those that were made.</summary>
    public int Hits { get; private set; }
    public int Made { get; private set; }

    /// <summary>The entry of a step that has run.</summary>
    public StoreEntry this[StepInstance instance] => _done[instance];

    /// <summary>Gives a step's outputs: from the store, or by running it. What it reads must have run.</summary>
    public StoreEntry Run(StepInstance instance, CancellationToken stop)
    {
        try
        {
            StepKey key = Key(instance, stop);
            string place = $"{recipe.Name} {instance.Label}";
            (StoreEntry entry, bool hit) = means.Store.GetOrMake(key, means.Since, folder =>
            {
                means.Detail?.Invoke($"{instance.Label}: runs because {(means.Since is null ? means.Store.WhyMissed(place, key) : "a fresh run was asked for")}");
                return Make(instance, folder, stop);
            }, stop);
            means.Store.Remember(place, key);
            if (hit) Hits++;
            else Made++;
            if (hit) means.Detail?.Invoke($"{instance.Label}: found in the store");
            return _done[instance] = entry;
        }
        catch (Fault fault)
        {
            throw StepFaults.StepFailed(instance.Step.Node.Where, instance.Label, fault);
        }
    }

    /// <summary>Whether a step's outputs are in the store, without running it; what it reads must be known.</summary>
    public bool Look(StepInstance instance, CancellationToken stop)
    {
        if (_done.ContainsKey(instance)) return true;
        if (instance.Inputs.Values.SelectMany(i => i).Any(i => i.Instance is { } read && !_done.ContainsKey(read))) return false;
        if (means.Store.Find(Key(instance, stop), means.Since) is not { } entry) return false;
        _done[instance] = entry;
        Hits++;
        return true;
    }

    /// <summary>Whether another process makes a step just now.</summary>
    public bool IsBusy(StepInstance instance, CancellationToken stop) => means.Store.IsBusy(Key(instance, stop));

    private StepKey Key(StepInstance instance, CancellationToken stop)
    {
        MethodCard card = instance.Step.Method.Card;
        var parameters = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach ((string name, YamlNode node) in instance.Parameters)
        {
            ParameterCard of = card.Parameter(name)!;
            string value = node is YamlList list && of.PerModel ? "[" + string.Join(", ", list.Items.Select(i => StepParameters.Canonical(StepParameters.Value(of, i)))) + "]"
                : StepParameters.Canonical(StepParameters.Value(of, node));
            if (value != of.Default) parameters[name] = value;
        }
        var inputs = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        foreach ((string port, IReadOnlyList<InstanceInput> given) in instance.Inputs)
        {
            ArtifactKind kind = instance.Step.Method.Ports.Inputs.Single(p => p.Name == port).Kind;
            inputs[port] = [.. given.Select(i => i.Instance is { } read ? Digest(_done[read], i.Port!, kind) : OfFile(kind, i.Input, stop).Digest)];
        }
        return new StepKey(card.Name, card.Revision, parameters, inputs, instance.Seed, instance.Step.Method is Rule ? "f32" : "f64");
    }

    // Of a folder all files count, not the weights alone.
    private static string Digest(StoreEntry entry, string port, ArtifactKind kind)
    {
        StoredOutput output = entry.Output(port);
        if (kind != ArtifactKind.Folder) return output.Digest;
        IEnumerable<string> files = entry.Files.Where(f => f.Key.StartsWith(output.Place, StringComparison.Ordinal)).OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => $"{f.Key} {f.Value}");
        return StoreEntry.Hash(System.Text.Encoding.UTF8.GetBytes(string.Join('\n', files)));
    }

    // A file of the user's is read once a run; its content, not its name, is part of the key.
    private (string Digest, Artifact? What) OfFile(ArtifactKind kind, StepInput input, CancellationToken stop)
    {
        string path = kind == ArtifactKind.Checkpoint ? input.Path : InputFiles.Find(recipe, input.Path) ?? input.Path;
        return _files.GetOrAdd($"{kind} {path}", _ =>
        {
            if (kind == ArtifactKind.Folder)
            {
                var folder = ModelFolder.Open(path, input.Path);
                return (folder.Scan.Digest(stop).ToString(), Artifact.Of(folder));
            }
            if (kind != ArtifactKind.Checkpoint)
            {
                if (!File.Exists(path)) throw FileFaults.Missing(path, "file", FileFaults.Siblings(path));
                return (StoreEntry.Hash(path), kind == ArtifactKind.Table ? Artifact.Of(TableFiles.Read(path)) : Artifact.Of(ArrayFiles.Read(path)));
            }
            using Checkpoint checkpoint = ModelOpener.Open(new ModelName(input.Path, input.Node), recipe.File);
            string config = checkpoint.Config is null || !File.Exists(Path.Join(checkpoint.Folder, "config.json")) ? "" : "/" + StoreEntry.Hash(Path.Join(checkpoint.Folder, "config.json"))[7..];
            return (CheckpointDigest.Of(checkpoint, stop) + config, null);
        });
    }

    private StepOutcome Make(StepInstance instance, string folder, CancellationToken stop)
    {
        var opened = new List<Checkpoint>();
        try
        {
            var inputs = new Dictionary<string, IReadOnlyList<Artifact>>(StringComparer.Ordinal);
            foreach ((string port, IReadOnlyList<InstanceInput> given) in instance.Inputs)
            {
                ArtifactKind kind = instance.Step.Method.Ports.Inputs.Single(p => p.Name == port).Kind;
                inputs[port] = [.. given.Select((i, n) => Open(i, kind, $"{i.Input.Text}{(given.Count > 1 && i.Instance is not null ? $" ({i.Instance.Label})" : "")}", opened, stop))];
            }
            return instance.Step.Method is Rule rule ? Merge(rule, instance, inputs, folder, stop) : Run((Job)instance.Step.Method, instance, inputs, folder, stop);
        }
        finally
        {
            foreach (Checkpoint checkpoint in opened) checkpoint.Dispose();
        }
    }

    private Artifact Open(InstanceInput input, ArtifactKind kind, string label, List<Checkpoint> opened, CancellationToken stop)
    {
        if (input.Instance is null && kind != ArtifactKind.Checkpoint) return OfFile(kind, input.Input, stop).What!;
        if (input.Instance is { } made && kind == ArtifactKind.Folder) return Artifact.Of(ModelFolder.Open(Path.Join(_done[made].Folder, _done[made].Output(input.Port!).Place), label));
        Artifact what = input.Instance is { } read ? _done[read].Open(input.Port!, label) : Artifact.Of(ModelOpener.Open(new ModelName(input.Input.Path, input.Input.Node), recipe.File));
        if (what.Kind == ArtifactKind.Checkpoint) opened.Add(what.Checkpoint);
        return what;
    }

    private StepOutcome Merge(Rule rule, StepInstance instance, Dictionary<string, IReadOnlyList<Artifact>> inputs, string folder, CancellationToken stop)
    {
        var parameters = instance.Parameters.ToDictionary(p => p.Key, p => Words(rule.Card.Parameter(p.Key)!, p.Value), StringComparer.Ordinal);
        var models = inputs.ToDictionary(p => p.Key, p => (IReadOnlyList<Checkpoint>)[.. p.Value.Select(a => a.Checkpoint)], StringComparer.Ordinal);
        CalledRule called = RunLine.Plan(rule, models, parameters, Arithmetic.Ours, instance.Seed, instance.Step.Allow);
        string port = rule.Ports.Output.Name;
        RunOutcome outcome = Runner.Run(called.Plan, Options(Path.Join(folder, port)) with { Configuration = called.Configuration }, stop)!;
        return new StepOutcome([new StoredOutput(port, ArtifactKind.Checkpoint, port, outcome.Receipt.Digest.ToString())]);
    }

    private static IReadOnlyList<string> Words(ParameterCard card, YamlNode node) => node is YamlList list && card.PerModel
        ? [.. list.Items.Select(i => StepParameters.Canonical(StepParameters.Value(card, i)))] : [StepParameters.Canonical(StepParameters.Value(card, node))];

    private StepOutcome Run(Job job, StepInstance instance, Dictionary<string, IReadOnlyList<Artifact>> inputs, string folder, CancellationToken stop)
    {
        var values = new ParameterValues(job.Card);
        for (int k = 0; k < job.Card.Parameters.Count; k++)
            if (instance.Parameters.TryGetValue(job.Card.Parameters[k].Name, out YamlNode? node)) values[k] = StepParameters.Value(job.Card.Parameters[k], node);
        Port? model = job.Ports.Outputs.FirstOrDefault(o => o.Kind == ArtifactKind.Checkpoint);
        JobOutcome outcome = Runner.Run(job, job.ReadParameters(values), inputs, new JobOptions
        {
            Run = Options(model is null ? "" : Path.Join(folder, model.Name)), Seed = instance.Seed,
            Plan = (name, models, given) => RunLine.Plan((Rule)means.Find(name)!, models, given, Arithmetic.Ours, [.. instance.Step.Allow, "unchanged"]),
        }, stop);
        var outputs = new List<StoredOutput>();
        foreach (Port port in job.Ports.Outputs)
        {
            if (port.Kind == ArtifactKind.Checkpoint) outputs.Add(new StoredOutput(port.Name, port.Kind, port.Name, outcome.Checkpoint!.Value.ToString()));
            else if (outcome.Outputs.TryGetValue(port.Name, out Artifact? what))
            {
                byte[] bytes = what.Kind == ArtifactKind.Table ? TableFiles.Json(what.Table) : ArrayFiles.Safetensors(what.Arrays);
                string name = port.Name + (what.Kind == ArtifactKind.Table ? ".json" : ".safetensors");
                WholeFile.Write(Path.Join(folder, name), bytes, replace: true);
                outputs.Add(new StoredOutput(port.Name, port.Kind, name, StoreEntry.Hash(bytes)));
            }
        }
        return new StepOutcome(outputs);
    }

    private RunOptions Options(string output) => new() { Out = output, Configuration = "", Threads = means.Threads, MemoryBytes = means.MemoryBytes, Say = means.Detail };
}
