using System.Collections.Concurrent;
using Budwood.Checkpoints;
using Budwood.Files;
using Microsoft.Win32.SafeHandles;

namespace Budwood.Engine;

/// <summary>The shard files of an output under way: written in pieces, finished one by one, and taken up again after an interruption.</summary>
internal sealed class Shards : IOutput, IDisposable
{
    private readonly OutputFolder _folder;
    private readonly ShardPlan _plan;
    private readonly IReadOnlyList<PlannedSlot> _slots;
    private readonly IReadOnlyList<string> _inputFiles;
    private readonly ShardWriter _writer;
    private readonly SafeFileHandle[] _handles;
    private readonly SlotResult?[] _results;
    private readonly Dictionary<string, int> _position = new(StringComparer.Ordinal);
    private readonly int[] _pending;
    private readonly List<(int, string, Digest)>[] _inputs;
    private readonly bool[] _finished;
    private readonly Lock _gate = new();
    private Task _sealing = Task.CompletedTask;
    private byte[]? _piece;

    /// <param name="inputFiles">The files that the run reads; the journal has their positions.</param>
    /// <param name="workers">Threads that fill buffers.</param>
    /// <param name="pieceBytes">The largest piece that a worker writes at once.</param>
    public Shards(OutputFolder folder, ShardPlan plan, IReadOnlyList<PlannedSlot> slots, IReadOnlyList<string> inputFiles, int workers, int pieceBytes)
    {
        _writer = new ShardWriter(folder, workers, pieceBytes);
        (_folder, _plan, _slots, _inputFiles) = (folder, plan, slots, inputFiles);
        (_handles, _finished, _pending) = (new SafeFileHandle[plan.Files.Count], new bool[plan.Files.Count], new int[plan.Files.Count]);
        _inputs = [.. plan.Files.Select(_ => new List<(int, string, Digest)>())];
        _results = new SlotResult?[slots.Count];
        for (int i = 0; i < slots.Count; i++)
        {
            _position[slots[i].Slot.Name] = i;
            _pending[plan[slots[i].Slot.Name].File]++;
        }
    }

    /// <summary>Shards that an interrupted run had finished.</summary>
    public int Kept { get; private set; }

    /// <summary>Tensors that are still to be made, in the order of the shards.</summary>
    public IReadOnlyList<PlannedSlot> Remaining => [.. _slots.Where((_, i) => _results[i] is null)];

