using Budwood.Files;
using Budwood.Numbers;

namespace Budwood.Checkpoints;

/// <summary>A tensor of a checkpoint under the name that its family uses.</summary>
/// <param name="Name">Canonical name; the stored one where the family is not known.</param>
/// <param name="Layer">Number of the layer; null outside the layers.</param>
/// <param name="InFamily">The family's table lists it.</param>
public sealed record CheckpointTensor(string Name, WeightTensor Weight, Role Role, int? Layer, bool InFamily)
{
    /// <summary>Name in the files.</summary>
    public string Stored { get; init; } = Weight.Name;

    /// <summary>The values: those of the file, or those that an adapter makes of them.</summary>
    public TensorSource Source { get; init; } = new StoredTensor(Weight);
    public DType DType => Source.DType;
    public Shape Shape => Source.Shape;
}

/// <summary>What was added to a stored model: an adapter's folder, its weights, and what a person should know of it.</summary>
/// <param name="Label">The adapter as the configuration names it.</param>
/// <param name="Weights">Its file; the checkpoint closes it.</param>
public sealed record Addition(string Label, string Folder, WeightFiles Weights)
{
    /// <summary>Kind, rank and reach in a few words.</summary>
    public string Summary { get; init; } = "";

    /// <summary>Lines that are said before the work.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>It is untrained: no value of the model differs from the stored one.</summary>
    public bool ChangesNothing { get; init; }

    /// <summary>Its tensors that hold NaN or infinities, with their numbers.</summary>
    public IReadOnlyList<(string Tensor, long NaN, long Infinite)> NotFinite { get; init; } = [];

    /// <summary>Tokenizer files come from its folder, because it brings a vocabulary of its own.</summary>
    public bool HasTokenizer { get; init; }

    /// <summary>Bytes that stay in memory between the pieces of work.</summary>
    public long HeldBytes { get; init; }
}

/// <summary>A model folder: its configuration, its family, and its tensors, of which only the headers are read.</summary>
public sealed class Checkpoint : IDisposable
{
    private readonly Dictionary<string, CheckpointTensor> _byName;

    private Checkpoint(string label, string folder, ModelConfig? config, WeightFiles weights)
    {
        Label = label;
        Folder = folder;
        Weights = weights;
        Config = config;
        Family = config is null ? null : Family.For(config);
        Model = Family?.Describe(config!, weights.Tensors.Select(t => t.Name));
        Numbering = Model is null ? Budwood.Checkpoints.Layers.Infer(weights.Tensors.Select(t => t.Name)) : null;
        _byName = new(weights.Tensors.Count, StringComparer.Ordinal);
        foreach (WeightTensor weight in weights.Tensors)
        {
            CheckpointTensor tensor = Describe(weight);
            if (_byName.TryGetValue(tensor.Name, out CheckpointTensor? twin))
                throw CheckpointFaults.TwoNamesOfOneTensor(folder, tensor.Name, twin.Stored, tensor.Stored);
            _byName.Add(tensor.Name, tensor);
        }
    }

    private Checkpoint(Checkpoint stored, string label, ModelConfig? config, IEnumerable<CheckpointTensor> changed, Addition added)
    {
        Label = label;
        Folder = stored.Folder;
        Weights = stored.Weights;
        Config = config;
        Family = stored.Family;
        Model = Family?.Describe(config!, stored.Weights.Tensors.Select(t => t.Name));
        Numbering = stored.Numbering;
        _byName = new(stored._byName, StringComparer.Ordinal);
        foreach (CheckpointTensor tensor in changed) _byName[tensor.Name] = tensor;
        AsStored = stored;
        Added = added;
    }

    private Checkpoint(Checkpoint stored, IReadOnlyList<CheckpointTensor> tensors)
    {
        (Label, Folder, Weights, Config, Family, Added, AsStored) = (stored.Label, stored.Folder, stored.Weights, stored.Config, stored.Family, stored.Added, stored.AsStored);
        Model = Family?.Describe(Config!, tensors.Select(t => t.Stored));
        (TokenizerFolder, OwnChatTemplate) = (stored.TokenizerFolder, stored.OwnChatTemplate);
        _byName = tensors.ToDictionary(t => t.Name, StringComparer.Ordinal);
    }

    private Checkpoint(string label, Checkpoint donor, ModelConfig? config, IReadOnlyList<CheckpointTensor> tensors, IReadOnlyList<Checkpoint> madeFrom)
    {
        Label = label;
        Folder = donor.Folder;
        Weights = donor.Weights;
        Config = config;
        Family = config is null ? null : Family.For(config);
        Model = Family?.Describe(config!, tensors.Select(t => t.Name));
        Numbering = Model is null ? Budwood.Checkpoints.Layers.Infer(tensors.Select(t => t.Name)) : null;
        _byName = tensors.ToDictionary(t => t.Name, StringComparer.Ordinal);
        MadeFrom = madeFrom;
    }

