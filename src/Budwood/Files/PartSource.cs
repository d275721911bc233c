namespace Budwood.Files;

/// <summary>A part of a source as a source of its own: an entry of an archive, the data behind a head.</summary>
internal sealed class PartSource(IByteSource whole, long start, long length, string name) : IByteSource
{
    public string Name => name;
    public long Length => length;

    public void Read(long offset, Span<byte> into)
    {
        if (offset < 0 || into.Length > length - offset) throw FileFaults.PastTheEnd(name, offset, into.Length, length);
        whole.Read(start + offset, into);
    }

    // The whole belongs to whoever opened it.
    public void Dispose()
    {
    }
}

/// <summary>A source as a stream that can be read at any place, for readers of archives.</summary>
internal sealed class SourceStream(IByteSource source) : Stream
{
    private long _at;

    public override bool CanRead => true;
    public override bool CanSeek => true;
    public override bool CanWrite => false;
    public override long Length => source.Length;
    public override long Position { get => _at; set => _at = value; }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        int count = (int)Math.Clamp(source.Length - _at, 0, buffer.Length);
        if (count > 0) source.Read(_at, buffer[..count]);
        _at += count;
        return count;
    }

    public override long Seek(long offset, SeekOrigin origin) => _at = offset + (origin == SeekOrigin.Begin ? 0 : origin == SeekOrigin.Current ? _at : source.Length);

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
