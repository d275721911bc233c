using Budwood.Files;
using Budwood.Numbers;
using Budwood.Numbers.Kernels;

namespace Budwood.Checkpoints;

/// <summary>A tensor as it stands in a file.</summary>
public sealed class StoredTensor(WeightTensor weight) : TensorSource
{
    public WeightTensor Weight { get; } = weight;
    public override DType DType => Weight.DType;
    public override Shape Shape => Weight.Shape;
    public override StoredTensor? Stored => this;
    public override long BufferBytes(int elements) => DType.Bytes(elements);
    public override TensorReader Open(BufferPool pool) => new Reader(Weight, pool);

    private sealed class Reader(WeightTensor weight, BufferPool pool) : TensorReader
    {
        private NativeBuffer _buffer;
        private int _bytes;

        public override ReadOnlySpan<byte> Bytes => _bytes == 0 ? default : _buffer.Span(_bytes);
        public override ReadOnlySpan<byte> StoredBytes => Bytes;

        public override void Fetch(long start, int count)
        {
            int bytes = checked((int)weight.DType.Bytes(count));
            if (_buffer.Bytes < bytes)
            {
                if (_buffer.Bytes > 0) _buffer.Dispose();
                _buffer = pool.Rent(bytes);
            }
            _bytes = bytes;
            weight.File.Source.Read(weight.Entry.Offset + weight.DType.Bytes(start), _buffer.Span(bytes));
        }

        public override void Load(int offset, Span<float> values) =>
            Conversion.Widen(weight.DType, _buffer.Span(_bytes)[(int)weight.DType.Bytes(offset)..], values);

        public override void Dispose()
        {
            if (_buffer.Bytes > 0) _buffer.Dispose();
            _buffer = default;
        }
    }
}

/// <summary>The common top-left block of a tensor whose first axis is longer than in the other models.</summary>
public sealed class CutTensor(TensorSource whole, Shape shape) : TensorSource
{
    public override IEnumerable<TensorSource> From => [whole];
    public override DType DType => whole.DType;
    public override Shape Shape { get; } = shape;
    public override long BufferBytes(int elements) => whole.BufferBytes(Elements(elements));
    public override TensorReader Open(BufferPool pool) => new Reader(this, whole, pool);

    // Rows are cut from the end, columns from the right: a piece of the block spans as many rows of the whole, ends included.
    private int Elements(int elements) => checked((int)(((elements / Math.Max(1, Shape.Columns)) + 2) * whole.Shape.Columns));

    private sealed class Reader(CutTensor cut, TensorSource whole, BufferPool pool) : TensorReader
    {
        private readonly TensorReader _inner = whole.Open(pool);
        private readonly long _columns = cut.Shape.Columns, _wide = whole.Shape.Columns;
        private long _start, _firstRow;

        public override void Fetch(long start, int count)
        {
            _start = start;
            if (count == 0) return;
            _firstRow = start / _columns;
            long lastRow = (start + count - 1) / _columns;
            _inner.Fetch(_firstRow * _wide, checked((int)((lastRow - _firstRow + 1) * _wide)));
        }

        public override void Load(int offset, Span<float> values)
        {
            int done = 0;
            while (done < values.Length)
            {
                (long row, long column) = Math.DivRem(_start + offset + done, _columns);
                int run = (int)Math.Min(values.Length - done, _columns - column);
                _inner.Load(checked((int)(((row - _firstRow) * _wide) + column)), values.Slice(done, run));
                done += run;
            }
        }

        public override void Dispose() => _inner.Dispose();
    }
}
