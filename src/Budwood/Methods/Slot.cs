using Budwood.Checkpoints;
using Budwood.Numbers;

namespace Budwood.Methods;

/// <summary>One tensor of the output: its name and shape, where it comes from, and the types on the way.</summary>
public sealed class Slot
{
    public required string Name { get; init; }
    public required Shape Shape { get; init; }
    public required Role Role { get; init; }

    /// <summary>Layer of the output that the tensor belongs to; null outside the layers.</summary>
    public int? Layer { get; init; }

    /// <summary>The inputs that have this tensor, in the order of the configuration.</summary>
    public required IReadOnlyList<SlotInput> Inputs { get; init; }

    /// <summary>Position of the base among <see cref="Inputs"/>; -1 when there is none.</summary>
    public int Base { get; init; } = -1;

    /// <summary>Whose arithmetic applies.</summary>
    public Arithmetic Arithmetic { get; init; }

    /// <summary>The type that formulas work in under a peer's arithmetic.</summary>
    public DType Working { get; init; }

    /// <summary>The type that is written.</summary>
    public DType Stored { get; init; }

    /// <summary>The bytes are copied: the type stays and no arithmetic runs.</summary>
    public bool IsCopy { get; init; }

    /// <summary>Number of inputs that are not the base.</summary>
    public int Others => Inputs.Count - (Base >= 0 ? 1 : 0);

    /// <summary>Every tensor that is read: the inputs, then their companions.</summary>
    internal IReadOnlyList<SlotInput> Reads => field ??= [.. Inputs, .. Inputs.Select(i => i.Companion).OfType<SlotInput>()];

    public override string ToString() => $"{Name} {Shape}";
}

/// <summary>One input of a slot.</summary>
/// <param name="Model">Position of the model in the configuration.</param>
/// <param name="Label">The model as the configuration names it.</param>
/// <param name="Name">Canonical name of the tensor in that model.</param>
/// <param name="Stored">Name in that model's files.</param>
/// <param name="Source">The values.</param>
public sealed record SlotInput(int Model, string Label, string Name, string Stored, TensorSource Source)
{
    /// <summary>The tensor that goes into the formula beside this one, for rules that take such; label and names are its own.</summary>
    public SlotInput? Companion { get; init; }
}

/// <summary>A run of elements of one tensor: at most 4,096, one row, or all, by the rule's <see cref="Extent"/>.</summary>
/// <param name="Slot">The tensor.</param>
/// <param name="Start">Flat index of the first element.</param>
/// <param name="Count">Number of elements.</param>
public readonly record struct Block(Slot Slot, long Start, int Count);
