using Budwood.Numbers;

namespace Budwood.Checkpoints;

/// <summary>One point at which a config and the stored tensors disagree.</summary>
/// <param name="IsError">A loader would fail or fill in random weights; otherwise it is worth saying.</param>
/// <param name="Tensors">The tensors concerned, by their stored or canonical names.</param>
public sealed record Misfit(bool IsError, string Code, string What, string? Where = null, string? Found = null, string? Next = null,
    IReadOnlyList<string>? Tensors = null)
{
    /// <summary>The misfit as an error to throw or to list with others (<see cref="Fault.Several"/>).</summary>
    public Fault ToFault() => new(Code, ExitCode.Input, What, Where, Found, Next);

    /// <summary>One line for a table of findings.</summary>
    public override string ToString() => $"{(IsError ? "error" : "note")}: {What}{(Found is null ? "" : $": {Found}")} [{Code}]";
}

/// <summary>Holds a config against the tensors of a checkpoint and lists everything that disagrees at once.</summary>
public static class Misfits
{
    private const int Shown = 4;

    /// <param name="stored">Element type and shape of a stored name; null when it is not there.</param>
    /// <param name="sameValues">Whether two stored tensors hold equal values, for ties; null when nobody has looked.</param>
    public static IReadOnlyList<Misfit> Check(ModelConfig config, FamilyModel model, Func<string, (DType Type, Shape Shape)?> stored,
        IEnumerable<string> storedNames, Func<string, string, bool>? sameValues = null)
    {
        var result = new List<Misfit>();
        string[] names = [.. storedNames];
        var byCanonical = new Dictionary<string, string>(StringComparer.Ordinal);
        var unexpected = new List<string>();
        foreach (string name in names)
        {
            if (model.Canonical(name) is { } canonical && model.TryExpected(canonical, out _))
            {
                if (byCanonical.TryAdd(canonical, name)) continue;
                result.Add(new Misfit(true, "BW3128", $"'{byCanonical[canonical]}' and '{name}' are one tensor under two names", config.Where, null,
                    "Keep one of the two.", [byCanonical[canonical], name]));
            }
            else if (!model.IsKnownBuffer(name)) unexpected.Add(name);
        }
        Lists(config, model, result);
        Missing(config, model, byCanonical, unexpected, result);
        Shapes(config, model, stored, byCanonical, result);
        Unexpected(config, model, unexpected, result);
        Ties(config, model, stored, byCanonical, sameValues, result);
        ElementType(config, model, stored, byCanonical, result);
        return [.. result.Where(m => m.IsError), .. result.Where(m => !m.IsError)];
    }

    internal static Misfit ListLength(ModelConfig config, string field, int length, string layerField, long layers) =>
        new(true, "BW3123", $"'{field}' has {Count(length, "entry", "entries")}, but the model has {Count(layers, "layer", "layers")}", config.Where,
            $"{field} of {length}, {layerField} {layers}", $"Give '{field}' one entry a layer.");

    private static void Lists(ModelConfig config, FamilyModel model, List<Misfit> result)
    {
        foreach (string field in model.Family.LayerLists)
        {
            if (!config.TryLength(field, out int length) || length == model.Layers) continue;
            result.Add(ListLength(config, field, length, model.Family.LayerField, model.Layers));
        }
    }

