using Budwood.Numbers;

namespace Budwood.Files;

/// <summary>Every fault that reading a file can end in, one method each: BW200x opening, BW201x kinds, BW202x safetensors headers.</summary>
internal static partial class FileFaults
{
    /// <summary>Exceptions of the file system that become faults; anything else is a defect of ours.</summary>
    internal static bool IsReading(Exception e) => e is IOException or UnauthorizedAccessException or NotSupportedException;

    // Opening and reading

    internal static Fault Missing(string path, string what, IEnumerable<string> siblings, Exception? inner = null)
    {
        string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(path));
        return new("BW2001", ExitCode.Input, $"there is no such {what}", path, null, Nearest.Hint(name, siblings) ?? "Check the path.", inner);
    }

    internal static Fault Opening(string path, Exception e) => e switch
    {
        FileNotFoundException or DirectoryNotFoundException => Missing(path, "file", Siblings(path), e),
        UnauthorizedAccessException =>
            new("BW2003", ExitCode.Input, "no permission to read", path, null, $"Give your user the right to read it: chmod u+r '{path}'.", e),
        _ => new("BW2005", ExitCode.Input, "cannot be opened", path, e.Message, "Check the disk or the mount, then run again.", e),
    };

    internal static Fault NotAFile(string path, string found) =>
        new("BW2002", ExitCode.Input, "not a regular file", path, $"found {found}", "Name a file of weights.");

    internal static Fault PastTheEnd(string path, long offset, long count, long length) =>
        new("BW2004", ExitCode.Input, "a read past the end", path, $"{count} bytes at offset {offset}, the file has {length}",
            "The file is cut off or its header lies: download it again.");

    internal static Fault Shrunk(string path, long offset, long length) =>
        new("BW2004", ExitCode.Input, "the file shrank while it was read", path,
            $"it had {length} bytes when it was opened and now ends at or before offset {offset}",
            "Something else writes to it: wait for that to finish, then run again.");

    internal static Fault ChangedMeanwhile(string path, string tensor) =>
        new("BW2007", ExitCode.Input, "the file was written into while it was read", path, $"tensor '{Cut(tensor)}' is not what it was when the run began",
            "Something else writes to it: wait for that to finish, then run again.");

    internal static Fault Reading(string path, long offset, Exception e) =>
        new("BW2005", ExitCode.Input, "reading failed", path, $"at offset {offset}: {e.Message}", "Check the disk or the network mount, then run again.", e);

    internal static IEnumerable<string> Siblings(string path)
    {
        try
        {
            string? parent = Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));
            return parent is not null && Directory.Exists(parent)
                ? [.. Directory.EnumerateFileSystemEntries(parent).Select(e => Path.GetFileName(e)).Order(StringComparer.Ordinal)] : [];
        }
        catch (Exception e) when (IsReading(e) || e is ArgumentException)
        {
            return [];
        }
    }

    // What it is instead

    internal static Fault NotSafetensors(string path, FileKind kind, ReadOnlySpan<byte> head, long length, string wanted = "safetensors") => kind switch
    {
        FileKind.Empty => new("BW2016", ExitCode.Input, "the file is empty", path, "0 bytes", "The download did not happen: download the file again."),
        FileKind.GitLfsPointer => LfsPointer(path, FileKinds.LfsSize(head), length),
        FileKind.Zip => new("BW2011", ExitCode.Input, "a ZIP archive, as torch.save writes it, not safetensors", path, null,
            "It is a PyTorch file under another name: rename it to pytorch_model.bin, or download the safetensors of the model."),
        FileKind.Gguf => new("BW2012", ExitCode.Input, $"a GGUF file of llama.cpp, not {wanted}", path, null,
            "GGUF weights are mostly quantised: start from the original safetensors of the model."),
        FileKind.Html => new("BW2013", ExitCode.Input, $"an HTML page, not {wanted}", path, $"it begins with \"{FileKinds.FirstLine(head)}\"",
            "The server answered with a login or error page: log in (hf auth login), then download again."),
        FileKind.Pickle => new("BW2014", ExitCode.Input, "a Python pickle, not safetensors", path, null,
            "Nothing in it was run. Convert it with safetensors.torch.save_file, or download the safetensors of the model."),
        FileKind.Gzip => new("BW2015", ExitCode.Input, $"gzip data, not {wanted}", path, null, "Decompress it first: gunzip."),
        FileKind.Hdf5 => new("BW2018", ExitCode.Input, $"an HDF5 file of Keras, not {wanted}", path, null, "Download the safetensors of the model."),
        FileKind.Json => new("BW2018", ExitCode.Input, $"JSON text, not {wanted}", path, $"it begins with \"{FileKinds.FirstLine(head)}\"",
            "Perhaps a server's error message was saved in its place: download the file again."),
        FileKind.Text => new("BW2018", ExitCode.Input, $"text, not {wanted}", path, $"it begins with \"{FileKinds.FirstLine(head)}\"",
            "Perhaps a server's error message was saved in its place: download the file again."),
        FileKind.Zeros => new("BW2017", ExitCode.Input, "the file begins with zero bytes", path, $"{length} bytes reserved and not filled",
            "The download was interrupted: download the file again."),
        _ => length < 8
            ? new("BW2017", ExitCode.Input, "the file is cut off", path, $"{length} bytes, a safetensors file has 8 and a header at least",
                "Download the file again.")
            : new("BW2018", ExitCode.Input, "not a safetensors file", path,
                $"byte 8 should open a JSON header with '{{' and is 0x{(head.Length > 8 ? head[8] : 0):X2}",
                "Check where the file comes from; if it was downloaded, download it again."),
    };

    internal static Fault LfsPointer(string path, long? size, long length) =>
        new("BW2010", ExitCode.Input, "a Git LFS pointer, not the weights", path,
            size is null ? $"{length} bytes of text that stand for a large file" : $"{length} bytes of text that stand for a file of {size} bytes",
            "The clone left the large files out; in its folder run: git lfs pull");

    internal static Fault TruncatedHeader(string path, ulong header, long length) =>
        new("BW2017", ExitCode.Input, "the file is cut off inside its header", path, $"the header needs {8 + (UInt128)header} bytes, the file has {length}",
            "The download is incomplete: download the file again.");

    internal static Fault TruncatedData(string path, long needed, long length, TensorEntry first) =>
        new("BW2017", ExitCode.Input, "the file is cut off", path,
            $"its header describes {needed} bytes, the file has {length} ({needed - length} are missing, from tensor '{Cut(first.Name)}' on)",
            "The download is incomplete: download the file again.");

    // The header of safetensors

    internal static Fault HeaderTooLarge(string path, ulong header, long limit) =>
        new("BW2020", ExitCode.Input, "the header is larger than the format allows", path, $"{header} bytes, the limit is {limit} (100 MB)",
            "The file is damaged: download it again.");

    internal static Fault HeaderNotUtf8(string path, long offset) =>
        new("BW2021", ExitCode.Input, "the header is not valid UTF-8", path, $"at offset {offset}", "The file is damaged: download it again.");

    internal static Fault HeaderJson(string path, string found, Exception? inner = null) =>
        new("BW2021", ExitCode.Input, "the header is not the JSON of a safetensors file", path, found, "The file is damaged: download it again.", inner);

    internal static Fault DuplicateName(string path, string name) =>
        new("BW2022", ExitCode.Input, $"the header lists '{Cut(name)}' twice", path, null, "Write the file again with one tensor of that name.");

    internal static Fault UnknownDType(string path, string tensor, string dtype) =>
        new("BW2023", ExitCode.Input, $"tensor '{Cut(tensor)}' has an unknown dtype", path, $"'{Cut(dtype)}'",
            Nearest.Hint(dtype, Enum.GetValues<DType>().Select(d => d.Name())) ?? "Budwood may be older than the file: look for a newer version.");

    internal static Fault ShapeLies(string path, string tensor, string shape, string dtype, string byShape, long byOffsets) =>
        new("BW2024", ExitCode.Input, $"tensor '{Cut(tensor)}' has a shape that does not fit its data", path,
            $"{dtype} {shape}: {byShape} bytes by shape and dtype against {byOffsets} by the offsets",
            "The header is wrong: download the file again, or ask its author.");

    internal static Fault BadSize(string path, string tensor, string found) =>
        new("BW2025", ExitCode.Input, $"tensor '{Cut(tensor)}' has an impossible size", path, found,
            "The header is wrong: download the file again, or ask its author.");

    internal static Fault Overlap(string path, TensorEntry first, TensorEntry second, long start) =>
        new("BW2026", ExitCode.Input, $"tensors '{Cut(first.Name)}' and '{Cut(second.Name)}' overlap", path,
            $"offsets [{first.Offset - start}, {first.End - start}] and [{second.Offset - start}, {second.End - start}]",
            "The format gives every tensor bytes of its own: write the file again with safetensors.");

    internal static Fault Hole(string path, long from, long to, string next) =>
        new("BW2027", ExitCode.Input, "a hole in the data", path, $"no tensor owns bytes [{from}, {to}] before '{Cut(next)}'",
            "Write the file again with safetensors.");

    internal static Fault BeyondFile(string path, string tensor, long begin, long end, long start, long length) =>
        new("BW2028", ExitCode.Input, $"tensor '{Cut(tensor)}' lies beyond the end of the file", path,
            $"data_offsets [{begin}, {end}], the data has {Math.Max(0, length - start)} bytes and the file {length}",
            "The header is wrong or the file is cut off: download it again.");

    internal static Fault TrailingBytes(string path, long end, long length) =>
        new("BW2029", ExitCode.Input, "bytes behind the last tensor", path, $"the tensors end at offset {end}, the file has {length} bytes",
            "The file is damaged: download it again.");

    internal static Fault BadName(string path, string name) =>
        new("BW2030", ExitCode.Input, $"the tensor name \"{Cut(Visible(name))}\" has a control character", path, null,
            "Rename the tensor where the file is written.");

    internal static Fault MetadataValue(string path, string key, string found) =>
        new("BW2031", ExitCode.Input, $"__metadata__ entry '{Cut(key)}' is not a string", path, $"found {found}",
            "Write the file again with strings only, as the format asks.");

    internal static Fault Malformed(string path, string tensor, string found) =>
        new("BW2032", ExitCode.Input, $"the description of tensor '{Cut(tensor)}' is wrong", path, found,
            "A tensor has dtype, shape and data_offsets: write the file again with safetensors.");

    /// <summary>A name of a hostile file may be megabytes long: messages show its beginning.</summary>
    internal static string Cut(string text) => Visible(text.Length <= 200 ? text : text[..200] + "…");

    private static string Visible(string text) =>
        text.Any(char.IsControl) ? string.Concat(text.Select(c => char.IsControl(c) ? $"\\u{(int)c:x4}" : c.ToString())) : text;
}
