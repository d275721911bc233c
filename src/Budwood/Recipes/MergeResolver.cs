using Budwood.Checkpoints;
using Budwood.Engine;
using Budwood.Methods;

namespace Budwood.Recipes;

/// <summary>Settings of a merge that stand outside the file.</summary>
public sealed record MergeSettings
{
    public Arithmetic Arithmetic { get; init; }
    public long Seed { get; init; }
    public IReadOnlyList<string> Allow { get; init; } = [];

    /// <summary>Opens a model by the name that the file has for it.</summary>
    public required Func<ModelName, Checkpoint> Open { get; init; }
}

/// <summary>A merge file's document turned into a plan, with what the file's author should be told.</summary>
public sealed record ResolvedMerge(Plan Plan, IReadOnlyList<string> Notes);

/// <summary>Resolves a document: opens its models, plans, and holds every value of the file to having won somewhere.</summary>
public sealed class MergeResolver
{
    /// <summary>Words that <c>--allow</c> knows.</summary>
    public static IReadOnlyList<string> AllowWords { get; } = ["unmatched", "inert", "unchanged", "common_rows", "nan", "architectures"];

    private readonly MergeDocument _document;
    private readonly Rule _rule;
    private readonly MergeSettings _settings;
    private readonly HashSet<string> _allow;
    private readonly List<string> _notes = [];
    private readonly List<Fault> _faults = [];
    private readonly Dictionary<string, int> _modelAt = new(StringComparer.Ordinal);
    private readonly List<Checkpoint> _models = [];
    private readonly Dictionary<string, Checkpoint> _companions = new(StringComparer.Ordinal);

    private MergeResolver(MergeDocument document, Rule rule, MergeSettings settings)
    {
        (_document, _rule, _settings) = (document, rule, settings);
        _allow = [.. settings.Allow, .. document.Allow];
        // What 0.1.4 does without a word; 0.1.5 refuses unequal rows itself.
        if (settings.Arithmetic == Arithmetic.Mergekit014) _allow.UnionWith(["unmatched", "inert", "common_rows"]);
    }

    /// <summary>Plans a document with the rule that its merge_method names.</summary>
    public static ResolvedMerge Resolve(MergeDocument document, Rule rule, MergeSettings settings) => new MergeResolver(document, rule, settings).Resolve();

    private ResolvedMerge Resolve()
    {
        foreach (string word in _allow)
            if (!AllowWords.Contains(word)) throw new Fault("BW1127", ExitCode.Usage, $"unknown word '{word}' for allow", _document.Node.Where, null, Nearest.Hint(word, AllowWords));
        if (_document.Modules.Count > 1 || _document.Modules[0].Name is not ("default" or "text_decoder" or "decoder"))
            throw RecipeFaults.NotYet(_document.Modules[^1].Node, $"module '{_document.Modules[^1].Name}'", "Only the module 'default' is known for these models.");
        MergeModule module = _document.Modules[0];
        CheckNames(module);
        ThrowIfAny();
        OpenModels(module);
        ThrowIfAny();
        var segments = new List<Segment>();
        var slices = new List<IReadOnlyDictionary<int, MergeSource>>();
        foreach (MergeSlice slice in module.Slices) Add(slice, segments, slices);
        ThrowIfAny();

        var tokenizer = TokenizerChoice.Of(_document, _models, _document.Base is { } top ? _modelAt[top.Text] : null, NamedTokenizer());
        _notes.AddRange(tokenizer.Notes);
        var parameters = new DocumentParameters(_rule, _document, module, slices);
        Plan plan = Planner.Make(new PlanRequest
        {
            Rule = _rule,
            Models = _models,
            Base = _document.Base is { } b ? _modelAt[b.Text] : null,
            Segments = segments,
            Parameters = parameters,
            Tokenizer = tokenizer.Donor,
            VocabularyRows = tokenizer.Rows,
            ChatTemplate = tokenizer.ChatTemplate,
            OpenCompanion = OpenCompanion,
            Arithmetic = _settings.Arithmetic,
            DType = _document.DType,
            OutDType = _document.OutDType,
            Seed = _settings.Seed,
            Allow = _allow,
        });
        HoldToUse(module, parameters);
        ThrowIfAny();
        SayZeroWeights(module);
        return new ResolvedMerge(plan, [.. _notes, .. plan.Notes]);
    }

