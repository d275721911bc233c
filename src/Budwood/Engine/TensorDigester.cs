using Budwood.Files;
using Budwood.Numbers;

namespace Budwood.Engine;

/// <summary>Digest of a tensor whose pieces are seen in any order and by any thread.</summary>
internal sealed class TensorDigester(DType type, Shape shape)
{
    private readonly UInt128[] _pieces = new UInt128[Digests.PieceCount(type.Bytes(shape.Count))];
    private readonly bool[] _seen = new bool[Digests.PieceCount(type.Bytes(shape.Count))];
    private readonly long _bytes = type.Bytes(shape.Count);

    /// <summary>Hashes bytes that start on a piece and end on one or at the end of the tensor; others are left for a later reading.</summary>
    public void Add(long start, ReadOnlySpan<byte> bytes)
    {
        if (start % Digests.PieceBytes != 0) return;
        for (int at = 0; at < bytes.Length; at += Digests.PieceBytes)
        {
            int length = Math.Min(Digests.PieceBytes, bytes.Length - at);
            if (length < Digests.PieceBytes && start + at + length != _bytes) return;
            long piece = (start + at) / Digests.PieceBytes;
            if (_seen[piece]) continue;
            _pieces[piece] = Digests.Piece(bytes.Slice(at, length));
            _seen[piece] = true;
        }
    }

    /// <summary>The digest, once every piece was seen; null otherwise.</summary>
    public Digest? Finish() => Array.TrueForAll(_seen, s => s) ? Digests.Tensor(type, shape, _pieces) : null;
}
