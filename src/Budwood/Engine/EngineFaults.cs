namespace Budwood.Engine;

/// <summary>What stops a plan or a run: misfits of inputs (exit 3), nothing changed (4), budgets (6).</summary>
internal static class EngineFaults
{
    public static Fault NotFinite(string where, long nan, long infinite) =>
        new("BW3301", ExitCode.Input, "the tensor holds values that are not finite", where, $"{nan:#,0} NaN and {infinite:#,0} infinite", "Mend the checkpoint, or pass '--allow nan' to go on with them.");

    public static Fault NoTensor(string model, string tensor, IEnumerable<string> known) =>
        new("BW3302", ExitCode.Input, $"model '{model}' has no tensor '{tensor}'", model, "its architecture has no model without one",
            Nearest.Hint(tensor, known));

    public static Fault ShapesDiffer(string tensor, string found) =>
        new("BW3303", ExitCode.Input, "the models disagree in the shape of a tensor", tensor, found, "Merge models of one architecture and size.");

    public static Fault RowsDiffer(string tensor, string found) =>
        new("BW3304", ExitCode.Input, "the models have vocabularies of different sizes", tensor, found,
            "Align the vocabularies with a 'tokenizer' setting, or pass '--allow common_rows' to merge the rows that all have.");

    public static Fault RowsTooFew(string tensor, string found) =>
        new("BW3305", ExitCode.Input, "a model has fewer vocabulary rows than the base", tensor, found, "Align the vocabularies with a 'tokenizer' setting first.");

    public static Fault DifferentFamilies(string found) =>
        new("BW3306", ExitCode.Input, "the models are of different architectures", null, found, "Merge models of one architecture.");

    public static Fault Quantised(string model, string how) =>
        new("BW3307", ExitCode.Input, $"model '{model}' is quantised, and packed integers cannot be averaged", model, how, "Start from the full-precision model (quantization_config names the format).");

    public static Fault LayersDiffer(string found) =>
        new("BW3308", ExitCode.Input, "the models have different numbers of layers", null, found, "Use 'slices' with 'layer_range' to say which layers belong together.");

    public static Fault NoLayers(string model) =>
        new("BW3309", ExitCode.Input, $"the layers of '{model}' cannot be told from its names", model, null, "Only models with numbered layers can be sliced or stacked.");

    public static Fault NotArithmetic(string tensor, string found) =>
        new("BW3310", ExitCode.Input, "a weight is stored in a type that cannot be computed with", tensor, found, "Convert the model to float32, bfloat16 or float16 first.");

    public static Fault ModelContributesNothing(string model) =>
        new("BW3311", ExitCode.Usage, $"model '{model}' contributes to no tensor of the output", model, null, "Remove it, or run with '--allow unmatched'.");

    public static Fault CompanionLacks(string companion, string tensor, string model, IEnumerable<string> known) =>
        new("BW3312", ExitCode.Input, $"'{companion}' has no tensor '{tensor}'", companion, $"'{model}', which it goes with, has one",
            Nearest.Hint(tensor, known) ?? $"Make it from '{model}', with a tensor for each of the model's.");

    public static Fault CompanionShape(string companion, string tensor, string found, string model) =>
        new("BW3313", ExitCode.Input, $"a tensor of '{companion}' has another shape than the model's", tensor, found, $"Make it from '{model}' itself.");

    public static Fault NothingChanged(string reference, IReadOnlyList<string> equal, IReadOnlyList<string> idle) =>
        new("BW4001", ExitCode.NothingChanged, $"no weight differs from {reference}: nothing was released", null,
            idle.Count > 0 ? $"untrained, the adapter changes nothing: {string.Join(", ", idle)}" : equal.Count > 0 ? $"equal to the base by content: {string.Join(", ", equal)}" : "every element equals the base's in the output dtype",
            "Check weights, lambda and models; '--allow unchanged' releases the copy.");

    public static Fault ScoreWithoutModel(string command) =>
        new("BW1341", ExitCode.Usage, "the score command does not say where the model goes", "score", $"found '{command}'",
            $"Write {ScoreCommand.Placeholder} where the folder belongs: 'python eval.py {ScoreCommand.Placeholder}'.");

    public static Fault ScoreFailed(string command, string model, int exit, string printed) =>
        new("BW1342", ExitCode.Usage, $"the score command failed for '{model}'", "score",
            $"exit code {exit} of '{command}', which printed {Printed(printed)}", "Try it on one model by hand; it must end with 0.");

    public static Fault ScoreIsNoNumber(string command, string model, string printed) =>
        new("BW1343", ExitCode.Usage, $"the score command printed no number for '{model}'", "score", $"'{command}' printed {Printed(printed)}",
            "Its last line on standard output must be one finite number, such as 0.731.");

    private static string Printed(string line) => line.Length == 0 ? "nothing" : $"'{(line.Length > 200 ? line[..197] + "..." : line)}'";

    public static Fault StoreUnusable(string folder, Exception e) =>
        new("BW2401", ExitCode.Input, "the store cannot be used", folder, e.Message, "Set BUDWOOD_HOME to a folder that you may write to.", e);

    public static Fault NoHome() => new("BW2402", ExitCode.Usage, "there is no place for the store", null, null, "Set BUDWOOD_HOME to a folder.");

    public static Fault StoreLimit(string found) => new("BW2403", ExitCode.Usage, "BUDWOOD_STORE_LIMIT is no size", null, $"found '{found}'", "Write bytes, or a number with MB or GB.");

    public static Fault MemoryTooSmall(long needed, long allowed) =>
        new("BW6001", ExitCode.Budget, "the memory budget does not suffice", null, $"at least {Sizes.Show(needed)} are needed, --memory allows {Sizes.Show(allowed)}", $"Pass '--memory {Math.Ceiling(needed / 1e6)}MB' or more.");

    public static Fault DiskTooSmall(string folder, long needed, long free) =>
        new("BW6003", ExitCode.Budget, "the disk is too full for the output", folder, $"{Sizes.Show(needed)} are needed, {Sizes.Show(free)} are free", "Free some space, or write elsewhere.");
}
