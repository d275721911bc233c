using System.Runtime.InteropServices;
using Budwood.Numbers;

namespace Budwood.Methods;

/// <summary>What is known of a whole tensor while its formula runs: the answers to a rule's <see cref="Measures"/>.</summary>
public sealed class Measured
{
    private readonly MeasuredTensor _tensor;
    private readonly Dictionary<int, Cursor> _cursors = [];
    private readonly int _piece;

    internal Measured(MeasuredTensor tensor, int piece)
    {
        _tensor = tensor;
        _piece = piece;
    }

    /// <summary>Numbers that the rule derived from its measures, for its formula.</summary>
    public IList<double> Scalars => _tensor.Scalars;

    public double Sum(int quantity) => _tensor.Numbers[(MeasureKind.Sum, quantity)];
    public double L1(int quantity) => _tensor.Numbers[(MeasureKind.L1, quantity)];
    public double Squares(int quantity) => _tensor.Numbers[(MeasureKind.Squares, quantity)];
    public double Largest(int quantity) => _tensor.Numbers[(MeasureKind.Largest, quantity)];
    public long NonZero(int quantity) => (long)_tensor.Numbers[(MeasureKind.NonZero, quantity)];

    /// <summary>Value at the k-th of the positions asked for.</summary>
    public float Ordered(int quantity, int k) => _tensor.Ordered[quantity][k];

    /// <summary>Inner product of inputs (or deltas) i and j.</summary>
    public double Gram(int i, int j) => _tensor.Gram![i, j];

    /// <summary>Sets to zero what the selection of <paramref name="quantity"/> drops. Padding beyond the block is left alone.</summary>
    public void Select(int quantity, in Block at, Span<float> v) => Select<Plain>(quantity, at, default, v, false);

    /// <summary>Writes what the selection of a delta leaves of it: quantity <paramref name="input"/> is the delta of that input. Padding is zero.</summary>
    public void Select<Q>(int input, in Block at, in Operands x, Span<float> v) where Q : struct, IRounding => Select<Q>(input, at, x, v, true);

    private unsafe void Select<Q>(int quantity, in Block at, in Operands x, Span<float> v, bool deltas) where Q : struct, IRounding
    {
        Selection s = _tensor.Selections[quantity];
        if (s.Nothing)
        {
            v.Clear();
            return;
        }
        if (s.Everything)
        {
            for (int i = 0; deltas && i < v.Length; i += Operands.Step) Operands.Put(v, i, x.Delta<Q>(quantity, i));
            return;
        }
        ref Cursor cursor = ref CollectionsMarshal.GetValueRefOrAddDefault(_cursors, quantity, out bool known);
        if (!known) cursor = new Cursor(at.Start, s.LowTiesBefore(_piece), s.HighTiesBefore(_piece));
        // A view and the formula may ask for the same block twice: start again from where the block began.
        (long low, long high) = cursor.Start == at.Start ? (cursor.Low, cursor.High) : (cursor.NextLow, cursor.NextHigh);
        (long nextLow, long nextHigh) = deltas ? s.Apply<Q>(x.Pointer(quantity), x.Pointer(x.BaseIndex), v, at.Count, low, high) : s.Apply(v, at.Count, low, high);
        cursor = new Cursor(at.Start, low, high) { NextLow = nextLow, NextHigh = nextHigh };
    }

    /// <summary>One bit an element of the block, which the rule fills in the pass that was asked to remember it and finds again in later ones; empty where there was no memory.</summary>
    public Span<byte> Mask(int quantity, in Block at, out bool known)
    {
        known = false;
        if (!_tensor.Masks.TryGetValue(quantity, out (RememberedBits Bits, bool Known) mask) || at.Start % 8 != 0) return default;
        known = mask.Known;
        return mask.Bits.Span(at.Start / 8, (at.Count + 7) / 8);
    }

    private record struct Cursor(long Start, long Low, long High)
    {
        public long NextLow;
        public long NextHigh;
    }
}

/// <summary>Bits of a tensor under way, beside the garbage collector: they are many and go at once.</summary>
internal sealed unsafe class RememberedBits(long bytes) : IDisposable
{
    private void* _bits = NativeMemory.Alloc((nuint)bytes);

    public long Bytes { get; } = bytes;

    public Span<byte> Span(long at, int count) => new((byte*)_bits + at, count);

    public void Dispose()
    {
        NativeMemory.Free(_bits);
        _bits = null;
    }
}

/// <summary>Answers that all workers share.</summary>
internal sealed class MeasuredTensor
{
    public List<double> Scalars { get; } = [];
    public Dictionary<(MeasureKind, int), double> Numbers { get; } = [];
    public Dictionary<int, float[]> Ordered { get; } = [];
    public Dictionary<int, Selection> Selections { get; } = [];
    public double[,]? Gram { get; set; }
    public Dictionary<int, (RememberedBits Bits, bool Known)> Masks { get; } = [];
}
