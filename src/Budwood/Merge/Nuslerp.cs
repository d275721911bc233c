using System.Buffers;
using System.Runtime.Intrinsics;
using Budwood.Methods;
using Budwood.Numbers;
using Budwood.Numbers.Kernels;

namespace Budwood.Merge;

/// <summary>Spherical interpolation of two models, or of their task vectors when a base is named, with a weight for each.</summary>
/// <use>SLERP for two fine-tunes on an equal footing: with a base it turns one task vector into the other and keeps its length; by rows it treats every output feature by itself.</use>
/// <notfor>More than two models (multislerp, karcher), or task vectors that nearly cancel: between opposite directions there is no shortest arc.</notfor>
/// <cost>Flat: reads the inputs twice (inner products, blend). By rows: once, a row in memory. By columns: once, the whole tensor in memory.</cost>
/// <differs>The angle comes from float64 inner products of the values, not from rounded unit vectors. Where the squared sine is below 1e-12 the vectors are interpolated in a line,
/// opposite ones too, where mergekit 0.1.4 divides by what is left of the sine. A zero vector counts as orthogonal to the other, as in mergekit.</differs>
/// <formula>t = w_1/(w_0 + w_1) (0.5 if the sum is below 1e-6); y = sin((1-t) a)/sin(a) v_0 + sin(t a)/sin(a) v_1, plus the base when v are deltas; v_0, v_1 are the two models or their deltas, a is the angle between them</formula>
[Method("nuslerp", Room.Merge)]
[Source("mergekit", Where = "merge_method: nuslerp")]
[Inert("int8_mask", "normalize", "rescale", "lambda", "density", "t")]
public sealed partial class Nuslerp : Rule<Nuslerp.Parameters>
{
    /// <summary>Parameters of <c>nuslerp</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>Weight of the model; only the ratio of the two counts.</summary>
        [PerModel, Required, Unit("1"), Range(double.NegativeInfinity, double.PositiveInfinity)]
        public double Weight { get; init; }

        /// <summary>Take the whole tensor as one vector; otherwise one vector a row.</summary>
        public bool NuslerpFlatten { get; init; } = true;

