using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;

namespace Budwood.Checkpoints;

/// <summary>One kind of architecture (llama, gpt2, bert ...), as its data file describes it: names, roles, axes, ties.</summary>
public sealed class Family
{
    private static readonly Lazy<IReadOnlyList<Family>> s_all = new(FamilyReader.ReadAll);
    private static readonly Lazy<Dictionary<string, Family>> s_byModelType = new(() => Index(f => f.ModelTypes));
    private static readonly Lazy<Dictionary<string, Family>> s_byArchitecture = new(() => Index(f => f.Architectures));

    internal Family(FamilyData data) => Data = data;

    internal FamilyData Data { get; }

    /// <summary>Every family that Budwood has a description of, by name.</summary>
    public static IReadOnlyList<Family> All => s_all.Value;

    public string Name => Data.Name;

    /// <summary>Values of <c>model_type</c> that mean this family.</summary>
    public IReadOnlyList<string> ModelTypes => Data.ModelTypes;

    /// <summary>Class names of transformers that mean this family.</summary>
    public IReadOnlyList<string> Architectures => Data.Architectures;

    /// <summary>The runs of numbered layers; the first is the main one. T5 has two: encoder and decoder.</summary>
    public IReadOnlyList<LayerStack> Stacks => Data.Stacks;

    /// <summary>The config field that counts the layers of the main stack.</summary>
    public string LayerField => Data.Stacks[0].Field;

    /// <summary>Config fields that are lists with one entry a layer.</summary>
    public IReadOnlyList<string> LayerLists => Data.LayerLists;

    /// <summary>Whether head and embedding are one tensor when the config does not say.</summary>
    public bool TiesByDefault => Data.Flags.GetValueOrDefault("tie_word_embeddings", true);

    /// <summary>The family of a config: by model_type, then by class name; null when it is none of ours.</summary>
    public static Family? For(ModelConfig config)
    {
        if (config.ModelType is { } type && s_byModelType.Value.TryGetValue(type, out Family? family)) return family;
        foreach (string name in config.Architectures)
        {
            if (s_byArchitecture.Value.TryGetValue(name, out family)) return family;
        }
        return null;
    }

    public static bool TryNamed(string name, [NotNullWhen(true)] out Family? family)
    {
        family = All.FirstOrDefault(f => f.Name == name);
        return family is not null;
    }

    /// <summary>The tensors that a model with this config has. Some families store experts in two layouts:
    /// <paramref name="storedNames"/> tells which.</summary>
    public FamilyModel Describe(ModelConfig config, IEnumerable<string>? storedNames = null) => FamilyModel.Of(this, config, storedNames);

    /// <summary>The config of a model whose layer i is layer <paramref name="sources"/>[i] of this one:
    /// the layer count and all per-layer lists follow.</summary>
    /// <param name="stack">Which run of layers; the main one when null.</param>
    public ModelConfig WithLayers(ModelConfig config, IReadOnlyList<int> sources, string? stack = null)
    {
        LayerStack of = stack is null ? Stacks[0] : Stacks.FirstOrDefault(s => s.Name == stack)
            ?? throw new Fault("BW3130", ExitCode.Input, $"the {Name} family has no layers named '{stack}'", null, null,
                Nearest.Hint(stack, Stacks.Select(s => s.Name)));
        long layers = new FieldValues(this, config).Layers(of);
        if (sources.Count == 0) throw new Fault("BW3130", ExitCode.Input, "a model without layers is asked for", config.Where, null, "Take one layer or more.");
        foreach (int source in sources)
        {
            if (source >= 0 && source < layers) continue;
            string have = layers == 0 ? "it has no layers" : $"its layers are 0 to {layers - 1} ({of.Field} is {layers})";
            throw new Fault("BW3130", ExitCode.Input, $"there is no layer {source}", config.Where, have, "Name layers that the model has.");
        }
        ModelConfig result = config;
        foreach (string field in of == Stacks[0] ? LayerLists : [])
        {
            if (!config.TryGet(field, out var list) || list.ValueKind != System.Text.Json.JsonValueKind.Array) continue;
            // Some files keep the list of the larger model that they were cut from; entries up to the layer count are what loaders read.
            if (list.GetArrayLength() < layers) throw Misfits.ListLength(config, field, list.GetArrayLength(), of.Field, layers).ToFault();
            result = result.Set(field, new JsonArray([.. sources.Select(s => JsonNode.Parse(list[s].GetRawText()))]));
        }
        foreach (ImpliedList list in of == Stacks[0] ? Data.Implied : [])
        {
            if (config.TryGet(list.Field, out var given) && given.ValueKind == System.Text.Json.JsonValueKind.Array) continue;
            string[] words = [.. sources.Select(s => list.At(config, s))];
            // Written out only where the loader would make up something else for the new order.
            if (!words.Select((w, i) => w == list.At(config, i)).All(same => same)) result = result.Set(list.Field, new JsonArray([.. words.Select(w => (JsonNode)JsonValue.Create(w))]));
        }
        return result.Set(of.Field, JsonValue.Create(sources.Count));
    }

