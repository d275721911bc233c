namespace Budwood.Adapters;

/// <summary>What can be wrong with an adapter: its configuration by itself (exit code 2), or its tensors and the model that they should fit (3).</summary>
internal static class AdapterFaults
{
    private static string Some(IEnumerable<string> names, int show = 4)
    {
        string[] all = [.. names];
        return string.Join(", ", all.Take(show)) + (all.Length > show ? $" and {all.Length - show} more" : "");
    }

    // BW140x: adapter_config.json by itself.
    public static Fault NoConfig(string path) =>
        new("BW1401", ExitCode.Usage, "the adapter has no adapter_config.json", path, null, "Name a folder that PEFT saved: adapter_config.json beside adapter_model.safetensors.");

    public static Fault NotConfig(Fault cause) => new("BW1402", ExitCode.Usage, cause.What, cause.Where, cause.Found, cause.Next, cause);

    public static Fault MissingField(string where, string field, string? found) =>
        new("BW1403", ExitCode.Usage, $"'{field}' is missing", where, found, $"Write '{field}' as it was in training; there is no safe default.");

    public static Fault BadField(string where, string field, string found, string expected) =>
        new("BW1404", ExitCode.Usage, $"'{field}' has a value that it cannot have", where, $"found {found}, expected {expected}");

    public static Fault UnknownField(string where, string field, string value, IEnumerable<string> known) =>
        new("BW1405", ExitCode.Usage, $"unknown field '{field}', which may change what the adapter means", where, $"its value is {value}",
            Nearest.Of(field, known).Count > 0 ? Nearest.Hint(field, known) : "Remove it if it has no effect on the weights.");

    public static Fault Unsupported(string where, string field, string value) =>
        new("BW1406", ExitCode.Usage, $"'{field}' changes what the adapter does, and Budwood does not know how", where, $"its value is {value}", "Merge this adapter with PEFT, and use the merged model.");

    public static Fault UnknownKind(string where, string? kind, IEnumerable<string> read, IEnumerable<string> known) =>
        new("BW1407", ExitCode.Usage, kind is null ? "'peft_type' is missing" : known.Contains(kind) ? $"adapters of peft_type {kind} are not read" : $"unknown peft_type '{kind}'", where, $"read are {Some(read)}",
            kind is not null && known.Contains(kind) ? "Merge this adapter with PEFT, and use the merged model." : kind is null ? "Write the peft_type that the adapter was trained with." : Nearest.Hint(kind, known));

    public static Fault BadPattern(string where, string field, string pattern, string why) =>
        new("BW1408", ExitCode.Usage, $"a pattern of '{field}' is no regular expression", where, $"'{pattern}': {why}", "Mend the pattern.");

    public static Fault PatternTooSlow(string where, string field, string pattern, double seconds) =>
        new("BW1419", ExitCode.Usage, $"a pattern of '{field}' takes too long", where, $"'{pattern}' takes more than {seconds:0} s on one name", "Write it without repetitions inside repetitions.");

    public static Fault PatternUnused(string where, string field, string pattern, IEnumerable<string> modules) =>
        new("BW1409", ExitCode.Usage, $"a key of '{field}' matches no adapted module", where, $"'{pattern}'", Nearest.Hint(pattern, modules) is { } hint && hint.StartsWith("Did", StringComparison.Ordinal) ? hint : "Mend the key or remove it.");

    public static Fault PatternsDisagree(string where, string field, string module, IReadOnlyList<string> keys, long first, long found) =>
        new("BW1410", ExitCode.Usage, $"several keys of '{field}' match '{module}' with different values", where,
            $"{string.Join(" and ", keys.Select(k => $"'{k}'"))}; the first says {first}, the tensors have {found}", "Keep the key that was meant: the order of keys decides, and saving sorts them.");

    // BW340x: tensors, and the model that they should fit.
    public static Fault NoWeights(string folder) =>
        new("BW3401", ExitCode.Input, "the adapter has no weights", folder, "found adapter_config.json, expected adapter_model.safetensors or adapter_model.bin", "Download the adapter again.");

    public static Fault Quantised(string model, string how) =>
        new("BW3402", ExitCode.Input, $"model '{model}' is quantised, and an adapter cannot be added to packed integers", model, how, "Start from the full-precision model (quantization_config names the format).");

    public static Fault BaseChanged(string where, string how) =>
        new("BW3403", ExitCode.Input, $"the base was changed when this adapter was initialised, so that base + adapter is another model (init_lora_weights: {how})", where, null,
            "Convert it first: PEFT's save_pretrained(..., path_initial_model_for_weight_conversion=...) writes an adapter for the unchanged base.");

