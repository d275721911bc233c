using System.Text.Json.Nodes;
using Budwood.Checkpoints;
using Budwood.Numbers;

namespace Budwood.Adapters;

/// <summary>Fits an adapter to a model: every key must find its place and every named module its key, or nothing is fitted.</summary>
internal sealed class AdapterFit
{
    private static readonly string[] s_tokenizers = ["tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model", "sentencepiece.bpe.model"];

    private readonly Checkpoint _model;
    private readonly Adapter _adapter;
    private readonly AdapterConfig _config;
    private readonly string _file;
    private readonly List<string> _notes;
    private readonly Dictionary<string, CheckpointTensor> _made = new(StringComparer.Ordinal);
    private readonly FactorShelf _shelf = new();
    private readonly CheckpointTensor? _embedding;
    private readonly ExpectedTensor? _tiedHead;
    private string _prefix = "";

    public AdapterFit(Checkpoint model, Adapter adapter, DType? type)
    {
        (_model, _adapter, _config) = (model, adapter, adapter.Config);
        _file = adapter.Weights.Files[0].Path;
        _notes = [.. adapter.Notes];
        if (type is { } wanted)
            foreach (CheckpointTensor t in model.Tensors.Where(t => t.DType.IsFloat() && t.DType.IsArithmetic() && t.DType != wanted)) _made[t.Name] = t with { Source = ConvertedTensor.Of(t.Source, wanted) };
        _embedding = model.Tensors.FirstOrDefault(t => t.Role == Role.Embed && t.Shape.Rank == 2);
        _tiedHead = model.Model?.Tensors.FirstOrDefault(t => t.TiedTo is not null && t.TiedTo == _embedding?.Name && t.Role == Role.Head && !model.TryGet(t.Name, out _));
    }

    public Checkpoint Sum(string label)
    {
        if (_model.Config?.Quantization is { } how) throw AdapterFaults.Quantised(_model.Label, how);
        CheckKeys();
        CheckLayers();
        IReadOnlyList<AdapterSite> sites = Sites();
        CheckTargets(sites);
        CheckSaved();
        CheckPatterns(sites);
        ReplaceBase();
        ReplaceWhole();
        ReplaceRows();
        int idle = 0;
        long held = 0, used = 0;
        foreach (AdapterSite site in sites)
        {
            TensorSource weight = _config.Kind.Weight(site, Current(site.Module + ".weight")!.Source);
            if (_config.Kind.AddsNothing(site))
            {
                idle++;
                continue;
            }
            CheckpointTensor tensor = Current(site.Module + ".weight")!;
            _made[tensor.Name] = tensor with { Source = weight };
            CheckpointTensor? bias = Current(site.Module + ".bias");
            if (_config.Kind.Bias(site, bias?.Source) is { } moved) _made[bias!.Name] = bias with { Source = moved };
            held += _config.Kind.HeldBytes(site);
            used = Math.Max(used, _config.Kind.UsedBytes(site));
        }
        bool nothing = idle == sites.Count && _made.Count == 0;
        if (nothing) _notes.Add($"adapter '{_adapter.Label}' is untrained: it changes nothing");
        else if (idle > 0) _notes.Add($"adapter '{_adapter.Label}': {idle} of {sites.Count} modules are untrained and change nothing");
        ModelConfig? config = FollowVocabulary(out bool vocabulary);
        return _model.With(label, config, _made.Values, new Addition(_adapter.Label, _adapter.Folder, _adapter.Weights)
        {
            Summary = $"{_config}, {sites.Count} modules",
            Notes = _notes,
            ChangesNothing = nothing,
            NotFinite = _adapter.NotFinite,
            HasTokenizer = vocabulary && HasTokenizer(),
            HeldBytes = held + (FactorShelf.Kept * used),
        });
    }

    /// <summary>The model's own tensor of that name; for a tied head the embedding.</summary>
    private CheckpointTensor? Find(string name)
    {
        string canonical = _model.Model?.Canonical(name) ?? name;
        if (_model.TryGet(canonical, out CheckpointTensor? tensor)) return tensor;
        return _tiedHead is not null && canonical == _tiedHead.Name ? _embedding : null;
    }

    /// <summary>The tensor as it stands by now.</summary>
    private CheckpointTensor? Current(string name)
    {
        string canonical = _model.Model?.Canonical(name) ?? name;
        if (_made.TryGetValue(canonical, out CheckpointTensor? made)) return made;
        return Find(name) is { } own ? _made.GetValueOrDefault(own.Name, own) : null;
    }

    private static string Target(AdapterTensor t) => t.Part is "base_layer.bias" or "bias" ? t.Module + ".bias" : t.IsWhole ? $"{t.Module}.{t.Part}" : t.Module + ".weight";

