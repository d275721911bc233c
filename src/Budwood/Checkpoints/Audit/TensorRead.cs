using System.Runtime.InteropServices;
using Budwood.Files;
using Budwood.Numbers;
using Budwood.Numbers.Kernels;

namespace Budwood.Checkpoints.Audit;

/// <summary>Reads one tensor once: its digest, and its NaN and infinities when asked for.</summary>
internal sealed class TensorRead(TensorSource tensor, bool values) : ScanWork
{
    private readonly Digest[] _hashes = new Digest[Digests.PieceCount(TensorBytes.Count(tensor))];
    private readonly long _bytes = TensorBytes.Count(tensor);
    private long _nan, _infinite;
    private volatile bool _nonZero;

    public TensorSource Tensor => tensor;
    public Digest Digest { get; private set; }
    public long NaN => _nan;
    public long Infinite => _infinite;

    /// <summary>Every byte is zero.</summary>
    public bool IsZero => !_nonZero;

    public override int Pieces => _hashes.Length;
    public override long BufferBytes => Math.Min(Digests.PieceBytes, _bytes);

    public override long Piece(int index, BufferPool pool)
    {
        long start = (long)index * Digests.PieceBytes;
        int length = (int)Math.Min(Digests.PieceBytes, _bytes - start);
        using NativeBuffer buffer = pool.Rent(length);
        Span<byte> bytes = buffer.Span(length);
        TensorBytes.Read(tensor, start, bytes, pool);
        _hashes[index] = Digests.Piece(bytes);
        if (!_nonZero && bytes.ContainsAnyExcept((byte)0)) _nonZero = true;
        if (!values) return length;
        (long nan, long infinite) = NotFinite.In(tensor.DType, bytes);
        if (nan > 0) Interlocked.Add(ref _nan, nan);
        if (infinite > 0) Interlocked.Add(ref _infinite, infinite);
        return length;
    }

    public override void Finish() => Digest = Digests.Tensor(tensor.DType, tensor.Shape, _hashes);
}

/// <summary>Counts NaN and infinities in stored bytes of any element type.</summary>
internal static class NotFinite
{
    private const int Block = 4096;

    public static (long NaN, long Infinite) In(DType type, ReadOnlySpan<byte> bytes) => type switch
    {
        DType.F32 or DType.BF16 or DType.F16 => Wide(type, bytes),
        DType.F64 => Double(MemoryMarshal.Cast<byte, double>(bytes)),
        // The last pattern of each sign is NaN, and there is no infinity.
        DType.F8E4M3 => (bytes.Count((byte)0x7F) + bytes.Count((byte)0xFF), 0),
        DType.F8E4M3Fnuz or DType.F8E5M2Fnuz => (bytes.Count((byte)0x80), 0),
        DType.F8E8M0 => (bytes.Count((byte)0xFF), 0),
        DType.F8E5M2 => (Above(bytes, 0x7C), bytes.Count((byte)0x7C) + bytes.Count((byte)0xFC)),
        DType.C64 => Wide(DType.F32, bytes),
        _ => default,
    };

    private static (long NaN, long Infinite) Wide(DType type, ReadOnlySpan<byte> bytes)
    {
        Span<float> values = stackalloc float[Block];
        int width = type.Bits() / 8;
        (long nan, long infinite) = (0, 0);
        for (int at = 0; at < bytes.Length; at += Block * width)
        {
            Span<float> block = values[..Math.Min(Block, (bytes.Length - at) / width)];
            Conversion.Widen(type, bytes[at..], block);
            (long n, long i) = Comparison.NotFiniteIn(block);
            (nan, infinite) = (nan + n, infinite + i);
        }
        return (nan, infinite);
    }

    private static (long NaN, long Infinite) Double(ReadOnlySpan<double> values)
    {
        (long nan, long infinite) = (0, 0);
        foreach (double v in values)
        {
            if (double.IsNaN(v)) nan++;
            else if (double.IsInfinity(v)) infinite++;
        }
        return (nan, infinite);
    }

    private static long Above(ReadOnlySpan<byte> bytes, byte infinity)
    {
        long n = 0;
        foreach (byte b in bytes) if ((b & 0x7F) > infinity) n++;
        return n;
    }
}
