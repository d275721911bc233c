using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Budwood.Methods;
using Budwood.Numbers;

namespace Budwood.Merge;

/// <summary>Parameters that all task-vector methods have.</summary>
public record TaskVectorParameters
{
    /// <summary>Weight of the model's task vector.</summary>
    [PerModel, Required, Unit("1"), Range(double.NegativeInfinity, double.PositiveInfinity)]
    public double Weight { get; init; }

    /// <summary>Divide the sum of the weighted task vectors by the sum of the weights.</summary>
    public bool Normalize { get; init; }

    /// <summary>Scale of the summed task vectors before they are added to the base.</summary>
    [Unit("1"), Range(double.NegativeInfinity, double.PositiveInfinity)]
    public double Lambda { get; init; } = 1;
}

/// <summary>Parameters of the task-vector methods that drop a part of each task vector.</summary>
public record SparseParameters : TaskVectorParameters
{
    /// <summary>Share of the elements of the task vector that stay; 1 keeps all of them.</summary>
    [PerModel, Unit("share of elements"), Range(0, double.PositiveInfinity)]
    public double Density { get; init; } = 1;

    /// <summary>How what stays is scaled up for what was dropped; true is l1, false is none.</summary>
    public Rescale Rescale { get; init; }
}

/// <summary>How what stays of a task vector is scaled up for what was dropped.</summary>
public enum Rescale
{
    /// <summary>Not at all.</summary>
    None,
    /// <summary>So that the sum of the magnitudes is what it was.</summary>
    L1,
    /// <summary>So that the Euclidean norm is what it was.</summary>
    L2,
    /// <summary>So that the largest magnitude is what it was.</summary>
    Linf,
    /// <summary>By one over the share that stays; of a random drop every element is then expected to be what it was.</summary>
    Inverse,
    /// <summary>The peer's word for none.</summary>
    False = None,
    /// <summary>The peer's word for l1.</summary>
    True = L1,
}

/// <summary>Task arithmetic in general: weighted deltas, some of their elements dropped, signs elected, summed, added to the base.</summary>
/// <remarks>The methods are presets of this body: which elements are dropped, and whether signs are elected.
/// Quantity i of a measure is the delta of input i; quantity N + i is what stays of it, N being the number of inputs.</remarks>
public abstract class TaskVectors<P> : Rule<P> where P : TaskVectorParameters, new()
{
    public override Arity Arity { get; } = new(1, int.MaxValue, NeedsBase: true);
    public override RowMismatch Rows => RowMismatch.CutToBase;
    public override Promotion Promotion(Arithmetic mode) => mode == Arithmetic.Mergekit015 ? Methods.Promotion.All : Methods.Promotion.Base;
    public override int Scratch(int inputs) => inputs;

    /// <summary>Elect the sign of each element by the weighted deltas and drop what disagrees.</summary>
    protected abstract bool Elects { get; }

    /// <summary>Whether some elements of this input's delta are dropped.</summary>
    protected virtual bool Drops(P p) => false;

    /// <summary>Which elements stay depends on the whole tensor: the selection is known only after a round.</summary>
    protected virtual bool Selects(P p) => false;

    /// <summary>Asks for what the selection needs to know of the whole tensor.</summary>
    protected virtual void AskSelection(Slot at, int input, P p, Measures ask)
    {
    }

    /// <summary>Writes what stays of a delta, its dropped elements as zeros.</summary>
    protected virtual void Keep<Q>(int input, in Block at, P p, in Operands x, Measured m, Span<float> delta) where Q : struct, IRounding => Delta<Q>(x, input, delta);

    /// <summary>Writes a delta.</summary>
    protected static void Delta<Q>(in Operands x, int input, Span<float> delta) where Q : struct, IRounding
    {
        ref float from = ref MemoryMarshal.GetReference(x[input]), origin = ref MemoryMarshal.GetReference(x[x.BaseIndex]), to = ref MemoryMarshal.GetReference(delta);
        for (int i = 0; i < delta.Length; i += Operands.Step)
            Q.Round(Vector256.LoadUnsafe(ref from, (nuint)i) - Vector256.LoadUnsafe(ref origin, (nuint)i)).StoreUnsafe(ref to, (nuint)i);
    }

    /// <summary>How what stays is scaled.</summary>
    protected virtual Rescale RescaleOf(P p, Arithmetic mode) => Rescale.None;

    /// <summary>The share of the elements that stays, which <see cref="Rescale.Inverse"/> divides by.</summary>
    protected virtual double Share(P p) => 1;

    /// <summary>The type that the peer keeps the norms of the scaling in.</summary>
    protected virtual DType Norms(DType working) => working;