    public static Fault KeysWithoutPrefix(string where, IReadOnlyList<string> keys, int of, string prefix) =>
        new("BW3404", ExitCode.Input, $"{keys.Count} of {of} keys of the adapter lack the prefix '{prefix}'", where, Some(keys), $"Rename them to '{prefix}{keys[0]}' and so on, if they are the adapter's.");

    public static Fault KeysMatchNothing(string where, IReadOnlyList<string> keys, int of, string model, IReadOnlyList<string> near, string targets) =>
        new("BW3405", ExitCode.Input, $"{keys.Count} of {of} keys of the adapter match nothing in '{model}'", where, $"{Some(keys)}; target_modules {targets}",
            near.Count > 0 ? $"The nearest modules there are {string.Join(", ", near.Select(n => $"'{n}'"))}: rename the keys, or name the model that the adapter was trained on." : "Name the model that the adapter was trained on.");

    public static Fault OutsideTargets(string where, string module, string key, int modules, string targets) =>
        new("BW3406", ExitCode.Input, $"the adapter has weights for modules that its target_modules does not name: {module}{(modules > 1 ? $" and {modules - 1} more" : "")}", where,
            $"'{key}'; target_modules {targets}", "Part of the training would be lost: add the module to target_modules, or remove its tensors.");

    public static Fault OutsideSaved(string where, IReadOnlyList<string> keys, string saved) =>
        new("BW3407", ExitCode.Input, "the adapter holds whole tensors that its modules_to_save does not name", where, $"{Some(keys)}; modules_to_save {saved}", "Add the modules to modules_to_save, or remove the tensors.");

    public static Fault TargetsMatchNothing(string where, string targets, string model, string? next) =>
        new("BW3408", ExitCode.Input, $"target_modules names nothing in '{model}'", where, targets, next ?? "Name the model that the adapter was trained on.");

    public static Fault NoSuchLayer(string where, IReadOnlyList<long> layers, int have) =>
        new("BW3409", ExitCode.Input, $"layers_to_transform names {(layers.Count == 1 ? "a layer" : "layers")} that the model does not have", where, $"{string.Join(", ", layers)}; its layers are 0 to {have - 1}");

    public static Fault ModuleWithoutWeights(string where, IReadOnlyList<string> modules, string targets) =>
        new("BW3410", ExitCode.Input, $"the adapter has no weights for {modules.Count} module{(modules.Count == 1 ? "" : "s")} that its configuration names", where, $"{Some(modules)}; target_modules {targets}",
            "The file is incomplete or the configuration is another's: download the adapter again.");

    public static Fault Incomplete(string where, string key, string missing) =>
        new("BW3411", ExitCode.Input, "a pair of adapter tensors is incomplete", where, $"'{key}' is there, '{missing}' is not", "Download the adapter again.");

    public static Fault ShapeDiffers(string where, string key, string found, string expected) =>
        new("BW3412", ExitCode.Input, $"'{key}' does not fit the model", where, $"{found} found, {expected} expected", "Name the model that the adapter was trained on, of the same size.");

    public static Fault NotArithmetic(string where, string key, string type) =>
        new("BW3413", ExitCode.Input, $"'{key}' is stored in a type that cannot be computed with", where, type, "Convert it to float32, bfloat16 or float16 first.");

    public static Fault FlagDisagrees(string where, string key, string flag) =>
        new("BW3414", ExitCode.Input, $"the tensors and '{flag}' disagree", where, key, $"Set '{flag}' as it was in training.");

    public static Fault RankDiffers(string where, string key, long found, long expected) =>
        new("BW3415", ExitCode.Input, $"'{key}' has another rank than adapter_config.json says", where, $"{found} found, {expected} expected", "Mend r or rank_pattern.");

    public static Fault SeveralAdapters(string where, IReadOnlyList<string> names) =>
        new("BW3416", ExitCode.Input, "the file holds several adapters", where, Some(names), "Save each adapter into a folder of its own.");

    public static Fault RowsDiffer(string where, string tensor, string found, string expected) =>
        new("BW3417", ExitCode.Input, $"'{tensor}' has another number of rows than the model", where, $"{found} found, {expected} expected",
            "Resize the model first, or save the embedding whole (modules_to_save) together with the head.");

    public static Fault SameTensorTwice(string where, string tensor, string keys) =>
        new("BW3418", ExitCode.Input, $"two tensors of the adapter replace '{tensor}'", where, keys, "Keep one of them.");
}
