using Budwood.Numbers;

namespace Budwood.Files;

/// <summary>Faults of writing: BW130x the output that the command line names, BW206x what a format cannot hold, BW6002 the disk.</summary>
internal static partial class FileFaults
{
    internal static Fault WritingName(string name, string found) =>
        new("BW2060", ExitCode.Input, $"tensor '{Cut(name)}' cannot be written to safetensors", null, found, "Give the tensor another name.");

    internal static Fault WritingSize(string name, DType dtype, Shape shape, string found) =>
        new("BW2061", ExitCode.Input, $"tensor '{Cut(name)}' cannot be written to safetensors", null, $"{dtype.Name()} {shape} {found}", "Split the tensor.");

    internal static Fault WritingHeader(int tensors, long limit) =>
        new("BW2062", ExitCode.Input, "the header would be larger than the format allows", null, $"{tensors} tensors need more than {limit} bytes (100 MB)",
            "Write more shards: --shard-size with a smaller value.");

    internal static Fault OutputExists(string path, string found) =>
        new("BW1301", ExitCode.Usage, "the output exists", path, found, "Choose another name, or replace it with --force.");

    internal static Fault OutputIsInput(string path, string input, string how) =>
        new("BW1302", ExitCode.Usage, "the output would touch an input", path, $"it {how} '{input}'",
            "Choose another output folder; --force does not help, inputs are never changed.");

    internal static Fault OutputBusy(string path, string staging) =>
        new("BW1303", ExitCode.Usage, "another run is writing this output", path, $"it holds the lock of {staging}",
            "Wait for it to end, or choose another output folder.");

    internal static Fault OutputNotPermitted(string path, string folder, Exception? inner) =>
        new("BW1304", ExitCode.Usage, "no permission to write", folder, $"needed for the output {path}",
            "Choose another output folder, or give your user the right to write there.", inner);

    internal static Fault OutputUnusable(string path, string found, Exception? inner = null) =>
        new("BW1305", ExitCode.Usage, "the output cannot be placed there", path, found, "Choose another output folder.", inner);

    internal static Fault OutputAppeared(string path) =>
        new("BW1301", ExitCode.Usage, "the output has come into being while this run was writing it", path, null,
            "Choose another name, or replace it with --force.");

    internal static Fault DiskFull(string path, long? needed, long? free, Exception? inner = null) =>
        new("BW6002", ExitCode.Budget, "the disk is full", path, $"{needed?.ToString() ?? "more"} bytes needed, {free?.ToString() ?? "unknown"} free",
            "Free some space, or choose an output folder on another disk.", inner);

    internal static Fault Writing(string path, Exception e) =>
        IsDiskFull(e) ? DiskFull(path, null, Posix.FreeBytes(Path.GetDirectoryName(Path.GetFullPath(path)) ?? path), e)
        : e is UnauthorizedAccessException ? OutputNotPermitted(path, Path.GetDirectoryName(path) ?? path, e)
        : new("BW2006", ExitCode.Input, "writing failed", path, e.Message, "Check the disk or the mount, then run again.", e);

    /// <summary>Obstacles that go away without the work having been in vain: what is finished is kept for the next run.</summary>
    internal static bool MayPass(Fault fault) => fault.Code is "BW2005" or "BW2006" or "BW6002";

    // .NET puts the error number of Unix, and on Windows the HRESULT, into HResult.
    internal static bool IsDiskFull(Exception e) =>
        e is IOException && (OperatingSystem.IsWindows() ? e.HResult is unchecked((int)0x80070070) or unchecked((int)0x80070027)
            : e.HResult is Posix.NoSpace or Posix.Quota);
}
