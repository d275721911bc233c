using Budwood.Checkpoints;
using Budwood.Files;

namespace Budwood.Adapters;

/// <summary>One kind of adapter: which tensors a module has of it, and what they make of the module's weight.</summary>
public abstract class AdapterKind
{
    /// <summary>The kinds that are read.</summary>
    public static IReadOnlyList<AdapterKind> All { get; } = [new LoraKind()];

    /// <summary>The value of <c>peft_type</c>.</summary>
    public abstract string Name { get; }

    /// <summary>What a person should know of the method.</summary>
    public abstract string Summary { get; }

    /// <summary>The kind with that peft_type; null when it is not read.</summary>
    public static AdapterKind? Find(string name) => All.FirstOrDefault(k => k.Name == name);

    /// <summary>Whether a part of a key is one of this kind's tensors.</summary>
    internal abstract bool Owns(string part);

    /// <summary>Whether the module's tensors add nothing: an adapter before its training.</summary>
    internal abstract bool AddsNothing(AdapterSite site);

    /// <summary>The module's weight with the adapter in it.</summary>
    internal abstract TensorSource Weight(AdapterSite site, TensorSource weight);

    /// <summary>The module's bias with the adapter in it; null where the adapter leaves it alone.</summary>
    internal abstract TensorSource? Bias(AdapterSite site, TensorSource? bias);

    /// <summary>Bytes that stay in memory once the module was used.</summary>
    internal virtual long HeldBytes(AdapterSite site) => 0;

    /// <summary>Bytes of the module's tensors in memory while it is used.</summary>
    internal abstract long UsedBytes(AdapterSite site);
}

/// <summary>One tensor of an adapter's file: its key, the module that it belongs to, and its part there.</summary>
/// <param name="Key">As it stands in the file.</param>
/// <param name="Module">Path of the module, without prefix.</param>
/// <param name="Part">What follows the module, without the adapter's name; <c>weight</c> or <c>bias</c> for a tensor that is saved whole.</param>
/// <param name="IsWhole">It replaces a tensor of the model.</param>
internal sealed record AdapterTensor(string Key, string Module, string Part, WeightTensor Weight, bool IsWhole = false)
{
    /// <summary>Every value is zero.</summary>
    public bool IsZero { get; set; }
}

/// <summary>A module that an adapter acts on.</summary>
/// <param name="Module">Its path as the adapter has it.</param>
/// <param name="Tensor">The weight in the model.</param>
/// <param name="InputFirst">The weight is stored input by output where its shape does not tell.</param>
internal sealed record AdapterSite(string Module, CheckpointTensor Tensor, IReadOnlyDictionary<string, AdapterTensor> Parts, bool InputFirst, AdapterConfig Config, FactorShelf Shelf)
{
    public AdapterTensor? this[string part] => Parts.GetValueOrDefault(part);
}
