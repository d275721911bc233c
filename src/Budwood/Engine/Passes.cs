using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using Budwood.Checkpoints;
using Budwood.Files;
using Budwood.Methods;
using Budwood.Numbers;
using Budwood.Numbers.Kernels;

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
}

/// <summary>What the passes may use and report.</summary>
public sealed record PassOptions(int Threads, int PieceBytes, bool AllowNotFinite)
{
    /// <summary>Told the number of bytes read and written since the last call; called from several threads.</summary>
    public Action<long>? Progress { get; init; }

    /// <summary>Digests of input tensors that are known already; the passes add the ones they see whole.</summary>
    public ConcurrentDictionary<WeightTensor, Digest> InputDigests { get; init; } = new();
}

/// <summary>Runs a plan's slots on a fixed number of threads in bounded memory: read, widen, measure, apply, round, write, digest.</summary>
/// <remarks>Threads take pieces of the oldest tensor that has one to give, so that few tensors are under way and results do not depend on who does what.</remarks>
public sealed class Passes
{
    private readonly IReadOnlyList<Item> _items;
    private readonly IOutput _output;
    private readonly PassOptions _options;
    private readonly CancellationToken _stop;
    private readonly object _gate = new();
    private readonly List<SlotRun> _active = [];
    private readonly SlotResult[] _results;
    private readonly Dictionary<SlotRun, Item> _itemOf = [];
    private readonly ConcurrentDictionary<WeightTensor, TensorDigester> _inputs = new();
    private readonly ConcurrentDictionary<string, (long NaN, long Infinite)> _notFinite = new();
    private int _next;
    private ExceptionDispatchInfo? _failure;

