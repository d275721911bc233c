using Budwood.Checkpoints;
using Budwood.Files;
using Budwood.Methods;
using Budwood.Numbers;

namespace Budwood.Engine;

/// <summary>Everything that will be done, before anything is: tensors, types, order, configuration, and what the people should know.</summary>
public sealed record Plan(PlanRequest Request, IReadOnlyList<PlannedSlot> Slots, ModelConfig? Config, Checkpoint Donor, Checkpoint Reference)
{
    /// <summary>Lines that are said before the work: tensors left out, copied, tied, cut.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>Tensors of the reference that the output does not have.</summary>
    public required IReadOnlyList<CheckpointTensor> Removed { get; init; }

    /// <summary>The checkpoints that go into formulas beside the models.</summary>
    public IReadOnlyList<Checkpoint> Companions { get; init; } = [];

    /// <summary>Bytes that one pass over all inputs reads.</summary>
    public long ReadBytes => Slots.Sum(s => s.ReadBytes);

    /// <summary>Bytes of the output's tensors.</summary>
    public long WriteBytes => Slots.Sum(s => s.Slot.Stored.Bytes(s.Slot.Shape.Count));

    /// <summary>The models that stand in files, through steps that are not written.</summary>
    public IReadOnlyList<Checkpoint> StoredModels => [.. Request.Models.SelectMany(Stored).Distinct()];

    /// <summary>Everything that stands in files and is read: the models, then the companions.</summary>
    public IReadOnlyList<Checkpoint> StoredInputs => [.. Request.Models.Concat(Companions).SelectMany(Stored).Distinct()];

    /// <summary>The output as a model of a later step: computed when it is read, never written.</summary>
    public Checkpoint Unwritten(string label)
    {
        var file = new UnwrittenFile(label);
        CheckpointTensor[] tensors = [.. Slots.Select(s => new CheckpointTensor(s.Canonical, new WeightTensor(new TensorEntry(s.Slot.Name, s.Slot.Stored, s.Slot.Shape, 0, s.Slot.Stored.Bytes(s.Slot.Shape.Count)), file),
            s.Slot.Role, s.Slot.Layer, Donor.Model is not null && (Donor.Model.Canonical(s.Canonical) is not null))
        {
            Source = s.Slot.IsCopy ? s.Slot.Inputs[0].Source : new ComputedTensor(Request.Rule, s),
        })];
        return Checkpoint.Unwritten(label, Donor, Config, tensors, [.. Request.Models, .. Companions], Request.Tokenizer ?? Donor, Request.ChatTemplate);
    }

    private static IEnumerable<Checkpoint> Stored(Checkpoint model) => model.MadeFrom.Count == 0 ? [model] : model.MadeFrom.SelectMany(Stored);

    /// <summary>Bytes of buffers that the passes hold with so many threads and pieces of such size.</summary>
    public long PeakBytes(int threads, int pieceBytes)
    {
        long worst = 0, tables = 0, parts = 0;
        foreach (PlannedSlot planned in Slots)
        {
            Slot slot = planned.Slot;
            if (slot.Shape.Count == 0) continue;
            Geometry cut = Passes.Cut(Request.Rule, planned, pieceBytes);
            int piece = (int)Math.Min(cut.PieceElements, slot.Shape.Count);
            long bytes = slot.Reads.Sum(i => i.Source.BufferBytes(piece)) + slot.Stored.Bytes(piece) + (planned.Reference?.BufferBytes(piece) ?? 0);
            if (slot.IsCopy) bytes += 8L * piece;
            else bytes += ((long)slot.Reads.Count + slot.Inputs.Count + Request.Rule.Scratch(slot.Inputs.Count) + 3) * sizeof(float)
                * Math.Min(cut.UnitElements + 15L, slot.Shape.Count + 15);
            worst = Math.Max(worst, bytes);
            // Two brackets of a selection an input: a table of bins a thread and their sum, shares of pieces; sums by unit.
            tables = Math.Max(tables, (long)slot.Inputs.Count * ((2L * (threads + 1) * Bracket.TableBytes) + Bracket.ShareBytes + (8L * cut.Units * 3)));
            // Pieces of rows need not end where a digest's pieces do: those are put together.
            if (!slot.IsCopy && cut.UnitElements != Passes.BlockElements)
                parts = Math.Max(parts, (threads + 1L) * (slot.Reads.Count + 1) * Math.Min(Digests.PieceBytes, slot.Stored.Bytes(slot.Shape.Count)));
        }
        return RuntimeBytes + (threads * worst) + (2 * tables) + parts + ShardWriter.BufferBytes(threads, pieceBytes) + Request.Models.Sum(m => m.Added?.HeldBytes ?? 0);
    }

    /// <summary>What the runtime, the code and the headers take before any buffer; measured, with room.</summary>
    public const long RuntimeBytes = 64_000_000;

    /// <summary>Stands for the file of a step that is not written; nobody reads its bytes.</summary>
    private sealed class UnwrittenFile(string label) : WeightFile(new MemorySource(ReadOnlyMemory<byte>.Empty, label))
    {
        public override IReadOnlyList<TensorEntry> Tensors => [];
        public override IReadOnlyDictionary<string, string> Metadata { get; } = new Dictionary<string, string>();
    }
}
