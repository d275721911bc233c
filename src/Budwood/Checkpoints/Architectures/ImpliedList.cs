using System.Text.Json;

namespace Budwood.Checkpoints;

/// <summary>A per-layer list that loaders make up when the config leaves it out: a word for each layer by its position.</summary>
/// <param name="Cycle">Words that repeat over the layers; null when the other rule holds.</param>
/// <param name="After">Word from layer <paramref name="From"/> on where the flag <paramref name="When"/> is set; <paramref name="Before"/> elsewhere.</param>
internal sealed record ImpliedList(string Field, IReadOnlyList<string>? Cycle, string? Before, string? After, string? From, string? When)
{
    public static ImpliedList Read(JsonProperty p)
    {
        if (p.Value.ValueKind == JsonValueKind.Array) return new ImpliedList(p.Name, [.. p.Value.EnumerateArray().Select(w => w.GetString()!)], null, null, null, null);
        string Of(string key) => p.Value.GetProperty(key).GetString()!;
        return new ImpliedList(p.Name, null, Of("before"), Of("after"), Of("from"), Of("when"));
    }

    /// <summary>The word of a layer.</summary>
    public string At(ModelConfig config, int layer)
    {
        if (Cycle is not null) return Cycle[layer % Cycle.Count];
        bool set = config.TryGet(When!, out JsonElement flag) && flag.ValueKind == JsonValueKind.True;
        // The loader's own default; it matters only where the flag is set and the field is not.
        long from = config.TryInt(From!, out long given) ? given : 28;
        return set && layer >= from ? After! : Before!;
    }
}