    private void ThrowIfAny()
    {
        if (_faults.Count > 0) throw Fault.Several(_faults);
    }

    private IEnumerable<(ParameterBlock Block, string Inside)> Blocks(MergeModule module)
    {
        yield return (_document.Parameters, "parameters");
        yield return (module.Parameters, $"parameters of module '{module.Name}'");
        foreach (MergeSlice slice in module.Slices)
        {
            yield return (slice.Parameters, "parameters of a slice");
            foreach (MergeSource source in slice.Sources) yield return (source.Parameters, $"parameters of '{source.Model.Text}'");
        }
    }

    // Parameters of the peer's methods: a file that was written for another method still runs, and is told what does nothing.
    private static readonly HashSet<string> s_peerParameters =
    [
        "weight", "density", "lambda", "normalize", "rescale", "int8_mask", "t", "gamma", "epsilon", "scale", "select_topk", "filter_wise", "nuslerp_flatten", "nuslerp_row_wise",
        "max_iter", "tol", "eps", "normalize_weights", "r", "alpha",
    ];

    private void CheckNames(MergeModule module)
    {
        var said = new HashSet<string>(StringComparer.Ordinal);
        foreach ((ParameterBlock block, string inside) in Blocks(module))
        {
            foreach ((YamlScalar key, YamlNode value) in block.Entries)
            {
                if (_rule.Card.Parameter(key.Text) is not null) continue;
                if (!_rule.Card.Inert.Contains(key.Text) && !s_peerParameters.Contains(key.Text))
                {
                    _faults.Add(RecipeFaults.UnknownKey(key, inside, _rule.Card.Parameters.Select(p => p.Name), Nearest.Hint(key.Text, _rule.Card.Parameters.Select(p => p.Name))));
                    continue;
                }
                ParameterBlock.MarkInert(value);
                if (said.Add(key.Text)) _notes.Add($"{key.Where}: '{key.Text}' has no effect with {_document.Method}");
            }
        }
    }

    private void OpenModels(MergeModule module)
    {
        IEnumerable<ModelName> names = module.Slices.SelectMany(s => s.Sources.Select(x => x.Model).Concat(s.Base is { } b ? [b] : [])).Concat(_document.Base is { } top ? [top] : []);
        foreach (ModelName name in names)
        {
            if (_modelAt.ContainsKey(name.Text)) continue;
            try
            {
                Checkpoint model = _settings.Open(name);
                int same = _models.FindIndex(m => IsSame(m, model));
                if (same >= 0)
                {
                    model.Dispose();
                    _modelAt[name.Text] = same;
                    continue;
                }
                _modelAt[name.Text] = _models.Count;
                _models.Add(_settings.Arithmetic == Arithmetic.Mergekit015 ? ExpertLayout.Joined(model) : model);
                _notes.AddRange((model.Added?.Notes ?? []).Except(_notes));
            }
            catch (Fault fault)
            {
                _faults.AddRange(fault.All.Count > 0 ? fault.All : [fault]);
            }
        }
    }

    // A model of the merge, or another one that only lends its tokenizer.
    private Checkpoint? NamedTokenizer()
    {
        if (_document.Tokenizer is not { Text: not ("base" or "union") } setting) return null;
        return _modelAt.TryGetValue(setting.Text, out int at) ? _models[at] : _settings.Open(new ModelName(setting.Text, setting.Node));
    }

