using System.Collections.Frozen;
using Budwood.Checkpoints;
using Budwood.Methods;
using Budwood.Numbers;

namespace Budwood.Recipes;

/// <summary>A merge in the schema of mergekit, read strictly: every key known, every line remembered.</summary>
public sealed class MergeFile
{
    private static readonly FrozenSet<string> s_keys = FrozenSet.Create(StringComparer.Ordinal, "name", "merge_method", "models", "slices", "modules", "base_model",
        "parameters", "dtype", "out_dtype", "tokenizer_source", "tokenizer", "chat_template", "allow", "compat");

    private MergeFile(string path, string text, IReadOnlyList<MergeDocument> documents) => (Path, Text, Documents) = (path, text, documents);

    public string Path { get; }

    /// <summary>The file byte for byte, as it is stored beside the output.</summary>
    public string Text { get; }

    public IReadOnlyList<MergeDocument> Documents { get; }

    internal static bool IsKey(string key) => s_keys.Contains(key);

    /// <summary>Reads a file from disk.</summary>
    public static MergeFile Read(string path)
    {
        if (!File.Exists(path))
        {
            string folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path)) ?? ".";
            throw RecipeFaults.FileNotFound(path, Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*.y*ml").Select(f => System.IO.Path.GetFileName(f)!) : []);
        }
        return Parse(File.ReadAllText(path), path);
    }

    /// <summary>Reads a text; <paramref name="path"/> is its name in messages, and relative model paths may start from its folder.</summary>
    public static MergeFile Parse(string text, string path)
    {
        string name = System.IO.Path.GetFileName(path);
        IReadOnlyList<YamlNode> nodes = [.. Yaml.Read(text, name).Where(n => n is not YamlScalar { IsNull: true })];
        if (nodes.Count == 0) throw RecipeFaults.EmptyFile(name);
        return new MergeFile(path, text, [.. nodes.Select(Document)]);
    }

    private static MergeDocument Document(YamlNode node)
    {
        if (node is not YamlMap map) throw RecipeFaults.NotAMap(node, "the merge");
        YamlNode methodNode = map["merge_method"] ?? throw RecipeFaults.MissingKey(map, "merge_method", "a merge", "Add 'merge_method: linear', or another of 'budwood methods --room merge'.");
        string method = Word(methodNode, "merge_method");
        foreach ((YamlScalar key, YamlNode value) in map.Entries)
        {
            if (s_keys.Contains(key.Text) || value.HoldsAnchor) continue;
            if (s_parameterWords.Contains(key.Text)) throw RecipeFaults.ParameterAtTopLevel(key);
            throw RecipeFaults.UnknownKey(key, "the merge", s_keys);
        }

        string[] layouts = [.. new[] { "models", "slices", "modules" }.Where(k => map[k] is not null and not YamlScalar { IsNull: true })];
        if (layouts.Length != 1)
        {
            throw RecipeFaults.Layout(map, layouts.Length == 0 ? "the merge names no models" : $"the merge has {string.Join(" and ", layouts.Select(l => $"'{l}'"))}",
                "Write exactly one of 'models', 'slices' and 'modules'.");
        }

        ModelName? baseModel = Model(map["base_model"], "base_model");
        var modules = layouts[0] == "modules" ? Modules(map["modules"]!) : [Module(map, "default", isTop: true)];
        return new MergeDocument(map, method, methodNode, baseModel, modules, ParameterBlock.Read(map["parameters"]))
        {
            Name = map["name"] is { } n ? Word(n, "name") : null,
            DType = Type(map["dtype"], "dtype"),
            OutDType = Type(map["out_dtype"], "out_dtype"),
            Tokenizer = Tokenizer(map),
            ChatTemplate = Template(map["chat_template"]),
            Allow = Words(map["allow"], "allow"),
            Compat = map["compat"] is { } m ? (Word(m, "compat"), m) : null,
        };
    }

    // Words that people put beside 'parameters' instead of into it; the plan knows the rest from the method's card.
    private static readonly FrozenSet<string> s_parameterWords = FrozenSet.Create(StringComparer.Ordinal,
        "normalize", "weight", "density", "lambda", "rescale", "int8_mask", "t", "gamma", "epsilon", "scale", "select_topk", "filter_wise");

    private static List<MergeModule> Modules(YamlNode node)
    {
        if (node is not YamlMap map) throw RecipeFaults.NotAMap(node, "modules");
        var modules = new List<MergeModule>();
        foreach ((YamlScalar key, YamlNode value) in map.Entries)
        {
            if (value is not YamlMap m) throw RecipeFaults.NotAMap(value, key.Text);
            Known(m, $"module '{key.Text}'", "models", "slices", "parameters", "base_model");
            modules.Add(Module(m, key.Text, isTop: false));
        }
        if (modules.Count == 0) throw RecipeFaults.Layout(map, "'modules' names no module", "Write 'modules: {default: {models: [...]}}'.");
        return modules;
    }

    private static MergeModule Module(YamlMap map, string name, bool isTop)
    {
        ParameterBlock parameters = isTop ? ParameterBlock.None : ParameterBlock.Read(map["parameters"]);
        if (map["models"] is { } models and not YamlScalar { IsNull: true })
        {
            if (!isTop && map["slices"] is not null) throw RecipeFaults.Layout(map, $"module '{name}' has both 'models' and 'slices'", "Keep one of them.");
            List<MergeSource> sources = Sources(models, "models", withRange: false);
            return new(name, map, [new MergeSlice(models, sources, isTop ? null : Model(map["base_model"], "base_model"), ParameterBlock.None, IsWhole: true)], parameters);
        }
        YamlNode slices = map["slices"] ?? throw RecipeFaults.Layout(map, $"module '{name}' names no models", "Write 'models' or 'slices' in it.");
        if (slices is not YamlList list) throw RecipeFaults.NotAList(slices, "slices");
        var result = new List<MergeSlice>();
        foreach (YamlNode item in list.Items)
        {
            if (item is not YamlMap s) throw RecipeFaults.NotAMap(item, "a slice");
            Known(s, "a slice", "sources", "base_model", "parameters");
            YamlNode from = s["sources"] ?? throw RecipeFaults.MissingKey(s, "sources", "a slice", "Add 'sources: [{model: PATH, layer_range: [0, 8]}]'.");
            result.Add(new(s, Sources(from, "sources", withRange: true), Model(s["base_model"], "base_model"), ParameterBlock.Read(s["parameters"]), IsWhole: false));
        }
        if (result.Count == 0) throw RecipeFaults.Layout(slices, "'slices' is empty", "Add a slice with 'sources'.");
        return new(name, map, result, parameters);
    }

    private static List<MergeSource> Sources(YamlNode node, string key, bool withRange)
    {
        if (node is not YamlList list) throw RecipeFaults.NotAList(node, key);
        var sources = new List<MergeSource>();
        foreach (YamlNode item in list.Items)
        {
            if (item is not YamlMap map) throw RecipeFaults.NotAMap(item, $"an entry of '{key}'");
            if (withRange) Known(map, $"an entry of '{key}'", "model", "layer_range", "parameters");
            else Known(map, $"an entry of '{key}'", "model", "parameters");
            ModelName model = Model(map["model"], "model") ?? throw RecipeFaults.MissingKey(map, "model", $"an entry of '{key}'", "Add 'model: PATH'.");
            (long From, long To, YamlNode Node)? range = null;
            if (withRange)
            {
                YamlNode r = map["layer_range"] ?? throw RecipeFaults.MissingKey(map, "layer_range", $"an entry of '{key}'", "Add 'layer_range: [FROM, TO]' (TO is exclusive).");
                if (r is not YamlList { Items.Count: 2 } pair || Whole(pair.Items[0]) is not { } from || Whole(pair.Items[1]) is not { } to)
                    throw RecipeFaults.BadValue(r, "layer_range", "two whole numbers [FROM, TO]");
                if (to <= from) throw RecipeFaults.EmptyRange(r, from, to);
                if (from < 0) throw RecipeFaults.BadValue(r, "layer_range", "layers from 0 on");
                range = (from, to, r);
            }
            if (sources.FirstOrDefault(s => s.Model.Text == model.Text) is { } twin) throw RecipeFaults.SameModelTwice(model.Node, twin.Model.Node, model.Text);
            sources.Add(new(model, range, ParameterBlock.Read(map["parameters"])));
        }
        if (sources.Count == 0) throw RecipeFaults.Layout(node, $"'{key}' is empty", "Name at least one model.");
        return sources;
    }

    private static ModelName? Model(YamlNode? node, string key)
    {
        switch (node)
        {
            case null or YamlScalar { IsNull: true }:
                return null;
            // The long form that the peer's own dumps have: {model: {path: ..., revision: ...}, lora: {...}}.
            case YamlMap map when map["model"] is YamlMap inner:
                Known(map, key, "model", "lora", "override_architecture");
                string text = Word(inner["path"] ?? throw RecipeFaults.MissingKey(inner, "path", key, "Add 'path: FOLDER'."), "path");
                if (inner["revision"] is { } r and not YamlScalar { IsNull: true }) text += "@" + Word(r, "revision");
                if (map["lora"] is YamlMap lora && lora["path"] is { } p) text += "+" + Word(p, "path");
                return new(text, node);
            case YamlScalar s:
                return new(s.Text, s);
            default:
                throw RecipeFaults.NotAScalar(node, key);
        }
    }

    private static (string Text, YamlNode Node)? Template(YamlNode? node)
    {
        if (node is null or YamlScalar { IsNull: true }) return null;
        string text = Word(node, "chat_template");
        return text == "auto" || ChatTemplates.BuiltIn(text) is not null || ChatTemplates.IsJinja(text) ? (text, node)
            : throw RecipeFaults.UnknownTemplate(node, ChatTemplates.Names);
    }

    private static (string Text, YamlNode Node)? Tokenizer(YamlMap map)
    {
        YamlNode? source = map["tokenizer_source"], block = map["tokenizer"];
        if (source is not null && block is not null) throw RecipeFaults.Layout(block, "'tokenizer' and 'tokenizer_source' exclude each other", "Keep one of them.");
        if (source is not null and not YamlScalar { IsNull: true }) return (Word(source, "tokenizer_source"), source);
        if (block is null or YamlScalar { IsNull: true }) return null;
        if (block is not YamlMap m) throw RecipeFaults.NotAMap(block, "tokenizer");
        Known(m, "tokenizer", "source", "tokens", "pad_to_multiple_of");
        if (m["tokens"] is { } t) throw RecipeFaults.NotYet(t, "'tokens' of a tokenizer", "Merge without it; per-token sources come with the tokenizer surgery.");
        if (m["pad_to_multiple_of"] is { } p and not YamlScalar { IsNull: true }) throw RecipeFaults.NotYet(p, "'pad_to_multiple_of'", "Merge without it.");
        return (m["source"] is { } s ? Word(s, "source") : "union", block);
    }

    private static void Known(YamlMap map, string inside, params string[] keys)
    {
        foreach ((YamlScalar key, _) in map.Entries)
        {
            if (keys.Contains(key.Text)) continue;
            if (keys.Contains("parameters") && s_parameterWords.Contains(key.Text)) throw RecipeFaults.ParameterAtTopLevel(key);
            throw RecipeFaults.UnknownKey(key, inside, keys);
        }
    }

    private static string Word(YamlNode node, string key) => node is YamlScalar { IsNull: false } s ? s.Text
        : node is YamlScalar ? throw RecipeFaults.BadValue(node, key, "a value") : throw RecipeFaults.NotAScalar(node, key);

    private static long? Whole(YamlNode node) => node is YamlScalar { Number: { } v } && v == Math.Floor(v) && Math.Abs(v) < 1e9 ? (long)v : null;

    private static DType? Type(YamlNode? node, string key)
    {
        if (node is null or YamlScalar { IsNull: true }) return null;
        string text = Word(node, key);
        return DTypes.TryParseTorch(text, out DType type) && type.IsArithmetic() ? type
            : throw RecipeFaults.BadValue(node, key, "one of float32, float16, bfloat16, float64", ["float32", "float16", "bfloat16", "float64"]);
    }

    private static IReadOnlyList<string> Words(YamlNode? node, string key) => node switch
    {
        null or YamlScalar { IsNull: true } => [],
        YamlList list => [.. list.Items.Select(i => Word(i, key))],
        _ => Word(node, key).Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
    };
}

