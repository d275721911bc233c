using System.Globalization;
using Budwood.Checkpoints;
using Budwood.Checkpoints.Audit;
using Budwood.Numbers;

namespace Budwood.Inspect;

/// <summary>The table that <c>budwood inspect</c> prints, for a model folder, an adapter folder or one weight file.</summary>
public static class Inspection
{
    private static readonly string[] s_headed = ["ForCausalLM", "LMHeadModel", "ForMaskedLM", "ForPreTraining", "ForConditionalGeneration"];

    // A few special tokens; with a template of usual length the file has a few kilobytes.
    private const long MostSettingsBytes = 16 << 20;

    /// <summary>Looks at what lies at a path: configuration and headers only.</summary>
    public static Table Of(string folder, InspectCheckpoint.Parameters p)
    {
        try
        {
            using Checkpoint checkpoint = Checkpoint.Open(folder);
            return Of(checkpoint, p);
        }
        catch (Fault fault) when (fault.Code == AdapterSummary.RefusesAsModel)
        {
            return OfAdapter(folder, p);
        }
    }

    /// <summary>The same for a checkpoint that is open already.</summary>
    public static Table Of(Checkpoint checkpoint, InspectCheckpoint.Parameters p)
    {
        IReadOnlyList<CheckpointTensor> all = TensorOrder.InOrder(checkpoint), shown = Filtered(all, p, checkpoint.Folder);
        Func<CheckpointTensor, object?> layer = LayerOf(checkpoint);
        Table table = Rows(shown, all, p.By, layer);
        Notes(checkpoint, all, table.Notes);
        if (p.Filter is { Length: > 0 } filter) table.Notes.Add(FilterNote(filter, shown, all));
        return table;
    }

    private static Table OfAdapter(string folder, InspectCheckpoint.Parameters p)
    {
        AdapterSummary summary = AdapterSummary.Read(folder);
        string[] weights = [.. SideFiles.Names(folder).Where(n => n.StartsWith("adapter_model", StringComparison.Ordinal))];
        string? safetensors = weights.FirstOrDefault(n => n.EndsWith(".safetensors", StringComparison.Ordinal));
        if (safetensors is null)
        {
            Table empty = Rows([], [], p.By, _ => null);
            empty.Notes.AddRange(summary.Lines());
            empty.Notes.Add($"weights: {Counts.Some(weights)} is a PyTorch file, whose tensors are not listed");
            return empty;
        }
        using Checkpoint checkpoint = Checkpoint.Open(Path.Join(folder, safetensors));
        IReadOnlyList<CheckpointTensor> all = TensorOrder.InOrder(checkpoint), shown = Filtered(all, p, folder);
        Table table = Rows(shown, all, p.By, t => t.Layer is { } l ? (long)l : null);
        table.Notes.AddRange(summary.Lines());
        long elements = all.Sum(t => t.Shape.Count);
        string size = Sizes.Show(checkpoint.Weights.TotalBytes);
        table.Notes.Add($"parameters: {Counts.Short(elements)} in {Counts.Of(all.Count, "tensor")}, {size}, {safetensors}");
        table.Notes.Add("dtypes: " + Mix(all));
        long[] ranks = [.. all.Where(t => t.Name.Contains("lora_A", StringComparison.Ordinal) && t.Shape.Rank == 2).Select(t => t.Shape[0]).Distinct().Order()];
        if (ranks.Length > 1) table.Notes.Add($"ranks in the file: {string.Join(", ", ranks)}");
        if (p.Filter is { Length: > 0 } filter) table.Notes.Add(FilterNote(filter, shown, all));
        return table;
    }

    private static IReadOnlyList<CheckpointTensor> Filtered(IReadOnlyList<CheckpointTensor> all, InspectCheckpoint.Parameters p, string where)
    {
        if (p.Filter is not { Length: > 0 } filter) return all;
        bool Has(string name) => name.Contains(filter, StringComparison.Ordinal);
        CheckpointTensor[] shown = [.. all.Where(t => Has(t.Name) || Has(t.Stored))];
        return shown.Length > 0 ? shown : throw new Fault("BW1501", ExitCode.Usage, "the filter matches no tensor", where, $"'{filter}'",
            Nearest.Hint(filter, all.SelectMany(t => t.Name.Split('.')).Distinct()) ?? "Give a part of a tensor's name.");
    }

    private static string FilterNote(string filter, IReadOnlyList<CheckpointTensor> shown, IReadOnlyList<CheckpointTensor> all) =>
        $"shown: {shown.Count} of {Counts.Of(all.Count, "tensor")} with '{filter}', {Counts.Short(shown.Sum(t => t.Shape.Count))} elements";

