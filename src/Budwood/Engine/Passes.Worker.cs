using Budwood.Checkpoints;
using Budwood.Files;
using Budwood.Methods;
using Budwood.Numbers;
using Budwood.Numbers.Kernels;

namespace Budwood.Engine;

public sealed partial class Passes
{
    /// <summary>One thread's buffers and the handling of one piece.</summary>
    private sealed class Worker(Passes passes, int number) : IDisposable
    {
        private const int NearElements = 1 << 16;

        private readonly BufferPool _pool = new();
        private SlotRun? _last;
        private PieceWork? _work;

        /// <summary>What this thread is doing.</summary>
        public PhaseClock Clock { get; } = new(passes._options.Profile);

        public void Do(SlotRun run, int piece)
        {
            PlannedSlot planned = run.Planned;
            if (planned.Slot.Shape.Count == 0) return;
            if (planned.Slot.IsCopy)
            {
                Leave();
                Copy(run, piece);
            }
            else Compute(run, piece);
        }

        private void Copy(SlotRun run, int piece)
        {
            Slot slot = run.Planned.Slot;
            long start = (long)piece * run.Geometry.PieceElements;
            int count = (int)Math.Min(run.Geometry.PieceElements, slot.Shape.Count - start), length = checked((int)slot.Stored.Bytes(count));
            long at = slot.Stored.Bytes(start);
            TensorSource source = slot.Inputs[0].Source;
            if (InKernel(run.Planned) is { } stored && passes._output.Copy(run.Planned, at, stored, length) == length)
            {
                Clock.Lap(Phase.Copy);
                passes._options.Progress?.Invoke(length * 2L);
                return;
            }
            using TensorReader reader = source.Open(_pool);
            reader.Fetch(start, count);
            ReadOnlySpan<byte> bytes = reader.Bytes;
            Clock.Lap(Phase.Read);
            DigestInput(run, 0, source, start, reader);
            if (IsKnown(run.Planned) is null) run.Digester.Add(at, bytes);
            Clock.Lap(Phase.Digest);
            run.Totals[piece] = CompareBytes(run.Planned, start, count, bytes);
            Clock.Lap(Phase.Compare);
            passes._output.Write(run.Planned, at, bytes);
            Clock.Lap(Phase.Write);
            passes._options.Progress?.Invoke(bytes.Length * 2L);
        }

        // Bytes that need not be looked at: their digest is known, and the receipt compares them with themselves.
        private StoredTensor? InKernel(PlannedSlot planned) => IsKnown(planned) is { } stored && ReferenceEquals(planned.Reference, stored) ? stored : null;

        private StoredTensor? IsKnown(PlannedSlot planned) => KnownDigest(planned, passes._options) is null ? null : planned.Slot.Inputs[0].Source as StoredTensor;

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

