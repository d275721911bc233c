using Budwood.Methods;

namespace Budwood.Merge;

/// <summary>Parameters of merging rules that cannot work for a tensor: exit code 2, tensor and values named.</summary>
internal static class MergeFaults
{
    public static Fault WeightsSumToZero(Slot at) =>
        new("BW1201", ExitCode.Usage, "the weights sum to zero, so that dividing by their sum gives infinities", at.Name, null, "Set 'normalize: false', or weights with another sum.");

    public static Fault NothingKept(Slot at, string model, double density) =>
        new("BW1202", ExitCode.Usage, $"the density of '{model}' keeps no element", at.Name, FormattableString.Invariant($"density {density} of {at.Shape.Count} elements is less than one"), "Raise the density, or give the model weight 0.");

    public static Fault NotFisher(SlotInput fisher) =>
        new("BW3314", ExitCode.Input, $"'{fisher.Label}' holds values that are no Fisher information", fisher.Stored, "some are negative, infinite or NaN; squares of gradients are none of these",
            "Compute it again: the mean over samples of squared gradients, in float32.");

    public static Fault SoupOfOne(int models) =>
        new("BW1204", ExitCode.Usage, "'greedy_soup' chooses among models and takes at least two", null, $"found {models}", "Write 'models=A,B,C'.");

    public static Fault EpsilonTooWide(Slot at, string model, double density, double epsilon) =>
        new("BW1203", ExitCode.Usage, $"density - epsilon and density + epsilon of '{model}' must lie between 0 and 1", at.Name,
            FormattableString.Invariant($"density {density}, epsilon {epsilon}"), "Lower epsilon.");
}