    private static void Missing(ModelConfig config, FamilyModel model, Dictionary<string, string> byCanonical, List<string> unexpected, List<Misfit> result)
    {
        ExpectedTensor[] needed = [.. model.Tensors.Where(t => !t.Optional)];
        var whole = new HashSet<(string, int)>();
        foreach (LayerStack stack in model.Family.Stacks)
        {
            int[] gone = [.. needed.Where(t => t.Stack == stack.Name).GroupBy(t => t.Layer!.Value)
                .Where(layer => layer.All(t => !byCanonical.ContainsKey(t.Name))).Select(layer => layer.Key)];
            if (gone.Length == 0) continue;
            string template = needed.First(t => t.Stack == stack.Name && t.Template.Contains("{layer}", StringComparison.Ordinal)).Template;
            string[] prefixes = [.. gone.Select(l => FamilyModel.WithLayer(template[..(template.IndexOf("{layer}", StringComparison.Ordinal) + 7)], l))];
            int layers = model.LayersOf[stack.Name];
            result.Add(new Misfit(true, "BW3120", $"{stack.Field} is {layers}, but {Listed(prefixes)} {(gone.Length == 1 ? "has" : "have")} no tensors",
                config.Where, $"{layers - gone.Length} of {layers} layers are stored",
                $"Set {stack.Field} to the layers that are there, or fetch the missing shards.", prefixes));
            foreach (int layer in gone) whole.Add((stack.Name, layer));
        }
        IEnumerable<ExpectedTensor> single = needed.Where(t => !byCanonical.ContainsKey(t.Name) && !(t.Layer is { } l && whole.Contains((t.Stack!, l))));
        foreach (IGrouping<string, ExpectedTensor> same in single.GroupBy(t => t.Template))
        {
            string[] names = [.. same.Select(t => t.Name)];
            string? next = names.Length == 1 && Nearest.Of(names[0], unexpected, 1) is [var near] ? $"Did the file mean it by '{near}'?"
                : Advice(same.First(), config);
            result.Add(new Misfit(true, "BW3121", $"{Listed(names)} {(names.Length == 1 ? "is" : "are")} missing", config.Where, null, next, names));
        }
    }

    private static string Advice(ExpectedTensor tensor, ModelConfig config) => tensor.Role switch
    {
        Role.Head when tensor.Name.EndsWith("weight", StringComparison.Ordinal) =>
            "Set tie_word_embeddings to true if the head shares the embedding"
            + (config.Has("tie_word_embeddings") ? "" : " (config.json does not state it)") + ", or fetch the missing shard.",
        _ => "Fetch the missing shard, or use the config.json that belongs to the weights.",
    };

    private static void Shapes(ModelConfig config, FamilyModel model, Func<string, (DType Type, Shape Shape)?> stored, Dictionary<string, string> byCanonical,
        List<Misfit> result)
    {
        var wrong = new List<(ExpectedTensor Tensor, string Stored, Shape Shape)>();
        var packed = new List<(string Name, DType Type)>();
        foreach (ExpectedTensor tensor in model.Tensors)
        {
            if (!byCanonical.TryGetValue(tensor.Name, out string? name) || stored(name) is not { } have) continue;
            if (tensor.Floating && !have.Type.IsFloat()) packed.Add((name, have.Type));
            else if (have.Shape != tensor.Shape) wrong.Add((tensor, name, have.Shape));
        }
        foreach (IGrouping<DType, (string Name, DType Type)> same in packed.GroupBy(p => p.Type))
        {
            string[] names = [.. same.Select(p => p.Name)];
            string how = config.Quantization is { } words ? $"quantization_config says {words}" : "config.json states no quantisation";
            result.Add(new Misfit(true, "BW3126", $"{Listed(names)} {(names.Length == 1 ? "holds" : "hold")} {same.Key.Name()}, not floating-point weights",
                config.Where, how,
                "Use the model before quantisation, or dequantise it first.", names));
        }
        foreach (var same in wrong.GroupBy(w => (w.Tensor.Template, w.Shape)))
        {
            ExpectedTensor tensor = same.First().Tensor;
            string[] names = [.. same.Select(w => w.Stored)];
            // Heads that the config's class does not use may have any number of labels.
            bool isError = !tensor.Optional || tensor.TiedTo is not null || tensor.Role is not (Role.Classifier or Role.Pooler or Role.HeadTransform);
            result.Add(new Misfit(isError, "BW3122",
                $"{Listed(names)} {(names.Length == 1 ? "has" : "have")} shape {same.Key.Shape}, but config.json means {tensor.Shape}", config.Where,
                Why(model, tensor, same.Key.Shape), "Correct the keys named here, or use the config.json that belongs to the weights.", names));
        }
    }