            PieceWork work = WorkOn(run);
            if (run.Samples)
            {
                Sample(run, work);
                return;
            }
            using TensorReader? reference = apart ? planned.Reference!.Open(_pool) : null;
            work.NotFinite = run.IsFirst ? (input, nan, infinite) => passes.Note(slot.Reads[input], nan, infinite) : null;
            int near = Near(run, count), from = 0;
            work.Fetch(start, near);
            reference?.Fetch(start, near);
            Clock.Lap(Phase.Read);
            for (int i = 0; i < slot.Reads.Count; i++)
            {
                TensorSource source = slot.Reads[i].Source;
                read += source.DType.Bytes(count);
                DigestInput(run, i, source, start, work[i]);
            }
            Clock.Lap(Phase.Digest);
            int outBytes = run.Applies ? checked((int)slot.Stored.Bytes(count)) : 0;
            long at = slot.Stored.Bytes(start);
            using ShardPiece? sent = run.Applies ? passes._output.Rent(planned, at, outBytes) : null;
            Clock.Lap(Phase.Write);
            using NativeBuffer own = sent is null ? _pool.Rent(Math.Max(64, outBytes)) : default;
            Span<byte> result = sent is null ? own.Span(outBytes) : sent.Span;
            var measured = new Measured(run.Measured, piece);
            for (int offset = 0; offset < count; offset += cut.UnitElements)
            {
                int length = Math.Min(cut.UnitElements, count - offset), full = (length + 15) & ~15;
                if (offset >= from + near)
                {
                    from = offset;
                    work.Fetch(start + from, Math.Min(near, count - from));
                    reference?.Fetch(start + from, Math.Min(near, count - from));
                    Clock.Lap(Phase.Read);
                }
                var block = new Block(slot, start + offset, length);
                long unit = (start + offset) / cut.UnitElements;
                Operands operands = work.Load(offset - from, length);
                Clock.Lap(Phase.Widen);
                if (!run.Applies)
                {
                    Measure(run, piece, unit, block, operands, measured, work.Spare(0, full));
                    Clock.Lap(Phase.Measure);
                    continue;
                }
                Span<float> values = work.Spare(1, full);
                work.Apply(block, operands, measured, values);
                Clock.Lap(Phase.Apply);
                run.Totals[unit] = Store(planned, operands, reference, offset - from, values[..length], result[(int)slot.Stored.Bytes(offset)..], work.Spare(2, length));
                Clock.Lap(Phase.Store);
            }
            if (run.Applies)
            {
                run.Digester.Add(at, result);
                Clock.Lap(Phase.Digest);
                if (sent is null) passes._output.Write(planned, at, result);
                else sent.Send();
                Clock.Lap(Phase.Write);
            }
            else run.EndPiece(number, piece);
            passes._options.Progress?.Invoke(read + outBytes);
        }

        // Elements that are fetched at a time: few enough to wait in the second-level cache until their units are looked at; a digest wants the piece whole.
        private int Near(SlotRun run, int count)
        {
            int near = Math.Max(1, NearElements / run.Geometry.UnitElements) * run.Geometry.UnitElements;
            bool inParts = near < count && run.Planned.Slot.Reads.All(r => r.Source is StoredTensor stored && (!run.IsFirst || passes._options.InputDigests.ContainsKey(stored.Weight)));
            return inParts ? near : count;
        }

        // The same for all pieces of a tensor that come one after the other.
        private PieceWork WorkOn(SlotRun run)
        {
            if (_work is not null && ReferenceEquals(_last, run)) return _work;
            Leave();
            _last = run;
            return _work = new PieceWork(run.Rule, run.Planned, run.Geometry, _pool, spare: 3);
        }

        private void Leave()
        {
            _work?.Dispose();
            (_last, _work) = (null, null);
        }

        // Short runs of elements from all over the tensor.
        private void Sample(SlotRun run, PieceWork work)
        {
            Geometry cut = run.Geometry;
            var measured = new Measured(run.Measured, 0);
            for (int place = 0; place < cut.SamplePlaces; place++)
            {
                // The middle of an equal share, moved about so that no column is met again and again.
                long at = (long)((place + 0.5) * cut.Elements / cut.SamplePlaces) + (place * 37 % Geometry.SampleLength) - Geometry.SampleLength;
                at = Math.Clamp(at & ~15L, 0, cut.Elements - Geometry.SampleLength);
                work.Fetch(at, Geometry.SampleLength);
                Operands operands = work.Load(0, Geometry.SampleLength);
                var block = new Block(run.Planned.Slot, at, Geometry.SampleLength);
                Span<float> view = work.Spare(0, Geometry.SampleLength);
                foreach (int quantity in run.Views)
                {
                    run.Rule.ViewAny(run.Planned.Rounds, quantity, block, run.Planned.Parameters, operands, measured, view);
                    run.Sample(quantity, view);
                }
            }
            Clock.Lap(Phase.Sample);
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
            Span<int> among = stackalloc int[x.Count];
            int n = 0;
            for (int i = 0; i < x.Count; i++) if (of == Of.Values || i != x.BaseIndex) among[n++] = i;
            Gram(run, unit, of, among[..n], x, view);
        }

