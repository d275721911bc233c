using Budwood.Checkpoints;
using Budwood.Methods;
using Budwood.Numbers;

namespace Budwood.Engine;

/// <summary>What a configuration asks of the engine, free of the file that it came from.</summary>
public sealed record PlanRequest
{
    public required Rule Rule { get; init; }

    /// <summary>The models in the order of the configuration, each once.</summary>
    public required IReadOnlyList<Checkpoint> Models { get; init; }

    /// <summary>Position of base_model; null when none is named.</summary>
    public int? Base { get; init; }

    /// <summary>Runs of output layers, bottom up; one that covers everything for a plain merge.</summary>
    public required IReadOnlyList<Segment> Segments { get; init; }

    /// <summary>Parameters for the rule's layout and every slot.</summary>
    public required ISlotParameters Parameters { get; init; }

    /// <summary>The model that tokenizer files are taken from; the donor when null.</summary>
    public Checkpoint? Tokenizer { get; init; }

    /// <summary>Rows that embeddings and heads are cut to, where a tokenizer is asked for; null leaves them.</summary>
    public long? VocabularyRows { get; init; }

    /// <summary>The one chat template that is written; null leaves the tokenizer's files as they are.</summary>
    public string? ChatTemplate { get; init; }

    /// <summary>Opens a companion by the name that a parameter has for it; asked again for the same name, it gives the same one.</summary>
    public Func<string, Checkpoint>? OpenCompanion { get; init; }

    public Arithmetic Arithmetic { get; init; }
    public DType? DType { get; init; }
    public DType? OutDType { get; init; }

    /// <summary>Seed of the random streams.</summary>
    public long Seed { get; init; }

    /// <summary>Words of <c>--allow</c>.</summary>
    public IReadOnlySet<string> Allow { get; init; } = new HashSet<string>();

    /// <summary>Only tensors of the family's table, as a peer has it.</summary>
    public bool OnlyFamilyTensors => Arithmetic != Arithmetic.Ours;
}

/// <summary>A run of output layers: the models that it is made of, and the layers that each lends.</summary>
/// <param name="Base">The base within this run (position among the models); null when there is none.</param>
/// <param name="IsWhole">Written without ranges: every model lends all its layers.</param>
public sealed record Segment(IReadOnlyList<SegmentSource> Sources, int? Base, bool IsWhole);

/// <summary>One model of a run; layers From to To (exclusive).</summary>
public sealed record SegmentSource(int Model, int From, int To)
{
    public int Count => To - From;
}

/// <summary>Looks parameters up, level by level, as the configuration has them.</summary>
public interface ISlotParameters
{
    /// <summary>Parameters for the layout, where a rule has one of its own.</summary>
    object ForLayout();

    /// <summary>Parameters of one input of a slot.</summary>
    /// <param name="segment">Position of the run.</param>
    /// <param name="model">Position of the model.</param>
    /// <param name="input">Name of the input's tensor: per-model parameters are looked up by it.</param>
    /// <param name="output">Name of the output tensor: all others are looked up by it.</param>
    /// <param name="t">Position in the run's layers, 0 to 1.</param>
    /// <param name="reference">The input is a base that the formula takes for reference alone: per-model parameters have no effect on it.</param>
    object For(int segment, int model, string input, string output, double t, bool reference);
}
