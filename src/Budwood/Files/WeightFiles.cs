using System.Collections.ObjectModel;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Budwood.Files;

/// <summary>The weights of a model folder: which files belong to the model, and every tensor in them, by name.</summary>
/// <remarks>Opening reads headers only, and checks them, the index and the folder against each other.</remarks>
public sealed partial class WeightFiles : IDisposable
{
    private const string Suffix = ".safetensors", IndexSuffix = ".safetensors.index.json";
    private const string Pickle = "pytorch_model.bin", PickleIndex = "pytorch_model.bin.index.json";

    private readonly IReadOnlyList<WeightFile> _files;
    private readonly Dictionary<string, WeightTensor> _byName = new(StringComparer.Ordinal);

    private WeightFiles(string folder, IReadOnlyList<WeightFile> files, IReadOnlyList<string> strays)
    {
        Folder = folder;
        _files = files;
        FileNames = [.. files.Select(f => Path.GetFileName(f.Path))];
        StrayFiles = strays;
        WeightTensor[] tensors = [.. files.SelectMany(f => f.Tensors.Select(t => new WeightTensor(t, f)))];
        Array.Sort(tensors, static (a, b) => string.CompareOrdinal(a.Name, b.Name));
        Tensors = new ReadOnlyCollection<WeightTensor>(tensors);
        foreach (WeightTensor tensor in tensors) _byName.Add(tensor.Name, tensor);
        TotalBytes = tensors.Sum(t => t.Bytes);
    }

    /// <summary>The folder as named by the user.</summary>
    public string Folder { get; }

    /// <summary>All tensors, sorted by name (ordinally).</summary>
    public IReadOnlyList<WeightTensor> Tensors { get; }

    /// <summary>The opened files, in the order of <see cref="FileNames"/>.</summary>
    public IReadOnlyList<WeightFile> Files => _files;

    /// <summary>Names of the files that make up the model.</summary>
    public IReadOnlyList<string> FileNames { get; }

    /// <summary>Names of files in the folder that look like weights and are not part of the model.</summary>
    public IReadOnlyList<string> StrayFiles { get; }

    /// <summary>Bytes of all tensors.</summary>
    public long TotalBytes { get; }

    public bool TryGet(string name, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out WeightTensor? tensor) => _byName.TryGetValue(name, out tensor);

