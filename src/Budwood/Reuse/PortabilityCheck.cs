using Budwood.Checkpoints;
using Budwood.Methods;
using Budwood.Numbers;
using Budwood.Numbers.Kernels;

namespace Budwood.Reuse;

/// <summary>Counts what of a model's weights survives in float32, bfloat16 and float16, and says which programs and formats can take it.</summary>
/// <use>Before a model is converted for other hardware: elements that overflow to infinity break it, whatever the average says.</use>
/// <notfor>How outputs change: logits, latency and peak memory need the network to run, which this method does not do.</notfor>
/// <cost>Reads every weight once.</cost>
/// <differs>The study names hardware, latency and framework support; this is the part that is decided by the weights and the configuration alone.</differs>
/// <formula>relative error = max |round(v) - v| / |v| over elements that neither overflow nor vanish</formula>
[Method("portability_check", Room.Reuse)]
[Paper("ptm-reuse", "portability of section V; requirement P6 of the sheet")]
public sealed partial class PortabilityCheck : Job<PortabilityCheck.Parameters>
{
    private static readonly DType[] s_targets = [DType.F32, DType.BF16, DType.F16];

    /// <summary>Parameters of <c>portability_check</c>: none.</summary>
    public sealed record Parameters;

    public override Ports Ports { get; } = new([new Port("model", ArtifactKind.Checkpoint, "the model")],
        new Port("dtypes", ArtifactKind.Table, "a row a target: changed, overflowing, vanishing, largest relative error"),
        new Port("programs", ArtifactKind.Table, "who is known to load it, and in which formats it lies", Optional: true));

    protected internal override void Run(Desk desk, Parameters p)
    {
        Checkpoint model = desk.Checkpoint("model");
        (long changed, long overflow, long vanished, double worst)[] found = new (long, long, long, double)[s_targets.Length];
        (long elements, long other) = (0, 0);
        foreach (CheckpointTensor tensor in model.Tensors)
        {
            if (!tensor.DType.IsArithmetic())
            {
                other += tensor.Shape.Count;
                continue;
            }
            elements += tensor.Shape.Count;
            Count(tensor, found, desk.Stop);
        }
        var dtypes = new Table("dtypes", new Column("dtype"), new Column("elements", true), new Column("changed", true), new Column("to_infinity", true), new Column("to_zero", true),
            new Column("largest_relative_error", true), new Column("bytes", true));
        for (int i = 0; i < s_targets.Length; i++)
        {
            var f = found[i];
            dtypes.Add(s_targets[i].TorchName(), elements, f.changed, f.overflow, f.vanished, f.worst, s_targets[i].Bytes(elements));
            if (f.overflow > 0) dtypes.Notes.Add($"{s_targets[i].TorchName()}: {f.overflow} elements become infinite: do not convert");
        }
        if (other > 0) dtypes.Notes.Add($"{other} elements of types without arithmetic (quantised, integer) are not converted");
        dtypes.Notes.Add("what the outputs become needs a forward pass: logits, latency and memory are not measured here");
        var programs = new Table("programs", new Column("program"), new Column("loads"), new Column("why"));
        foreach (var (program, loads, why) in Loaders.Of(model.Config)) programs.Add(program, loads, why);
        foreach (string format in model.Weights.FileNames.Select(n => System.IO.Path.GetExtension(n)).Distinct(StringComparer.Ordinal))
            programs.Add($"files {format}", "yes", format == ".safetensors" ? "read by all current libraries without running code" : "read by PyTorch, as a pickle; Budwood reads its tensors only");
        desk.Emit("dtypes", dtypes);
        desk.Emit("programs", programs);
    }

    private static void Count(CheckpointTensor tensor, (long Changed, long Overflow, long Vanished, double Worst)[] found, CancellationToken stop)
    {
        const int Piece = 1 << 16;
        double[] values = new double[Piece];
        float[] narrow = new float[Piece];
        byte[] bytes = new byte[Piece * 4];
        for (long at = 0; at < tensor.Shape.Count; at += Piece)
        {
            stop.ThrowIfCancellationRequested();
            int n = (int)Math.Min(Piece, tensor.Shape.Count - at);
            ReproducibilityCheck.Load(tensor, at, values.AsSpan(0, n));
            for (int k = 0; k < s_targets.Length; k++)
            {
                // float64 goes through float32, as every program does it.
                for (int i = 0; i < n; i++) narrow[i] = (float)values[i];
                if (s_targets[k] != DType.F32)
                {
                    Span<byte> rounded = bytes.AsSpan(0, (int)s_targets[k].Bytes(n));
                    Conversion.Narrow(s_targets[k], narrow.AsSpan(0, n), rounded);
                    Conversion.Widen(s_targets[k], rounded, narrow.AsSpan(0, n));
                }
                var f = found[k];
                for (int i = 0; i < n; i++)
                {
                    (double v, double r) = (values[i], narrow[i]);
                    if (v.Equals(r)) continue;
                    f.Changed++;
                    if (double.IsInfinity(r)) f.Overflow++;
                    else if (r == 0) f.Vanished++;
                    else f.Worst = Math.Max(f.Worst, Math.Abs(r - v) / Math.Abs(v));
                }
                found[k] = f;
            }
        }
    }
}
