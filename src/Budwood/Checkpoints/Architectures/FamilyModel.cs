using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Budwood.Numbers;

namespace Budwood.Checkpoints;

/// <summary>A family under one config: every tensor with its shape, and the way from stored names to canonical ones and back.</summary>
public sealed class FamilyModel
{
    // A config that asks for far more than the files hold is wrong, and a list of its tensors would fill the memory: one shard of many is still described.
    private const long MostTensors = 20_000, MostByStored = 16;

    private readonly NameTable _names;
    private readonly Dictionary<string, ExpectedTensor> _byName;
    private readonly Dictionary<string, string> _excluded;

    private FamilyModel(Family family, ModelConfig config, NameTable names, IReadOnlyDictionary<string, Axis> axes, IReadOnlyDictionary<string, int> layers,
        List<ExpectedTensor> tensors, Dictionary<string, string> excluded)
    {
        Family = family;
        Config = config;
        Axes = axes;
        LayersOf = layers;
        Tensors = tensors;
        _names = names;
        _byName = tensors.ToDictionary(t => t.Name, StringComparer.Ordinal);
        _excluded = excluded;
    }

    public Family Family { get; }

    public ModelConfig Config { get; }

    /// <summary>All tensors that the config calls for, layer by layer.</summary>
    public IReadOnlyList<ExpectedTensor> Tensors { get; }

    public IReadOnlyDictionary<string, Axis> Axes { get; }

    /// <summary>Number of layers of the main stack.</summary>
    public int Layers => LayersOf[Family.Stacks[0].Name];

    /// <summary>Number of layers of each stack, by its name.</summary>
    public IReadOnlyDictionary<string, int> LayersOf { get; }

    /// <summary>The name that the family's files use today for a stored name in any of its spellings; null when the name is none of the family's.</summary>
    /// <remarks>Layers beyond the config's count have canonical names too; <see cref="TryExpected"/> tells whether the config calls for them.</remarks>
    public string? Canonical(string storedName) => _names.Find(storedName) is { } hit ? WithLayer(hit.Tensor.Template, hit.Layer, hit.Expert) : null;

    public bool TryExpected(string canonicalName, [NotNullWhen(true)] out ExpectedTensor? expected) => _byName.TryGetValue(canonicalName, out expected);

    /// <summary>Whether the name is a table that networks compute for themselves (rotary frequencies, causal masks, position ids),
    /// which no loader needs.</summary>
    public bool IsKnownBuffer(string storedName) => Family.Data.Buffers.Any(b => storedName.EndsWith(b, StringComparison.Ordinal)
        && (storedName.Length == b.Length || b[0] == '.' || storedName[^(b.Length + 1)] == '.'));

    /// <summary>Whether the name is such a table that a merge keeps, because files of the family have it and loaders of old read it.</summary>
    public bool IsKeptBuffer(string storedName) => Family.Data.Kept.Any(b => storedName.EndsWith(b, StringComparison.Ordinal));

    /// <summary>Whether config.json names a class that the family's table is for; a class of somebody's own may have more tensors.</summary>
    public bool KnowsClass => Config.Architectures.Count == 0 || Config.Architectures.Any(Family.Data.Architectures.Contains);

    /// <summary>The role of a stored name: the family's word, else a guess from the name.</summary>
    public Role RoleOf(string storedName) => _names.Find(storedName)?.Tensor.Role ?? Roles.Guess(storedName);

    /// <summary>The layer that a stored name belongs to; null outside the layers.</summary>
    public int? LayerOf(string storedName) => _names.Find(storedName) is { } hit ? hit.Layer ?? hit.Tensor.OnlyLayer : null;

    /// <summary>The same tensor in another layer; null when the name is none of the family's or stands outside the layers.</summary>
    /// <param name="stack">Only names of this stack; of the main one when null.</param>
    public string? Renumbered(string name, int layer, string? stack = null) =>
        _names.Find(name) is { Layer: not null } hit && (hit.Tensor.Stack ?? Family.Stacks[0].Name) == (stack ?? Family.Stacks[0].Name)
            ? WithLayer(hit.Tensor.Template, layer, hit.Expert) : null;