        /// <summary>Without flattening: vectors along the first axis (the columns of a matrix, whatever the name says) instead of the last.</summary>
        public bool NuslerpRowWise { get; init; }
    }

    private const double Straight = 1e-12, Zero = 1e-7;
    private const int Strip = 16; // columns gathered at once: a cache line of each row

    public override Arity Arity { get; } = new(2, 2);
    public override RowMismatch Rows => RowMismatch.Common;
    public override int Scratch(int inputs) => 3;

    protected internal override Extent Extent(Slot at, ReadOnlySpan<Parameters> p) => p[0].NuslerpFlatten ? Methods.Extent.Block : ByColumns(at, p[0]) ? Methods.Extent.Whole : Methods.Extent.Row;

    private static bool ByColumns(Slot at, Parameters p) => !p.NuslerpFlatten && p.NuslerpRowWise && at.Shape.Rank > 1;

    private static (int First, int Second) Pair(int atBase) => atBase switch { 0 => (1, 2), 1 => (0, 2), _ => (0, 1) };

    private static double Way(ReadOnlySpan<Parameters> p, int first, int second)
    {
        double sum = p[first].Weight + p[second].Weight;
        return Math.Abs(sum) < 1e-6 ? 0.5 : p[second].Weight / sum;
    }

    protected internal override void Measure(int round, Slot at, ReadOnlySpan<Parameters> p, Measured m, Measures ask)
    {
        if (at.Inputs.Count == 1 || !p[0].NuslerpFlatten) return;
        if (round == 0) ask.Gram(at.Base < 0 ? Of.Values : Of.Deltas);
        if (round == 1 && at.Arithmetic != Arithmetic.Ours) ask.Sum(0); // the peer's cosine: products of rounded unit vectors, rounded
    }

    protected internal override void View<Q>(int quantity, in Block at, ReadOnlySpan<Parameters> p, in Operands x, Measured m, Span<float> v)
    {
        (int first, int second) = Pair(x.BaseIndex);
        Products<Q>(Vector<Q>(x, first, 0), Vector<Q>(x, second, 1), m.Gram(first, first), m.Gram(second, second), v);
    }

    // An input, or its delta in a scratch buffer when there is a base.
    private static ReadOnlySpan<float> Vector<Q>(in Operands x, int input, int scratch) where Q : struct, IRounding
    {
        if (x.BaseIndex < 0) return x[input];
        Span<float> d = x.Scratch(scratch);
        for (int i = 0; i < d.Length; i += Operands.Step) Operands.Put(d, i, x.Delta<Q>(input, i));
        return d;
    }

    private static void Products<Q>(ReadOnlySpan<float> v0, ReadOnlySpan<float> v1, double square0, double square1, Span<float> products) where Q : struct, IRounding
    {
        Vector256<float> n0 = Vector256.Create(Norm<Q>(square0)), n1 = Vector256.Create(Norm<Q>(square1));
        for (int i = 0; i < products.Length; i += Operands.Step)
            Operands.Put(products, i, Q.Round(Q.Round(Operands.Get(v0, i) / n0) * Q.Round(Operands.Get(v1, i) / n1)));
    }

    private static float Norm<Q>(double square) where Q : struct, IRounding => Math.Max(Q.Round((float)Math.Sqrt(square)), Q.Round((float)Zero));

    private static double Cosine(double dot, double square0, double square1) => dot / (Math.Max(Math.Sqrt(square0), Zero) * Math.Max(Math.Sqrt(square1), Zero));

    protected internal override void Apply<Q>(in Block at, ReadOnlySpan<Parameters> p, in Operands x, Measured m, Span<float> y)
    {
        if (x.Count == 1)
        {
            x[0].CopyTo(y);
            return;
        }
        (int first, int second) = Pair(x.BaseIndex);
        double t = Way(p, first, second);
        if (p[0].NuslerpFlatten)
        {
            double cosine = Q.FollowsPeer ? m.Sum(0) : Cosine(m.Gram(first, second), m.Gram(first, first), m.Gram(second, second));
            Combine<Q>(Shares.Of<Q>(cosine, t, at.Slot.Arithmetic), x[first], x[second], x.BaseIndex < 0 ? default : x[x.BaseIndex], y);
            return;
        }
        ReadOnlySpan<float> v0 = Vector<Q>(x, first, 0), v1 = Vector<Q>(x, second, 1);
        if (ByColumns(at.Slot, p[0])) Columns<Q>(at, t, v0, v1, y);
        else Turn<Q>(at, t, v0, v1, x.Scratch(2), y);
        if (x.BaseIndex < 0) return;
        for (int i = 0; i < y.Length; i += Operands.Step) Operands.Put(y, i, Q.Round(x.Base(i) + Operands.Get(y, i)));
    }

    // One vector each, all of it here.
    private static void Turn<Q>(in Block at, double t, ReadOnlySpan<float> v0, ReadOnlySpan<float> v1, Span<float> products, Span<float> y) where Q : struct, IRounding
    {
        double square0 = Reductions.Dot(v0, v0), square1 = Reductions.Dot(v1, v1), cosine;
        if (Q.FollowsPeer)
        {
            Products<Q>(v0, v1, square0, square1, products);
            cosine = Reductions.Sum(products);
        }
        else cosine = Cosine(Reductions.Dot(v0, v1), square0, square1);
        Combine<Q>(Shares.Of<Q>(cosine, t, at.Slot.Arithmetic), v0, v1, default, y);
    }

    // Vectors along the first axis: a strip of columns at a time is turned on its side, so that each column stands as a row.
    private static void Columns<Q>(in Block at, double t, ReadOnlySpan<float> v0, ReadOnlySpan<float> v1, Span<float> y) where Q : struct, IRounding
    {
        int rows = checked((int)at.Slot.Shape[0]), columns = at.Count / rows, pitch = (rows + 15) & ~15;
        float[] rented = ArrayPool<float>.Shared.Rent(((2 * Strip) + 1) * pitch);
        Span<float> room = rented.AsSpan(0, ((2 * Strip) + 1) * pitch), products = room[^pitch..];
        room.Clear(); // the padding of each column stays zero
        for (int from = 0; from < columns; from += Strip)
        {
            int width = Math.Min(Strip, columns - from);
            for (int r = 0; r < rows; r++)
            {
                for (int c = 0; c < width; c++)
                {
                    room[(c * pitch) + r] = v0[(r * columns) + from + c];
                    room[((Strip + c) * pitch) + r] = v1[(r * columns) + from + c];
                }
            }
            for (int c = 0; c < width; c++)
            {
                Span<float> one = room.Slice(c * pitch, pitch);
                Turn<Q>(at, t, one, room.Slice((Strip + c) * pitch, pitch), products, one);
            }
            for (int r = 0; r < rows; r++) for (int c = 0; c < width; c++) y[(r * columns) + from + c] = room[(c * pitch) + r];
        }
        ArrayPool<float>.Shared.Return(rented);
    }

    // Of two vectors; or, with an origin, of their differences from it, added to it: in one loop, so that nothing is stored on the way.
    private static void Combine<Q>(Shares s, ReadOnlySpan<float> v0, ReadOnlySpan<float> v1, ReadOnlySpan<float> origin, Span<float> y) where Q : struct, IRounding
    {
        bool based = !origin.IsEmpty, divides = s.Divisor != 1;
        Vector256<float> a = Vector256.Create(s.First), b = Vector256.Create(s.Second), divisor = Vector256.Create(s.Divisor), o = default;
        for (int i = 0; i < y.Length; i += Operands.Step)
        {
            Vector256<float> u = Operands.Get(v0, i), v = Operands.Get(v1, i);
            if (based)
            {
                o = Operands.Get(origin, i);
                (u, v) = (Q.Round(u - o), Q.Round(v - o));
            }
            Vector256<float> sum = Q.Round(Q.MultiplyAdd(b, v, Q.Round(a * u)));
            if (divides) sum = Q.Round(sum / divisor);
            Operands.Put(y, i, based ? Q.Round(o + sum) : sum);
        }
    }

    /// <summary>What each vector is multiplied by, and what their sum is divided by.</summary>
    private readonly record struct Shares(float First, float Second, float Divisor)
    {
        public static Shares Of<Q>(double cosine, double t, Arithmetic mode) where Q : struct, IRounding
        {
            var line = new Shares((float)(1 - t), (float)t, 1);
            if (!Q.FollowsPeer)
            {
                double c = Math.Clamp(cosine, -1, 1), a = Math.Acos(c), s = Math.Sin(a);
                return (1 - c) * (1 + c) <= Straight ? line : new((float)(Math.Sin((1 - t) * a) / s), (float)(Math.Sin(t * a) / s), 1);
            }
            float cos = Math.Clamp(Q.Round((float)cosine), -1, 1), angle = Q.Round(MathF.Acos(cos)), sine = Q.Round(MathF.Sin(angle));
            if (mode == Arithmetic.Mergekit014 ? Math.Abs(sine) < 1e-8f : Q.Round(1 - Q.Round(cos * cos)) <= 1e-16f) return line;
            return new(Q.Round(MathF.Sin(Q.Round(angle * line.First))), Q.Round(MathF.Sin(Q.Round(angle * line.Second))), sine);
        }
    }
}
