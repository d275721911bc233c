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

    /// <summary>Reads written bytes back.</summary>
    void Read(PlannedSlot slot, long start, Span<byte> bytes);
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
    private readonly Rule _rule;
    private readonly IReadOnlyList<PlannedSlot> _slots;
    private readonly IOutput _output;
    private readonly PassOptions _options;
    private readonly CancellationToken _stop;
    private readonly object _gate = new();
    private readonly List<SlotRun> _active = [];
    private readonly SlotResult[] _results;
    private readonly Dictionary<SlotRun, int> _indexOf = [];
    private readonly ConcurrentDictionary<WeightTensor, TensorDigester> _inputs = new();
    private readonly ConcurrentDictionary<string, (long NaN, long Infinite)> _notFinite = new();
    private int _next;
    private ExceptionDispatchInfo? _failure;

    private Passes(Rule rule, IReadOnlyList<PlannedSlot> slots, IOutput output, PassOptions options, CancellationToken stop)
    {
        (_rule, _slots, _output, _options, _stop) = (rule, slots, output, options, stop);
        _results = new SlotResult[slots.Count];
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
        int narrow = slot.IsCopy ? 8 : slot.Inputs.Min(i => i.Source.DType.Bits());
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
                if (_next < _slots.Count)
                {
                    PlannedSlot slot = _slots[_next];
                    var run = new SlotRun(_rule, slot, Cut(_rule, slot, _options.PieceBytes), _options.Threads);
                    _indexOf[run] = _next++;
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
        SlotResult? result = goesOn ? null : run.Result(run.Digester.Finish());
        lock (_gate)
        {
            run.Pending = 0;
            if (goesOn) run.NextPiece = 0;
            if (result is not null)
            {
                _active.Remove(run);
                _results[_indexOf[run]] = result;
                _indexOf.Remove(run);
            }
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>One thread's buffers and the handling of one piece.</summary>
    private sealed unsafe class Worker(Passes passes, int number) : IDisposable
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
            int n = slot.Inputs.Count, scratch = passes._rule.Scratch(n);
            long start = (long)piece * cut.PieceElements;
            int count = (int)Math.Min(cut.PieceElements, slot.Shape.Count - start);
            int padded = (cut.UnitElements + 15) & ~15;

            int extra = Shared(planned) < 0 && planned.Reference is not null && run.Applies ? 1 : 0;
            var readers = new TensorReader[n + extra];
            using NativeBuffer floats = _pool.Rent((2L * n + scratch + 3) * padded * sizeof(float));
            float** x = stackalloc float*[n], uniform = stackalloc float*[n], room = stackalloc float*[Math.Max(1, scratch)];
            float* at = (float*)floats.Pointer;
            for (int i = 0; i < n; i++, at += padded) x[i] = at;
            for (int i = 0; i < n; i++, at += padded) uniform[i] = at;
            for (int i = 0; i < scratch; i++, at += padded) room[i] = at;
            float* y = at, view = y + padded, reference = view + padded;
            try
            {
                for (int i = 0; i < n; i++) readers[i] = slot.Inputs[i].Source.Open(_pool);
                if (extra == 1) readers[n] = planned.Reference!.Open(_pool);
                long read = 0;
                foreach (TensorReader reader in readers) reader.Fetch(start, count);
                for (int i = 0; i < n; i++)
                {
                    TensorSource source = slot.Inputs[i].Source;
                    read += source.DType.Bytes(count);
                    DigestInput(run, source, start, readers[i]);
                }
                int outBytes = run.Applies ? checked((int)slot.Stored.Bytes(count)) : 0;
                using NativeBuffer result = _pool.Rent(Math.Max(64, outBytes));
                var measured = new Measured(run.Measured, piece);
                for (int offset = 0; offset < count; offset += cut.UnitElements)
                {
                    int length = Math.Min(cut.UnitElements, count - offset), full = (length + 15) & ~15;
                    var block = new Block(slot, start + offset, length);
                    long unit = (start + offset) / cut.UnitElements;
                    for (int i = 0; i < n; i++) LoadInput(run, i, readers[i], offset, length, new Span<float>(x[i], full));
                    if (planned.Draws.Count > 0)
                        for (int i = 0; i < n; i++) planned.Draws[i]?.Fill(start + offset, new Span<float>(uniform[i], length));
                    var operands = new Operands(n, slot.Base, full, x, uniform, room);
                    if (!run.Applies)
                    {
                        Measure(run, piece, unit, block, operands, measured, new Span<float>(view, full));
                        continue;
                    }
                    var values = new Span<float>(y, full);
                    if (planned.Passes >= 0) operands[planned.Passes].CopyTo(values);
                    else passes._rule.ApplyAny(planned.Rounds, block, planned.Parameters, operands, measured, values);
                    values = values[..length];
                    if (planned.Result is { } type) Rounding.To(type, values);
                    Rounding.To(slot.Stored, values);
                    Conversion.Narrow(slot.Stored, values, result.Span(outBytes)[(int)slot.Stored.Bytes(offset)..]);
                    run.Totals[unit] = Compare(planned, operands, extra == 1 ? readers[n] : null, offset, values, new Span<float>(reference, length));
                }
                if (run.Applies)
                {
                    Span<byte> bytes = result.Span(outBytes);
                    passes._output.Write(planned, slot.Stored.Bytes(start), bytes);
                    run.Digester.Add(slot.Stored.Bytes(start), bytes);
                }
                passes._options.Progress?.Invoke(read + outBytes);
            }
            finally
            {
                foreach (TensorReader? reader in readers) reader?.Dispose();
            }
        }

        private void LoadInput(SlotRun run, int input, TensorReader reader, int offset, int length, Span<float> x)
        {
            PlannedSlot planned = run.Planned;
            Span<float> values = x[..length];
            reader.Load(offset, values);
            x[length..].Clear();
            (long nan, long infinite) = run.IsFirst ? Comparison.NotFiniteIn(values) : default;
            if (nan + infinite > 0)
            {
                SlotInput i = planned.Slot.Inputs[input];
                passes._notFinite.AddOrUpdate($"{i.Label}: {i.Stored}", (nan, infinite), (_, had) => (had.NaN + nan, had.Infinite + infinite));
            }
            if (planned.Loads.Count > 0) foreach (DType type in planned.Loads[input]) Rounding.To(type, values);
        }

        private void Measure(SlotRun run, int piece, long unit, in Block block, in Operands x, Measured measured, Span<float> view)
        {
            PlannedSlot planned = run.Planned;
            foreach (int quantity in run.Views)
            {
                passes._rule.ViewAny(planned.Rounds, quantity, block, planned.Parameters, x, measured, view);
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
