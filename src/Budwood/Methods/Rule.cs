using Budwood.Numbers;

namespace Budwood.Methods;

/// <summary>Whose arithmetic a rule runs in.</summary>
public enum Arithmetic
{
    /// <summary>Float32 throughout, one rounding at the end.</summary>
    Ours,
    /// <summary>mergekit 0.1.4: every operation rounds to the working type.</summary>
    Mergekit014,
    /// <summary>mergekit 0.1.5.</summary>
    Mergekit015,
}

/// <summary>How much of a tensor a rule has to see at once.</summary>
public enum Extent
{
    /// <summary>Any 4,096 elements.</summary>
    Block,
    /// <summary>A whole row along the last axis; a vector is one row.</summary>
    Row,
    /// <summary>The whole tensor; the plan counts its memory.</summary>
    Whole,
}

/// <summary>The type that a rule works in when its inputs are stored in several.</summary>
public enum Promotion
{
    /// <summary>The type that all inputs promote to, as torch stacks them.</summary>
    All,
    /// <summary>The type of the base's tensor.</summary>
    Base,
}

/// <summary>What a rule makes of inputs that disagree in the length of the vocabulary axis, when <c>common_rows</c> is allowed.</summary>
public enum RowMismatch
{
    /// <summary>It cannot; the merge is refused.</summary>
    Refuse,
    /// <summary>All inputs are cut to the block that all of them have.</summary>
    Common,
    /// <summary>Longer inputs are cut to the base's size; a shorter one is refused.</summary>
    CutToBase,
}

/// <summary>How many models a rule takes besides the base.</summary>
/// <param name="NeedsBase">A base model must be named.</param>
/// <param name="BaseCounts">The base is one more model of the formula; otherwise it is only what deltas are taken from.</param>
public sealed record Arity(int Minimum, int Maximum, bool NeedsBase = false, bool BaseCounts = false)
{
    public static Arity Any { get; } = new(1, int.MaxValue);
}

/// <summary>A method in weight space: streamed, any layout, no gradients. The runner owns memory, threads and files; a rule is mathematics.</summary>
public abstract class Rule : Method
{
    internal Rule()
    {
    }

    /// <summary>How many models the rule takes.</summary>
    public virtual Arity Arity => Arity.Any;

    /// <summary>The type it works in under a peer's arithmetic, and the type of the result when the file names none.</summary>
    public virtual Promotion Promotion(Arithmetic mode) => Methods.Promotion.All;

    /// <summary>What happens to embeddings with unequal numbers of rows.</summary>
    public virtual RowMismatch Rows => RowMismatch.Refuse;

    /// <summary>Scratch buffers of one extent that <see cref="Rule{P}.Apply"/> and <see cref="Rule{P}.View"/> want, for so many inputs.</summary>
    public virtual int Scratch(int inputs) => 0;

    /// <summary>How much of a tensor the rule sees at once.</summary>
    public virtual Extent Extent(Arithmetic mode) => Methods.Extent.Block;

    /// <summary>The type that every operation rounds to; null in our arithmetic.</summary>
    public virtual DType? Rounds(Arithmetic mode, DType working) => mode == Arithmetic.Ours ? null : working;

    /// <summary>Result type under a peer's arithmetic where it is not the working type (a peer that promotes by accident).</summary>
    public virtual DType Result(Arithmetic mode, DType working) => working;

    /// <summary>Whether an output equal to its base is what was asked for: by the card, or for so few models.</summary>
    public virtual bool MayCopy(int models) => Card.MayCopy;

    internal abstract Array NewParameters(int count);
    internal abstract void PlanAny(LayoutBuilder to, object parameters);
    internal abstract bool CopiesAny(object parameters);
    internal abstract string? CompanionAny(object parameters);
    internal abstract int DrawsAny(Slot at, object parameters);
    internal abstract Extent ExtentAny(Slot at, Array parameters);
    internal abstract void CheckAny(Slot at, Array parameters);
    internal abstract void MeasureAny(int round, Slot at, Array parameters, Measured m, Measures ask);
    internal abstract void ViewAny(DType? peer, int quantity, in Block at, Array parameters, in Operands x, Measured m, Span<float> v);
    internal abstract void ApplyAny(DType? peer, in Block at, Array parameters, in Operands x, Measured m, Span<float> y);
}

