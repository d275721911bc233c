using Budwood.Methods;
using Budwood.Numbers.Random;
using Budwood.Reuse;

namespace Budwood.Lab.Worlds;

/// <summary>Hides random bytes in the lowest mantissa bits of some weights, and scores tensors with and without them.</summary>
/// <use>Knowing where a look at low bits can see a payload, and where it cannot.</use>
/// <notfor>Payloads that imitate the bits that they replace.</notfor>
/// <cost>Two normal draws an element.</cost>
/// <differs>Weights are drawn and not trained: what counts here is only how their low bits came about.</differs>
[Method("payload_trial", Room.Simulate)]
[Source("textbook", Where = "least significant bits")]
public sealed partial class PayloadTrial : Job<PayloadTrial.Parameters>
{
    /// <summary>Where the low bits of the weights come from.</summary>
    public enum Origin
    {
        /// <summary>Weights of bfloat16 stored as float32: low bits are zero.</summary>
        Bfloat16,
        /// <summary>A grid of 255 levels of one scale: few patterns of low bits.</summary>
        Grid,
        /// <summary>A grid with a scale for every 256 weights: many patterns.</summary>
        GridByRow,
        /// <summary>Weights of float32: low bits are random by themselves.</summary>
        Float32,
    }

    /// <summary>Parameters of <c>payload_trial</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>Where the low bits of the weights come from.</summary>
        public Origin Weights { get; init; }

        /// <summary>Tensors with a payload, and as many without.</summary>
        [Unit("tensors"), Range(1, 1000)]
        public int Tensors { get; init; } = 10;

        /// <summary>Elements of a tensor.</summary>
        [Unit("elements"), Range(256, 10_000_000)]
        public int Elements { get; init; } = 65_536;

        /// <summary>Share of the weights whose low bits are replaced; 0 hides nothing.</summary>
        [Unit("1"), Range(0, 1)]
        public double Share { get; init; } = 0.1;
    }

    public override Ports Ports { get; } = new([], new Port("auc", ArtifactKind.Table, "chance that a tensor with a payload scores above one without"),
        new Port("scores", ArtifactKind.Table, "payload, entropy and foreign share of each tensor"));

    protected override void Run(Desk desk, Parameters p)
    {
        var scores = new Table("scores", new Column("tensor"), new Column("payload", true), new Column("entropy", true, "bits"), new Column("foreign_share", true));
        double[][] of = [new double[p.Tensors], new double[p.Tensors]];
        for (int payload = 0; payload < 2; payload++)
        {
            for (int i = 0; i < p.Tensors; i++)
            {
                float[] values = Drawn(p, desk.Random($"weights {payload} {i}"));
                if (payload == 1) Hide(values, p.Share, desk.Random($"payload {i}"));
                LowBits bits = LowBits.Of(values);
                of[payload][i] = bits.ForeignShare;
                scores.Add($"{(payload == 1 ? "payload" : "clean")} {i + 1}", (long)payload, bits.EntropyBits, bits.ForeignShare);
            }
        }
        double above = of[1].Sum(x => of[0].Sum(y => x > y ? 1 : x == y ? 0.5 : 0));
        var auc = new Table("auc", new Column("auc", true), new Column("clean", true), new Column("with_payload", true));
        auc.Add(above / (p.Tensors * (double)p.Tensors), of[0].Average(), of[1].Average());
        desk.Emit("auc", auc);
        desk.Emit("scores", scores);
    }

    internal static float[] Drawn(Parameters p, RandomStream random)
    {
        float[] values = new float[p.Elements];
        float scale = 0;
        for (int i = 0; i < values.Length; i++)
        {
            // Four deviations on 127 levels; a new scale with the tensor, or with the row.
            if (i == 0 || (p.Weights == Origin.GridByRow && i % 256 == 0)) scale = (float)(0.02 * random.Uniform(0.5, 2) * 4 / 127);
            double v = 0.02 * random.Normal();
            values[i] = p.Weights switch
            {
                Origin.Bfloat16 => BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits((float)v) & 0xFFFF0000),
                Origin.Grid or Origin.GridByRow => (float)Math.Clamp(Math.Round(v / scale), -127, 127) * scale,
                _ => (float)v,
            };
        }
        return values;
    }

    internal static void Hide(Span<float> values, double share, RandomStream random)
    {
        foreach (ref float v in values)
            if (random.Uniform() < share) v = BitConverter.UInt32BitsToSingle((BitConverter.SingleToUInt32Bits(v) & 0xFFFFFF00) | (random.Bits() & 0xFF));
    }
}