    private static Table Rows(IReadOnlyList<CheckpointTensor> shown, IReadOnlyList<CheckpointTensor> all, InspectBy by, Func<CheckpointTensor, object?> layer)
    {
        if (by == InspectBy.Tensor)
        {
            var table = new Table("tensors", new Column("name"), new Column("role"), new Column("layer", Numeric: true), new Column("dtype"),
                new Column("shape"), new Column("elements", Numeric: true), new Column("bytes", Numeric: true, "B"));
            foreach (CheckpointTensor t in shown) table.Add(t.Name, t.Role.Text(), layer(t), t.DType.Name(), t.Shape.ToString(), t.Shape.Count, TensorBytes.Count(t.Source));
            return table;
        }
        string title = by switch { InspectBy.Layer => "layers", InspectBy.Role => "roles", _ => "dtypes" };
        Func<CheckpointTensor, object?> key = by switch { InspectBy.Layer => layer, InspectBy.Role => t => t.Role, _ => t => t.DType };
        long elements = all.Sum(t => t.Shape.Count);
        Column[] first = by == InspectBy.Role ? [new Column("role"), new Column("group")] : [new Column(by == InspectBy.Layer ? "layer" : "dtype")];
        var sums = new Table(title, [.. first, new Column("tensors", Numeric: true), new Column("elements", Numeric: true),
            new Column("bytes", Numeric: true, "B"), new Column("share", Numeric: true, "% of elements"),
            .. by == InspectBy.Dtype ? [] : (Column[])[new Column("dtypes")]]);
        // What stands outside the layers comes last; groups otherwise in the order in which the model has them.
        foreach (IGrouping<object?, CheckpointTensor> group in shown.GroupBy(key).OrderBy(g => g.Key is null))
        {
            object?[] head = group.Key switch
            {
                Role role => [role.Text(), role.Group().Text()],
                DType type => [type.Name()],
                null => ["outside"],
                IFormattable number => [number.ToString(null, CultureInfo.InvariantCulture)],
                _ => [group.Key.ToString()],
            };
            long own = group.Sum(t => t.Shape.Count);
            object? share = elements == 0 ? 0d : 100d * own / elements;
            sums.Add([.. head, (long)group.Count(), own, group.Sum(t => TensorBytes.Count(t.Source)), share, .. by == InspectBy.Dtype ? [] : (object?[])[Names(group)]]);
        }
        return sums;
    }

    // With two stacks (T5) a number alone would name two layers.
    private static Func<CheckpointTensor, object?> LayerOf(Checkpoint checkpoint)
    {
        if (checkpoint.Family is { Stacks.Count: > 1 })
            return t => checkpoint.Model!.Place(t.Stored) is { } place ? $"{place.Stack} {place.Layer}" : t.Layer is { } l ? (long)l : null;
        // Scales and zero points of packed weights are in no family's table, and belong to a layer all the same.
        LayerNumbering? numbering = Budwood.Checkpoints.Layers.Infer(checkpoint.Weights.Tensors.Select(t => t.Name));
        return t => t.Layer is { } l ? (long)l : numbering?.Of(t.Stored) is { } guess ? (long)guess : null;
    }

    private static string Names(IEnumerable<CheckpointTensor> tensors) =>
        string.Join(", ", tensors.Select(t => t.DType.Name()).Distinct().Order(StringComparer.Ordinal));

    private static string Mix(IReadOnlyList<CheckpointTensor> tensors)
    {
        long bytes = tensors.Sum(t => TensorBytes.Count(t.Source));
        string[] types = [.. tensors.GroupBy(t => t.DType).OrderByDescending(g => g.Sum(t => TensorBytes.Count(t.Source))).ThenBy(g => g.Key)
            .Select(g => $"{g.Key.Name()} {Counts.Share(g.Sum(t => TensorBytes.Count(t.Source)), bytes)}")];
        return types.Length == 1 ? tensors[0].DType.Name() : string.Join(", ", types) + " of the bytes";
    }

