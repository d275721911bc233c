using Budwood.Numbers;
using Budwood.Numbers.Kernels;

namespace Budwood.Checkpoints;

/// <summary>Several tensors of one type, one after the other, as one: all experts of a layer, as newer files have them.</summary>
public sealed class JoinedTensor : TensorSource
{
    private readonly IReadOnlyList<TensorSource> _parts;
    private readonly long[] _starts;

    /// <param name="shape">Shape of the whole, whose elements are those of the parts in their order.</param>
    public JoinedTensor(IReadOnlyList<TensorSource> parts, Shape shape)
    {
        (_parts, Shape) = (parts, shape);
        _starts = new long[parts.Count + 1];
        for (int i = 0; i < parts.Count; i++) _starts[i + 1] = _starts[i] + parts[i].Shape.Count;
        if (_starts[^1] != shape.Count) throw new ArgumentException($"the parts have {_starts[^1]} elements, the whole {shape}", nameof(shape));
    }

    public override IEnumerable<TensorSource> From => _parts;
    public override DType DType => _parts[0].DType;
    public override Shape Shape { get; }
    public override long BufferBytes(int elements) => DType.Bytes(elements) + _parts.Max(p => p.BufferBytes(elements));
    public override TensorReader Open(BufferPool pool) => new Reader(this, pool);

    private sealed class Reader(JoinedTensor whole, BufferPool pool) : TensorReader
    {
        private TensorReader? _part;
        private int _open = -1, _bytes;
        private NativeBuffer _made;

        public override ReadOnlySpan<byte> Bytes => _bytes == 0 ? default : _made.Span(_bytes);

        public override void Fetch(long start, int count)
        {
            DType type = whole.DType;
            _bytes = checked((int)type.Bytes(count));
            if (_made.Bytes < _bytes)
            {
                if (_made.Bytes > 0) _made.Dispose();
                _made = pool.Rent(_bytes);
            }
            for (int done = 0; done < count;)
            {
                int part = Array.BinarySearch(whole._starts, start + done);
                if (part < 0) part = ~part - 1;
                while (whole._starts[part + 1] == whole._starts[part]) part++; // a part without elements
                int some = (int)Math.Min(count - done, whole._starts[part + 1] - (start + done));
                TensorReader reader = At(part);
                reader.Fetch(start + done - whole._starts[part], some);
                reader.Bytes.CopyTo(_made.Span(_bytes)[(int)type.Bytes(done)..]);
                done += some;
            }
        }

        private TensorReader At(int part)
        {
            if (_open == part) return _part!;
            _part?.Dispose();
            (_part, _open) = (whole._parts[part].Open(pool), part);
            return _part;
        }

        public override void Load(int offset, Span<float> values) => Conversion.Widen(whole.DType, _made.Span(_bytes)[(int)whole.DType.Bytes(offset)..], values);

        public override void Dispose()
        {
            _part?.Dispose();
            if (_made.Bytes > 0) _made.Dispose();
            (_made, _part, _open) = (default, null, -1);
        }
    }
}
