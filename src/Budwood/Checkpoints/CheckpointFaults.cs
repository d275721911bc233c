namespace Budwood.Checkpoints;

/// <summary>What can be wrong inside a model folder beyond its files: exit code 3.</summary>
internal static class CheckpointFaults
{
    public static Fault TwoNamesOfOneTensor(string folder, string canonical, string first, string second) =>
        new("BW3001", ExitCode.Input, $"the folder has tensor '{canonical}' under two names", folder, $"'{first}' and '{second}'", "Remove one of them.");

    public static Fault NotSentencePiece(string path) =>
        new("BW3003", ExitCode.Input, "the file is no SentencePiece model", path, null, "Fetch it again, or remove it where tokenizer.json is there too.");

    public static Fault NoConfig(string folder) =>
        new("BW3002", ExitCode.Input, "the folder has no config.json", folder, null, "Copy it from the model's source: it says which layers belong together.");
}