    private Passes(Rule rule, IReadOnlyList<PlannedSlot> slots, IOutput output, PassOptions options, CancellationToken stop)
    {
        (_output, _options, _stop) = (output, options, stop);
        _results = new SlotResult[slots.Count];
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
        passes._failure?.Throw();
        stop.ThrowIfCancellationRequested();
        foreach ((WeightTensor tensor, TensorDigester digester) in passes._inputs)
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
                desk.Do(run, piece);
                Finish(run);
            }
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
                    if (run.NextPiece >= run.Geometry.Pieces) continue;
                    run.Pending++;
                    return (run, run.NextPiece++);
                }
                if (_next < _items.Count && _items[_next].Needs.All(n => n.Measured is not null))
                {
                    Item item = _items[_next++];
                    Geometry cut = item.Measures is { } tensor ? tensor.Cut(_options.PieceBytes) : Cut(item.Rule, item.Planned, _options.PieceBytes);
                    var run = new SlotRun(item.Rule, item.Planned, cut, _options.Threads);
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
            if (--run.Pending > 0 || run.NextPiece < run.Geometry.Pieces) return;
            run.Pending = 1; // the pass is being ended: nobody else may take or end it
            run.NextPiece = int.MaxValue;
        }
        bool goesOn = run.EndPass();
        Item item;
        lock (_gate) item = _itemOf[run];
        if (item.Measures is not null && run.Applies) goesOn = false;
        SlotResult? result = goesOn || item.Measures is not null ? null : run.Result(run.Digester.Finish());
        if (result is not null && (_notFinite.IsEmpty || _options.AllowNotFinite)) _output.Finished(result, InputsOf(run.Planned.Slot));
        lock (_gate)
        {
            run.Pending = 0;
            if (goesOn) run.NextPiece = 0;
            else
            {
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
            .Select(w => (w, _options.InputDigests.TryGetValue(w, out Digest known) ? known : _inputs.TryGetValue(w, out TensorDigester? seen) ? seen.Finish() : (Digest?)null))
            .Where(d => d.Item2 is not null).Select(d => (d.w, d.Item2!.Value))];

    private void Note(SlotInput input, long nan, long infinite) =>
        _notFinite.AddOrUpdate($"{input.Label}: {input.Stored}", (nan, infinite), (_, had) => (had.NaN + nan, had.Infinite + infinite));

    /// <summary>One thread's buffers and the handling of one piece.</summary>
    private sealed class Worker(Passes passes, int number) : IDisposable
    {
        private readonly BufferPool _pool = new();

        public void Do(SlotRun run, int piece)
        {
            PlannedSlot planned = run.Planned;
            if (planned.Slot.Shape.Count == 0) return;
            if (planned.Slot.IsCopy) Copy(run, piece);
            else Compute(run, piece);
        }

        private void Copy(SlotRun run, int piece)
        {
            Slot slot = run.Planned.Slot;
            long start = (long)piece * run.Geometry.PieceElements;
            int count = (int)Math.Min(run.Geometry.PieceElements, slot.Shape.Count - start);
            using TensorReader reader = slot.Inputs[0].Source.Open(_pool);
            reader.Fetch(start, count);
            ReadOnlySpan<byte> bytes = reader.Bytes;
            long at = slot.Stored.Bytes(start);
            DigestInput(run, slot.Inputs[0].Source, start, reader);
            passes._output.Write(run.Planned, at, bytes);
            run.Digester.Add(at, bytes);
            run.Totals[piece] = CompareBytes(run.Planned, start, count, bytes);
            passes._options.Progress?.Invoke(bytes.Length * 2L);
        }

        private Comparison CompareBytes(PlannedSlot planned, long start, int count, ReadOnlySpan<byte> bytes)
        {
            if (planned.Reference is null) return new(count, 0, 0, 0);
            if (ReferenceEquals(planned.Reference, planned.Slot.Inputs[0].Source)) return default;
            using TensorReader reader = planned.Reference.Open(_pool);
            reader.Fetch(start, count);
            if (reader.Bytes.SequenceEqual(bytes)) return default;
            if (!planned.Slot.Stored.IsArithmetic()) return new(count, 0, 0, 0);
            using NativeBuffer a = _pool.Rent(count * 4L), b = _pool.Rent(count * 4L);
            Conversion.Widen(planned.Slot.Stored, bytes, a.Floats(count));
            reader.Load(0, b.Floats(count));
            return Comparison.Of(a.Floats(count), b.Floats(count));
        }

        private void Compute(SlotRun run, int piece)
        {
            PlannedSlot planned = run.Planned;
            Slot slot = planned.Slot;
            Geometry cut = run.Geometry;
            long start = (long)piece * cut.PieceElements, read = 0;
            int count = (int)Math.Min(cut.PieceElements, slot.Shape.Count - start);
            bool apart = run.Applies && planned.Reference is not null && Shared(planned) < 0;

            using var work = new PieceWork(run.Rule, planned, cut, _pool, spare: 3);
            using TensorReader? reference = apart ? planned.Reference!.Open(_pool) : null;
            if (run.IsFirst) work.NotFinite = (input, nan, infinite) => passes.Note(slot.Reads[input], nan, infinite);
            work.Fetch(start, count);
            reference?.Fetch(start, count);
            for (int i = 0; i < slot.Reads.Count; i++)
            {
                TensorSource source = slot.Reads[i].Source;
                read += source.DType.Bytes(count);
                DigestInput(run, source, start, work[i]);
            }
            int outBytes = run.Applies ? checked((int)slot.Stored.Bytes(count)) : 0;
            using NativeBuffer result = _pool.Rent(Math.Max(64, outBytes));
            var measured = new Measured(run.Measured, piece);
            for (int offset = 0; offset < count; offset += cut.UnitElements)
            {
                int length = Math.Min(cut.UnitElements, count - offset), full = (length + 15) & ~15;
                var block = new Block(slot, start + offset, length);
                long unit = (start + offset) / cut.UnitElements;
                Operands operands = work.Load(offset, length);
                if (!run.Applies)
                {
                    Measure(run, piece, unit, block, operands, measured, work.Spare(0, full));
                    continue;
                }
                Span<float> values = work.Spare(1, full);
                work.Apply(block, operands, measured, values);
                values = values[..length];
                Conversion.Narrow(slot.Stored, values, result.Span(outBytes)[(int)slot.Stored.Bytes(offset)..]);
                run.Totals[unit] = Compare(planned, operands, reference, offset, values, work.Spare(2, length));
            }
            if (run.Applies)
            {
                Span<byte> bytes = result.Span(outBytes);
                passes._output.Write(planned, slot.Stored.Bytes(start), bytes);
                run.Digester.Add(slot.Stored.Bytes(start), bytes);
            }
            passes._options.Progress?.Invoke(read + outBytes);
        }

        private void Measure(SlotRun run, int piece, long unit, in Block block, in Operands x, Measured measured, Span<float> view)
        {
            PlannedSlot planned = run.Planned;
            foreach (int quantity in run.Views)
            {
                run.Rule.ViewAny(planned.Rounds, quantity, block, planned.Parameters, x, measured, view);
                run.Observe(number, piece, unit, quantity, view[..block.Count]);
            }
            if (run.GramOf is not { } of) return;
            int n = x.Count;
            for (int i = 0; i < n; i++)
            {
                if (of == Of.Deltas && i == x.BaseIndex) continue;
                for (int j = i; j < n; j++)
                {
                    if (of == Of.Values) run.ObserveGram(unit, i, j, Reductions.Dot(x[i], x[j]));
                    else if (j != x.BaseIndex) run.ObserveGram(unit, i, j, GramOfDeltas(planned, x, i, j, view));
                }
            }
        }

        private static double GramOfDeltas(PlannedSlot planned, in Operands x, int i, int j, Span<float> view)
        {
            Span<float> other = x.Scratch(0);
            Delta(planned.Rounds, x, i, view);
            Delta(planned.Rounds, x, j, other);
            return Reductions.Dot(view, other);
        }

        private static void Delta(DType? rounds, in Operands x, int i, Span<float> into)
        {
            for (int k = 0; k < into.Length; k += Operands.Step) Operands.Put(into, k, x.Delta<Plain>(i, k));
            if (rounds is { } type) Rounding.To(type, into);
        }

        private static Comparison Compare(PlannedSlot planned, in Operands x, TensorReader? reader, int offset, ReadOnlySpan<float> y, Span<float> reference)
        {
            if (planned.Reference is null)
            {
                reference.Clear();
                return Comparison.Of(y, reference) with { Changed = y.Length, Difference = 0 };
            }
            int shared = Shared(planned);
            // A peer may have rounded the shared operand on loading; the reference is the tensor as stored.
            if (shared >= 0 && planned.Loads.Count == 0) x[shared][..y.Length].CopyTo(reference);
            else reader!.Load(offset, reference);
            Rounding.To(planned.Slot.Stored, reference);
            return Comparison.Of(y, reference);
        }

        private static int Shared(PlannedSlot planned)
        {
            if (planned.Loads.Count > 0) return -1;
            for (int i = 0; i < planned.Slot.Inputs.Count; i++) if (ReferenceEquals(planned.Slot.Inputs[i].Source, planned.Reference)) return i;
            return -1;
        }

        private void DigestInput(SlotRun run, TensorSource source, long start, TensorReader reader)
        {
            if (!run.IsFirst || source.Stored is not { } stored || passes._options.InputDigests.ContainsKey(stored.Weight)) return;
            passes._inputs.GetOrAdd(stored.Weight, w => new TensorDigester(w.DType, w.Shape)).Add(stored.DType.Bytes(start), reader.StoredBytes);
        }

        public void Dispose() => _pool.Dispose();
    }
}