/// <summary>A rule with its parameters record.</summary>
/// <typeparam name="P">The record; one instance an input, with [PerModel] values looked up by the input's tensor name and the rest by the output's.</typeparam>
public abstract class Rule<P> : Rule where P : class, new()
{
    public override Ports Ports => Ports.Merge;

    /// <summary>Lays out the output: names, shapes, sources, config edits. By default the base's (or first model's) tensors.</summary>
    protected internal virtual void Plan(LayoutBuilder to, P p) => to.SameAs(to.Donor);

    /// <summary>Whether an only input comes out as it is: the plan then copies its bytes, whatever their type.</summary>
    protected internal virtual bool Copies(P p) => false;

    /// <summary>A checkpoint whose tensor of the same name goes into the formula beside the model's (<see cref="Operands.Companion"/>), or null.</summary>
    protected internal virtual string? Companion(P p) => null;

    /// <summary>How much of this tensor the rule sees at once, where that depends on the tensor or on parameters.</summary>
    protected internal virtual Extent Extent(Slot at, ReadOnlySpan<P> p) => Extent(at.Arithmetic);

    /// <summary>Uniform random numbers that an input wants for each element; lets the plan place the streams.</summary>
    protected internal virtual int Draws(Slot at, P p) => 0;

    /// <summary>Refuses parameters that the range of a single one cannot, and shapes that the rule has no meaning for.</summary>
    protected internal virtual void Check(Slot at, ReadOnlySpan<P> p)
    {
    }

    /// <summary>Asks for what has to be known of the whole tensor. Called with round 0, 1, ... until it asks for nothing; may set <see cref="Measured.Scalars"/>.</summary>
    protected internal virtual void Measure(int round, Slot at, ReadOnlySpan<P> p, Measured m, Measures ask)
    {
    }

    /// <summary>The values that a measure is taken of; by default quantity i is the delta of input i. All quantities of a block are asked for in ascending order, and scratch
    /// buffers stay as they are between them.</summary>
    protected internal virtual void View<Q>(int quantity, in Block at, ReadOnlySpan<P> p, in Operands x, Measured m, Span<float> v) where Q : struct, IRounding
    {
        for (int i = 0; i < v.Length; i += Operands.Step) Operands.Put(v, i, x.Delta<Q>(quantity, i));
    }

    /// <summary>The formula, on one extent. Spans are padded with zeros to a multiple of <see cref="Operands.Step"/>; padding is not stored.</summary>
    protected internal abstract void Apply<Q>(in Block at, ReadOnlySpan<P> p, in Operands x, Measured m, Span<float> y) where Q : struct, IRounding;

    internal sealed override Array NewParameters(int count) => new P[count];
    internal sealed override void PlanAny(LayoutBuilder to, object parameters) => Plan(to, (P)parameters);
    internal sealed override bool CopiesAny(object parameters) => Copies((P)parameters);
    internal sealed override string? CompanionAny(object parameters) => Companion((P)parameters);
    internal sealed override int DrawsAny(Slot at, object parameters) => Draws(at, (P)parameters);
    internal sealed override Extent ExtentAny(Slot at, Array parameters) => Extent(at, (P[])parameters);
    internal sealed override void CheckAny(Slot at, Array parameters) => Check(at, (P[])parameters);
    internal sealed override void MeasureAny(int round, Slot at, Array parameters, Measured m, Measures ask) => Measure(round, at, (P[])parameters, m, ask);

    internal sealed override void ViewAny(DType? peer, int quantity, in Block at, Array parameters, in Operands x, Measured m, Span<float> v)
    {
        var p = (P[])parameters;
        switch (peer)
        {
            case null: View<Plain>(quantity, at, p, x, m, v); break;
            case DType.BF16: View<PeerBF16>(quantity, at, p, x, m, v); break;
            case DType.F16: View<PeerF16>(quantity, at, p, x, m, v); break;
            default: View<PeerF32>(quantity, at, p, x, m, v); break;
        }
    }

    internal sealed override void ApplyAny(DType? peer, in Block at, Array parameters, in Operands x, Measured m, Span<float> y)
    {
        var p = (P[])parameters;
        switch (peer)
        {
            case null: Apply<Plain>(at, p, x, m, y); break;
            case DType.BF16: Apply<PeerBF16>(at, p, x, m, y); break;
            case DType.F16: Apply<PeerF16>(at, p, x, m, y); break;
            default: Apply<PeerF32>(at, p, x, m, y); break;
        }
    }
}
