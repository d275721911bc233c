using Budwood.Checkpoints;
using Budwood.Engine;
using Budwood.Files;
using Budwood.Methods;
using Budwood.Numbers;
using Budwood.Numbers.Kernels;
using Budwood.Numbers.Random;

namespace Budwood.Tests.Fixtures;

/// <summary>Runs one rule on one tensor in memory, through the same passes as a merge.</summary>
internal static class RuleHarness
{
    /// <summary>Settings of a run; the defaults are our arithmetic on F32 with one thread.</summary>
    public sealed record Settings
    {
        public DType DType { get; init; } = DType.F32;
        public Arithmetic Arithmetic { get; init; } = Arithmetic.Ours;
        public int Threads { get; init; } = 1;
        public int PieceBytes { get; init; } = 1 << 20;
        public long Seed { get; init; }
        public DType? Stored { get; init; }

        /// <summary>What stands beside each input, for rules that name a companion; seeded positive values where none are given.</summary>
        public float[][]? Companions { get; init; }
    }

    /// <summary>The output of a rule for inputs of one shape.</summary>
    /// <param name="atBase">Which input is the base; -1 for none.</param>
    /// <param name="parameters">One record an input.</param>
    public static float[] Run<P>(Rule<P> rule, Shape shape, float[][] inputs, int atBase, P[] parameters, Settings? settings = null) where P : class, new() =>
        Run((Rule)rule, shape, inputs, atBase, parameters, settings);

    public static float[] Run(Rule rule, Shape shape, float[][] inputs, int atBase, Array parameters, Settings? settings = null)
    {
        Settings s = settings ?? new Settings();
        StoredTensor[] stored = [.. inputs.Select((v, i) => Store($"x{i}", shape, v, s.DType))];
        var slot = new Slot
        {
            Name = "model.layers.0.self_attn.q_proj.weight",
            Shape = shape,
            Role = Role.Q,
            Layer = 0,
            Inputs = [.. stored.Select((t, i) => new SlotInput(i, $"m{i}", "w", "w", t) { Companion = Companion(i) })],
            Base = atBase,
            Arithmetic = s.Arithmetic,
            Working = s.DType,
            Stored = s.Stored ?? (s.Arithmetic == Arithmetic.Ours ? s.DType : rule.Result(s.Arithmetic, s.DType)),
        };
        SlotInput? Companion(int i) => rule.CompanionAny(parameters.GetValue(i)!) is not { } name ? null
            : new SlotInput(i, name, "w", "w", Store($"c{i}", shape, s.Companions?[i] ?? Squares((int)shape.Count, 100 + i), s.DType));
        rule.CheckAny(slot, parameters);
        var tape = new MersenneTape(s.Seed);
        long offset = 0;
        var draws = new Draws?[inputs.Length];
        for (int i = 0; i < inputs.Length; i++)
        {
            if (i == atBase || rule.DrawsAny(slot, parameters.GetValue(i)!) == 0) continue;
            draws[i] = s.Arithmetic == Arithmetic.Ours ? new Draws.Keyed(Philox.For(s.Seed, rule.Card.Name, "mask", $"{i}", slot.Name)) : new Draws.Taped(tape, offset);
            offset += shape.Count;
        }
        var planned = new PlannedSlot
        {
            Slot = slot,
            Canonical = slot.Name,
            Parameters = parameters,
            Rounds = rule.Rounds(s.Arithmetic, s.DType),
            Reference = stored[Math.Max(0, atBase)],
            Draws = draws,
        };
        var output = new MemoryOutput(slot.Stored, shape.Count);
        Passes.Run(rule, [planned], output, new PassOptions(s.Threads, s.PieceBytes, AllowNotFinite: true), CancellationToken.None);
        return output.Values();
    }

    /// <summary>A tensor that stands in memory as a file would.</summary>
    public static StoredTensor Store(string name, Shape shape, float[] values, DType type)
    {
        var layout = SafetensorsLayout.Plan([(name, type, shape)]);
        byte[] file = new byte[layout.Length];
        layout.Header.Span.CopyTo(file);
        Conversion.Narrow(type, values, file.AsSpan((int)layout.Tensors[0].Offset));
        SafetensorsFile opened = SafetensorsFile.Open(new MemorySource(file, name));
        return new StoredTensor(new WeightTensor(opened.Tensors[0], opened));
    }

    /// <summary>Seeded values, nearly normal: sums of uniform numbers, so that no libm shows in a locked digest.</summary>
    public static float[] Values(int count, int seed, double scale = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            double sum = -6;
            for (int i = 0; i < 12; i++) sum += random.NextDouble();
            return (float)(scale * sum);
        })];
    }

    private static float[] Squares(int count, int seed) => Array.ConvertAll(Values(count, seed), v => v * v);

    /// <summary>A base and fine-tunes near it.</summary>
    public static float[][] Family(int count, int models, int seed = 1)
    {
        float[] start = Values(count, seed);
        return [start, .. Enumerable.Range(1, models - 1).Select(m => start.Zip(Values(count, seed + m, 0.05), (a, b) => a + b).ToArray())];
    }

    private sealed class MemoryOutput(DType type, long count) : IOutput
    {
        private readonly byte[] _bytes = new byte[type.Bytes(count)];

        public void Write(PlannedSlot slot, long start, ReadOnlySpan<byte> bytes) => bytes.CopyTo(_bytes.AsSpan((int)start));

        public float[] Values()
        {
            float[] values = new float[count];
            Conversion.Widen(type, _bytes, values);
            return values;
        }
    }
}
