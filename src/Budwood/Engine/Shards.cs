using Budwood.Checkpoints;
using Budwood.Files;

namespace Budwood.Engine;

/// <summary>The shard files of an output under way.</summary>
internal sealed class Shards : IOutput, IDisposable
{
    private readonly ShardPlan _plan;
    private readonly ShardWriter _writer;

    public Shards(OutputFolder folder, ShardPlan plan, int workers, int pieceBytes)
    {
        _plan = plan;
        _writer = new ShardWriter(folder, workers, pieceBytes);
        foreach ((string name, SafetensorsLayout layout) in plan.Files) _writer.Add(name, layout);
    }

    public void Write(PlannedSlot slot, long start, ReadOnlySpan<byte> bytes)
    {
        (int file, TensorEntry entry) = _plan[slot.Slot.Name];
        _writer.Write(file, entry.Offset + start, bytes);
    }

    public ShardPiece? Rent(PlannedSlot slot, long start, int length)
    {
        (int file, TensorEntry entry) = _plan[slot.Slot.Name];
        return _writer.Rent(file, entry.Offset + start, length);
    }

    public long Copy(PlannedSlot slot, long start, StoredTensor from, long count)
    {
        (int file, TensorEntry entry) = _plan[slot.Slot.Name];
        return from.Weight.File.Source is FileSource source ? _writer.Copy(source, from.Weight.Entry.Offset + start, file, entry.Offset + start, count) : 0;
    }

    /// <summary>Waits for the last writes.</summary>
    public void Finish(Profile profile)
    {
        _writer.Finish();
        profile.Add(Phase.Disk, _writer.Seconds.Writing);
    }

    /// <summary>Digest of a tensor that no pass saw whole: read back.</summary>
    public Digest DigestOf(PlannedSlot slot, CancellationToken stop)
    {
        (int file, TensorEntry entry) = _plan[slot.Slot.Name];
        var digester = new TensorDigester(slot.Slot.Stored, slot.Slot.Shape);
        byte[] piece = new byte[(int)Math.Min(entry.Bytes, Digests.PieceBytes)];
        for (long at = 0; at < entry.Bytes; at += piece.Length)
        {
            stop.ThrowIfCancellationRequested();
            Span<byte> bytes = piece.AsSpan(0, (int)Math.Min(piece.Length, entry.Bytes - at));
            for (int done = 0; done < bytes.Length;)
            {
                int n = RandomAccess.Read(_writer[file], bytes[done..], entry.Offset + at + done);
                if (n == 0) throw new EndOfStreamException(_plan.Files[file].FileName);
                done += n;
            }
            digester.Add(at, bytes);
        }
        return digester.Finish()!.Value;
    }

    public void Dispose() => _writer.Dispose();
}
