using System.Text.Json;

namespace Budwood.Checkpoints;

/// <summary>A family's data file, after its parent's lines are taken in.</summary>
internal sealed record FamilyData(
    string Name,
    IReadOnlyList<string> ModelTypes,
    IReadOnlyList<string> Architectures,
    IReadOnlyList<LayerStack> Stacks,
    IReadOnlyList<string> LayerLists,
    IReadOnlyList<ImpliedList> Implied,
    string? Experts,
    IReadOnlyList<string> Prefixes,
    IReadOnlyList<(string From, string To)> Spellings,
    IReadOnlyList<string> Buffers,
    IReadOnlyList<string> Kept,
    IReadOnlyDictionary<string, SizeExpression> Defaults,
    IReadOnlyDictionary<string, SizeExpression> Absent,
    IReadOnlyDictionary<string, bool> Flags,
    IReadOnlyDictionary<string, AxisData> Axes,
    IReadOnlyList<TensorData> Tensors);

internal sealed record AxisData(string Name, SizeExpression? Size, SizeExpression? Unit, string? Field, string? Divides,
    IReadOnlyList<(Role Role, string Axis)> Parts, SizeExpression? Groups);

/// <param name="When">Conditions on the config that must all hold: <c>flag</c>, <c>!flag</c>, <c>field=text</c>, <c>field^=start</c>.</param>
/// <param name="Classes">Ends of class names that need the tensor; others may have it.</param>
/// <param name="TiedAlways">The tie does not depend on tie_word_embeddings.</param>
/// <param name="OnlyLayer">The one layer that has it.</param>
/// <param name="Joins">The tensors of the other layout that it is made of, one after the other, expert by expert.</param>
internal sealed record TensorData(string Template, Role Role, IReadOnlyList<string> Axes, IReadOnlyList<string> When, IReadOnlyList<string> Classes,
    bool Optional, string? TiedTo, bool TiedAlways, string? Stack, int? OnlyLayer, string? Layout, IReadOnlyList<string> Aliases, IReadOnlyList<string> Joins);

/// <summary>Reads the family files that are embedded in the assembly.</summary>
internal static class FamilyReader
{
    private const string Resource = "architecture/";

    public static IReadOnlyList<Family> ReadAll()
    {
        var texts = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (string name in typeof(FamilyReader).Assembly.GetManifestResourceNames())
        {
            if (!name.StartsWith(Resource, StringComparison.Ordinal)) continue;
            using Stream stream = typeof(FamilyReader).Assembly.GetManifestResourceStream(name)!;
            using JsonDocument document = JsonDocument.Parse(stream, new JsonDocumentOptions { AllowDuplicateProperties = false });
            texts.Add(name[Resource.Length..], document.RootElement.Clone());
        }
        var read = new Dictionary<string, FamilyData>(StringComparer.Ordinal);
        foreach (string name in texts.Keys) Read(name, texts, read);
        return [.. read.Values.OrderBy(d => d.Name, StringComparer.Ordinal).Select(d => new Family(d))];
    }

    private static FamilyData Read(string name, Dictionary<string, JsonElement> texts, Dictionary<string, FamilyData> read)
    {
        if (read.TryGetValue(name, out FamilyData? done)) return done;
        try
        {
            JsonElement text = texts[name];
            FamilyData? parent = text.TryGetProperty("extends", out JsonElement extends) ? Read(extends.GetString()!, texts, read) : null;
            FamilyData data = Parse(name, text, parent);
            read.Add(name, data);
            return data;
        }
        catch (Exception e) when (e is FormatException or KeyNotFoundException or InvalidOperationException)
        {
            throw new Fault("BW9101", ExitCode.OurFault, "a family file of Budwood is wrong", $"{name}.json", e.Message, "Report this.", e);
        }
    }

