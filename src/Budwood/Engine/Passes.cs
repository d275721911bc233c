using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using Budwood.Checkpoints;
using Budwood.Files;
using Budwood.Methods;
using Budwood.Numbers;

namespace Budwood.Engine;

/// <summary>Where finished bytes of the output go.</summary>
public interface IOutput
{
    /// <summary>Writes bytes of a tensor from byte <paramref name="start"/> of its data; called from several threads.</summary>
    void Write(PlannedSlot slot, long start, ReadOnlySpan<byte> bytes);

    /// <summary>Told that all bytes of a tensor were written; called from several threads, and no more once an input was refused.</summary>
    /// <param name="inputs">Digests of the tensors that it was made from, as far as they were seen whole.</param>
    void Finished(SlotResult result, IReadOnlyList<(WeightTensor Tensor, Digest Digest)> inputs)
    {
    }

    /// <summary>A buffer that is written once it is sent, for bytes from <paramref name="start"/>; null where the output has none of that size.</summary>
    ShardPiece? Rent(PlannedSlot slot, long start, int length) => null;

    /// <summary>Copies bytes of a stored tensor without their passing through here; returns how many.</summary>
    long Copy(PlannedSlot slot, long start, StoredTensor from, long count) => 0;
}

/// <summary>What the passes may use and report.</summary>
public sealed record PassOptions(int Threads, int PieceBytes, bool AllowNotFinite)
{
    /// <summary>Told the number of bytes read and written since the last call; called from several threads.</summary>
    public Action<long>? Progress { get; init; }

    /// <summary>Digests of input tensors that are known already; the passes add the ones they see whole.</summary>
    public ConcurrentDictionary<WeightTensor, Digest> InputDigests { get; init; } = new();

    /// <summary>Memory in which tensors may remember what a pass has drawn.</summary>
    public long MaskBytes { get; init; } = MaskRoom.Most;

    /// <summary>Told where the time goes.</summary>
    public Profile Profile { get; init; } = new();
}

/// <summary>Runs a plan's slots on a fixed number of threads in bounded memory: read, widen, measure, apply, round, write, digest.</summary>
/// <remarks>Threads take pieces of the oldest tensor that has one to give, so that few tensors are under way and results do not depend on who does what.</remarks>
public sealed partial class Passes
{
    private readonly IReadOnlyList<Item> _items;
    private readonly IOutput _output;
    private readonly PassOptions _options;
    private readonly CancellationToken _stop;
    private readonly object _gate = new();
    private readonly List<SlotRun> _active = [];
    private readonly SlotResult[] _results;
    private readonly Dictionary<SlotRun, Item> _itemOf = [];
    private readonly ConcurrentDictionary<WeightTensor, (TensorDigester Digester, SlotRun Run, int Input)> _inputs = new();
    private readonly ConcurrentDictionary<string, (long NaN, long Infinite)> _notFinite = new();
    private readonly MaskRoom _masks;
    private int _next;
    private ExceptionDispatchInfo? _failure;

    private Passes(Rule rule, IReadOnlyList<PlannedSlot> slots, IOutput output, PassOptions options, CancellationToken stop)
    {
        (_output, _options, _stop) = (output, options, stop);
        _results = new SlotResult[slots.Count];
        _masks = new MaskRoom(options.MaskBytes);
        _items = Items(rule, slots);
    }

    /// <summary>Something to run: a tensor of the output, or the measuring of a tensor of a step that is not written.</summary>
    private sealed record Item(Rule Rule, PlannedSlot Planned, int Result, ComputedTensor? Measures, IReadOnlyList<ComputedTensor> Needs);

    // A tensor of an earlier step is measured once, just before the first tensor that reads it.
    private static List<Item> Items(Rule rule, IReadOnlyList<PlannedSlot> slots)
    {
        var items = new List<Item>();
        var seen = new HashSet<ComputedTensor>();
        for (int i = 0; i < slots.Count; i++) items.Add(new(rule, slots[i], i, null, Add(slots[i])));
        return items;

        IReadOnlyList<ComputedTensor> Add(PlannedSlot slot)
        {
            List<ComputedTensor> needs = [.. slot.Slot.Reads.Select(x => x.Source).Append(slot.Reference).SelectMany(Computed).Distinct()];
            foreach (ComputedTensor tensor in needs.Where(seen.Add)) items.Add(new(tensor.Rule, tensor.Planned, -1, tensor, Add(tensor.Planned)));
            return needs;
        }

        static IEnumerable<ComputedTensor> Computed(TensorSource? source) => source switch
        {
            null => [],
            ComputedTensor tensor => [tensor],
            _ => source.From.SelectMany(Computed),
        };
    }