    /// <summary>Whether a linear layer's weight is stored input by output, as Conv1D has it; the axes of attention and feed-forward tell.</summary>
    public bool StoresInputFirst(string canonicalName)
    {
        if (!TryExpected(canonicalName, out ExpectedTensor? tensor) || tensor.Axes.Count != 2) return false;
        return tensor.Role switch
        {
            Role.O or Role.CrossO or Role.Down => tensor.Axes[0] != "hidden" && tensor.Axes[1] == "hidden",
            Role.Q or Role.K or Role.V or Role.Qkv or Role.CrossQ or Role.CrossK or Role.CrossV or Role.Gate or Role.Up or Role.GateUp => tensor.Axes[0] == "hidden" && tensor.Axes[1] != "hidden",
            _ => false,
        };
    }

    /// <summary>A template with the numbers filled in.</summary>
    public static string WithLayer(string template, int? layer, int? expert = null)
    {
        string name = layer is { } l ? template.Replace("{layer}", l.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal) : template;
        return expert is { } e ? name.Replace("{expert}", e.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal) : name;
    }

    /// <summary>Why the config does not call for a tensor that the family knows ("attention_bias is false"); null when that is not the case.</summary>
    internal string? WhyNot(string storedName) => _names.Find(storedName) is { } hit ? _excluded.GetValueOrDefault(hit.Tensor.Template) : null;

    /// <summary>The stack and layer number of a name, for names in the layers.</summary>
    internal (string Stack, int Layer)? Place(string storedName) => _names.Find(storedName) is { Layer: { } layer } hit
        ? (hit.Tensor.Stack ?? Family.Stacks[0].Name, layer) : null;

    internal static FamilyModel Of(Family family, ModelConfig config, IEnumerable<string>? storedNames)
    {
        FamilyData data = family.Data;
        var values = new FieldValues(family, config);
        var layers = data.Stacks.ToDictionary(s => s.Name, s => (int)values.Layers(s), StringComparer.Ordinal);
        var names = new NameTable(data, config);
        string? layout = Layout(names, storedNames) ?? data.Tensors.FirstOrDefault(t => t.Layout is not null)?.Layout;

        var excluded = new Dictionary<string, string>(StringComparer.Ordinal);
        var chosen = new List<TensorData>();
        foreach (TensorData tensor in names.Tensors)
        {
            if (tensor.Layout is not null && tensor.Layout != layout) continue;
            if (tensor.When.FirstOrDefault(c => !values.Holds(c)) is not { } unmet) chosen.Add(tensor);
            else excluded.TryAdd(tensor.Template, unmet[0] == '!' ? $"{unmet[1..]} is set" : unmet.Contains('=') ? $"not {unmet}" : $"{unmet} is false");
        }

        long experts = chosen.Any(t => t.Template.Contains("{expert}", StringComparison.Ordinal)) ? values.Field(data.Experts!, []) : 0;
        double total = chosen.Sum(t => (double)layers[t.Stack ?? data.Stacks[0].Name] * (t.Template.Contains("{expert}") ? experts : 1));
        if (total > MostTensors + (MostByStored * (storedNames?.LongCount() ?? MostTensors)))
        {
            throw new Fault("BW3111", ExitCode.Input, "config.json asks for more tensors than a checkpoint can hold", config.Where,
                string.Join(", ", data.Stacks.Select(s => $"{s.Field} {layers[s.Name]}")), "Correct config.json.");
        }

        var axes = new AxisTable(data, values, config);
        bool ties = values.Flag("tie_word_embeddings");
        var tensors = new List<ExpectedTensor>();
        foreach (TensorData[] run in Runs(chosen))
        {
            int depth = run[0].Template.Contains("{layer}", StringComparison.Ordinal) ? layers[run[0].Stack ?? data.Stacks[0].Name] : 1;
            var shared = run.ToDictionary(t => t, t =>
                (Shape: axes.Shape(t.Axes), Needed: IsNeeded(t, config), Tied: t.TiedTo is not null && (t.TiedAlways || ties)));
            for (int layer = 0; layer < depth; layer++)
            {
                foreach (TensorData t in run)
                {
                    (Shape shape, bool needed, bool tied) = shared[t];
                    int? number = t.Template.Contains("{layer}", StringComparison.Ordinal) ? layer : null;
                    bool many = t.Template.Contains("{expert}", StringComparison.Ordinal);
                    for (int expert = 0; expert < (many ? experts : 1); expert++)
                    {
                        int? e = many ? expert : null;
                        string? stack = number is null && t.OnlyLayer is null ? null : t.Stack ?? data.Stacks[0].Name;
                        string[] aliases = [.. names.Aliases(t).Select(a => WithLayer(a, number, e))];
                        tensors.Add(new ExpectedTensor(WithLayer(t.Template, number, e), t.Template, t.Role, number ?? t.OnlyLayer, e, shape, t.Axes,
                            !needed || tied, tied ? t.TiedTo : null, aliases, true, stack));
                    }
                }
            }
        }
        return new FamilyModel(family, config, names, axes.All(), layers, tensors, excluded);
    }