    internal static FamilyData Parse(string name, JsonElement text, FamilyData? parent)
    {
        var axes = new Dictionary<string, AxisData>(parent?.Axes ?? new Dictionary<string, AxisData>(), StringComparer.Ordinal);
        var defaults = new Dictionary<string, SizeExpression>(parent?.Defaults ?? new Dictionary<string, SizeExpression>(), StringComparer.Ordinal);
        var absent = new Dictionary<string, SizeExpression>(parent?.Absent ?? new Dictionary<string, SizeExpression>(), StringComparer.Ordinal);
        var flags = new Dictionary<string, bool>(parent?.Flags ?? new Dictionary<string, bool>(), StringComparer.Ordinal);
        List<TensorData> tensors = [.. parent?.Tensors ?? []];
        IReadOnlyList<string> types = [], classes = [], lists = parent?.LayerLists ?? [], prefixes = parent?.Prefixes ?? [],
            buffers = parent?.Buffers ?? [], kept = parent?.Kept ?? [];
        IReadOnlyList<LayerStack> stacks = parent?.Stacks ?? [];
        IReadOnlyList<(string, string)> spellings = parent?.Spellings ?? [];
        IReadOnlyList<ImpliedList> implied = parent?.Implied ?? [];
        string? experts = parent?.Experts;

        foreach (JsonProperty p in text.EnumerateObject())
        {
            switch (p.Name)
            {
                case "extends" or "about": break;
                case "model_types": types = Texts(p.Value); break;
                case "architectures": classes = Texts(p.Value); break;
                case "layers": stacks = [.. p.Value.EnumerateObject().Select(s => new LayerStack(s.Name, s.Value.GetString()!))]; break;
                case "layer_lists": lists = Texts(p.Value); break;
                case "implied_lists": implied = [.. p.Value.EnumerateObject().Select(ImpliedList.Read)]; break;
                case "experts": experts = p.Value.GetString(); break;
                case "prefixes": prefixes = Texts(p.Value); break;
                case "spellings": spellings = [.. p.Value.EnumerateObject().Select(s => (s.Name, s.Value.GetString()!))]; break;
                case "buffers": buffers = [.. buffers, .. Texts(p.Value)]; break;
                case "kept_buffers": kept = [.. kept, .. Texts(p.Value)]; break;
                case "defaults":
                    foreach (JsonProperty d in p.Value.EnumerateObject())
                    {
                        if (d.Value.ValueKind is JsonValueKind.True or JsonValueKind.False) flags[d.Name] = d.Value.GetBoolean();
                        else defaults[d.Name] = Size(d.Value);
                    }
                    break;
                case "absent":
                    foreach (JsonProperty d in p.Value.EnumerateObject()) absent[d.Name] = Size(d.Value);
                    break;
                case "axes":
                    foreach (JsonProperty a in p.Value.EnumerateObject()) axes[a.Name] = ReadAxis(a.Name, a.Value);
                    break;
                case "without":
                    foreach (string pattern in Texts(p.Value))
                    {
                        int gone = tensors.RemoveAll(t => pattern[0] == '*' ? t.Template.EndsWith(pattern[1..], StringComparison.Ordinal)
                            : t.Template == pattern);
                        if (gone == 0) throw new FormatException($"'{pattern}' in 'without' matches no tensor");
                    }
                    break;
                case "tensors":
                    foreach (JsonElement t in p.Value.EnumerateArray())
                    {
                        TensorData tensor = ReadTensor(t);
                        // A child's layer tensors join its parent's, so that lists still go layer by layer.
                        int at = tensor.Template.Contains("{layer}", StringComparison.Ordinal)
                            ? tensors.FindLastIndex(o => o.Template.Contains("{layer}", StringComparison.Ordinal)) : -1;
                        if (parent is null || at < 0) tensors.Add(tensor);
                        else tensors.Insert(at + 1, tensor);
                    }
                    break;
                default: throw new FormatException($"unknown key '{p.Name}'");
            }
        }

        if (stacks.Count == 0) throw new FormatException("'layers' is missing");
        foreach (TensorData t in tensors)
        {
            string? wrong = t.Axes.FirstOrDefault(a => !axes.ContainsKey(a)) is { } axis ? $"the axis '{axis}', which 'axes' does not describe"
                : t.Stack is not null && stacks.All(s => s.Name != t.Stack) ? $"the stack '{t.Stack}', which 'layers' does not list"
                : t.TiedTo is not null && tensors.All(o => o.Template != t.TiedTo) ? $"a tie to '{t.TiedTo}', which is not there"
                : t.Joins.FirstOrDefault(j => tensors.All(o => o.Template != j)) is { } part ? $"a part '{part}', which is not there"
                : null;
            if (wrong is not null) throw new FormatException($"{t.Template} has {wrong}");
        }
        return new FamilyData(name, types, classes, stacks, lists, implied, experts, prefixes, spellings, buffers, kept, defaults, absent, flags, axes, tensors);
    }