    /// <summary>Finds and opens the weights of a model folder; a path of one weight file opens that file alone.</summary>
    public static WeightFiles Open(string folder)
    {
        if (File.Exists(folder))
        {
            string parent = Path.GetDirectoryName(folder) is { Length: > 0 } named ? named : ".";
            return new WeightFiles(parent, [OpenFile(folder)], []);
        }
        if (!Directory.Exists(folder)) throw FileFaults.Missing(folder, "folder", FileFaults.Siblings(folder));
        string[] names;
        try
        {
            names = [.. Directory.EnumerateFiles(folder).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (FileFaults.IsReading(e))
        {
            throw FileFaults.ListingFolder(folder, e);
        }
        string? indexName = IndexOf(folder, names);
        if (indexName is not null) return OpenIndexed(folder, names, indexName, IndexSuffix);
        return OpenSingle(folder, names) ?? OpenPickles(folder, names) ?? throw NothingToOpen(folder, names);
    }

    public void Dispose()
    {
        foreach (WeightFile file in _files) file.Dispose();
    }

    private static string? IndexOf(string folder, string[] names)
    {
        if (names.Contains("model" + IndexSuffix)) return "model" + IndexSuffix;
        string[] others = [.. names.Where(n => n.EndsWith(IndexSuffix, StringComparison.Ordinal) && !IsForeign(n))];
        if (others.Length > 1) throw FileFaults.SeveralFiles(folder, "shard indexes", others);
        return others.SingleOrDefault();
    }

    /// <summary>One weight file by itself; its name says which format is meant, and its content must be of it.</summary>
    private static WeightFile OpenFile(string path) => PickleFile.IsName(path) ? PickleFile.Open(path) : SafetensorsFile.Open(path);

    private static WeightFiles? OpenSingle(string folder, string[] names)
    {
        string[] candidates = [.. names.Where(n => n.EndsWith(Suffix, StringComparison.Ordinal) && !IsForeign(n))];
        if (candidates.Contains("model" + Suffix)) return OpenAlone(folder, names, "model" + Suffix);
        // One shard of one needs no index.
        string[] numbered = [.. candidates.Where(n => Numbered(n) is { Of: > 1 })];
        if (numbered.Length > 0) throw FileFaults.IndexMissing(folder, numbered, "model" + IndexSuffix);
        if (candidates.Length == 1) return OpenAlone(folder, names, candidates[0]);
        // Among files of unknown names, such as inputs and outputs of a network, the one that is named as the model is it.
        if (candidates.Length == 0 || names.Contains(Pickle) || names.Contains(PickleIndex)) return null;
        throw FileFaults.SeveralFiles(folder, "safetensors files", candidates);
    }

    /// <summary>Checkpoints of torch.save, where the folder holds no safetensors.</summary>
    private static WeightFiles? OpenPickles(string folder, string[] names)
    {
        if (names.Contains(PickleIndex)) return OpenIndexed(folder, names, PickleIndex, ".bin.index.json");
        if (names.Contains(Pickle)) return OpenAlone(folder, names, Pickle);
        string[] candidates = [.. names.Where(IsPickledModel)];
        string[] numbered = [.. candidates.Where(n => Numbered(n) is { Of: > 1 })];
        if (numbered.Length > 0) throw FileFaults.IndexMissing(folder, numbered, PickleIndex);
        // An adapter may stand beside the optimizer's files of its training.
        if (candidates.Length == 0 || IsAdapter(names)) return null;
        if (candidates.Length > 1) throw FileFaults.SeveralFiles(folder, "PyTorch files", candidates);
        return OpenAlone(folder, names, candidates[0]);
    }

    private static WeightFiles OpenAlone(string folder, string[] names, string name) =>
        new(folder, [OpenFile(Path.Join(folder, name))], Strays(names, [name]));

    private static Fault NothingToOpen(string folder, string[] names)
    {
        if (IsAdapter(names)) return FileFaults.IsAdapter(folder);
        string? gguf = names.FirstOrDefault(n => n.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase));
        if (gguf is not null) return FileFaults.NotSafetensors(Path.Join(folder, gguf), FileKind.Gguf, [], 0);
        string[] consolidated = [.. names.Where(n => n.StartsWith("consolidated", StringComparison.Ordinal))];
        if (consolidated.Length > 0) return FileFaults.OnlyConsolidated(folder, consolidated);
        return FileFaults.NoWeights(folder, names, Inside(folder));
    }

    private static bool IsAdapter(string[] names) =>
        names.Contains("adapter_config.json") && names.Any(n => n.StartsWith("adapter_model", StringComparison.Ordinal));

    // A person often names the folder above: that of a repository in the hub cache, or one with checkpoint-500 in it.
    private static string? Inside(string folder)
    {
        try
        {
            foreach (string pattern in (string[])["*.safetensors", "*.safetensors.index.json", Pickle])
            {
                var depth = new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 2, IgnoreInaccessible = true };
                string? found = Directory.EnumerateFiles(folder, pattern, depth).Order(StringComparer.Ordinal).FirstOrDefault();
                if (found is not null) return Path.GetDirectoryName(found);
            }
        }
        catch (Exception e) when (FileFaults.IsReading(e))
        {
            // Only a hint is lost.
        }
        return null;
    }

    private static WeightFiles OpenIndexed(string folder, string[] names, string indexName, string suffix)
    {
        string indexPath = Path.Join(folder, indexName);
        ShardIndex index = ShardIndex.Read(indexPath);
        string[] missing = [.. index.Shards.Where(s => !File.Exists(Path.Join(folder, s)))];
        List<Fault> faults = [];
        bool safe = suffix == IndexSuffix;
        if (missing.Length > 0) faults.Add(FileFaults.MissingShards(indexPath, missing, index.Shards.Count, safe && names.Contains("model" + Suffix)));

        string stem = indexName[..^suffix.Length];
        var listed = index.Shards.ToHashSet(StringComparer.Ordinal);
        string ending = suffix[..^".index.json".Length];
        foreach (string name in names.Where(n => !listed.Contains(n) && n.EndsWith(ending, StringComparison.Ordinal) && Numbered(n)?.Stem == stem))
        {
            faults.Add(FileFaults.UnlistedShard(Path.Join(folder, name), indexName, NamesIn(Path.Join(folder, name))));
        }
        if (faults.Count > 0) throw Fault.Several(faults);

        List<WeightFile> files = [];
        try
        {
            foreach (string shard in index.Shards)
            {
                try
                {
                    files.Add(safe ? SafetensorsFile.Open(Path.Join(folder, shard)) : PickleFile.Open(Path.Join(folder, shard)));
                }
                catch (Fault fault)
                {
                    faults.Add(fault);
                }
            }
            if (faults.Count > 0) throw Fault.Several(faults);
            Compare(index, indexName, files);
            return new WeightFiles(folder, files, Strays(names, listed));
        }
        catch
        {
            foreach (WeightFile file in files) file.Dispose();
            throw;
        }
    }