    private void CheckKeys()
    {
        AdapterTensor[] lost = [.. _adapter.Tensors.Where(t => Find(Target(t)) is null)];
        if (lost.Length > 0)
        {
            string[] modules = [.. Modules()];
            IReadOnlyList<string> near = [.. lost.Take(4).SelectMany(l => Near(l.Module, modules)).Distinct(StringComparer.Ordinal).Take(4)];
            throw AdapterFaults.KeysMatchNothing(_file, [.. lost.Select(l => l.Key)], _adapter.Tensors.Count, _model.Label, near, _config.Targets.ToString());
        }
        // Adapters of a bare model lack what the files put before the names ('layers.0' for 'model.layers.0').
        AdapterTensor? first = _adapter.Tensors.FirstOrDefault(t => !t.IsWhole);
        if (first is not null && Find(Target(first)) is { } found && found.Name.EndsWith("." + first.Module + ".weight", StringComparison.Ordinal)) _prefix = found.Name[..^(first.Module.Length + ".weight".Length)];
    }

    // By distance, else the modules that end alike.
    private static IEnumerable<string> Near(string module, string[] modules)
    {
        IReadOnlyList<string> near = Nearest.Of(module, modules, 1);
        if (near.Count > 0) return near;
        string[] words = module.Split('.');
        return modules.Select(m => (Name: m, Common: m.Split('.').Reverse().Zip(words.Reverse()).TakeWhile(p => p.First == p.Second).Count()))
            .Where(m => m.Common > 0).OrderByDescending(m => m.Common).ThenBy(m => m.Name, StringComparer.Ordinal).Take(1).Select(m => m.Name);
    }

    /// <summary>Paths of the model's matrices, as the adapter would name their modules.</summary>
    private IEnumerable<string> Modules()
    {
        const string weight = ".weight";
        foreach (CheckpointTensor t in _model.Tensors.OrderBy(t => t.Layer ?? -1).ThenBy(t => t.Name, StringComparer.Ordinal))
        {
            if (t.Shape.Rank != 2 || t.Role == Role.Norm || !t.Name.EndsWith(weight, StringComparison.Ordinal)) continue;
            if (t.Name.StartsWith(_prefix, StringComparison.Ordinal)) yield return t.Name[_prefix.Length..^weight.Length];
        }
        if (_tiedHead is not null) yield return _tiedHead.Name[..^weight.Length];
    }

    private void CheckLayers()
    {
        if (_config.Targets.Layers is not { } asked || _model.Layers == 0) return;
        long[] beyond = [.. asked.Where(l => l >= _model.Layers)];
        if (beyond.Length > 0) throw AdapterFaults.NoSuchLayer(_config.Where, beyond, _model.Layers);
    }

    private IReadOnlyList<AdapterSite> Sites()
    {
        var sites = new List<AdapterSite>();
        foreach (IGrouping<string, AdapterTensor> module in _adapter.Tensors.Where(t => _config.Kind.Owns(t.Part)).GroupBy(t => t.Module))
        {
            CheckpointTensor tensor = Find(module.Key + ".weight")!;
            bool inputFirst = _model.Model?.StoresInputFirst(tensor.Name) ?? _config.InputFirst;
            sites.Add(new AdapterSite(module.Key, tensor, module.ToDictionary(t => t.Part, StringComparer.Ordinal), inputFirst, _config, _shelf));
            if (tensor == _embedding && _tiedHead is not null && sites.Count(s => s.Tensor == _embedding) == 1)
                _notes.Add($"'{_model.Label}' keeps its head in {tensor.Name}: what the adapter does to one it does to both, as PEFT merges");
        }
        // In the order of the model: embedding, layers, head.
        return [.. sites.OrderBy(s => s.Tensor == _embedding && !s.Parts.ContainsKey("lora_embedding_A") ? 1 : 0)];
    }

    private void CheckTargets(IReadOnlyList<AdapterSite> sites)
    {
        TargetModules targets = _config.Targets;
        if (targets.IsOpen)
        {
            if (sites.Count > 0) _notes.Add($"{_config.Where}: target_modules is not given; the {sites.Count} modules of the file are taken");
            return;
        }
        // Ties that were kept bring the twin along: the head's factors are the embedding's.
        bool IsTwin(AdapterSite site) => _config.KeepsTies && site.Tensor == _embedding && sites.Any(s => s.Tensor == _embedding && targets.Names(s.Module));
        AdapterSite[] outside = [.. sites.Where(s => !(targets.IsAllLinear || targets.Names(s.Module) || IsTwin(s)))];
        if (outside.Length > 0) throw AdapterFaults.OutsideTargets(_file, outside[0].Module, outside[0].Parts.Values.First().Key, outside.Length, targets.ToString());
        var held = sites.Select(s => s.Module).ToHashSet(StringComparer.Ordinal);
        string[] modules = [.. Modules()], named = targets.IsAllLinear ? [] : [.. modules.Where(targets.Names)];
        string[] missing = [.. named.Where(m => !held.Contains(m))];
        if (missing.Length > 0) throw AdapterFaults.ModuleWithoutWeights(_file, [.. missing.Select(m => Adapter.Prefix + m)], targets.ToString());
        if (sites.Count > 0 || _adapter.Tensors.Count > 0) return;
        throw AdapterFaults.TargetsMatchNothing(_config.Where, targets.ToString(), _model.Label, targets.Listed.Select(n => Nearest.Hint(n, modules.Select(m => m.Split('.')[^1]))).FirstOrDefault(h => h is not null));
    }