    private static void Notes(Checkpoint checkpoint, IReadOnlyList<CheckpointTensor> all, List<string> notes)
    {
        ModelConfig? config = checkpoint.Config;
        IReadOnlyList<string> files = SideFiles.Names(checkpoint.Folder);
        notes.Add("family: " + FamilyText(checkpoint));
        if (checkpoint.Added is { } added)
        {
            notes.Add($"adapter: {added.Label}: {added.Summary}");
            notes.AddRange(added.Notes);
        }
        if (Dimensions(config) is { Length: > 0 } dimensions) notes.Add("dimensions: " + dimensions);

        CheckpointTensor[] buffers = [.. all.Where(t => IsBuffer(checkpoint, t))];
        // Stored twice is counted once; tables are no parameters.
        long parameters = all.Where(t => !IsBuffer(checkpoint, t) && !(checkpoint.TiedTo(t.Name) is { } to && checkpoint.TryGet(to, out _)))
            .Sum(t => t.Shape.Count);
        int shards = checkpoint.Weights.FileNames.Count;
        notes.Add($"parameters: {Counts.Short(parameters)}{(config?.Quantization is null ? "" : " elements as packed")} in {Counts.Of(all.Count, "tensor")}, "
            + $"{Sizes.Show(checkpoint.Weights.TotalBytes)}, {(shards == 1 ? checkpoint.Weights.FileNames[0] : $"{shards} shards")}");
        string mix = Mix(all);
        bool differs = config?.DType is { } stated && config.Quantization is null && all.All(t => t.DType != stated);
        notes.Add($"dtypes: {mix}{(differs ? $"; {config!.DTypeField} of config.json says {config.DTypeText}" : "")}");
        if (config?.Quantization is { } how) notes.Add($"quantised: {how} (quantization_config); merging needs the full-precision model");
        // Of a class without a head, only what is stored counts.
        bool headed = config?.Architectures.Any(c => s_headed.Any(h => c.EndsWith(h, StringComparison.Ordinal))) == true;
        foreach (ExpectedTensor t in checkpoint.Model?.Tensors.Where(t => t.TiedTo is not null && checkpoint.TryGet(t.TiedTo, out _)) ?? [])
        {
            bool stored = checkpoint.TryGet(t.Name, out _);
            if (stored || headed) notes.Add($"tied: {t.Name} is {t.TiedTo}{(stored ? ", and is stored beside it" : "")}");
        }
        if (buffers.Length > 0) notes.Add($"buffers: {Counts.Some([.. buffers.Select(t => t.Name)], 4)}");
        string[] outside = [.. all.Where(t => checkpoint.Model is not null && !t.InFamily && !IsBuffer(checkpoint, t)).Select(t => t.Name)];
        if (outside.Length > 0) notes.Add($"outside the family's table: {Counts.Some(outside, 4)}");
        if (config?.Quantization is null && parameters > 0)
        {
            notes.Add($"memory for the weights: {Sizes.Show(parameters * 4)} in float32, {Sizes.Show(parameters * 2)} in bfloat16, "
                + $"{Sizes.Show(parameters)} in 8 bits");
        }
        if (Text(checkpoint.Folder, files) is { } text) notes.Add(text);
        string[] code = [.. files.Where(f => f.EndsWith(".py", StringComparison.Ordinal))];
        string[] strays = [.. checkpoint.Weights.StrayFiles, .. files.Where(f => f == AdapterSummary.ConfigName), .. code];
        if (strays.Length > 0) notes.Add($"not part of the model: {Counts.Some(strays)}{(code.Length > 0 ? " (code is never run)" : "")}");
    }

    private static string FamilyText(Checkpoint checkpoint)
    {
        if (checkpoint.Config is not { } config) return "no config.json; tensors matched by name";
        string classes = config.Architectures.Count > 0 ? $" ({string.Join(", ", config.Architectures)})" : "";
        return checkpoint.Family is { } family ? family.Name + classes + Layers(checkpoint)
            : $"{config.ModelType ?? "model_type not stated"}{classes}, not in the tables, matched by name{Layers(checkpoint)}";
    }

    private static string Layers(Checkpoint checkpoint) => checkpoint.Family is { Stacks.Count: > 1 } family
        ? ", " + string.Join(" and ", family.Stacks.Select(s => $"{checkpoint.Model!.LayersOf[s.Name]} {s.Name}")) + " layers"
        : checkpoint.Layers > 0 ? $", {Counts.Of(checkpoint.Layers, "layer")}" : "";

    private static string Dimensions(ModelConfig? config)
    {
        if (config is null) return "";
        (string Field, string Word)[] fields =
        [
            ("hidden_size", "hidden"), ("n_embd", "hidden"), ("d_model", "hidden"), ("intermediate_size", "feed-forward"), ("d_ff", "feed-forward"),
            ("num_attention_heads", "heads"), ("n_head", "heads"), ("num_heads", "heads"), ("num_key_value_heads", "key-value heads"),
            ("head_dim", "head size"), ("num_local_experts", "experts"),
            ("vocab_size", "vocabulary"), ("max_position_embeddings", "context"), ("n_positions", "context"),
        ];
        return string.Join(", ", fields.Where(f => config.TryInt(f.Field, out _)).Select(f =>
        {
            config.TryInt(f.Field, out long n);
            return $"{f.Word} {n.ToString("#,0", CultureInfo.InvariantCulture)}";
        }));
    }

    private static string? Text(string folder, IReadOnlyList<string> files)
    {
        string[] tokenizers = [.. files.Where(f =>
            f is "tokenizer.json" or "tokenizer.model" or "spiece.model" or "vocab.json" or "vocab.txt" or "merges.txt")];
        if (tokenizers.Length == 0) return null;
        string? template = files.FirstOrDefault(f => f is "chat_template.jinja" or "chat_template.json")
            ?? files.FirstOrDefault(f => f == "tokenizer_config.json" && HasTemplate(folder, f));
        return $"tokenizer: {string.Join(", ", tokenizers)}{(template is null ? "" : $"; chat template in {template}")}";
    }

    private static bool HasTemplate(string folder, string name)
    {
        string path = Path.Join(folder, name);
        return new FileInfo(path).Length <= MostSettingsBytes && SideFiles.Bytes(path).Span.IndexOf("\"chat_template\""u8) >= 0;
    }

    /// <summary>Tables that networks compute for themselves: known by name, or whole numbers in a model that is not quantised.</summary>
    internal static bool IsBuffer(Checkpoint checkpoint, CheckpointTensor tensor) => !tensor.InFamily
        && (checkpoint.Model?.IsKnownBuffer(tensor.Stored) == true || (!tensor.DType.IsFloat() && checkpoint.Config?.Quantization is null));
}
