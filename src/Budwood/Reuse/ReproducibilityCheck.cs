using System.Runtime.InteropServices;
using Budwood.Checkpoints;
using Budwood.Checkpoints.Audit;
using Budwood.Methods;
using Budwood.Numbers;
using Budwood.Numbers.Kernels;

namespace Budwood.Reuse;

/// <summary>Tells whether two runs gave the same model: bit for bit, equal as numbers, or different, and where they differ most.</summary>
/// <use>After running a recipe again: same seed and machine should give the same bits.</use>
/// <notfor>Two trainings with different seeds: those differ in every weight, and only scores over several seeds can call them equal.</notfor>
/// <cost>Tensors with equal digests are not read again; the others once.</cost>
/// <differs>The study names the attribute and measures nothing; the classes are those of numerical practice. Statistical equality needs scores: see claim_discrepancy.</differs>
/// <formula>relative difference = max |a - b| / max(|a|, |b|), element by element</formula>
[Method("reproducibility_check", Room.Reuse)]
[Paper("ptm-reuse", "reproducibility of section V; requirement P5 of the sheet")]
public sealed partial class ReproducibilityCheck : Job<ReproducibilityCheck.Parameters>
{
    /// <summary>Parameters of <c>reproducibility_check</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>Largest relative difference of an element that counts as equal.</summary>
        [Unit("1"), Range(0, 1)]
        public double Tolerance { get; init; } = 1e-6;
    }

    public override Ports Ports { get; } = new(
        [new Port("first", ArtifactKind.Checkpoint, "the model"), new Port("second", ArtifactKind.Checkpoint, "the same, made again")],
        new Port("verdict", ArtifactKind.Table, "one row: the class, counts, the largest differences"),
        new Port("tensors", ArtifactKind.Table, "the tensors that differ, worst first", Optional: true));

    protected internal override void Run(Desk desk, Parameters p)
    {
        Checkpoint a = desk.Checkpoint("first"), b = desk.Checkpoint("second");
        DiffReport report = CheckpointDiff.Compare(a, b, new DiffOptions(Threads: 1), desk.Stop);
        var rows = new List<(string Name, string Class, double? Largest, double? Relative, string Remark)>();
        foreach (TensorDifference d in report.Tensors)
        {
            bool comparable = d.Change == TensorChange.Changed && d.From is { } f && d.To is { } t && f.Shape == t.Shape && f.Type.IsArithmetic() && t.Type.IsArithmetic();
            if (!comparable)
            {
                rows.Add((d.Name, "different", null, null, d.Remark ?? (d.Change == TensorChange.Changed ? "shape or type" : $"only in the {(d.Change == TensorChange.Added ? "second" : "first")}")));
                continue;
            }
            a.TryGet(d.Name, out CheckpointTensor? x);
            b.TryGet(d.Name, out CheckpointTensor? y);
            (double largest, double relative) = Differences(x!, y!, desk.Stop);
            rows.Add((d.Name, relative <= p.Tolerance ? "numerically equal" : "different", largest, relative, x!.DType == y!.DType ? "" : $"{x.DType.TorchName()} and {y.DType.TorchName()}"));
        }
        var ordered = rows.OrderByDescending(r => r.Relative ?? double.PositiveInfinity).ToArray();
        string word = rows.Count == 0 ? "bit-identical" : rows.All(r => r.Class == "numerically equal") ? "numerically equal" : "different";
        var verdict = new Table("verdict", new Column("verdict"), new Column("bit_identical", true), new Column("tensors", true), new Column("differing", true), new Column("largest", true),
            new Column("largest_relative", true), new Column("worst"));
        double? Most(IEnumerable<double?> values) => values.All(v => v is null) && rows.Count > 0 ? null : values.Max() ?? 0;
        verdict.Add(word, word == "bit-identical" ? 1L : 0L, report.Same + rows.Count, (long)rows.Count, Most(rows.Select(r => r.Largest)), Most(rows.Select(r => r.Relative)), ordered.Length > 0 ? ordered[0].Name : "");
        foreach (string line in report.Lines()) verdict.Notes.Add(line);
        var tensors = new Table("tensors", new Column("tensor"), new Column("verdict"), new Column("largest", true), new Column("largest_relative", true), new Column("remark"));
        foreach (var r in ordered) tensors.Add(r.Name, r.Class, r.Largest, r.Relative, r.Remark);
        desk.Emit("verdict", verdict);
        desk.Emit("tensors", tensors);
    }

    private static (double Largest, double Relative) Differences(CheckpointTensor a, CheckpointTensor b, CancellationToken stop)
    {
        const int Piece = 1 << 16;
        double[] x = new double[Piece], y = new double[Piece];
        (double largest, double relative) = (0, 0);
        for (long at = 0; at < a.Shape.Count; at += Piece)
        {
            stop.ThrowIfCancellationRequested();
            int n = (int)Math.Min(Piece, a.Shape.Count - at);
            Load(a, at, x.AsSpan(0, n));
            Load(b, at, y.AsSpan(0, n));
            for (int i = 0; i < n; i++)
            {
                if (x[i].Equals(y[i])) continue;
                double d = Math.Abs(x[i] - y[i]);
                // One of them is not finite, and the other is something else.
                if (!double.IsFinite(d)) return (double.PositiveInfinity, double.PositiveInfinity);
                largest = Math.Max(largest, d);
                relative = Math.Max(relative, d == 0 ? 0 : d / Math.Max(Math.Abs(x[i]), Math.Abs(y[i])));
            }
        }
        return (largest, relative);
    }

    /// <summary>Elements of a tensor as float64, whatever it is stored as.</summary>
    internal static void Load(CheckpointTensor tensor, long start, Span<double> into)
    {
        int width = tensor.DType.Bits() / 8;
        byte[] bytes = new byte[into.Length * width];
        tensor.Weight.Read(start * width, bytes);
        if (tensor.DType == DType.F64)
        {
            MemoryMarshal.Cast<byte, double>(bytes).CopyTo(into);
            return;
        }
        float[] values = new float[into.Length];
        Conversion.Widen(tensor.DType, bytes, values);
        for (int i = 0; i < values.Length; i++) into[i] = values[i];
    }
}
