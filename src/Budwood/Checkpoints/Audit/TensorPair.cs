using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Budwood.Files;
using Budwood.Numbers;
using Budwood.Numbers.Kernels;

namespace Budwood.Checkpoints.Audit;

/// <summary>Reads two tensors side by side: how many elements differ and by how much, and their digests where they are not known yet.</summary>
/// <remarks>Sums are kept for blocks of 4096 elements and added pairwise at the end, so that threads change no bit of them.</remarks>
internal sealed class TensorPair : ScanWork
{
    private const int Block = 4096;

    private readonly TensorSource _a, _b;
    private readonly long _elements;
    private readonly int _perPiece, _blocksPerPiece, _blocks;
    private readonly Lock _lock = new();
    private readonly bool _arithmetic;
    private readonly Digest[]? _hashesA, _hashesB;
    private double[] _difference = [], _reference = [];
    private readonly double[] _largest;
    private long _changed, _nan, _infinite, _skipped;

    private TensorPair(TensorSource a, TensorSource b, long elements, bool hashA, bool hashB)
    {
        (_a, _b, _elements) = (a, b, elements);
        _arithmetic = a.DType.IsArithmetic() && b.DType.IsArithmetic();
        // Whole pieces of both digests: the narrower type fills one, the wider one several.
        _perPiece = Digests.PieceBytes / Math.Min(Width(a.DType), Width(b.DType));
        _blocksPerPiece = _perPiece / Block;
        Pieces = checked((int)((elements + _perPiece - 1) / _perPiece));
        _largest = new double[Pieces];
        if (hashA) _hashesA = new Digest[Digests.PieceCount(TensorBytes.Count(a))];
        if (hashB) _hashesB = new Digest[Digests.PieceCount(TensorBytes.Count(b))];
        _blocks = _arithmetic ? checked((int)((elements + Block - 1) / Block)) : 0;
    }

    public override int Pieces { get; }
    public override long BufferBytes => (long)_perPiece * (Width(_a.DType) + Width(_b.DType));

    public TensorSource A => _a;
    public TensorSource B => _b;
    public Digest? DigestA { get; private set; }
    public Digest? DigestB { get; private set; }

    public long Compared => _elements;
    public long Changed => _changed;

    /// <summary>Of the second tensor.</summary>
    public long NaN => _nan;
    public long Infinite => _infinite;

    /// <summary>Elements that are not finite in one of the two, and stand in no sum.</summary>
    public long Skipped => _skipped;

    /// <summary>Sum of squared differences; null for types without arithmetic.</summary>
    public double? Difference { get; private set; }

    /// <summary>Sum of squares of the first tensor.</summary>
    public double? Reference { get; private set; }

    /// <summary>Largest absolute difference.</summary>
    public double? Largest { get; private set; }

    /// <summary>Whether the values of two types can be held against each other.</summary>
    public static bool CanCompare(DType a, DType b) => a == b ? a.Bits() % 8 == 0 : a.IsArithmetic() && b.IsArithmetic();

    /// <summary>Two tensors of one shape.</summary>
    public static TensorPair Whole(TensorSource a, TensorSource b, bool hashA, bool hashB) => new(a, b, a.Shape.Count, hashA, hashB);

    /// <summary>The first elements of two tensors: rows that both have.</summary>
    public static TensorPair Common(TensorSource a, TensorSource b, long elements) => new(a, b, elements, hashA: false, hashB: false);

    public override long Piece(int index, BufferPool pool)
    {
        if (_arithmetic && Volatile.Read(ref _difference).Length == 0) Allocate();
        long start = (long)index * _perPiece;
        int n = (int)Math.Min(_perPiece, _elements - start), bytesA = checked(n * Width(_a.DType)), bytesB = checked(n * Width(_b.DType));
        // One buffer for both: the pool hands out one size at a time.
        using NativeBuffer buffer = pool.Rent((((long)bytesA + 63) & ~63L) + bytesB);
        Span<byte> both = buffer.Span(((bytesA + 63) & ~63) + bytesB), a = both[..bytesA], b = both[^bytesB..];
        TensorBytes.Read(_a, start * Width(_a.DType), a, pool);
        TensorBytes.Read(_b, start * Width(_b.DType), b, pool);
        Hash(_hashesA, start * Width(_a.DType), a);
        Hash(_hashesB, start * Width(_b.DType), b);
        if (_arithmetic) Compare(index, n, a, b);
        else if (!a.SequenceEqual(b)) Interlocked.Add(ref _changed, ChangedElements(a, b, Width(_a.DType)));
        return bytesA + bytesB;
    }

    public override void Finish()
    {
        if (_hashesA is not null) DigestA = Digests.Tensor(_a.DType, _a.Shape, _hashesA);
        if (_hashesB is not null) DigestB = Digests.Tensor(_b.DType, _b.Shape, _hashesB);
        if (!_arithmetic) return;
        (Difference, Reference, Largest) = (Reductions.Pairwise(_difference), Reductions.Pairwise(_reference), _largest.DefaultIfEmpty().Max());
        (_difference, _reference) = ([], []);
    }

    // When the first piece is taken: a large model must not hold the sums of all its tensors at once.
    private void Allocate()
    {
        lock (_lock)
        {
            if (_difference.Length > 0) return;
            _reference = new double[_blocks];
            Volatile.Write(ref _difference, new double[_blocks]);
        }
    }