    /// <summary>Index against headers: every line kept, nothing unlisted, nothing twice.</summary>
    private static void Compare(ShardIndex index, string indexName, List<WeightFile> files)
    {
        List<Fault> faults = [];
        var foundIn = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (WeightFile file in files)
        {
            foreach (TensorEntry tensor in file.Tensors)
            {
                if (!foundIn.TryAdd(tensor.Name, file.Path)) faults.Add(FileFaults.TwoShards(tensor.Name, foundIn[tensor.Name], Path.GetFileName(file.Path)));
            }
        }
        if (faults.Count > 0) throw Fault.Several(faults);
        ILookup<string, string> promised = index.ShardOf.ToLookup(p => p.Value, p => p.Key, StringComparer.Ordinal);
        foreach (WeightFile file in files)
        {
            string shard = Path.GetFileName(file.Path);
            string[] lacking = [.. promised[shard].Where(t => !foundIn.TryGetValue(t, out string? path) || path != file.Path).Order(StringComparer.Ordinal)];
            if (lacking.Length > 0) faults.Add(FileFaults.NotInShard(file.Path, indexName, lacking));
            string[] unlisted = [.. file.Tensors.Select(t => t.Name).Where(t => !index.ShardOf.ContainsKey(t)).Order(StringComparer.Ordinal)];
            if (unlisted.Length > 0) faults.Add(FileFaults.NotInIndex(file.Path, indexName, unlisted));
        }
        if (faults.Count > 0) throw Fault.Several(faults);
    }

    private static string[] NamesIn(string path)
    {
        try
        {
            using WeightFile file = OpenFile(path);
            return [.. file.Tensors.Select(t => t.Name)];
        }
        catch (Fault)
        {
            return [];
        }
    }

    private static IReadOnlyList<string> Strays(string[] names, IReadOnlyCollection<string> used) =>
        [.. names.Where(n => !used.Contains(n) && LooksLikeWeights(n))];

    private static bool LooksLikeWeights(string name) =>
        name.EndsWith(Suffix, StringComparison.Ordinal) || name.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase)
        || name.EndsWith(".ckpt", StringComparison.Ordinal) || (PickleFile.IsName(name) && !IsTrainingState(name))
        || name is "tf_model.h5" or "flax_model.msgpack" or "rust_model.ot";

    /// <summary>Weights that stand beside a model and are not the model: adapters and the maker's own format.</summary>
    private static bool IsForeign(string name) =>
        name.StartsWith("adapter_model", StringComparison.Ordinal) || name.StartsWith("consolidated", StringComparison.Ordinal);

    private static bool IsPickledModel(string name) => PickleFile.IsName(name) && !IsForeign(name) && !IsTrainingState(name);

    /// <summary>What trainers leave beside a checkpoint under the same endings.</summary>
    private static bool IsTrainingState(string name) =>
        name is "training_args.bin" or "optimizer.bin" or "optimizer.pt" or "scheduler.pt" or "scheduler.bin" or "scaler.pt"
        || name.StartsWith("rng_state", StringComparison.Ordinal) || name.StartsWith("random_states", StringComparison.Ordinal);

    private static (string Stem, int Of)? Numbered(string name)
    {
        Match match = NumberedName().Match(name);
        return match.Success ? (match.Groups[1].Value, int.Parse(match.Groups[2].ValueSpan, CultureInfo.InvariantCulture)) : null;
    }

    [GeneratedRegex(@"\A(.+)-[0-9]{5}-of-([0-9]{5})\.(?:safetensors|bin)\z", RegexOptions.CultureInvariant)]
    private static partial Regex NumberedName();
}