    /// <summary>Takes up the finished shards of an interrupted run whose bytes are as it had written them, and begins the others.</summary>
    /// <param name="known">Receives the digests of the inputs that need not be read again.</param>
    public void Begin(ConcurrentDictionary<WeightTensor, Digest> known, IEnumerable<WeightTensor> inputs, Action<long>? progress, Action<string>? say, CancellationToken stop)
    {
        if (_folder.Journal is { Entries.Count: > 0 } journal)
        {
            var tensors = new Dictionary<(string, string), WeightTensor>();
            foreach (WeightTensor tensor in inputs) tensors.TryAdd((tensor.File.Path, tensor.Name), tensor);
            if (journal.IsDamaged) say?.Invoke("the journal of the interrupted run ends in half an entry: what it does not say is computed again");
            var shards = new Dictionary<string, FinishedShard>(StringComparer.Ordinal);
            foreach (IReadOnlyList<string> entry in journal.Entries) if (FinishedShard.Parse(entry) is { } shard) shards[shard.FileName] = shard;
            for (int file = 0; file < _handles.Length; file++)
                if (shards.TryGetValue(_plan.Files[file].FileName, out FinishedShard? shard) && !Keep(file, shard, known, tensors, progress, stop))
                    say?.Invoke($"{shard.FileName} is not as the interrupted run had written it: computed again");
            Kept = _finished.Count(f => f);
            say?.Invoke($"resuming: {Kept} of {_handles.Length} shard{(_handles.Length == 1 ? " is" : "s are")} finished by an interrupted run");
            _folder.RemoveOthers();
        }
        for (int i = 0; i < _handles.Length; i++)
        {
            if (_finished[i])
            {
                _writer.Add(_handles[i]);
                continue;
            }
            (string name, SafetensorsLayout layout) = _plan.Files[i];
            _handles[i] = _writer[_writer.Add(name, layout)];
        }
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

    public void Finished(SlotResult result, IReadOnlyList<(WeightTensor Tensor, Digest Digest)> inputs)
    {
        int file = _plan[result.Planned.Slot.Name].File;
        lock (_gate)
        {
            _results[_position[result.Planned.Slot.Name]] = result;
            foreach ((WeightTensor tensor, Digest digest) in inputs) _inputs[file].Add((PositionOf(tensor.File.Path), tensor.Name, digest));
            if (--_pending[file] > 0) return;
            // Beside the passes, which go on with the next shard while this one reaches the disk.
            _sealing = _sealing.ContinueWith(before =>
            {
                before.GetAwaiter().GetResult();
                Seal(file);
            }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
    }

    /// <summary>Waits for the last writes.</summary>
    public void Finish(Profile profile)
    {
        _writer.Finish();
        profile.Add(Phase.Disk, _writer.Seconds.Writing);
    }

    public void Dispose() => _writer.Dispose();

    /// <summary>What became of every tensor, once all shards are finished.</summary>
    public IReadOnlyList<SlotResult> Results()
    {
        _sealing.GetAwaiter().GetResult();
        return [.. _results.Select(r => r!)];
    }

    /// <summary>Gives up for now: what is finished stays for the next run of the same work. Returns the number of finished shards.</summary>
    public int Leave()
    {
        Settle();
        if (_folder.Journal is null) return 0;
        string[] finished = [.. _plan.Files.Where((_, i) => _finished[i]).Select(f => f.FileName)];
        if (finished.Length > 0) _folder.Leave(finished);
        return finished.Length;
    }

    /// <summary>Waits until no shard is being finished any more, however that ends.</summary>
    public void Settle()
    {
        lock (_gate) _sealing = _sealing.ContinueWith(_ => { }, TaskScheduler.Default);
        _sealing.Wait(CancellationToken.None);
    }

    private int PositionOf(string path)
    {
        for (int i = 0; i < _inputFiles.Count; i++) if (_inputFiles[i] == path) return i;
        return -1;
    }

    private void Seal(int file)
    {
        _writer.WaitFor(file);
        (string name, SafetensorsLayout layout) = _plan.Files[file];
        var tensors = new List<FinishedTensor>();
        foreach (TensorEntry entry in layout.Tensors)
        {
            int at = _position[entry.Name];
            SlotResult result = _results[at]!;
            // Pieces of work that did not fall on digest pieces are read back, from the page cache.
            if (result.Digest is null) _results[at] = result = result with { Digest = DigestOf(_handles[file], entry, CancellationToken.None) };
            tensors.Add(new(entry.Name, result.Digest!.Value, result.Changed, result.NotFinite, result.Difference, result.Reference));
        }
        if (_folder.Journal is not { } journal) return;
        _folder.Sync(_handles[file]);
        try
        {
            journal.Append(new FinishedShard(name, layout.Length) { Tensors = tensors, Inputs = [.. _inputs[file].Distinct()] }.ToLines());
        }
        catch (Exception e) when (FileFaults.IsReading(e))
        {
            throw FileFaults.Writing(_folder.StagingPath, e);
        }
        _finished[file] = true;
    }

    private bool Keep(int file, FinishedShard shard, ConcurrentDictionary<WeightTensor, Digest> known, Dictionary<(string, string), WeightTensor> tensors,
        Action<long>? progress, CancellationToken stop)
    {
        (string name, SafetensorsLayout layout) = _plan.Files[file];
        var finished = shard.Tensors.DistinctBy(t => t.Name).ToDictionary(t => t.Name, StringComparer.Ordinal);
        if (shard.Length != layout.Length || finished.Count != layout.Tensors.Count || !layout.Tensors.All(t => finished.ContainsKey(t.Name))) return false;
        if (_folder.Reopen(name, layout.Length) is not { } handle) return false;
        if (!IsIntact(handle, layout, finished, stop))
        {
            _folder.Discard(handle);
            return false;
        }
        foreach (TensorEntry entry in layout.Tensors)
        {
            FinishedTensor t = finished[entry.Name];
            int at = _position[entry.Name];
            _results[at] = new SlotResult(_slots[at], t.Changed, t.NotFinite, t.Difference, t.Reference, t.Digest);
            progress?.Invoke(_slots[at].ReadBytes + entry.Bytes);
        }
        foreach ((int position, string input, Digest digest) in shard.Inputs)
            if (position >= 0 && position < _inputFiles.Count && tensors.TryGetValue((_inputFiles[position], input), out WeightTensor? tensor)) known[tensor] = digest;
        (_handles[file], _finished[file], _pending[file]) = (handle, true, 0);
        return true;
    }

    private bool IsIntact(SafeFileHandle handle, SafetensorsLayout layout, Dictionary<string, FinishedTensor> finished, CancellationToken stop)
    {
        try
        {
            byte[] header = new byte[layout.Header.Length];
            Read(handle, 0, header);
            return header.AsSpan().SequenceEqual(layout.Header.Span) && layout.Tensors.All(t => DigestOf(handle, t, stop) == finished[t.Name].Digest);
        }
        catch (Exception e) when (FileFaults.IsReading(e))
        {
            return false;
        }
    }

    private static void Read(SafeFileHandle handle, long offset, Span<byte> bytes)
    {
        for (int done = 0; done < bytes.Length;)
        {
            int n = RandomAccess.Read(handle, bytes[done..], offset + done);
            if (n == 0) throw new EndOfStreamException();
            done += n;
        }
    }

    private Digest DigestOf(SafeFileHandle handle, TensorEntry entry, CancellationToken stop)
    {
        var digester = new TensorDigester(entry.DType, entry.Shape);
        byte[] piece = _piece ??= new byte[Digests.PieceBytes]; // one reader at a time: the shards that are kept, then the one being sealed
        for (long at = 0; at < entry.Bytes; at += piece.Length)
        {
            stop.ThrowIfCancellationRequested();
            Span<byte> bytes = piece.AsSpan(0, (int)Math.Min(piece.Length, entry.Bytes - at));
            Read(handle, entry.Offset + at, bytes);
            digester.Add(at, bytes);
        }
        return digester.Finish()!.Value;
    }
}