    private static AxisData ReadAxis(string name, JsonElement value)
    {
        if (value.ValueKind is JsonValueKind.String or JsonValueKind.Number)
        {
            // "vocab": "vocab_size" is short for an axis that one field states.
            SizeExpression size = Size(value);
            return new AxisData(name, size, null, size.Fields is [var only] && only == size.ToString() ? only : null, null, [], null);
        }
        SizeExpression? length = null, unit = null, groups = null;
        string? field = null, divides = null;
        IReadOnlyList<(Role, string)> parts = [];
        foreach (JsonProperty p in value.EnumerateObject())
        {
            switch (p.Name)
            {
                case "size": length = Size(p.Value); break;
                case "unit": unit = Size(p.Value); break;
                case "groups": groups = Size(p.Value); break;
                case "field": field = p.Value.GetString(); break;
                case "divides": divides = p.Value.GetString(); break;
                case "parts": parts = [.. p.Value.EnumerateArray().Select(e => (ReadRole(e[0].GetString()!), e[1].GetString()!))]; break;
                default: throw new FormatException($"axis '{name}': unknown key '{p.Name}'");
            }
        }
        if (length is null && parts.Count == 0) throw new FormatException($"axis '{name}' has neither 'size' nor 'parts'");
        return new AxisData(name, length, unit, field, divides, parts, groups);
    }

    private static TensorData ReadTensor(JsonElement value)
    {
        string? name = null, tiedTo = null, stack = null, layout = null;
        Role? role = null;
        IReadOnlyList<string> axes = [], when = [], classes = [], aliases = [], joins = [];
        bool optional = false, always = false;
        int? only = null;
        foreach (JsonProperty p in value.EnumerateObject())
        {
            switch (p.Name)
            {
                case "name": name = p.Value.GetString(); break;
                case "role": role = ReadRole(p.Value.GetString()!); break;
                case "axes": axes = Texts(p.Value); break;
                case "when": when = Texts(p.Value); break;
                case "classes": classes = Texts(p.Value); break;
                case "optional": optional = p.Value.GetBoolean(); break;
                case "tied_to": tiedTo = p.Value.GetString(); break;
                case "tied_always": always = p.Value.GetBoolean(); break;
                case "stack": stack = p.Value.GetString(); break;
                case "only_layer": only = p.Value.GetInt32(); break;
                case "layout": layout = p.Value.GetString(); break;
                case "aliases": aliases = Texts(p.Value); break;
                case "joins": joins = Texts(p.Value); break;
                default: throw new FormatException($"tensor '{name}': unknown key '{p.Name}'");
            }
        }
        if (name is null || role is null || axes.Count == 0) throw new FormatException($"tensor '{name}' needs 'name', 'role' and 'axes'");
        return new TensorData(name, role.Value, axes, when, classes, optional, tiedTo, always, stack, only, layout, aliases, joins);
    }

    private static Role ReadRole(string text) => Roles.TryParse(text, out Role role) ? role : throw new FormatException($"unknown role '{text}'");

    private static SizeExpression Size(JsonElement value) =>
        SizeExpression.Parse(value.ValueKind == JsonValueKind.Number ? value.GetRawText() : value.GetString()!);

    private static IReadOnlyList<string> Texts(JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? [value.GetString()!] : [.. value.EnumerateArray().Select(e => e.GetString()!)];
}
