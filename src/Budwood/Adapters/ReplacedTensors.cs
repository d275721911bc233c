using Budwood.Checkpoints;
using Budwood.Numbers;
using Budwood.Numbers.Kernels;

namespace Budwood.Adapters;

/// <summary>A tensor in another type: rounded to it where it is narrower.</summary>
internal sealed class ConvertedTensor(TensorSource source, DType type) : TensorSource
{
    private const int Step = 2048;

    public override DType DType => type;
    public override Shape Shape => source.Shape;
    public override StoredTensor? Stored => source.Stored;
    public override long BufferBytes(int elements) => source.BufferBytes(elements) + type.Bytes(elements) + 4096;
    public override TensorReader Open(BufferPool pool) => new Reader(source.Open(pool), type, pool);

    /// <summary>The tensor itself where it has the type.</summary>
    public static TensorSource Of(TensorSource source, DType type) => source.DType == type ? source : new ConvertedTensor(source, type);

    private sealed class Reader(TensorReader inner, DType type, BufferPool pool) : TensorReader
    {
        private NativeBuffer _made;
        private int _bytes;

        public override ReadOnlySpan<byte> Bytes => _bytes == 0 ? default : _made.Span(_bytes);
        public override ReadOnlySpan<byte> StoredBytes => inner.StoredBytes;

        public override void Fetch(long start, int count)
        {
            inner.Fetch(start, count);
            _bytes = checked((int)type.Bytes(count));
            if (_made.Bytes < _bytes)
            {
                if (_made.Bytes > 0) _made.Dispose();
                _made = pool.Rent(_bytes);
            }
            Span<float> values = stackalloc float[Step];
            for (int done = 0; done < count; done += Step)
            {
                Span<float> some = values[..Math.Min(Step, count - done)];
                inner.Load(done, some);
                Rounding.To(type, some);
                Conversion.Narrow(type, some, _made.Span(_bytes)[(int)type.Bytes(done)..]);
            }
        }

        public override void Load(int offset, Span<float> values) => Conversion.Widen(type, _made.Span(_bytes)[(int)type.Bytes(offset)..], values);

        public override void Dispose()
        {
            inner.Dispose();
            if (_made.Bytes > 0) _made.Dispose();
            _made = default;
        }
    }
}

/// <summary>A tensor with some of its rows replaced by those of another.</summary>
/// <param name="rows">Row of <paramref name="source"/> for each row of <paramref name="replacement"/>.</param>
internal sealed class ReplacedRows(TensorSource source, TensorSource replacement, IReadOnlyList<long> rows) : TensorSource
{
    public override DType DType => source.DType;
    public override Shape Shape => source.Shape;
    public override StoredTensor? Stored => source.Stored;
    public override long BufferBytes(int elements) => source.BufferBytes(elements) + DType.Bytes(elements) + replacement.BufferBytes((int)Shape.Columns) + 4096;
    public override TensorReader Open(BufferPool pool) => new Reader(this, source.Open(pool), replacement.Open(pool), pool);

    private IReadOnlyList<long> Rows { get; } = rows;

    private sealed class Reader(ReplacedRows of, TensorReader inner, TensorReader row, BufferPool pool) : TensorReader
    {
        private NativeBuffer _made;
        private int _bytes;

        public override ReadOnlySpan<byte> Bytes => _bytes == 0 ? default : _made.Span(_bytes);
        public override ReadOnlySpan<byte> StoredBytes => inner.StoredBytes;

        public override void Fetch(long start, int count)
        {
            inner.Fetch(start, count);
            _bytes = checked((int)of.DType.Bytes(count));
            if (_made.Bytes < _bytes)
            {
                if (_made.Bytes > 0) _made.Dispose();
                _made = pool.Rent(_bytes);
            }
            Span<byte> made = _made.Span(_bytes);
            inner.Bytes.CopyTo(made);
            long columns = of.Shape.Columns;
            for (int k = 0; k < of.Rows.Count; k++)
            {
                long first = Math.Max(start, of.Rows[k] * columns), end = Math.Min(start + count, (of.Rows[k] + 1) * columns);
                if (first >= end) continue;
                row.Fetch((k * columns) + (first - (of.Rows[k] * columns)), (int)(end - first));
                row.Bytes.CopyTo(made[(int)of.DType.Bytes(first - start)..]);
            }
        }

        public override void Load(int offset, Span<float> values) => Conversion.Widen(of.DType, _made.Span(_bytes)[(int)of.DType.Bytes(offset)..], values);

        public override void Dispose()
        {
            inner.Dispose();
            row.Dispose();
            if (_made.Bytes > 0) _made.Dispose();
            _made = default;
        }
    }
}
