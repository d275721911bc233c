using System.Runtime.Intrinsics;
using Budwood.Methods;

namespace OwnMethod;

/// <summary>Moves the base a given share of the way to the mean of the other models.</summary>
/// <use>Trying how far a base may go before it loses what it knew.</use>
/// <notfor>Real work: `task_arithmetic` with one weight for all does the same.</notfor>
/// <cost>One pass over all inputs.</cost>
/// <differs>It is the example of a method of one's own: one file, found by the generator.</differs>
/// <formula>y = b + share * mean_i(x_i - b)</formula>
[Method("midpoint", Room.Merge)]
[Source("sample")]
public sealed partial class Midpoint : Rule<Midpoint.Parameters>
{
    /// <summary>Parameters of <c>midpoint</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>How far to go: 0 is the base, 1 the mean of the others.</summary>
        [Unit("share of the way"), Range(0, 1)]
        public double Share { get; init; } = 0.5;
    }

    public override Arity Arity { get; } = new(1, int.MaxValue, NeedsBase: true);

    protected override void Apply<Q>(in Block at, ReadOnlySpan<Parameters> p, in Operands x, Measured m, Span<float> y)
    {
        float each = (float)(p[0].Share / (x.Count - 1));
        for (int i = 0; i < y.Length; i += Operands.Step)
        {
            Vector256<float> value = x.Base(i);
            for (int k = 0; k < x.Count; k++)
                if (k != x.BaseIndex) value = Q.MultiplyAdd(x.Delta<Q>(k, i), Vector256.Create(each), value);
            Operands.Put(y, i, Q.Round(value));
        }
    }
}
