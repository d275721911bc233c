namespace Budwood.Files;

/// <summary>Faults of model folders: BW204x shard indexes, BW205x folders.</summary>
internal static partial class FileFaults
{
    private const string Again = "The download is incomplete or mixed with another one: download the model again (hf download).";

    internal static Fault IndexJson(string path, long? line, string found, Exception? inner = null) =>
        new("BW2040", ExitCode.Input, "the shard index is not valid JSON", line is null ? path : $"{path}:{line}", found, "Download the index again.", inner);

    internal static Fault IndexShape(string path, string found) =>
        new("BW2040", ExitCode.Input, "not a shard index", path, found,
            "An index holds weight_map, an object of tensor names to file names: download it again.");

    internal static Fault IndexTooLarge(string path, long length, long limit) =>
        new("BW2040", ExitCode.Input, "the shard index is too large", path, $"{length} bytes, the limit is {limit}", "Download the index again.");

    internal static Fault IndexDuplicate(string path, string key) =>
        new("BW2041", ExitCode.Input, $"the shard index lists '{Cut(key)}' twice", path, null,
            "Keep the line that names the right shard and delete the other.");

    internal static Fault UnsafeShard(string path, string tensor, string shard) =>
        new("BW2042", ExitCode.Input, "the shard index leads out of its folder", path,
            $"'{Cut(tensor)}' is said to be in '{Cut(shard)}', expected a plain file name",
            "The file was not opened. Do not use this checkpoint unless you know who wrote the index.");

    internal static Fault MissingShards(string index, IReadOnlyList<string> shards, int of, bool single) =>
        new("BW2043", ExitCode.Input, shards.Count == 1 ? "a shard that the index names is not there" : "shards that the index names are not there", index,
            $"missing {Some(shards)} ({shards.Count} of {of})",
            single ? "The download is incomplete: download the rest; or, if model.safetensors is the whole model, delete the index."
                : "The download is incomplete: run hf download again, it fetches what is missing.");

    internal static Fault UnlistedShard(string shard, string index, IReadOnlyList<string> tensors) =>
        new("BW2044", ExitCode.Input, "a numbered shard that the index never mentions", shard,
            tensors.Count == 0 ? $"no tensor of {index} is said to be in it" : $"{index} leaves out {tensors.Count} tensors: {Some(tensors)}", Again);

    internal static Fault NotInShard(string shard, string index, IReadOnlyList<string> tensors) =>
        new("BW2045", ExitCode.Input, "a shard lacks what the index promises", shard, $"{index} puts {Some(tensors)} there, the file has no such tensor",
            Again);

    internal static Fault NotInIndex(string shard, string index, IReadOnlyList<string> tensors) =>
        new("BW2046", ExitCode.Input, "a shard holds what the index does not list", shard, $"{Some(tensors)} in no line of {index}", Again);

    internal static Fault TwoShards(string tensor, string first, string second) =>
        new("BW2047", ExitCode.Input, $"tensor '{Cut(tensor)}' is in two shards", first, $"and in {second}", Again);

    internal static Fault IndexMissing(string folder, IReadOnlyList<string> shards, string index) =>
        new("BW2048", ExitCode.Input, "numbered shards without their index", folder, $"found {Some(shards)}, expected {index} beside them",
            "The download is incomplete: download the index.");

    internal static Fault SeveralFiles(string folder, string what, IReadOnlyList<string> files) =>
        new("BW2049", ExitCode.Input, $"several {what} and nothing says which is the model", folder, $"found {Some(files)}",
            "Keep one in the folder, name it model.safetensors, or name the file itself.");

    internal static Fault NoWeights(string folder, IReadOnlyList<string> files, string? subfolder) =>
        new("BW2050", ExitCode.Input, "no weights in the folder", folder, files.Count == 0 ? "it holds no files"
            : $"found {Some(files)}, expected model.safetensors or shards with an index",
            subfolder is null ? "Check the path, or download the model." : $"Did you mean '{subfolder}'?");

    internal static Fault IsAdapter(string folder) =>
        new("BW2051", ExitCode.Input, "this is an adapter, not a model", folder, "found adapter_config.json and adapter weights, expected model weights",
            $"Name the model it was trained on and add it with a plus sign: BASE+{folder}");

    internal static Fault OnlyConsolidated(string folder, IReadOnlyList<string> files) =>
        new("BW2050", ExitCode.Input, "the only weights bear the names of their maker's own code, not those of Hugging Face", folder,
            $"found {Some(files)}, expected model.safetensors",
            "Download the model.safetensors shards of the same repository.");

    internal static Fault TooManyFiles(string folder, int most) =>
        new("BW2052", ExitCode.Input, "the folder holds more files than any model", folder, $"more than {most}", "Name the model's own folder.");

    internal static Fault ListingFolder(string folder, Exception e) =>
        new("BW2003", ExitCode.Input, "the folder cannot be listed", folder, e.Message, "Give your user the right to read it, or check the mount.", e);

    /// <summary>The first names of a list and how many more there are.</summary>
    internal static string Some(IReadOnlyList<string> names, int show = 6) =>
        string.Join(", ", names.Take(show).Select(Cut)) + (names.Count > show ? $" and {names.Count - show} more" : "");
}