    private static int Width(DType type) => Math.Max(1, type.Bits() / 8);

    private static void Hash(Digest[]? hashes, long start, ReadOnlySpan<byte> bytes)
    {
        if (hashes is null) return;
        for (int at = 0; at < bytes.Length; at += Digests.PieceBytes)
            hashes[(start + at) / Digests.PieceBytes] = Digests.Piece(bytes.Slice(at, Math.Min(Digests.PieceBytes, bytes.Length - at)));
    }

    private void Compare(int index, int n, ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        Span<float> x = stackalloc float[Block], y = stackalloc float[Block];
        int block = index * _blocksPerPiece;
        var total = new BlockSum();
        for (int at = 0; at < n; at += Block, block++)
        {
            int length = Math.Min(Block, n - at);
            ReadOnlySpan<byte> rawA = a.Slice(at * Width(_a.DType), length * Width(_a.DType)), rawB = b.Slice(at * Width(_b.DType), length * Width(_b.DType));
            BlockSum sum;
            if (_a.DType == DType.F64 && _b.DType == DType.F64)
            {
                sum = BlockSum.Of(MemoryMarshal.Cast<byte, double>(rawB), MemoryMarshal.Cast<byte, double>(rawA));
            }
            else
            {
                Conversion.Widen(_a.DType, rawA, x[..length]);
                Conversion.Widen(_b.DType, rawB, y[..length]);
                sum = BlockSum.Of(y[..length], x[..length]);
            }
            (_difference[block], _reference[block]) = (sum.Difference, sum.Reference);
            total = total.With(sum);
        }
        _largest[index] = total.Largest;
        if (total.Changed > 0) Interlocked.Add(ref _changed, total.Changed);
        if (total.NaN > 0) Interlocked.Add(ref _nan, total.NaN);
        if (total.Infinite > 0) Interlocked.Add(ref _infinite, total.Infinite);
        if (total.Skipped > 0) Interlocked.Add(ref _skipped, total.Skipped);
    }

    private static long ChangedElements(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b, int width)
    {
        long changed = 0;
        for (int i = 0; i < a.Length; i += width) if (!a.Slice(i, width).SequenceEqual(b.Slice(i, width))) changed++;
        return changed;
    }
}

/// <summary>How one block differs from another: counts, sums over what is finite in both, and the largest difference.</summary>
internal readonly record struct BlockSum(long Changed, long NaN, long Infinite, long Skipped, double Difference, double Reference, double Largest)
{
    public BlockSum With(BlockSum other) => new(Changed + other.Changed, NaN + other.NaN, Infinite + other.Infinite, Skipped + other.Skipped, 0, 0,
        Math.Max(Largest, other.Largest));

    public static BlockSum Of(ReadOnlySpan<float> y, ReadOnlySpan<float> reference)
    {
        Comparison c = Comparison.Of(y, reference);
        // NaN, infinities and differences beyond float32 make a sum useless: such blocks are looked at element by element.
        if (c.NotFinite > 0 || !double.IsFinite(c.Difference) || !double.IsFinite(c.Reference)) return Careful(y, reference);
        return new(c.Changed, 0, 0, 0, c.Difference, c.Reference, c.Changed == 0 ? 0 : LargestOf(y, reference));
    }

    public static BlockSum Of(ReadOnlySpan<double> y, ReadOnlySpan<double> reference) => Careful(y, reference);

    private static BlockSum Careful<T>(ReadOnlySpan<T> y, ReadOnlySpan<T> reference) where T : unmanaged, IFloatingPointIeee754<T>
    {
        (long changed, long nan, long infinite, long skipped, double difference, double square, double largest) = (0, 0, 0, 0, 0, 0, 0);
        for (int i = 0; i < y.Length; i++)
        {
            if (!MemoryMarshal.AsBytes(y.Slice(i, 1)).SequenceEqual(MemoryMarshal.AsBytes(reference.Slice(i, 1)))) changed++;
            if (T.IsNaN(y[i])) nan++;
            else if (T.IsInfinity(y[i])) infinite++;
            if (!T.IsFinite(y[i]) || !T.IsFinite(reference[i]))
            {
                skipped++;
                continue;
            }
            (double v, double r) = (double.CreateChecked(y[i]), double.CreateChecked(reference[i]));
            (difference, square, largest) = (difference + ((v - r) * (v - r)), square + (r * r), Math.Max(largest, Math.Abs(v - r)));
        }
        return new(changed, nan, infinite, skipped, difference, square, largest);
    }

    private static double LargestOf(ReadOnlySpan<float> y, ReadOnlySpan<float> reference)
    {
        ref float py = ref MemoryMarshal.GetReference(y);
        ref float pr = ref MemoryMarshal.GetReference(reference);
        Vector256<float> most = default;
        int i = 0;
        for (; i <= y.Length - 8; i += 8)
            most = Vector256.Max(most, Vector256.Abs(Vector256.LoadUnsafe(ref py, (nuint)i) - Vector256.LoadUnsafe(ref pr, (nuint)i)));
        float largest = 0;
        for (int lane = 0; lane < 8; lane++) largest = Math.Max(largest, most[lane]);
        for (; i < y.Length; i++) largest = Math.Max(largest, Math.Abs(y[i] - reference[i]));
        return largest;
    }
}