    private static Dictionary<string, Family> Index(Func<Family, IReadOnlyList<string>> names) =>
        All.SelectMany(f => names(f).Select(n => (Name: n, Family: f))).ToDictionary(p => p.Name, p => p.Family, StringComparer.Ordinal);
}

/// <summary>A run of numbered layers and the config field that counts them.</summary>
public sealed record LayerStack(string Name, string Field);

/// <summary>A tensor that a config calls for.</summary>
/// <param name="Name">The name that the family's files use today.</param>
/// <param name="Template">The name with <c>{layer}</c> and <c>{expert}</c> in place of the numbers.</param>
/// <param name="Layer">Number within its stack; null outside the layers.</param>
/// <param name="Axes">The name of the axis along each dimension; see <see cref="FamilyModel.Axes"/>.</param>
/// <param name="Optional">A checkpoint may lack it: it is tied, or belongs to a head that not every class has.</param>
/// <param name="TiedTo">The tensor whose values it shares under this config; null when it stands alone.</param>
/// <param name="Aliases">Other names under which files store it.</param>
/// <param name="Floating">Whether it holds floating-point weights.</param>
/// <param name="Stack">The run of layers that it belongs to; null outside the layers.</param>
public sealed record ExpectedTensor(string Name, string Template, Role Role, int? Layer, int? Expert, Numbers.Shape Shape, IReadOnlyList<string> Axes,
    bool Optional, string? TiedTo, IReadOnlyList<string> Aliases, bool Floating, string? Stack = null);

/// <summary>One direction of a model's tensors (hidden, vocab, kv ...), with the way back to the config.</summary>
/// <param name="Unit">Rows that belong together and may only go together: a head is <c>head_dim</c> rows.</param>
/// <param name="Field">The config field that counts the units; null when no single field does.</param>
/// <param name="Divides">A config field that the field must divide: kv heads divide the query heads.</param>
/// <param name="Parts">For a fused axis, what it is made of, within one group.</param>
/// <param name="Groups">How often the parts repeat: 1, or once a head (GPT-NeoX).</param>
/// <param name="Formula">The size in config fields, such as <c>num_key_value_heads*head_dim</c>.</param>
/// <param name="Keys">The config keys that decided the size, with their values.</param>
public sealed record Axis(string Name, long Size, long Unit, string? Field, string? Divides, IReadOnlyList<AxisPart> Parts, long Groups, string Formula,
    IReadOnlyList<KeyValuePair<string, string>> Keys);

/// <summary>A part of a fused axis: rows <c>Start .. Start + Length</c> of each group.</summary>
/// <param name="Axis">The axis that the part is: all groups' parts together have its size.</param>
public sealed record AxisPart(Role Role, string Axis, long Start, long Length);
