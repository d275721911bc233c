using Budwood.Checkpoints;
using Budwood.Methods;
using Budwood.Numbers;
using Budwood.Numbers.Kernels;

namespace Budwood.Engine;

/// <summary>A tensor of a step that is not written: its values are computed when they are asked for, rounded as they would have been stored.</summary>
/// <remarks>What the step's rule measures of the whole tensor is measured once, before the first reader; see <see cref="Measured"/>.</remarks>
internal sealed class ComputedTensor(Rule rule, PlannedSlot planned) : TensorSource
{
    private Geometry _cut = Passes.Cut(rule, planned, Files.Digests.PieceBytes);

    public Rule Rule { get; } = rule;
    public PlannedSlot Planned { get; } = planned;
    public override DType DType => Planned.Slot.Stored;
    public override Shape Shape => Planned.Slot.Shape;

    /// <summary>What the rule knows of the whole tensor; null until it was measured.</summary>
    public MeasuredTensor? Measured { get; set; }

    /// <summary>Settles the pieces in which the tensor is measured and computed.</summary>
    public Geometry Cut(int pieceBytes) => _cut = Passes.Cut(Rule, Planned, pieceBytes);

    public override long BufferBytes(int elements)
    {
        int piece = (int)Math.Min(_cut.PieceElements, Shape.Count), inputs = Planned.Slot.Inputs.Count, reads = Planned.Slot.Reads.Count;
        return (8L * elements) + Planned.Slot.Reads.Sum(i => i.Source.BufferBytes(piece))
            + (((long)reads + inputs + Rule.Scratch(inputs) + 2) * sizeof(float) * (_cut.UnitElements + 32L));
    }

    public override TensorReader Open(BufferPool pool) => new Reader(this, pool);

    private sealed class Reader(ComputedTensor tensor, BufferPool pool) : TensorReader
    {
        private readonly PieceWork _work = new(tensor.Rule, tensor.Planned, tensor._cut, pool, spare: 1);
        private NativeBuffer _values, _bytes;
        private int _count;

        public override void Fetch(long start, int count)
        {
            MeasuredTensor known = tensor.Measured ?? throw new InvalidOperationException($"{tensor.Planned.Slot.Name} is read before it was measured.");
            Hold(ref _values, count * 4L);
            _count = count;
            Geometry cut = tensor._cut;
            long end = start + count, size = tensor.Shape.Count;
            for (long piece = start / cut.PieceElements; piece * cut.PieceElements < end; piece++)
            {
                long from = piece * cut.PieceElements;
                int length = (int)Math.Min(cut.PieceElements, size - from);
                var measured = new Measured(known, (int)piece);
                _work.Fetch(from, length);
                // Units before the first wanted one are computed too: a selection counts equal elements from the start of its piece.
                for (int offset = 0; offset < length && from + offset < end; offset += cut.UnitElements)
                {
                    int unit = Math.Min(cut.UnitElements, length - offset);
                    var block = new Block(tensor.Planned.Slot, from + offset, unit);
                    Span<float> y = _work.Spare(0, (unit + 15) & ~15);
                    _work.Apply(block, _work.Load(offset, unit), measured, y);
                    Rounding.To(tensor.DType, y[..unit]);
                    long first = Math.Max(from + offset, start), last = Math.Min(from + offset + unit, end);
                    if (first < last) y[(int)(first - from - offset)..(int)(last - from - offset)].CopyTo(_values.Floats(count)[(int)(first - start)..]);
                }
            }
        }

        public override void Load(int offset, Span<float> values) => _values.Floats(_count).Slice(offset, values.Length).CopyTo(values);

        public override ReadOnlySpan<byte> Bytes
        {
            get
            {
                int bytes = checked((int)tensor.DType.Bytes(_count));
                Hold(ref _bytes, bytes);
                Conversion.Narrow(tensor.DType, _values.Floats(_count), _bytes.Span(bytes));
                return _bytes.Span(bytes);
            }
        }

        private void Hold(ref NativeBuffer buffer, long bytes)
        {
            if (buffer.Bytes >= bytes) return;
            if (buffer.Bytes > 0) buffer.Dispose();
            buffer = pool.Rent(bytes);
        }

        public override void Dispose()
        {
            _work.Dispose();
            if (_values.Bytes > 0) _values.Dispose();
            if (_bytes.Bytes > 0) _bytes.Dispose();
        }
    }
}
