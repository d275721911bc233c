using Budwood.Files;
using Budwood.Numbers;

namespace Budwood.Engine;

/// <summary>Digest of a tensor whose pieces are seen in any order and by any thread.</summary>
internal sealed class TensorDigester(DType type, Shape shape)
{
    private readonly Digest[] _pieces = new Digest[Digests.PieceCount(type.Bytes(shape.Count))];
    private readonly bool[] _seen = new bool[Digests.PieceCount(type.Bytes(shape.Count))];
    private readonly long _bytes = type.Bytes(shape.Count);
    private readonly Dictionary<long, (byte[] Bytes, int Missing)> _parts = [];

    /// <summary>Hashes the bytes of a piece of work. Where it begins or ends within a digest's piece, that one is put together from its parts.</summary>
    public void Add(long start, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            long piece = start / Digests.PieceBytes;
            int within = (int)(start % Digests.PieceBytes), whole = (int)Math.Min(Digests.PieceBytes, _bytes - (piece * Digests.PieceBytes));
            int length = Math.Min(bytes.Length, whole - within);
            if (!_seen[piece])
            {
                if (length == whole)
                {
                    _pieces[piece] = Digests.Piece(bytes[..length]);
                    _seen[piece] = true;
                }
                else AddPart(piece, within, whole, bytes[..length]);
            }
            bytes = bytes[length..];
            start += length;
        }
    }

    // Neighbouring pieces of work are under way at the same time, so that few of these wait for their other part.
    private void AddPart(long piece, int within, int whole, ReadOnlySpan<byte> bytes)
    {
        (byte[] Bytes, int Missing) part;
        lock (_parts)
        {
            if (!_parts.TryGetValue(piece, out part)) part = (System.Buffers.ArrayPool<byte>.Shared.Rent(whole), whole);
            bytes.CopyTo(part.Bytes.AsSpan(within));
            part.Missing -= bytes.Length;
            if (part.Missing > 0)
            {
                _parts[piece] = part;
                return;
            }
            _parts.Remove(piece);
        }
        _pieces[piece] = Digests.Piece(part.Bytes.AsSpan(0, whole));
        _seen[piece] = true;
        System.Buffers.ArrayPool<byte>.Shared.Return(part.Bytes);
    }

    /// <summary>The digest, once every piece was seen; null otherwise.</summary>
    public Digest? Finish() => Array.TrueForAll(_seen, s => s) ? Digests.Tensor(type, shape, _pieces) : null;
}
