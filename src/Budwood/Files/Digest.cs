using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.IO.Hashing;
using System.Text;
using Budwood.Numbers;

namespace Budwood.Files;

/// <summary>The identity of content: equal bytes, type and shape give an equal digest, wherever they lie. Also the hash of one piece.</summary>
/// <param name="High">The first eight bytes of the XXH128, as a number.</param>
/// <param name="Low">The last eight.</param>
public readonly record struct Digest(ulong High, ulong Low)
{
    private const string Prefix = "xxh128:";

    /// <summary>Hash of bytes.</summary>
    public static Digest Of(ReadOnlySpan<byte> bytes)
    {
        Span<byte> hash = stackalloc byte[16];
        XxHash128.Hash(bytes, hash);
        return Read(hash);
    }

    /// <summary>What a hash has come to.</summary>
    public static Digest Of(XxHash128 hash)
    {
        Span<byte> bytes = stackalloc byte[16];
        hash.GetCurrentHash(bytes);
        return Read(bytes);
    }

    private static Digest Read(ReadOnlySpan<byte> bytes) => new(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));

    /// <summary>32 hexadecimal digits.</summary>
    public string Hex => string.Create(CultureInfo.InvariantCulture, $"{High:x16}{Low:x16}");

    public override string ToString() => Prefix + Hex;

    /// <summary>Reads <c>xxh128:</c> and 32 hexadecimal digits.</summary>
    public static Digest Parse(string text) =>
        TryParse(text, out Digest digest) ? digest : throw new FormatException($"'{text}' is not a digest: {Prefix} and 32 hexadecimal digits.");

    /// <summary>Reads <c>xxh128:</c> and 32 hexadecimal digits.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out Digest digest)
    {
        digest = default;
        if (text is null || text.Length != Prefix.Length + 32 || !text.StartsWith(Prefix, StringComparison.Ordinal)) return false;
        ReadOnlySpan<char> digits = text.AsSpan(Prefix.Length);
        if (!ulong.TryParse(digits[..16], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong high)
            || !ulong.TryParse(digits[16..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong low)) return false;
        digest = new Digest(high, low);
        return true;
    }
}

/// <summary>How digests of pieces, tensors and checkpoints are made.</summary>
/// <remarks>
/// Pieces are independent of each other, so they may be hashed in any order and on any thread. The definition is frozen: digests are written into receipts.
/// </remarks>
public static class Digests
{
    /// <summary>Length of a piece; the last piece of a tensor may be shorter.</summary>
    public const int PieceBytes = 1 << 20;

    /// <summary>Number of pieces of a tensor of so many bytes.</summary>
    public static long PieceCount(long bytes) => (bytes + PieceBytes - 1) / PieceBytes;

    /// <summary>Hash of one piece of at most <see cref="PieceBytes"/> bytes.</summary>
    public static Digest Piece(ReadOnlySpan<byte> bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes.Length, PieceBytes);
        return Digest.Of(bytes);
    }

    /// <summary>Digest of a tensor from the hashes of its pieces in order.</summary>
    public static Digest Tensor(DType type, Shape shape, ReadOnlySpan<Digest> pieceHashes)
    {
        var hash = new XxHash128();
        Begin(hash, type, shape);
        foreach (Digest piece in pieceHashes) Append(hash, piece);
        return Digest.Of(hash);
    }

    /// <summary>Digest of a tensor whose bytes are at hand.</summary>
    public static Digest Tensor(DType type, Shape shape, ReadOnlySpan<byte> bytes)
    {
        var hash = new XxHash128();
        Begin(hash, type, shape);
        for (int at = 0; at < bytes.Length; at += PieceBytes) Append(hash, Piece(bytes.Slice(at, Math.Min(PieceBytes, bytes.Length - at))));
        return Digest.Of(hash);
    }

    /// <summary>Digest of a stored tensor, read one piece at a time.</summary>
    public static Digest OfTensor(WeightTensor tensor, CancellationToken stop = default) => OfTensor(tensor.Entry, tensor.File.Source, stop);

    /// <summary>Digest of a stored tensor, read one piece at a time.</summary>
    public static Digest OfTensor(TensorEntry tensor, IByteSource source, CancellationToken stop = default)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(PieceBytes, Math.Max(1, tensor.Bytes)));
        try
        {
            var hash = new XxHash128();
            Begin(hash, tensor.DType, tensor.Shape);
            for (long at = 0; at < tensor.Bytes; at += PieceBytes)
            {
                stop.ThrowIfCancellationRequested();
                Span<byte> piece = buffer.AsSpan(0, (int)Math.Min(PieceBytes, tensor.Bytes - at));
                source.Read(tensor.Offset + at, piece);
                Append(hash, Piece(piece));
            }
            return Digest.Of(hash);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Digest of a checkpoint from those of its tensors, in whatever order they come.</summary>
    public static Digest Checkpoint(IEnumerable<(string Name, Digest Tensor)> tensors)
    {
        (string Name, Digest Tensor)[] sorted = [.. tensors];
        Array.Sort(sorted, static (a, b) => string.CompareOrdinal(a.Name, b.Name));
        var hash = new XxHash128();
        for (int i = 0; i < sorted.Length; i++)
        {
            if (i > 0 && sorted[i].Name == sorted[i - 1].Name) throw new ArgumentException($"The tensor '{sorted[i].Name}' is listed twice.", nameof(tensors));
            hash.Append(Encoding.UTF8.GetBytes(sorted[i].Name));
            hash.Append([0]);
            Append(hash, sorted[i].Tensor);
        }
        return Digest.Of(hash);
    }

    private static void Begin(XxHash128 hash, DType type, Shape shape)
    {
        hash.Append(Encoding.UTF8.GetBytes(type.Name()));
        hash.Append([0]);
        AppendCount(hash, shape.Rank);
        foreach (long size in shape.Sizes) AppendCount(hash, size);
    }

    private static void AppendCount(XxHash128 hash, long count)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, (ulong)count);
        hash.Append(bytes);
    }

    private static void Append(XxHash128 hash, Digest value)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, value.High);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], value.Low);
        hash.Append(bytes);
    }
}
