using Budwood.Checkpoints;
using Budwood.Engine;
using Budwood.Files;
using Budwood.Methods;
using Budwood.Numbers;
using Budwood.Numbers.Kernels;
using Budwood.Numbers.Random;

namespace Budwood.Recipes;

/// <summary>Runs a merge's formula on a few numbers of its own beside the planning, so that the machine code of the passes is there when the work begins.</summary>
/// <remarks>
/// Planning keeps one core busy and leaves the others idle; translating the passes takes about as long. Nothing that the rehearsal does can be seen: it reads no
/// file, writes none, shares nothing with the run, and what goes wrong in it goes wrong in the run too, which says so.
/// </remarks>
internal static class Rehearsal
{
    private const string Tensor = "model.layers.0.self_attn.q_proj.weight";

    // Large enough that a selection looks at a sample first.
    private static readonly Shape s_shape = new(64, 2048);

    /// <summary>Begins on a thread of its own; the caller does not wait.</summary>
    /// <param name="text">The merge file, which the rehearsal reads for itself: nodes of the caller's remember who has used them.</param>
    /// <param name="arithmetic">Whose arithmetic a document asks for.</param>
    public static Thread Begin(string text, IEnumerable<Rule> rules, Func<MergeDocument, Arithmetic> arithmetic)
    {
        var thread = new Thread(() =>
        {
            try
            {
                foreach (MergeDocument document in MergeFile.Parse(text, "rehearsal").Documents) Run(document, rules, arithmetic(document));
            }
#pragma warning disable CA1031 // Whatever it is, the run meets it too.
            catch (Exception)
#pragma warning restore CA1031
            {
            }
        })
        { IsBackground = true, Name = "budwood rehearsal" };
        thread.Start();
        return thread;
    }

    /// <summary>Runs the document's formula on one tensor in memory.</summary>
    internal static SlotResult? Run(MergeDocument document, IEnumerable<Rule> rules, Arithmetic arithmetic)
    {
        Rule rule = document.Find(rules);
        MergeModule module = document.Modules[0];
        List<MergeSource> sources = [.. module.Slices[0].Sources];
        int atBase = document.Base is { } named ? sources.FindIndex(s => s.Model.Text == named.Text) : -1;
        if (document.Base is { } unlisted && atBase < 0)
        {
            sources.Insert(0, new MergeSource(unlisted, null, ParameterBlock.None));
            atBase = 0;
        }
        var parameters = new DocumentParameters(rule, document, module, [sources.Select((s, i) => KeyValuePair.Create(i, s)).ToDictionary()]);
        Array given = rule.NewParameters(sources.Count);
        for (int i = 0; i < sources.Count; i++) given.SetValue(parameters.For(0, i, Tensor, Tensor, 0.5, i == atBase), i);
        // A companion would have to be opened, and a copy needs no formula.
        if (given.Cast<object>().Any(p => rule.CompanionAny(p) is not null) || rule.CopiesAny(parameters.ForLayout())) return null;
        float[] values = new float[s_shape.Count];
        StoredTensor[] stored = [.. sources.Select((_, i) => Numbers(i, values))];
        var slot = new Slot
        {
            Name = Tensor,
            Shape = s_shape,
            Role = Role.Q,
            Layer = 0,
            Inputs = [.. stored.Select((t, i) => new SlotInput(i, "rehearsal", Tensor, Tensor, t))],
            Base = atBase,
            Arithmetic = arithmetic,
            Working = DType.BF16,
            Stored = DType.BF16,
        };
        var planned = new PlannedSlot
        {
            Slot = slot,
            Canonical = Tensor,
            Parameters = given,
            Rounds = rule.Rounds(arithmetic, DType.BF16),
            Reference = stored[Math.Max(0, atBase)],
            Draws = [.. stored.Select((_, i) => i == atBase || rule.DrawsAny(slot, given.GetValue(i)!) == 0 ? null : arithmetic == Arithmetic.Ours
                ? new Draws.Keyed(Philox.For(0, Tensor)) : (Draws)new Draws.Taped(new MersenneTape(0), 0))],
        };
        return Passes.Run(rule, [planned], new Nowhere(), new PassOptions(1, Digests.PieceBytes, AllowNotFinite: true), CancellationToken.None)[0];
    }

    // Numbers between -0.5 and 0.5, others for each input.
    private static StoredTensor Numbers(int input, float[] values)
    {
        Philox.For(input, Tensor).Uniform(0, values);
        for (int i = 0; i < values.Length; i++) values[i] -= 0.5f;
        byte[] bytes = new byte[values.Length * sizeof(ushort)];
        Conversion.Narrow(DType.BF16, values, bytes);
        var file = new InMemory(bytes);
        return new StoredTensor(new WeightTensor(file.Tensors[0], file));
    }

    private sealed class InMemory(byte[] bytes) : WeightFile(new MemorySource(bytes, "rehearsal"))
    {
        public override IReadOnlyList<TensorEntry> Tensors { get; } = [new(Tensor, DType.BF16, s_shape, 0, bytes.Length)];
        public override IReadOnlyDictionary<string, string> Metadata { get; } = new Dictionary<string, string>();
    }

    private sealed class Nowhere : IOutput
    {
        public void Write(PlannedSlot slot, long start, ReadOnlySpan<byte> bytes)
        {
        }
    }
}