    private Checkpoint OpenCompanion(string name)
    {
        if (_companions.TryGetValue(name, out Checkpoint? known)) return known;
        Checkpoint companion = _settings.Open(new ModelName(name, _document.MethodNode));
        return _companions[name] = companion;
    }

    private static bool IsSame(Checkpoint a, Checkpoint b) =>
        ReferenceEquals(a, b) || (a.MadeFrom.Count == 0 && b.MadeFrom.Count == 0 && Path.GetFullPath(a.Folder) == Path.GetFullPath(b.Folder)) && (a.Added is null ? b.Added is null : b.Added is not null && Path.GetFullPath(a.Added.Folder) == Path.GetFullPath(b.Added.Folder));

    private void Add(MergeSlice slice, List<Segment> segments, List<IReadOnlyDictionary<int, MergeSource>> slices)
    {
        ModelName? baseName = slice.Base ?? _document.Base;
        int? atBase = baseName is null ? null : _modelAt[baseName.Text];
        var sources = new List<SegmentSource>();
        var written = new Dictionary<int, MergeSource>();
        foreach (MergeSource source in slice.Sources)
        {
            int model = _modelAt[source.Model.Text];
            if (written.TryGetValue(model, out MergeSource? twin))
            {
                _faults.Add(RecipeFaults.SameModelTwice(source.Model.Node, twin.Model.Node, source.Model.Text));
                continue;
            }
            written[model] = source;
            int layers = _models[model].Layers;
            if (source.Range is { } range)
            {
                if (layers == 0) _faults.Add(EngineFaults.NoLayers(_models[model].Label));
                else if (range.To > layers) _faults.Add(RecipeFaults.BadRange(range.Node, range.From, range.To, source.Model.Text, layers));
                sources.Add(new(model, (int)range.From, (int)range.To));
            }
            else sources.Add(new(model, 0, layers));
        }
        if (sources.Select(s => s.Count).Distinct().Count() > 1)
        {
            string found = string.Join(", ", sources.Select(s => $"'{_models[s.Model].Label}' {s.Count}"));
            _faults.Add(slice.IsWhole ? EngineFaults.LayersDiffer(found) : RecipeFaults.UnequalRanges(slice.Node, found));
        }
        // A base that is not among the sources of a slice stands last, with the same layers as the first source; where the rule has no place for
        // it (passthrough), it is the donor alone.
        if (atBase is { } b && !written.ContainsKey(b) && !(_rule.Arity is { BaseCounts: true, Maximum: 1 }))
        {
            sources.Add(slice.IsWhole ? new(b, 0, _models[b].Layers) : sources[0] with { Model = b });
            if (slice.IsWhole && sources[^1].Count != sources[0].Count)
                _faults.Add(EngineFaults.LayersDiffer($"'{_models[sources[0].Model].Label}' {sources[0].Count}, '{_models[b].Label}' {sources[^1].Count}"));
        }
        CheckArity(slice, sources, atBase);
        segments.Add(new(sources, atBase, slice.IsWhole));
        slices.Add(written);
    }

    private void CheckArity(MergeSlice slice, List<SegmentSource> sources, int? atBase)
    {
        Arity arity = _rule.Arity;
        if (arity.NeedsBase && atBase is null)
        {
            _faults.Add(RecipeFaults.BaseMissing(_document.MethodNode, _document.Method));
            return;
        }
        int others = arity.BaseCounts ? sources.Count : sources.Count(s => s.Model != atBase);
        // One model alone, the base itself: nothing to interpolate, but slices use the form to take layers as they are, and people to add an adapter.
        if (others == 0 && sources.Count == 1 && !arity.BaseCounts && (!slice.IsWhole || _models[sources[0].Model].Added is not null)) return;
        if (others >= arity.Minimum && others <= arity.Maximum) return;
        string expected = arity.Minimum == arity.Maximum ? $"{arity.Minimum} model{(arity.Minimum == 1 ? "" : "s")}" : arity.Maximum == int.MaxValue ? $"at least {arity.Minimum} model{(arity.Minimum == 1 ? "" : "s")}" : $"{arity.Minimum} to {arity.Maximum} models";
        if (!arity.BaseCounts && arity.NeedsBase) expected += " besides the base";
        _faults.Add(RecipeFaults.ModelCount(slice.Node, _document.Method, others, expected));
    }

