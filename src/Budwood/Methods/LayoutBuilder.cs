using Budwood.Checkpoints;

namespace Budwood.Methods;

/// <summary>What a rule says about the shape of its output: whose tensors, which layers in which order.</summary>
public sealed class LayoutBuilder
{
    internal LayoutBuilder(IReadOnlyList<Checkpoint> models, int donor)
    {
        Models = models;
        Donor = donor;
    }

    /// <summary>The inputs, headers only.</summary>
    public IReadOnlyList<Checkpoint> Models { get; }

    /// <summary>Position of the model that gives configuration and tokenizer: the base, else the first.</summary>
    public int Donor { get; }

    internal IReadOnlyList<int>? Order { get; private set; }
    internal int Model { get; private set; } = -1;

    /// <summary>The output has the tensors of this model, each made of all inputs' tensors of that name.</summary>
    public void SameAs(int model) => Model = model;

    /// <summary>The output is this model with its layers in another order, repeated or left out; every tensor is copied byte for byte.</summary>
    public void Layers(int model, IReadOnlyList<int> order)
    {
        Model = model;
        Order = order;
    }
}