        // Two or three vectors, as most merges have, are looked at once for all their products.
        private static void Gram(SlotRun run, long unit, Of of, ReadOnlySpan<int> among, in Operands x, Span<float> view)
        {
            DType? rounds = run.Planned.Rounds;
            if (among.Length == 2)
            {
                (int i, int j) = (among[0], among[1]);
                ReadOnlySpan<float> first = Vector(rounds, x, of, i, view), second = Vector(rounds, x, of, j, of == Of.Values ? view : x.Scratch(0));
                (double ii, double ij, double jj) = Reductions.Products(first, second);
                run.ObserveGram(unit, i, i, ii);
                run.ObserveGram(unit, i, j, ij);
                run.ObserveGram(unit, j, j, jj);
                return;
            }
            if (among.Length == 3 && of == Of.Values)
            {
                Span<double> products = stackalloc double[6];
                Reductions.Products(x[0], x[1], x[2], products);
                for (int i = 0, k = 0; i < 3; i++) for (int j = i; j < 3; j++) run.ObserveGram(unit, i, j, products[k++]);
                return;
            }
            for (int a = 0; a < among.Length; a++)
            {
                ReadOnlySpan<float> first = Vector(rounds, x, of, among[a], view);
                for (int b = a; b < among.Length; b++)
                    run.ObserveGram(unit, among[a], among[b], Reductions.Dot(first, a == b ? first : Vector(rounds, x, of, among[b], of == Of.Values ? view : x.Scratch(0))));
            }
        }

        // An input, or its delta in a buffer.
        private static ReadOnlySpan<float> Vector(DType? rounds, in Operands x, Of of, int i, Span<float> into)
        {
            if (of == Of.Values) return x[i];
            Delta(rounds, x, i, into);
            return into;
        }

        private static void Delta(DType? rounds, in Operands x, int i, Span<float> into)
        {
            for (int k = 0; k < into.Length; k += Operands.Step) Operands.Put(into, k, x.Delta<Plain>(i, k));
            if (rounds is { } type) Rounding.To(type, into);
        }

        // Rounds the values to the stored type, writes them, and compares them with the reference.
        private static Comparison Store(PlannedSlot planned, in Operands x, TensorReader? reader, int offset, Span<float> y, Span<byte> into, Span<float> reference)
        {
            DType stored = planned.Slot.Stored;
            if (planned.Reference is null)
            {
                reference.Clear();
                return Comparison.OfStored(stored, y, reference, into) with { Changed = y.Length, Difference = 0 };
            }
            int shared = Shared(planned);
            // A peer may have rounded the shared operand on loading; the reference is the tensor as stored.
            bool narrows = planned.Reference.DType != stored;
            if (shared >= 0 && !narrows) return Comparison.OfStored(stored, y, x[shared][..y.Length], into);
            if (shared >= 0) x[shared][..y.Length].CopyTo(reference);
            else reader!.Load(offset, reference);
            if (narrows) Rounding.To(stored, reference);
            return Comparison.OfStored(stored, y, reference, into);
        }

        private static int Shared(PlannedSlot planned)
        {
            if (planned.Loads.Count > 0) return -1;
            for (int i = 0; i < planned.Slot.Inputs.Count; i++) if (ReferenceEquals(planned.Slot.Inputs[i].Source, planned.Reference)) return i;
            return -1;
        }

        // The first to read a tensor digests it, once: its pieces are put together from parts.
        private void DigestInput(SlotRun run, int input, TensorSource source, long start, TensorReader reader)
        {
            if (!run.IsFirst || source.Stored is not { } stored || passes._options.InputDigests.ContainsKey(stored.Weight)) return;
            (TensorDigester digester, SlotRun owner, int at) = passes._inputs.GetOrAdd(stored.Weight, w => (new TensorDigester(w.DType, w.Shape), run, input));
            if (ReferenceEquals(owner, run) && at == input) digester.Add(stored.DType.Bytes(start), reader.StoredBytes);
        }

        public void Dispose()
        {
            Clock.End();
            Leave();
            _pool.Dispose();
        }
    }
}