    // Neighbouring tensors of one stack make a run, so that the list goes layer by layer.
    private static IEnumerable<TensorData[]> Runs(List<TensorData> chosen)
    {
        for (int i = 0; i < chosen.Count;)
        {
            int start = i;
            string? Key(TensorData t) => t.Template.Contains("{layer}", StringComparison.Ordinal) ? t.Stack ?? "" : null;
            string? key = Key(chosen[start]);
            while (i < chosen.Count && Key(chosen[i]) == key) i++;
            yield return [.. chosen[start..i]];
        }
    }

    private static bool IsNeeded(TensorData tensor, ModelConfig config) => !tensor.Optional
        && (tensor.Classes.Count == 0 || config.Architectures.Any(a => tensor.Classes.Any(c => a.EndsWith(c, StringComparison.Ordinal))));

    private static string? Layout(NameTable names, IEnumerable<string>? storedNames)
    {
        foreach (string name in storedNames ?? [])
        {
            if (names.Find(name)?.Tensor.Layout is { } layout) return layout;
        }
        return null;
    }
}

/// <summary>The axes of a family under one config, computed when first asked for.</summary>
internal sealed class AxisTable(FamilyData data, FieldValues values, ModelConfig config)
{
    private readonly Dictionary<string, Axis> _axes = new(StringComparer.Ordinal);

    public Shape Shape(IReadOnlyList<string> axes) => new([.. axes.Select(a => Get(a).Size)]);

    /// <summary>The axes that some tensor of the model has, and the parts of fused ones.</summary>
    public IReadOnlyDictionary<string, Axis> All() => _axes;

    private Axis Get(string name)
    {
        if (_axes.TryGetValue(name, out Axis? done)) return done;
        AxisData axis = data.Axes[name];
        var keys = new List<KeyValuePair<string, string>>();
        var parts = new List<AxisPart>();
        long groups = axis.Groups is null ? 1 : values.Size(axis.Groups, $"the number of groups of axis '{name}'", keys);
        long size = 0;
        foreach ((Role role, string of) in axis.Parts)
        {
            Axis part = Get(of);
            if (part.Size % groups != 0)
            {
                throw new Fault("BW3112", ExitCode.Input, $"axis '{of}' of {part.Size} does not divide into {axis.Groups} groups", config.Where,
                    $"{axis.Groups} is {groups}", "Correct config.json.");
            }
            parts.Add(new AxisPart(role, of, size, part.Size / groups));
            size = Add(size, part.Size / groups, name);
            foreach (KeyValuePair<string, string> key in part.Keys)
            {
                if (!keys.Contains(key)) keys.Add(key);
            }
        }
        size = axis.Size is null ? Add(0, (long)Int128.Min((Int128)size * groups, long.MaxValue), name)
            : values.Size(axis.Size, $"the size of axis '{name}'", keys);
        long unit = axis.Unit is null ? 1 : values.Size(axis.Unit, $"the unit of axis '{name}'", keys);
        if (axis.Divides is not null && axis.Field is not null)
        {
            long whole = values.Field(axis.Divides, []), part = values.Field(axis.Field, []);
            if (part <= 0 || whole % part != 0)
            {
                throw new Fault("BW3112", ExitCode.Input, $"'{axis.Field}' does not divide '{axis.Divides}'", config.Where,
                    $"{axis.Field} {part}, {axis.Divides} {whole}", "Correct config.json.");
            }
        }
        string formula = axis.Size?.ToString() ?? string.Join(" + ", axis.Parts.Select(p => data.Axes[p.Axis].Size?.ToString() ?? p.Axis));
        var result = new Axis(name, size, unit, axis.Field, axis.Divides, parts, groups, formula, keys);
        _axes.Add(name, result);
        return result;
    }

    private long Add(long a, long b, string name) => a <= long.MaxValue - b
        ? a + b
        : throw new Fault("BW3112", ExitCode.Input, $"the size of axis '{name}' does not fit 64 bits", config.Where, null, "Correct config.json.");
}