    private void CheckSaved()
    {
        bool Allowed(AdapterTensor t) => _config.ModulesToSave.Any(s => TargetModules.IsBelow(t.Module, s)) || (t.Part == "bias" && _config.Bias == "all");
        string[] outside = [.. _adapter.Tensors.Where(t => t.IsWhole && !Allowed(t)).Select(t => t.Key)];
        string saved = _config.ModulesToSave.Count == 0 ? "is empty" : $"[{string.Join(", ", _config.ModulesToSave)}]";
        if (outside.Length > 0) throw AdapterFaults.OutsideSaved(_file, outside, saved);
        // PEFT adds names of heads that a model may lack; one that it has must have come along.
        string[] missing = [.. Modules().Where(m => _config.ModulesToSave.Any(s => TargetModules.IsBelow(m, s))).Where(m => !_adapter.Tensors.Any(t => t.IsWhole && t.Module == m))];
        bool tied = _tiedHead is not null && _config.KeepsTies;
        if (tied) missing = [.. missing.Where(m => m + ".weight" != _tiedHead!.Name)];
        if (missing.Length > 0) throw AdapterFaults.ModuleWithoutWeights(_file, [.. missing.Select(m => Adapter.Prefix + m)], $"{_config.Targets}, modules_to_save {saved}");
    }

    private void CheckPatterns(IReadOnlyList<AdapterSite> sites)
    {
        string[] modules = [.. sites.Select(s => s.Module)];
        foreach (ModulePatterns patterns in (ModulePatterns[])[_config.RankPattern, _config.AlphaPattern])
            if (patterns.Unused(modules).FirstOrDefault() is { } unused) throw AdapterFaults.PatternUnused(_config.Where, patterns.Field, unused, modules);
        foreach (string module in modules)
        {
            IReadOnlyList<(string Key, double Value)> keys = _config.AlphaPattern.Matches(module);
            if (keys.Select(k => k.Value).Distinct().Count() <= 1) continue;
            _notes.Add($"{_config.Where}: {string.Join(" and ", keys.Select(k => $"'{k.Key}'"))} of alpha_pattern match '{module}'; the first wins, as PEFT reads it, and saving sorts the keys");
            break;
        }
    }

    // What the adapter's file has of the base replaces it before anything is added.
    private void ReplaceBase()
    {
        foreach (AdapterTensor t in _adapter.Tensors.Where(t => t.Part.StartsWith("base_layer.", StringComparison.Ordinal)))
        {
            CheckpointTensor own = Current(Target(t))!;
            if (t.Weight.Shape != own.Shape) throw AdapterFaults.RowsDiffer(_file, t.Key, $"{t.Weight.Shape}", $"{own.Shape}");
            Replace(own, t);
        }
    }

    private void Replace(CheckpointTensor own, AdapterTensor by)
    {
        if (by.Weight.DType != own.DType && !(by.Weight.DType.IsArithmetic() && own.DType.IsArithmetic())) throw AdapterFaults.NotArithmetic(_file, by.Key, by.Weight.DType.Name());
        _made[own.Name] = new CheckpointTensor(own.Name, by.Weight, own.Role, own.Layer, own.InFamily) { Stored = own.Stored, Source = ConvertedTensor.Of(new StoredTensor(by.Weight), own.DType) };
    }

