using System.Buffers.Binary;

namespace Budwood.Files;

/// <summary>Reads a part of a source from front to back; the end of the part is a <see cref="Fault"/>, and so is a pickle of more than 100 MB.</summary>
internal sealed class PickleReader(IByteSource source, long start, long end)
{
    /// <summary>The most that is read as pickles of one file, the same as the limit of a safetensors header.</summary>
    internal const long Limit = 100_000_000;

    private readonly byte[] _buffer = new byte[(int)Math.Min(1 << 14, Math.Max(16, end - start))];
    private readonly long _start = start;
    private int _at, _filled;

    internal string Path => source.Name;

    /// <summary>Offset in the source of the next byte.</summary>
    internal long Position { get; private set; } = start;

    internal long Consumed => Position - _start;

    internal bool AtEnd => Position == end;

    internal byte Byte() => Bytes(1)[0];

    internal ushort U16() => BinaryPrimitives.ReadUInt16LittleEndian(Bytes(2));

    internal int I32() => BinaryPrimitives.ReadInt32LittleEndian(Bytes(4));

    internal long I64() => BinaryPrimitives.ReadInt64LittleEndian(Bytes(8));

    internal double BigEndianDouble() => BinaryPrimitives.ReadDoubleBigEndian(Bytes(8));

    /// <summary>The next bytes; the span is good until the next read.</summary>
    internal ReadOnlySpan<byte> Bytes(long count)
    {
        if (count < 0) throw FileFaults.PickleMalformed(Path, $"a length of {count}", Position);
        if (count > end - Position) throw FileFaults.PickleCut(Path, end);
        if (count > Limit - Consumed) throw FileFaults.PickleLimit(Path, "a description larger than any model needs", "100 MB", Position);
        if (count > _buffer.Length)
        {
            byte[] large = new byte[count];
            source.Read(Position, large);
            Position += count;
            _filled = _at = 0;
            return large;
        }
        if (count > _filled - _at)
        {
            _filled = (int)Math.Min(_buffer.Length, end - Position);
            _at = 0;
            source.Read(Position, _buffer.AsSpan(0, _filled));
        }
        ReadOnlySpan<byte> bytes = _buffer.AsSpan(_at, (int)count);
        _at += (int)count;
        Position += count;
        return bytes;
    }
}
