using Budwood.Methods;

namespace Budwood.Grow;

/// <summary>Depth-wise stacking (G_stack): repeats the whole run of layers, so that a shallow model becomes a deep one of factor times as many layers.</summary>
/// <use>Starting the pre-training of a deep model from a trained shallow one; the paper's guideline is a factor of 2 to 4.</use>
/// <notfor>Use without further training: the grown model is not the same function as the shallow one.</notfor>
/// <cost>Copies bytes, no arithmetic: reads once, writes factor times the layers.</cost>
/// <differs>The authors' code converts a private layout; here any family with indexed layers, and per-layer lists of the configuration follow their layer.</differs>
/// <formula>block_i = base block_{i mod l} for i = 0 .. factor l - 1; embeddings, final norm and head unchanged</formula>
[Method("stack", Room.Grow, MayCopy = true, Verb = "stack")]
[Paper("gstack", "G_stack, depth operator 1")]
public sealed partial class Stack : Rule<Stack.Parameters>
{
    /// <summary>Parameters of <c>stack</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>How many times the layers are repeated.</summary>
        [Unit("times"), Range(1, 1024)]
        public long Factor { get; init; } = 4;
    }

    public override Ports Ports => Ports.Reshape;
    public override Arity Arity { get; } = new(1, 1, BaseCounts: true);

    protected internal override void Plan(LayoutBuilder to, Parameters p)
    {
        int layers = to.Models[to.Donor].Layers;
        to.Layers(to.Donor, [.. Enumerable.Range(0, checked((int)p.Factor * layers)).Select(i => i % layers)]);
    }

    protected internal override void Apply<Q>(in Block at, ReadOnlySpan<Parameters> p, in Operands x, Measured m, Span<float> y) => x[0].CopyTo(y);
}