    private void HoldToUse(MergeModule module, DocumentParameters parameters)
    {
        bool lenient = _allow.Contains("unmatched");
        foreach ((ParameterBlock block, string inside) in Blocks(module))
        {
            foreach ((YamlScalar key, YamlNode value) in block.Entries)
            {
                if (value is YamlScalar { IsNull: true }) continue;
                ParameterCard card = _rule.Card.Parameter(key.Text)!;
                bool ofBase = card is { PerModel: true } && parameters.IsReferenceOnly(block);
                if (card is null) continue;
                if (ofBase)
                {
                    ParameterBlock.MarkInert(value);
                    _notes.Add($"{key.Where}: '{key.Text}' of the base has no effect with {_document.Method}");
                    continue;
                }
                foreach (Fault fault in Unused(key, value, card, block, inside))
                {
                    if (lenient) _notes.Add($"{fault.Where}: {fault.What}");
                    else _faults.Add(fault);
                }
            }
        }
    }

    private IEnumerable<Fault> Unused(YamlScalar key, YamlNode value, ParameterCard card, ParameterBlock block, string inside)
    {
        if (value is YamlList list && list.Items.Any(i => i is YamlMap))
        {
            foreach (YamlNode item in list.Items)
            {
                if (item.Used) continue;
                YamlNode? filter = (item as YamlMap)?["filter"];
                string what = filter is null ? $"the fallback of '{key.Text}' never wins" : $"filter {RecipeFaults.Show(filter)} of '{key.Text}' matches no tensor";
                yield return RecipeFaults.NeverWins(item, what, filter is YamlScalar s ? NearestPart(s.Text) : null);
            }
            yield break;
        }
        if (value.Used) yield break;
        bool misplaced = !card.PerModel && block != _document.Parameters && inside.StartsWith("parameters of '", StringComparison.Ordinal);
        yield return RecipeFaults.NeverWins(key, $"'{key.Text}' in {inside} never wins",
            misplaced ? $"'{key.Text}' is not read per model: move it to the 'parameters' of the merge or slice." : "A more specific value wins everywhere: remove this one, or run with '--allow unmatched'.");
    }

    // The parts of tensor names that a filter could have meant.
    private string? NearestPart(string filter)
    {
        var parts = new HashSet<string>(StringComparer.Ordinal);
        foreach (CheckpointTensor tensor in _models.SelectMany(m => m.Tensors))
        {
            string[] words = tensor.Name.Split('.');
            for (int i = 0; i < words.Length; i++)
            {
                if (int.TryParse(words[i], out _)) continue;
                parts.Add(words[i]);
                if (i > 0 && !int.TryParse(words[i - 1], out _)) parts.Add($"{words[i - 1]}.{words[i]}");
            }
        }
        IReadOnlyList<string> near = Nearest.Of(filter, parts);
        return near.Count == 0 ? "A filter is a part of a tensor's name; 'budwood inspect MODEL' lists the names." : $"Did you mean {string.Join(" or ", near.Select(n => $"'{n}'"))}?";
    }

    private void SayZeroWeights(MergeModule module)
    {
        foreach (MergeSource source in module.Slices.SelectMany(s => s.Sources))
            foreach ((YamlScalar key, YamlNode value) in source.Parameters.Entries)
                if (key.Text == "weight" && value is YamlScalar { Number: 0 }) _notes.Add($"{key.Where}: '{source.Model.Text}' has weight 0 and adds nothing");
    }
}