    /// <summary>The model as the configuration or command line names it.</summary>
    public string Label { get; }

    /// <summary>The models that the step reads whose output this is; empty for a model that stands in files.</summary>
    public IReadOnlyList<Checkpoint> MadeFrom { get; } = [];

    /// <summary>The model without what was added to it; itself when nothing was.</summary>
    public Checkpoint AsStored => field ?? this;

    /// <summary>The adapter that the values include; null for a model as it is stored.</summary>
    public Addition? Added { get; }

    public string Folder { get; }

    /// <summary>The folder that its tokenizer files stand in: the adapter's, where that brings a vocabulary of its own.</summary>
    public string TokenizerFolder { get => field ?? (Added is { HasTokenizer: true } added ? added.Folder : Folder); private init; }

    /// <summary>The chat template of a step that is not written; null where the files of the tokenizer's folder tell.</summary>
    public string? OwnChatTemplate { get; private init; }

    /// <summary>The chat template that counts; null when there is none.</summary>
    public string? ChatTemplate => OwnChatTemplate ?? ChatTemplates.Of(TokenizerFolder).Select(t => t.Text).FirstOrDefault();

    /// <summary>config.json; null where the folder has none.</summary>
    public ModelConfig? Config { get; }

    /// <summary>The family by model_type or class name; null for a family that Budwood does not know.</summary>
    public Family? Family { get; }

    /// <summary>The family's table under this configuration.</summary>
    public FamilyModel? Model { get; }

    /// <summary>How layers are numbered where the family is not known, as far as names tell.</summary>
    public LayerNumbering? Numbering { get; }

    public WeightFiles Weights { get; }

    /// <summary>Number of layers: by the family's table, else as the names tell.</summary>
    public int Layers => Model?.Layers ?? Numbering?.Count ?? 0;

    public IEnumerable<CheckpointTensor> Tensors => _byName.Values;

    public bool TryGet(string name, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out CheckpointTensor? tensor) => _byName.TryGetValue(name, out tensor);

    /// <summary>The tensor whose values this one shares by the configuration; null when it stands alone.</summary>
    public string? TiedTo(string name) => Model is { } model && model.TryExpected(name, out ExpectedTensor? expected) ? expected.TiedTo : null;

    /// <summary>The same tensor in another layer; null for names outside the layers.</summary>
    public string? Renumbered(string name, int layer) => Model is not null ? Model.Renumbered(name, layer) : Numbering?.Of(name) is null ? null : Numbering.Renumbered(name, layer);

    /// <summary>Opens a folder: configuration and headers, no weights.</summary>
    public static Checkpoint Open(string folder, string? label = null)
    {
        WeightFiles weights = WeightFiles.Open(folder);
        try
        {
            string config = Path.Combine(folder, "config.json");
            return new Checkpoint(label ?? folder, folder, File.Exists(config) ? ModelConfig.Read(config) : null, weights);
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <summary>The output of a step that is not written: its tensors are computed when they are read. Tokenizer and other files are the donor's.</summary>
    /// <param name="tokenizer">The model that the tokenizer files are from; the donor when null.</param>
    /// <param name="chatTemplate">The template that the step sets; null where it leaves the tokenizer's.</param>
    public static Checkpoint Unwritten(string label, Checkpoint donor, ModelConfig? config, IReadOnlyList<CheckpointTensor> tensors,
        IReadOnlyList<Checkpoint> madeFrom, Checkpoint? tokenizer = null, string? chatTemplate = null) =>
        new(label, donor, config, tensors, madeFrom)
        {
            TokenizerFolder = (tokenizer ?? donor).TokenizerFolder,
            OwnChatTemplate = chatTemplate ?? (tokenizer ?? donor).OwnChatTemplate,
        };

    /// <summary>The same files read under another model's configuration, for a folder that has none; closing either closes them.</summary>
    public Checkpoint Under(ModelConfig? config) => new(Label, Folder, config, Weights);

    /// <summary>The model with some tensors changed or new; it closes the files of both.</summary>
    /// <param name="label">The sum as the configuration names it.</param>
    public Checkpoint With(string label, ModelConfig? config, IEnumerable<CheckpointTensor> changed, Addition added) => new(this, label, config, changed, added);

    /// <summary>The same values under other names, as another layout of the family has them; closing either closes the files.</summary>
    public Checkpoint InLayout(IReadOnlyList<CheckpointTensor> tensors) => new(this, tensors);

    private CheckpointTensor Describe(WeightTensor weight)
    {
        string name = weight.Name;
        if (Model?.Canonical(name) is { } canonical) return new(canonical, weight, Model.RoleOf(name), Model.LayerOf(name), InFamily: true);
        int? layer = Model is not null ? null : Numbering?.Of(name);
        return new(name, weight, Roles.Guess(name), layer, InFamily: false);
    }

    /// <summary>Closes the files of a model that has some.</summary>
    public void Dispose()
    {
        Weights.Dispose();
        Added?.Weights.Dispose();
    }
}