/// <summary>A model name and where it stands.</summary>
public sealed record ModelName(string Text, YamlNode Node);

/// <summary>One merge: a document of the file.</summary>
public sealed record MergeDocument(YamlMap Node, string Method, YamlNode MethodNode, ModelName? Base, IReadOnlyList<MergeModule> Modules, ParameterBlock Parameters)
{
    public string? Name { get; init; }
    public DType? DType { get; init; }
    public DType? OutDType { get; init; }

    /// <summary>What <c>tokenizer_source</c> (or <c>tokenizer.source</c>) says.</summary>
    public (string Text, YamlNode Node)? Tokenizer { get; init; }
    public (string Text, YamlNode Node)? ChatTemplate { get; init; }
    public IReadOnlyList<string> Allow { get; init; } = [];
    public (string Text, YamlNode Node)? Compat { get; init; }

    /// <summary>The rule that merge_method names, among those that a program has.</summary>
    public Rule Find(IEnumerable<Rule> rules)
    {
        Rule[] all = [.. rules];
        return all.FirstOrDefault(r => r.Card.Name == Method) ?? throw RecipeFaults.UnknownMethod(MethodNode, Method, all.Select(r => r.Card.Name));
    }
}

/// <summary>A module of the model (all of it, for text models): its slices, bottom up.</summary>
public sealed record MergeModule(string Name, YamlNode Node, IReadOnlyList<MergeSlice> Slices, ParameterBlock Parameters);

/// <summary>A run of output layers and the models that it is made of.</summary>
/// <param name="IsWhole">Written as <c>models:</c>; covers all layers of every model.</param>
public sealed record MergeSlice(YamlNode Node, IReadOnlyList<MergeSource> Sources, ModelName? Base, ParameterBlock Parameters, bool IsWhole);

/// <summary>One model of a slice, the layers it lends, and its own parameters.</summary>
public sealed record MergeSource(ModelName Model, (long From, long To, YamlNode Node)? Range, ParameterBlock Parameters);
