using Budwood.Checkpoints;
using Budwood.Methods;
using Budwood.Numbers;
using Budwood.Numbers.Random;

namespace Budwood.Engine;

/// <summary>A slot with everything that its passes need: parameters, types on the way in, random streams, what the receipt compares with.</summary>
public sealed class PlannedSlot
{
    public required Slot Slot { get; init; }

    /// <summary>The tensor's name in the family's table; the slot has the name that is written.</summary>
    public required string Canonical { get; init; }

    /// <summary>One parameters record an input.</summary>
    public required Array Parameters { get; init; }

    /// <summary>The type that every operation rounds to; null in our arithmetic.</summary>
    public DType? Rounds { get; init; }

    /// <summary>Types that each input's values are rounded to when loaded, in order, as a peer converts; empty in our arithmetic.</summary>
    public IReadOnlyList<IReadOnlyList<DType>> Loads { get; init; } = [];

    /// <summary>The tensor of the base (or donor) that the receipt compares with; null when the output adds this tensor.</summary>
    public TensorSource? Reference { get; init; }

    /// <summary>The reference as a tensor of the base's files.</summary>
    public CheckpointTensor? ReferenceTensor { get; init; }

    /// <summary>Random numbers of each input, for rules that draw.</summary>
    public IReadOnlyList<Draws?> Draws { get; init; } = [];

    /// <summary>The input whose values pass as they are, where the rule has nothing to combine; -1 where the formula runs.</summary>
    public int Passes { get; init; } = -1;

    /// <summary>The type that a peer's result has before it is stored in another, where that is narrower than float32.</summary>
    public DType? Result { get; init; }

    internal PlannedSlot With(IReadOnlyList<Draws?> draws) => new()
    {
        Slot = Slot,
        Canonical = Canonical,
        Parameters = Parameters,
        Rounds = Rounds,
        Loads = Loads,
        Reference = Reference,
        ReferenceTensor = ReferenceTensor,
        Passes = Passes,
        Result = Result,
        Draws = draws,
    };

    /// <summary>Bytes that one pass over the inputs reads.</summary>
    public long ReadBytes => Slot.Reads.Sum(i => i.Source.DType.Bytes(i.Source.Shape.Count));
}

/// <summary>A place in a random stream.</summary>
public abstract record Draws
{
    /// <summary>Uniform numbers of elements <paramref name="start"/> and following of the tensor.</summary>
    public abstract void Fill(long start, Span<float> into);

    /// <summary>A stream of its own for each (tensor, model).</summary>
    public sealed record Keyed(Philox Stream) : Draws
    {
        public override void Fill(long start, Span<float> into) => Stream.Uniform(start, into);
    }

    /// <summary>A stretch of the one sequence that a peer draws from.</summary>
    public sealed record Taped(MersenneTape Tape, long Offset) : Draws
    {
        public override void Fill(long start, Span<float> into) => Tape.Uniform(Offset + start, into);
    }
}
