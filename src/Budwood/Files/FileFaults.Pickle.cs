using System.Globalization;

namespace Budwood.Files;

/// <summary>Faults of PyTorch checkpoints: BW208x; in none of them has anything of the file been run.</summary>
internal static partial class FileFaults
{
    private const string NothingRan = "nothing was run";
    private const string Safe = "Download the safetensors of the model, or have it written by safetensors.torch.save_file where you trust its author.";

    internal static Fault PickleGlobal(string path, string module, string name, string? alias, long offset)
    {
        string shown = Cut($"{module}.{name}") + (alias is null ? "" : $" ({Cut(alias)})");
        string next = module.StartsWith("torch.nn.", StringComparison.Ordinal) || module.StartsWith("transformers.", StringComparison.Ordinal)
            ? "It holds Python objects and not weights alone: save model.state_dict(), best with safetensors."
            : "Budwood builds tensors only, and no option changes that. " + Safe;
        return new("BW2080", ExitCode.Input, $"the pickle asks for {shown}, which no weights need", path, $"at offset {offset}; {NothingRan}", next);
    }

    internal static Fault PickleCall(string path, string what, long offset) =>
        new("BW2080", ExitCode.Input, $"the pickle calls {Cut(what)} in a way that no weights need", path, $"at offset {offset}; {NothingRan}", Safe);

    internal static Fault PickleOpcode(string path, byte opcode, long offset) =>
        new("BW2081", ExitCode.Input, "the pickle has an instruction that PyTorch does not write", path,
            string.Create(CultureInfo.InvariantCulture, $"0x{opcode:X2} at offset {offset}; {NothingRan}"), Safe);

    internal static Fault PickleMalformed(string path, string found, long offset) =>
        new("BW2081", ExitCode.Input, "the pickle is damaged", path, $"{found} at offset {offset}; {NothingRan}", "Download the file again.");

    internal static Fault PickleCut(string path, long offset) =>
        new("BW2081", ExitCode.Input, "the pickle is cut off", path, $"it ends at offset {offset} before its last instruction; {NothingRan}",
            "The download is incomplete: download the file again.");

    internal static Fault PickleLimit(string path, string what, string limit, long offset) =>
        new("BW2082", ExitCode.Input, $"the pickle asks for {what}", path, $"the limit is {limit}, exceeded at offset {offset}; {NothingRan}",
            "No checkpoint needs that. " + Safe);

    internal static Fault ZipDamaged(string path, string found) =>
        new("BW2083", ExitCode.Input, "the ZIP archive of the checkpoint is damaged", path, found, "Download the file again.");

    internal static Fault ZipCut(string path, long length) =>
        new("BW2083", ExitCode.Input, "the ZIP archive of the checkpoint is cut off", path, $"its directory is not at the end of the {length} bytes",
            "The download is incomplete: download the file again.");

    internal static Fault ZipEntry(string path, string entry, string found, string next) =>
        new("BW2083", ExitCode.Input, $"entry '{Cut(entry)}' of the archive cannot be used", path, found, next);

    internal static Fault NotACheckpoint(string path, string what, string? found, string next) =>
        new("BW2084", ExitCode.Input, what, path, found, next);

    internal static Fault NotTorch(string path, FileKind kind, ReadOnlySpan<byte> head, long length)
    {
        if (kind == FileKind.Safetensors)
        {
            return NotACheckpoint(path, "safetensors under the name of a PyTorch file", null, "Rename it: its name should end in .safetensors.");
        }
        if (head.Length > 262 && head[257..262].SequenceEqual("ustar"u8))
        {
            return NotACheckpoint(path, "a TAR archive, as torch wrote before 0.1.10", null, "Load and save it again with a newer torch, best as safetensors.");
        }
        if (kind is not FileKind.Unknown) return NotSafetensors(path, kind, head, length, "a PyTorch checkpoint");
        return NotACheckpoint(path, "not a PyTorch checkpoint", $"expected a ZIP archive or a pickle of torch.save, and byte 0 is 0x{head[0]:X2}",
            "The file is damaged or of another format: download it again.");
    }

    internal static Fault Storage(string path, string key, string found) =>
        new("BW2085", ExitCode.Input, $"storage '{Cut(key)}' does not fit its description", path, found, "The file is damaged: download it again.");

    internal static Fault TensorBeyond(string path, string tensor, string found) =>
        new("BW2086", ExitCode.Input, $"tensor '{Cut(tensor)}' does not fit its storage", path, found, "The file is damaged: download it again.");

    internal static Fault TensorForm(string path, string tensor, string found) =>
        new("BW2086", ExitCode.Input, $"tensor '{Cut(tensor)}' cannot be read", path, found,
            "Save it as a plain tensor: t.resolve_conj().contiguous(), best with safetensors.");

    internal static Fault NoTensors(string path, string found) =>
        new("BW2087", ExitCode.Input, "no state dict in the checkpoint", path, found,
            "Save model.state_dict(), best with safetensors. Inside a larger dict it is found under state_dict, model or module.");

    internal static Fault ByteOrder(string path, string found) =>
        new("BW2088", ExitCode.Input, "the checkpoint was written on a machine of another byte order", path, $"found {Cut(found)}, expected little",
            "Load and save it again on a little-endian machine.");
}