    protected internal override void Measure(int round, Slot at, ReadOnlySpan<P> p, Measured m, Measures ask)
    {
        int n = at.Inputs.Count, last = 1;
        for (int i = 0; i < n; i++) if (i != at.Base && Drops(p[i]) && Selects(p[i])) last = 2;
        for (int i = 0; i < n; i++)
        {
            if (i == at.Base || !Drops(p[i])) continue;
            if (round == 0) AskSelection(at, i, p[i], ask);
            Rescale how = RescaleOf(p[i], at.Arithmetic);
            if (how is Rescale.None or Rescale.Inverse) continue;
            if (round == 0) Ask(how, i, ask);
            if (round == (Selects(p[i]) ? 1 : 0))
            {
                Ask(how, n + i, ask);
                if (!Selects(p[i])) ask.Remember(n + i);
            }
            if (round == last) m.Scalars.Add(Scale(at, Norm(how, m, i), Norm(how, m, n + i)));
        }
    }

    private static void Ask(Rescale how, int quantity, Measures ask) => _ = how switch
    {
        Rescale.L1 => ask.L1(quantity),
        Rescale.L2 => ask.Squares(quantity),
        _ => ask.Largest(quantity),
    };

    private static double Norm(Rescale how, Measured m, int quantity) => how switch
    {
        Rescale.L1 => m.L1(quantity),
        Rescale.L2 => Math.Sqrt(m.Squares(quantity)),
        _ => m.Largest(quantity),
    };

    // The peer's norms are rounded to its type; where float16 overflows, they stay in float32 instead of turning everything into NaN.
    private double Scale(Slot at, double before, double after)
    {
        DType type = at.Arithmetic == Arithmetic.Ours ? DType.F32 : Norms(at.Working);
        (float a, float b) = ((float)before, (float)after);
        (float qa, float qb) = (Narrow(type, a), Narrow(type, b));
        if (float.IsFinite(qa) && float.IsFinite(qb)) (a, b) = (qa, qb);
        if (a < 1e-7f || b < 1e-7f) return 1;
        return at.Arithmetic == Arithmetic.Ours ? before / after : Narrow(type, a / b);
    }

    private float Factor(Slot at, P p, Measured m, ref int scaled) => RescaleOf(p, at.Arithmetic) switch
    {
        Rescale.None => 1,
        Rescale.Inverse => Share(p) > 0 ? (float)(1 / Share(p)) : 1,
        _ => (float)m.Scalars[scaled++],
    };

    private static float Narrow(DType type, float v) => type switch { DType.BF16 => Rounding.ToBF16(v), DType.F16 => Rounding.ToF16(v), _ => v };

    protected internal override void View<Q>(int quantity, in Block at, ReadOnlySpan<P> p, in Operands x, Measured m, Span<float> v)
    {
        int input = quantity % x.Count;
        if (quantity >= x.Count) Keep<Q>(input, at, p[input], x, m, v);
        else Delta<Q>(x, input, v);
    }

    protected internal override void Apply<Q>(in Block at, ReadOnlySpan<P> p, in Operands x, Measured m, Span<float> y)
    {
        int n = x.Count, scaled = 0, count = 0;
        Span<int> voters = stackalloc int[n];
        Span<float> w = stackalloc float[n], factor = stackalloc float[n];
        bool drops = false;
        for (int k = 0; k < n; k++)
        {
            if (k == x.BaseIndex) continue;
            voters[count++] = k;
            drops |= Drops(p[k]);
        }
        voters = voters[..count];
        foreach (int k in voters)
        {
            w[k] = Q.Round((float)p[k].Weight);
            factor[k] = Drops(p[k]) ? Factor(at.Slot, p[k], m, ref scaled) : 1;
            // Two whole task vectors need no buffers on the way.
            if (drops || count != 2) View<Q>(Drops(p[k]) ? n + k : k, at, p, x, m, x.Scratch(k));
        }
        if (count == 2) SumOfTwo<Q>(x, voters[0], voters[1], w, factor, drops, p[0].Normalize, (float)p[0].Lambda, y);
        else Sum<Q>(x, voters, w, factor, p[0].Normalize, (float)p[0].Lambda, y);
    }

