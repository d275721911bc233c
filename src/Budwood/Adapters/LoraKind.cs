using Budwood.Checkpoints;
using Budwood.Numbers;

namespace Budwood.Adapters;

/// <summary>LoRA and its variants that merge: rank-stabilised, with ranks of single modules, on embeddings and Conv1D, with DoRA's magnitudes.</summary>
/// <remarks>
/// <c>W' = q(W + s*(B A))</c>, the product in float32, one rounding to the weight's type, <c>s = alpha / r</c> or <c>alpha / sqrt(r)</c>. Embeddings:
/// <c>q(W + q(s*(B A)^T))</c>. DoRA: <c>q(m / |V| * V)</c> with <c>V = W + s*(B A)</c> and the norm over the inputs of each output.
/// </remarks>
public sealed class LoraKind : AdapterKind
{
    private const string A = "lora_A.weight", B = "lora_B.weight", BiasOfB = "lora_B.bias", EmbeddingA = "lora_embedding_A", EmbeddingB = "lora_embedding_B", Magnitude = "lora_magnitude_vector";

    public override string Name => "LORA";

    public override string Summary => "Adds the product of two thin matrices to each weight.";

    internal override bool Owns(string part) => part is A or B or BiasOfB or EmbeddingA or EmbeddingB or Magnitude;

    internal override bool AddsNothing(AdapterSite site) => !site.Config.IsDora && (site[B] ?? site[EmbeddingB])?.IsZero == true && site[BiasOfB]?.IsZero != false;

    internal override TensorSource Weight(AdapterSite site, TensorSource weight)
    {
        string where = site.Config.Where;
        bool embedding = site[EmbeddingA] is not null || site[EmbeddingB] is not null;
        (AdapterTensor a, AdapterTensor b) = embedding ? Pair(site, EmbeddingA, EmbeddingB) : Pair(site, A, B);
        foreach (AdapterTensor part in site.Parts.Values) if (!part.Weight.DType.IsArithmetic()) throw AdapterFaults.NotArithmetic(where, part.Key, part.Weight.DType.Name());
        Shape shape = weight.Shape;
        if (shape.Rank != 2) throw AdapterFaults.ShapeDiffers(where, a.Key, $"a matrix for a weight {shape}", "a weight with two axes");
        if (a.Weight.Shape.Rank != 2) throw AdapterFaults.ShapeDiffers(where, a.Key, $"{a.Weight.Shape}", "two axes");
        if (b.Weight.Shape.Rank != 2) throw AdapterFaults.ShapeDiffers(where, b.Key, $"{b.Weight.Shape}", "two axes");
        long rank = Rank(site, a);
        (long input, long output) = (a.Weight.Shape[1], b.Weight.Shape[0]);
        if (b.Weight.Shape[1] != rank) throw AdapterFaults.ShapeDiffers(where, b.Key, $"{b.Weight.Shape}", $"[{output}, {rank}]");
        bool fits = shape == new Shape(output, input), turned = shape == new Shape(input, output);
        // An embedding has its inputs, the tokens, along the rows, as Conv1D has.
        bool inputFirst = embedding || (fits && turned ? site.InputFirst : turned && site.InputFirst);
        if (inputFirst ? !turned : !fits) throw Misfit(site, a, b, embedding);

        AdapterTensor? magnitude = site[Magnitude];
        if (magnitude is null && site.Config.IsDora) throw AdapterFaults.Incomplete(where, a.Key, a.Key.Replace(embedding ? EmbeddingA : "lora_A", Magnitude, StringComparison.Ordinal));
        if (magnitude is not null && !site.Config.IsDora) throw AdapterFaults.FlagDisagrees(where, $"'{magnitude.Key}' belongs to DoRA, and use_dora is false", "use_dora");
        if (magnitude is not null && magnitude.Weight.Shape.Count != output) throw AdapterFaults.ShapeDiffers(where, magnitude.Key, $"{magnitude.Weight.Shape}", $"[{output}]");
        Factor left = inputFirst ? new(a.Weight, IsTransposed: true) : new(b.Weight, IsTransposed: false);
        Factor right = inputFirst ? new(b.Weight, IsTransposed: true) : new(a.Weight, IsTransposed: false);
        return new LowRankTensor(weight, left, right, (int)rank, site.Config.Scale(site.Module, rank), site.Shelf)
        {
            RoundsUpdate = embedding && magnitude is null,
            Magnitude = magnitude?.Weight,
            OutputsAreColumns = inputFirst,
        };
    }