    private static string Why(FamilyModel model, ExpectedTensor tensor, Shape found)
    {
        if (found.Rank != tensor.Shape.Rank) return $"{found.Rank} dimensions, expected {tensor.Shape.Rank} ({string.Join(", ", tensor.Axes)})";
        var reasons = new List<string>();
        for (int i = 0; i < found.Rank; i++)
        {
            if (found[i] == tensor.Shape[i]) continue;
            Axis axis = model.Axes[tensor.Axes[i]];
            reasons.Add($"{found[i]} against {axis.Size} = {axis.Formula} ({string.Join(", ", axis.Keys.Select(k => $"{k.Key} {k.Value}"))})");
        }
        return string.Join("; ", reasons);
    }

    private static void Unexpected(ModelConfig config, FamilyModel model, List<string> unexpected, List<Misfit> result)
    {
        var beyond = unexpected.Where(n => model.Place(n) is { } p && p.Layer >= model.LayersOf[p.Stack]).ToLookup(n => model.Place(n)!.Value.Stack);
        foreach (IGrouping<string, string> stack in beyond)
        {
            string field = model.Family.Stacks.First(s => s.Name == stack.Key).Field;
            int last = stack.Max(n => model.Place(n)!.Value.Layer);
            result.Add(new Misfit(false, "BW3125", $"{field} is {model.LayersOf[stack.Key]}, but the file has layers up to {last}: {Listed([.. stack])}",
                config.Where, null,
                $"Set {field} to {last + 1} if they belong to the model; loaders leave them out.", [.. stack]));
        }
        string[] rest = [.. unexpected.Where(n => !beyond.Any(s => s.Contains(n)))];
        foreach (IGrouping<string?, string> same in rest.GroupBy(n => model.WhyNot(n)))
        {
            string[] names = [.. same];
            string why = same.Key is null ? $"not part of a {model.Family.Name} model" : $"in the file, but {same.Key} in config.json";
            result.Add(new Misfit(false, "BW3124", $"{Listed(names)} {(names.Length == 1 ? "is" : "are")} {why}", config.Where, null,
                "Loaders leave such tensors out.", names));
        }
    }

    private static void Ties(ModelConfig config, FamilyModel model, Func<string, (DType Type, Shape Shape)?> stored, Dictionary<string, string> byCanonical,
        Func<string, string, bool>? sameValues, List<Misfit> result)
    {
        foreach (ExpectedTensor tensor in model.Tensors)
        {
            if (tensor.TiedTo is null || !byCanonical.TryGetValue(tensor.Name, out string? name)
                || !byCanonical.TryGetValue(tensor.TiedTo, out string? other)) continue;
            if (stored(name) is { } a && stored(other) is { } b && a.Shape != b.Shape) continue;
            bool? same = sameValues?.Invoke(name, other);
            if (same == true) continue;
            string flag = config.Has("tie_word_embeddings") ? "tie_word_embeddings is true"
                : $"the {model.Family.Name} family ties them (tie_word_embeddings is not stated)";
            result.Add(same is null
                ? new Misfit(false, "BW3129", $"'{name}' is stored beside '{other}', to which it is tied", config.Where, null,
                    $"A loader uses '{other}' for both: {flag}.", [name, other])
                : new Misfit(true, "BW3129", $"'{name}' is stored and differs from '{other}', but {flag}", config.Where, null,
                    "Set tie_word_embeddings to false to use the stored head, or remove it.", [name, other]));
        }
    }

    private static void ElementType(ModelConfig config, FamilyModel model, Func<string, (DType Type, Shape Shape)?> stored,
        Dictionary<string, string> byCanonical, List<Misfit> result)
    {
        if (config.DType is not { } stated || config.Quantization is not null) return;
        var types = new List<DType>();
        foreach (string name in byCanonical.Values)
        {
            if (stored(name) is { } have && have.Type.IsFloat() && !types.Contains(have.Type)) types.Add(have.Type);
        }
        if (types.Count == 0 || types.Contains(stated)) return;
        result.Add(new Misfit(false, "BW3127",
            $"{config.DTypeField} is {config.DTypeText}, but the tensors are {string.Join(", ", types.Select(t => t.TorchName()))}", config.Where, null,
            "Budwood goes by the tensors."));
    }

    private static string Listed(string[] names) => string.Join(", ", names.Take(Shown)) + (names.Length > Shown ? $" and {names.Length - Shown} more" : "");

    private static string Count(long n, string one, string many) => $"{n} {(n == 1 ? one : many)}";
}