    // The vote is on the weighted deltas: a negative weight turns the vote of its model. A sum of zero elects plus; zeros never agree.
    private void Sum<Q>(in Operands x, ReadOnlySpan<int> voters, ReadOnlySpan<float> w, ReadOnlySpan<float> factor, bool normalize, float lambda, Span<float> y) where Q : struct, IRounding
    {
        float total = 0;
        foreach (int k in voters)
        {
            total += w[k];
            Span<float> d = x.Scratch(k);
            bool rescales = factor[k] != 1;
            Vector256<float> scale = Vector256.Create(factor[k]), weight = Vector256.Create(w[k]);
            for (int i = 0; i < d.Length; i += Operands.Step)
            {
                Vector256<float> v = Operands.Get(d, i);
                if (rescales) v = Q.Round(v * scale);
                Operands.Put(d, i, Q.Round(v * weight));
            }
        }
        bool elects = Elects;
        Vector256<float> zero = Vector256<float>.Zero, divisor = Divisor<Q>(total), by = Vector256.Create(lambda);
        for (int i = 0; i < y.Length; i += Operands.Step)
        {
            Vector256<float> sum = zero;
            foreach (int k in voters) sum += x.Scratch(k, i);
            sum = Q.Round(sum);
            if (elects)
            {
                Vector256<float> plus = Vector256.GreaterThanOrEqual(sum, zero), weights = zero;
                sum = zero;
                foreach (int k in voters) Count(x.Scratch(k, i), w[k], plus, ref sum, ref weights);
                sum = Mean<Q>(sum, weights, normalize);
            }
            else if (normalize) sum = Q.Round(sum / divisor);
            Operands.Put(y, i, Q.Round(x.Base(i) + Scaled<Q>(sum, by)));
        }
    }

    // What most merges are: all of it in registers, from the task vectors (or, where nothing is dropped, from the inputs) to the result.
    private void SumOfTwo<Q>(in Operands x, int first, int second, ReadOnlySpan<float> w, ReadOnlySpan<float> factor, bool dropped, bool normalize, float lambda, Span<float> y)
        where Q : struct, IRounding
    {
        ref float a = ref MemoryMarshal.GetReference(dropped ? x.Scratch(first) : x[first]), b = ref MemoryMarshal.GetReference(dropped ? x.Scratch(second) : x[second]);
        ref float origin = ref MemoryMarshal.GetReference(x[x.BaseIndex]), to = ref MemoryMarshal.GetReference(y);
        float w0 = w[first], w1 = w[second];
        bool elects = Elects, rescales = factor[first] != 1 || factor[second] != 1;
        Vector256<float> f0 = Vector256.Create(factor[first]), f1 = Vector256.Create(factor[second]), by0 = Vector256.Create(w0), by1 = Vector256.Create(w1);
        Vector256<float> zero = Vector256<float>.Zero, divisor = Divisor<Q>(w0 + w1), by = Vector256.Create(lambda);
        for (int i = 0; i < y.Length; i += Operands.Step)
        {
            Vector256<float> o = Vector256.LoadUnsafe(ref origin, (nuint)i), u = Vector256.LoadUnsafe(ref a, (nuint)i), v = Vector256.LoadUnsafe(ref b, (nuint)i);
            if (!dropped) (u, v) = (Q.Round(u - o), Q.Round(v - o));
            else if (rescales) (u, v) = (Q.Round(u * f0), Q.Round(v * f1));
            (u, v) = (Q.Round(u * by0), Q.Round(v * by1));
            Vector256<float> sum = Q.Round(zero + u + v);
            if (elects)
            {
                Vector256<float> plus = Vector256.GreaterThanOrEqual(sum, zero), weights = zero;
                sum = zero;
                Count(u, w0, plus, ref sum, ref weights);
                Count(v, w1, plus, ref sum, ref weights);
                sum = Mean<Q>(sum, weights, normalize);
            }
            else if (normalize) sum = Q.Round(sum / divisor);
            Q.Round(o + Scaled<Q>(sum, by)).StoreUnsafe(ref to, (nuint)i);
        }
    }

    private static Vector256<float> Divisor<Q>(float total) where Q : struct, IRounding
    {
        total = Q.Round(total);
        return Vector256.Create(Math.Abs(total) < 1e-8f ? 1 : total);
    }

    // By lambda; by one it changes no bit.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Scaled<Q>(Vector256<float> sum, Vector256<float> lambda) where Q : struct, IRounding => Q.Round(sum * lambda);

    // Adds a value and its weight where it has the elected sign.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Count(Vector256<float> v, float weight, Vector256<float> plus, ref Vector256<float> sum, ref Vector256<float> weights)
    {
        Vector256<float> agrees = Signs.Agree(v, plus);
        sum += v & agrees;
        weights += Vector256.Create(weight) & agrees;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Mean<Q>(Vector256<float> sum, Vector256<float> weights, bool normalize) where Q : struct, IRounding
    {
        sum = Q.Round(sum);
        if (!normalize) return sum;
        weights = Q.Round(weights);
        weights = Vector256.ConditionalSelect(Vector256.Equals(weights, Vector256<float>.Zero), Vector256<float>.One, weights);
        return Q.Round(sum / weights);
    }
}