    private void ReplaceWhole()
    {
        AdapterTensor[] whole = [.. _adapter.Tensors.Where(t => t.IsWhole)];
        Untie(whole);
        foreach (IGrouping<string, AdapterTensor> twins in whole.GroupBy(t => Current(Target(t))!.Name))
        {
            AdapterTensor t = twins.First();
            if (twins.Count() > 1) throw AdapterFaults.SameTensorTwice(_file, twins.Key, string.Join(", ", twins.Select(x => $"'{x.Key}'")));
            CheckpointTensor own = Current(Target(t))!;
            bool rows = own.Role is Role.Embed or Role.Head && t.Weight.Shape.Rank == own.Shape.Rank && t.Weight.Shape.With(0, own.Shape[0]) == own.Shape;
            if (t.Weight.Shape != own.Shape && !rows) throw AdapterFaults.ShapeDiffers(_file, t.Key, $"{t.Weight.Shape}", $"{own.Shape}");
            Replace(own, t);
        }
        CheckpointTensor? embedding = _embedding is null ? null : _made.GetValueOrDefault(_embedding.Name, _embedding);
        foreach (CheckpointTensor head in _model.Tensors.Where(t => t.Role == Role.Head && t.Shape.Rank == 2).Select(t => t.Name).Concat(_tiedHead is { } h ? [h.Name] : []).Distinct()
            .Select(n => _made.GetValueOrDefault(n) ?? (_model.TryGet(n, out CheckpointTensor? own) ? own : null)).OfType<CheckpointTensor>().ToArray())
        {
            if (embedding is null || head.Shape[0] == embedding.Shape[0] || (!_made.ContainsKey(head.Name) && !_made.ContainsKey(embedding.Name))) continue;
            throw AdapterFaults.RowsDiffer(_file, head.Name, $"{head.Shape} beside {embedding.Name} {embedding.Shape}", "as many rows as the embedding");
        }
    }

    // A head or embedding that was trained apart no longer shares the tensor.
    private void Untie(AdapterTensor[] whole)
    {
        if (_tiedHead is null || _embedding is null || _config.KeepsTies) return;
        if (!whole.Any(t => Find(Target(t)) == _embedding)) return;
        CheckpointTensor shared = _made.GetValueOrDefault(_embedding.Name, _embedding);
        _made[_tiedHead.Name] = new CheckpointTensor(_tiedHead.Name, shared.Weight, _tiedHead.Role, null, InFamily: true) { Stored = _tiedHead.Name, Source = shared.Source };
        _notes.Add($"{_tiedHead.Name} and {_embedding.Name} were trained apart: they are stored apart, and tie_word_embeddings is now false");
    }

    private void ReplaceRows()
    {
        IReadOnlyList<(string? Module, IReadOnlyList<long> Rows)> trained = _config.TrainedTokens();
        foreach (AdapterTensor t in _adapter.Tensors.Where(t => t.Part == "trainable_tokens_delta"))
        {
            CheckpointTensor own = Current(t.Module + ".weight")!;
            IReadOnlyList<long>? rows = trained.FirstOrDefault(x => x.Module is null || ModuleNames.EndsWith(t.Module, x.Module)).Rows;
            if (rows is null) throw AdapterFaults.FlagDisagrees(_file, $"'{t.Key}' is there, and no token ids are given for it", "trainable_token_indices");
            if (t.Weight.Shape.Rank != 2 || t.Weight.Shape[0] != rows.Count || t.Weight.Shape[1] != own.Shape.Columns)
                throw AdapterFaults.ShapeDiffers(_file, t.Key, $"{t.Weight.Shape}", $"[{rows.Count}, {own.Shape.Columns}]");
            if (rows.Any(r => r >= own.Shape[0])) throw AdapterFaults.RowsDiffer(_file, t.Key, $"token {rows.Max()}", $"tokens below {own.Shape[0]}");
            _made[own.Name] = own with { Source = new ReplacedRows(own.Source, ConvertedTensor.Of(new StoredTensor(t.Weight), own.DType), rows) };
        }
        if (trained.Count > 0 && !_adapter.Tensors.Any(t => t.Part == "trainable_tokens_delta")) throw AdapterFaults.FlagDisagrees(_file, "no trained rows are in the file", "trainable_token_indices");
    }

    private ModelConfig? FollowVocabulary(out bool vocabulary)
    {
        ModelConfig? config = _model.Config;
        CheckpointTensor? embedding = _embedding is null ? null : _made.GetValueOrDefault(_embedding.Name);
        vocabulary = embedding is not null && (embedding.Weight != _embedding!.Weight || embedding.Source is ReplacedRows) && embedding.Source is not LowRankTensor;
        if (config is null) return null;
        if (_tiedHead is not null && _made.ContainsKey(_tiedHead.Name)) config = config.Set("tie_word_embeddings", JsonValue.Create(false));
        if (embedding is not null && embedding.Shape[0] != _embedding!.Shape[0])
        {
            config = config.Set("vocab_size", JsonValue.Create(embedding.Shape[0]));
            _notes.Add($"adapter '{_adapter.Label}' brings an embedding of {embedding.Shape[0]} rows instead of {_embedding.Shape[0]}: vocab_size and, where it has one, the tokenizer are its own");
        }
        return config;
    }

    private bool HasTokenizer() => s_tokenizers.Any(n => File.Exists(Path.Join(_adapter.Folder, n)));
}