    internal override TensorSource? Bias(AdapterSite site, TensorSource? bias)
    {
        if (site[BiasOfB] is not { } added) return null;
        string where = site.Config.Where;
        if (!site.Config.HasLoraBias) throw AdapterFaults.FlagDisagrees(where, $"'{added.Key}' is there, and lora_bias is false", "lora_bias");
        if (bias is null) throw AdapterFaults.Incomplete(where, added.Key, $"{site.Module}.bias of the model");
        if (added.Weight.Shape != bias.Shape) throw AdapterFaults.ShapeDiffers(where, added.Key, $"{added.Weight.Shape}", $"{bias.Shape}");
        long rank = Rank(site, site[A]!);
        return new LowRankTensor(bias, new Factor(null, IsTransposed: false), new Factor(added.Weight, IsTransposed: false), 1, site.Config.Scale(site.Module, rank), site.Shelf);
    }

    internal override long HeldBytes(AdapterSite site) => site[Magnitude] is { } m ? m.Weight.Shape.Count * (sizeof(float) + sizeof(double)) : 0;

    internal override long UsedBytes(AdapterSite site) => site.Parts.Values.Sum(p => p.Weight.Shape.Count) * sizeof(float);

    private static (AdapterTensor A, AdapterTensor B) Pair(AdapterSite site, string first, string second)
    {
        AdapterTensor? a = site[first], b = site[second];
        if (a is not null && b is not null) return (a, b);
        AdapterTensor any = a ?? b ?? site.Parts.Values.First();
        (string here, string missing) = a is not null ? (first, second) : (second, first);
        string end = any.Part == here ? any.Key.Replace(here.Split('.')[0], missing.Split('.')[0], StringComparison.Ordinal) : $"{site.Module}.{missing}";
        throw AdapterFaults.Incomplete(site.Config.Where, any.Key, end);
    }

    // The tensors tell the rank; where they and the configuration disagree, nothing tells the scale.
    private static long Rank(AdapterSite site, AdapterTensor a)
    {
        long found = a.Weight.Shape[0], said = (long)(site.Config.RankPattern.Find(site.Module) ?? site.Config.Rank);
        if (found == said) return found;
        IReadOnlyList<(string Key, double Value)> keys = site.Config.RankPattern.Matches(site.Module);
        if (keys.Select(k => k.Value).Distinct().Count() > 1)
            throw AdapterFaults.PatternsDisagree(site.Config.Where, "rank_pattern", site.Module, [.. keys.Select(k => k.Key)], (long)keys[0].Value, found);
        throw AdapterFaults.RankDiffers(site.Config.Where, a.Key, found, said);
    }

    private static Fault Misfit(AdapterSite site, AdapterTensor a, AdapterTensor b, bool embedding)
    {
        Shape shape = site.Tensor.Shape;
        (long input, long output) = embedding || site.InputFirst ? (shape[0], shape[1]) : (shape[1], shape[0]);
        return a.Weight.Shape[1] != input
            ? AdapterFaults.ShapeDiffers(site.Config.Where, a.Key, $"{a.Weight.Shape}", $"[{a.Weight.Shape[0]}, {input}]")
            : AdapterFaults.ShapeDiffers(site.Config.Where, b.Key, $"{b.Weight.Shape}", $"[{output}, {b.Weight.Shape[1]}]");
    }
}
