using Budwood.Checkpoints;
using Budwood.Files;
using Budwood.Numbers;
using Budwood.Numbers.Kernels;

namespace Budwood.Adapters;

/// <summary>A weight plus a low-rank update, made piece by piece and rounded to the type of the weight: bit for bit what a merged model would store.</summary>
internal sealed unsafe class LowRankTensor(TensorSource weight, Factor left, Factor right, int rank, double scale, FactorShelf shelf) : TensorSource
{
    // A tile of the update: few enough values that they, and as many columns of the right factor, stay near the core.
    private const int TileColumns = 512;
    private const int TileBytes = (LowRank.TileRows + 1) * TileColumns * sizeof(float);

    private readonly object _gate = new();
    private float[]? _outputScale;

    private TensorSource Weight { get; } = weight;
    private FactorShelf Shelf { get; } = shelf;

    public override IEnumerable<TensorSource> From => [Weight];

    public Factor Left { get; } = left;
    public Factor Right { get; } = right;
    public long FactorBytes { get; } = (left.Count + right.Count) * sizeof(float);

    /// <summary>The update is rounded before it is added, as PEFT does with embeddings.</summary>
    public bool RoundsUpdate { get; init; }

    /// <summary>Trained magnitudes of the outputs (DoRA): weight plus update is stretched to them.</summary>
    public WeightTensor? Magnitude { get; init; }

    /// <summary>Outputs lie along the columns, not the rows.</summary>
    public bool OutputsAreColumns { get; init; }

    public override DType DType => Weight.DType;
    public override Shape Shape => Weight.Shape;
    public override StoredTensor? Stored => Weight.Stored;

    public override long BufferBytes(int elements) => Weight.BufferBytes(elements) + DType.Bytes(elements) + TileBytes + (3 * 4096) + FactorBytes;

    public override TensorReader Open(BufferPool pool) => new Reader(this, pool);

    /// <summary>Magnitude over norm of each output (DoRA); the first to ask reads the whole weight, a piece at a time.</summary>
    private float[] OutputScale(LowRankFactors factors, BufferPool pool)
    {
        lock (_gate)
        {
            if (_outputScale is not null) return _outputScale;
            var magnitude = new float[Magnitude!.Shape.Count];
            foreach ((long start, byte[] bytes, int count) in LowRankFactors.Chunks(Magnitude)) Conversion.Widen(Magnitude.DType, bytes, magnitude.AsSpan((int)start, count));
            var squares = new double[magnitude.Length];
            long columns = Shape.Columns, all = Shape.Count;
            int piece = (int)Math.Min(all, 1 << 17);
            using TensorReader reader = Weight.Open(pool);
            using NativeBuffer tile = pool.Rent(TileBytes);
            for (long start = 0; start < all; start += piece)
            {
                int count = (int)Math.Min(piece, all - start);
                reader.Fetch(start, count);
                ForEachTile(start, count, (row, column, rows, width, offset) =>
                {
                    Sum(factors, reader, tile, row, column, rows, width, offset);
                    float* v = (float*)tile.Pointer;
                    for (int i = 0; i < rows; i++)
                        for (int j = 0; j < width; j++, v++) squares[OutputsAreColumns ? column + j : row + i] += (double)*v * *v;
                });
            }
            for (int i = 0; i < magnitude.Length; i++) magnitude[i] /= (float)Math.Sqrt(squares[i]);
            return _outputScale = magnitude;
        }
    }

    private delegate void Tile(long row, long column, int rows, int width, int offset);

    // Whole rows go four at a time; the ends of a piece that starts or stops within a row go alone. No element's bits depend on it.
    private void ForEachTile(long start, int count, Tile body)
    {
        long columns = Math.Max(1, Shape.Columns);
        for (int done = 0; done < count;)
        {
            (long row, long column) = Math.DivRem(start + done, columns);
            int rows = column == 0 ? (int)Math.Min(LowRank.TileRows, (count - done) / columns) : 0;
            int run = rows > 0 ? (int)columns : (int)Math.Min(count - done, columns - column);
            rows = Math.Max(1, rows);
            for (int c = 0; c < run; c += TileColumns) body(row, column + c, rows, Math.Min(TileColumns, run - c), done + c);
            done += rows * run;
        }
    }

    // Weight plus update in float32, rows of the tile one after the other; the row that follows the tile's is room for the weight.
    private void Sum(LowRankFactors factors, TensorReader reader, NativeBuffer tile, long row, long column, int rows, int width, int offset)
    {
        float* update = (float*)tile.Pointer;
        LowRank.Product(factors.Left + (row * rank), rows, rank, factors.Right + column, Shape.Columns, width, (float)scale, update);
        var stored = new Span<float>(update + ((long)rows * width), width);
        for (int i = 0; i < rows; i++)
        {
            var values = new Span<float>(update + ((long)i * width), width);
            if (RoundsUpdate) Rounding.To(DType, values);
            reader.Load(offset + (i * (int)Shape.Columns), stored);
            LowRank.Add(values, stored);
            stored.CopyTo(values);
        }
    }

    private sealed class Reader(LowRankTensor of, BufferPool pool) : TensorReader
    {
        private readonly TensorReader _inner = of.Weight.Open(pool);
        private readonly LowRankFactors _factors = of.Shelf.Take(of);
        private NativeBuffer _made;
        private int _bytes;
        private bool _isClosed;

        public override ReadOnlySpan<byte> Bytes => _bytes == 0 ? default : _made.Span(_bytes);
        public override ReadOnlySpan<byte> StoredBytes => _inner.StoredBytes;

        public override void Fetch(long start, int count)
        {
            _inner.Fetch(start, count);
            _bytes = checked((int)of.DType.Bytes(count));
            if (_made.Bytes < _bytes)
            {
                if (_made.Bytes > 0) _made.Dispose();
                _made = pool.Rent(_bytes);
            }
            if (count == 0) return;
            float[]? outputs = of.Magnitude is null ? null : of.OutputScale(_factors, pool);
            using NativeBuffer tile = pool.Rent(TileBytes);
            of.ForEachTile(start, count, (row, column, rows, width, offset) =>
            {
                of.Sum(_factors, _inner, tile, row, column, rows, width, offset);
                for (int i = 0; i < rows; i++)
                {
                    var values = new Span<float>((float*)tile.Pointer + ((long)i * width), width);
                    if (outputs is not null)
                    {
                        if (of.OutputsAreColumns) for (int j = 0; j < width; j++) values[j] *= outputs[column + j];
                        else for (int j = 0; j < width; j++) values[j] *= outputs[row + i];
                    }
                    Rounding.To(of.DType, values);
                    Conversion.Narrow(of.DType, values, _made.Span(_bytes)[(int)of.DType.Bytes(offset + (i * (int)of.Shape.Columns))..]);
                }
            });
        }

        public override void Load(int offset, Span<float> values) => Conversion.Widen(of.DType, _made.Span(_bytes)[(int)of.DType.Bytes(offset)..], values);

        public override void Dispose()
        {
            if (_isClosed) return;
            _isClosed = true;
            _inner.Dispose();
            if (_made.Bytes > 0) _made.Dispose();
            _made = default;
            of.Shelf.Return(_factors);
        }
    }

}