    /// <summary>Runs all slots; returns what became of each, in order. Throws what a worker threw, or a fault for values that are not finite.</summary>
    public static IReadOnlyList<SlotResult> Run(Rule rule, IReadOnlyList<PlannedSlot> slots, IOutput output, PassOptions options, CancellationToken stop)
    {
        var passes = new Passes(rule, slots, output, options, stop);
        var threads = new Thread[options.Threads];
        for (int i = 0; i < threads.Length; i++)
        {
            int worker = i;
            threads[i] = new Thread(() => passes.Work(worker)) { IsBackground = true, Name = $"budwood {i}" };
            threads[i].Start();
        }
        foreach (Thread thread in threads) thread.Join();
        foreach (SlotRun run in passes._active) run.Forget(); // of a run that was broken off
        passes._failure?.Throw();
        stop.ThrowIfCancellationRequested();
        foreach ((WeightTensor tensor, (TensorDigester digester, _, _)) in passes._inputs)
            if (digester.Finish() is { } digest) options.InputDigests[tensor] = digest;
        if (!passes._notFinite.IsEmpty && !options.AllowNotFinite)
            throw Fault.Several([.. passes._notFinite.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => EngineFaults.NotFinite(p.Key, p.Value.NaN, p.Value.Infinite))]);
        return passes._results;
    }

    /// <summary>How a slot is cut under these options.</summary>
    internal static Geometry Cut(Rule rule, PlannedSlot planned, int pieceBytes)
    {
        Slot slot = planned.Slot;
        long n = slot.Shape.Count;
        int narrow = slot.IsCopy ? 8 : slot.Reads.Min(i => i.Source.DType.Bits());
        narrow = Math.Min(narrow, slot.Stored.Bits());
        int want = checked((int)(pieceBytes * 8L / narrow)); // so that every type's bytes are whole digest pieces
        if (slot.IsCopy) return new(n, checked((int)Math.Max(1, pieceBytes / Math.Max(1, slot.Stored.Bytes(1)))), 1);
        switch (planned.Passes >= 0 ? Extent.Block : rule.ExtentAny(slot, planned.Parameters))
        {
            case Extent.Whole:
                return new(n, checked((int)Math.Max(1, n)), 1);
            case Extent.Row:
                int columns = checked((int)Math.Max(1, slot.Shape.Columns));
                return new(n, columns, Math.Max(1, want / columns));
            default:
                return new(n, BlockElements, Math.Max(1, want / BlockElements));
        }
    }

    /// <summary>Elements that a rule sees at once unless it asks for more.</summary>
    public const int BlockElements = 4096;

    private void Work(int worker)
    {
        using var desk = new Worker(this, worker);
        try
        {
            while (Take() is var (run, piece) && run is not null)
            {
                desk.Clock.Lap(Phase.Wait);
                desk.Do(run, piece);
                Finish(run);
            }
            desk.Clock.Lap(Phase.Wait);
        }
        catch (Exception e)
        {
            lock (_gate)
            {
                _failure ??= ExceptionDispatchInfo.Capture(e);
                Monitor.PulseAll(_gate);
            }
        }
    }

    private (SlotRun? Run, int Piece) Take()
    {
        lock (_gate)
        {
            while (true)
            {
                if (_failure is not null || _stop.IsCancellationRequested) return default;
                foreach (SlotRun run in _active)
                {
                    if (run.NextPiece >= run.Pieces) continue;
                    run.Pending++;
                    return (run, run.NextPiece++);
                }
                if (_next < _items.Count && _items[_next].Needs.All(n => n.Measured is not null))
                {
                    Item item = _items[_next++];
                    Geometry cut = item.Measures is { } tensor ? tensor.Cut(_options.PieceBytes) : Cut(item.Rule, item.Planned, _options.PieceBytes);
                    var run = new SlotRun(item.Rule, item.Planned, cut, _options.Threads, _masks);
                    if (item.Measures is not null && run.Applies)
                    {
                        item.Measures.Measured = run.Measured;
                        continue;
                    }
                    _itemOf[run] = item;
                    _active.Add(run);
                    continue;
                }
                if (_active.Count == 0) return default;
                Monitor.Wait(_gate);
            }
        }
    }

    private void Finish(SlotRun run)
    {
        lock (_gate)
        {
            if (--run.Pending > 0 || run.NextPiece < run.Pieces) return;
            run.Pending = 1; // the pass is being ended: nobody else may take or end it
            run.NextPiece = int.MaxValue;
        }
        bool goesOn = run.EndPass();
        Item item;
        lock (_gate) item = _itemOf[run];
        if (item.Measures is not null && run.Applies) goesOn = false;
        SlotResult? result = goesOn || item.Measures is not null ? null : run.Result(KnownDigest(run.Planned, _options) ?? run.Digester.Finish());
        if (result is not null && (_notFinite.IsEmpty || _options.AllowNotFinite)) _output.Finished(result, InputsOf(run.Planned.Slot));
        lock (_gate)
        {
            run.Pending = 0;
            if (goesOn) run.NextPiece = 0;
            else
            {
                // A tensor of an unwritten step is read by other geometries, after other tensors have come and gone.
                run.Forget();
                _active.Remove(run);
                _itemOf.Remove(run);
                if (item.Measures is { } tensor) tensor.Measured = run.Measured;
                if (result is not null) _results[item.Result] = result;
            }
            Monitor.PulseAll(_gate);
        }
    }

    private IReadOnlyList<(WeightTensor, Digest)> InputsOf(Slot slot) =>
        [.. slot.Reads.Select(r => r.Source.Stored?.Weight).OfType<WeightTensor>().Distinct()
            .Select(w => (w, _options.InputDigests.TryGetValue(w, out Digest known) ? known : _inputs.TryGetValue(w, out var seen) ? seen.Digester.Finish() : (Digest?)null))
            .Where(d => d.Item2 is not null).Select(d => (d.w, d.Item2!.Value))];

    // What is copied as it is has the digest of its source, if type and shape stay.
    private static Digest? KnownDigest(PlannedSlot planned, PassOptions options) =>
        planned.Slot is { IsCopy: true } slot && slot.Inputs[0].Source is StoredTensor stored && stored.Shape == slot.Shape && stored.DType == slot.Stored
        && options.InputDigests.TryGetValue(stored.Weight, out Digest digest) ? digest : null;

    private void Note(SlotInput input, long nan, long infinite) =>
        _notFinite.AddOrUpdate($"{input.Label}: {input.Stored}", (nan, infinite), (_, had) => (had.NaN + nan, had.Infinite + infinite));
}
