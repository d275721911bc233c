using System.IO.Hashing;
using System.Reflection;
using System.Text;
using Budwood.Files;

namespace Budwood.Engine;

/// <summary>Names everything that decides the bits of an output's shards: only a run with the same key may go on with what another has finished.</summary>
internal static class RunKey
{
    /// <summary>The weight files and configurations that a plan reads, each once, in an order that stays.</summary>
    public static IReadOnlyList<string> Inputs(Plan plan) =>
        [.. plan.StoredInputs.SelectMany(m => m.Added is { } added ? [(m.Folder, m.Weights), (added.Folder, added.Weights)] : new[] { (m.Folder, m.Weights) })
            .SelectMany(p => p.Weights.Files.Select(f => f.Path).Concat(Beside(p.Folder))).Distinct(StringComparer.Ordinal)];

    /// <summary>The key; null when an input has no identity that could be compared later.</summary>
    public static Digest? Of(Plan plan, RunOptions options, int pieceBytes)
    {
        var hash = new XxHash128();
        PlanRequest request = plan.Request;
        foreach (Assembly code in new[] { typeof(RunKey).Assembly, request.Rule.GetType().Assembly })
            Add(code.FullName, code.ManifestModule.ModuleVersionId); // one build's: another may compute other bits under the same version
        Add(request.Rule.Card.Name, request.Rule.Card.Revision, request.Arithmetic, request.Seed, options.ShardBytes, pieceBytes, string.Join(',', request.Allow.Order(StringComparer.Ordinal)));
        Add(options.Configuration);
        foreach (PlannedSlot planned in plan.Slots)
        {
            Add(planned.Slot.Name, planned.Slot.Stored, planned.Slot.Shape, planned.Slot.IsCopy, planned.Passes, planned.Rounds, planned.Result);
            foreach (Methods.SlotInput input in planned.Slot.Reads) Add(input.Label, input.Stored, input.Source.DType, input.Source.Shape);
            foreach (object? parameters in planned.Parameters) Add(parameters);
        }
        foreach (string file in Inputs(plan))
        {
            if (DigestCache.Identity(file) is not { } identity) return null;
            Add(identity);
        }
        return Digest.Of(hash);

        void Add(params ReadOnlySpan<object?> values)
        {
            foreach (object? value in values)
            {
                byte[] text = Encoding.UTF8.GetBytes(FormattableString.Invariant($"{value}"));
                hash.Append(BitConverter.GetBytes(text.Length));
                hash.Append(text);
            }
        }
    }

    private static IEnumerable<string> Beside(string folder) =>
        new[] { "config.json", "adapter_config.json" }.Select(name => Path.Join(folder, name)).Where(File.Exists);
}
