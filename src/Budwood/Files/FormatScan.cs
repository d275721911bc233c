using System.Globalization;
using System.IO.Compression;
using System.Text.RegularExpressions;

namespace Budwood.Files;

/// <summary>How much a finding of a scan weighs.</summary>
public enum RiskSeverity
{
    /// <summary>Loading the file may run what its maker wants, or the file does not hold what it says.</summary>
    Critical,
    /// <summary>Look at it before use.</summary>
    Warning,
    /// <summary>Worth knowing.</summary>
    Note,
}

/// <summary>What a scan of one file's format found.</summary>
/// <param name="Check">Name of the check.</param>
/// <param name="What">What was found, in words.</param>
/// <param name="Where">Entry and offset within the file.</param>
public sealed record FormatFinding(string Check, RiskSeverity Severity, string What, string Where);

/// <summary>Looks for what runs, and for what lies, in a file of any format: by content, without carrying anything of it out.</summary>
public sealed partial class FormatScan
{
    private const int MostPickles = 64, Deepest = 3;
    private const long MostUnpacked = 64_000_000;

    // The number that torch.save wrote first before 1.6, as the pickle of it.
    private static readonly byte[] s_torch = [0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E];
    private static readonly string[] s_pickled = [".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".dill"];

    private readonly List<FormatFinding> _findings = [];

    private FormatScan()
    {
    }

    /// <summary>Everything found in a file; the source stays open and is the caller's.</summary>
    /// <param name="name">Its name, whose ending says what it should be.</param>
    public static IReadOnlyList<FormatFinding> Of(IByteSource source, string name)
    {
        var scan = new FormatScan();
        try
        {
            scan.Look(source, name, "", 0);
        }
        catch (Fault fault)
        {
            scan.Add("unreadable", RiskSeverity.Warning, $"{fault.What}{(fault.Found is null ? "" : $": {fault.Found}")}", "");
        }
        return scan._findings;
    }

    [GeneratedRegex(@"^[A-Za-z_][\w]*(\.[A-Za-z_][\w]*)*$")]
    private static partial Regex Identifier();

    private void Add(string check, RiskSeverity severity, string what, string where) => _findings.Add(new FormatFinding(check, severity, what, where));

    /// <param name="entry">Where in archives it stands; empty for the file itself.</param>
    private void Look(IByteSource source, string name, string entry, int depth)
    {
        byte[] head = FileKinds.Head(source);
        FileKind kind = FileKinds.Of(head, source.Length);
        string extension = System.IO.Path.GetExtension(name).ToLowerInvariant();
        if (extension == ".safetensors" || kind == FileKind.Safetensors) Header(source, kind, entry);
        if (extension == ".py") Add("custom_code", RiskSeverity.Warning, "Python code; loaders run it where remote code is trusted", entry);
        switch (kind)
        {
            case FileKind.Zip: Zip(source, name, entry, depth); break;
            case FileKind.Pickle: Pickles(source, entry, extension); break;
            case FileKind.Gzip: Unpacked(source, name, entry, depth); break;
            case FileKind.GitLfsPointer or FileKind.Html or FileKind.Zeros or FileKind.Empty when s_pickled.Contains(extension):
                Add("not_the_file", RiskSeverity.Note, $"{kind} under the name of weights: the file did not arrive", entry);
                break;
            // Their marks are instructions too, or may stand in a literal: what begins like them may still be walked as a pickle.
            case FileKind.Safetensors or FileKind.Gguf: Disguised(source, entry); break;
            case FileKind.Json or FileKind.Html or FileKind.GitLfsPointer or FileKind.Hdf5 or FileKind.Zeros or FileKind.Empty: break;
            default:
                if (head.Length > 10 && head[0] == 0x93 && head.AsSpan(1).StartsWith("NUMPY"u8)) Numpy(source, head, entry);
                else Old(source, entry, s_pickled.Contains(extension));
                break;
        }
    }

    // Safetensors

    private void Header(IByteSource source, FileKind kind, string entry)
    {
        try
        {
            SafetensorsHeader.Read(source);
        }
        catch (Fault fault)
        {
            bool never = kind is FileKind.GitLfsPointer or FileKind.Html or FileKind.Empty or FileKind.Zeros;
            Add("safetensors_header", never ? RiskSeverity.Note : RiskSeverity.Critical, $"{fault.What}{(fault.Found is null ? "" : $": {fault.Found}")} ({fault.Code})", entry);
        }
    }

    // Pickles

    private void Pickles(IByteSource source, string entry, string extension)
    {
        byte[] head = FileKinds.Head(source);
        bool torch = head.AsSpan().StartsWith(s_torch);
        long at = 0;
        // Before torch 1.6: number, protocol, system, the object, the keys; what follows are numbers, whose bytes may look like anything.
        for (int n = 0; n < (torch ? 5 : MostPickles) && at < source.Length; n++)
        {
            PickleWalk walk = PickleScan.Walk(source, at, source.Length);
            Names(walk, entry);
            if (!walk.Stopped)
            {
                Add("pickle_form", RiskSeverity.Warning, $"the pickle cannot be read to its end ({walk.Trouble}); Python would run what stands before", At(entry, walk.End));
                return;
            }
            at = walk.End;
        }
        if (torch) Strict(source, entry, () => TorchContent.ReadLegacy(source));
        else if (at < source.Length) Add("trailing_bytes", RiskSeverity.Warning, $"{source.Length - at} bytes behind the last pickle", At(entry, at));
        else if (extension is ".bin" or ".pt" or ".pth") Add("pickle_form", RiskSeverity.Note, "a bare pickle that torch.save did not write", entry);
    }

    /// <summary>A pickle of protocol 0 or 1 has no mark of its own: what can be walked to its end, or bears the name of one, is one.</summary>
    private void Old(IByteSource source, string entry, bool named)
    {
        PickleWalk walk = PickleScan.Walk(source, 0, source.Length);
        bool real = walk.Names.Count > 0 && walk.Names.All(n => n.Module is null || (Identifier().IsMatch(n.Module) && Identifier().IsMatch(n.Name!)));
        if (real && (walk.Stopped || named)) Names(walk, entry);
        if (named && !walk.Stopped) Add("pickle_form", RiskSeverity.Warning, $"neither weights nor a pickle that can be read ({walk.Trouble}); other tools may unpack it", At(entry, walk.End));
        else if (walk.Stopped && real && walk.End < source.Length && walk.End > 0) Add("trailing_bytes", RiskSeverity.Warning, $"{source.Length - walk.End} bytes behind the pickle", At(entry, walk.End));
    }

    private void Disguised(IByteSource source, string entry)
    {
        PickleWalk walk = PickleScan.Walk(source, 0, source.Length);
        if (walk.Names.Any(n => n.Module is not null && Identifier().IsMatch(n.Module) && Identifier().IsMatch(n.Name!))) Names(walk, entry);
    }

    private void Names(PickleWalk walk, string entry, bool script = false)
    {
        foreach (PickledName name in walk.Names)
        {
            if (name.Listed || (script && name.Module is { } m && (m.StartsWith("__torch__", StringComparison.Ordinal) || m == "torch.jit._pickle"))) continue;
            string? alias = name.Module is null ? null : PickledGlobals.Alias(name.Module, name.Name!);
            string what = name.Module is null ? $"the pickle asks for {name.Shown} ({name.Opcode}): no list can hold it"
                : $"the pickle asks for {FileFaults.Cut(name.Shown)}{(alias is null ? "" : $" ({FileFaults.Cut(alias)})")} ({name.Opcode}), which no weights need";
            Add("pickle_global", RiskSeverity.Critical, what, At(entry, name.Offset));
        }
    }

    // The reader of weights knows more of torch's form than a walk: a call of a listed name in an unlisted way, sizes that do not fit.
    private void Strict(IByteSource source, string entry, Action read)
    {
        if (_findings.Any(f => f.Severity == RiskSeverity.Critical)) return;
        try
        {
            read();
        }
        catch (Fault fault)
        {
            Add("pickle_form", RiskSeverity.Warning, $"{fault.What}{(fault.Found is null ? "" : $": {fault.Found}")} ({fault.Code})", entry.Length == 0 ? source.Name : entry);
        }
    }

    // Arrays of objects are a head and a pickle.
    private void Numpy(IByteSource source, byte[] head, string entry)
    {
        if (head.Length < 12) return;
        int at = head[6] == 1 ? 10 + BitConverter.ToUInt16(head, 8) : 12 + (int)Math.Min(BitConverter.ToUInt32(head, 8), 1 << 20);
        string said = System.Text.Encoding.Latin1.GetString(head, 0, Math.Min(head.Length, at));
        if (!said.Contains("'O'", StringComparison.Ordinal) && !said.Contains("|O", StringComparison.Ordinal)) return;
        Add("pickle_form", RiskSeverity.Warning, "an array of Python objects, which numpy reads as a pickle", entry);
        if (at < source.Length) Names(PickleScan.Walk(source, at, source.Length), entry);
    }

    // Archives

    private void Zip(IByteSource source, string name, string entry, int depth)
    {
        if (depth >= Deepest)
        {
            Add("archive", RiskSeverity.Warning, "archives within archives, not looked into any deeper", entry);
            return;
        }
        List<(string Name, Func<IByteSource> Open)> entries = [];
        bool strict = true;
        try
        {
            ZipDirectory zip = ZipDirectory.Read(source);
            entries.AddRange(zip.Entries.Values.Select(e => (e.Name, (Func<IByteSource>)(() => new PartSource(source, e.Offset, e.Bytes, e.Name)))));
        }
        catch (Fault fault)
        {
            strict = false;
            Add("archive", RiskSeverity.Warning, $"not an archive as torch.save writes one: {fault.What}{(fault.Found is null ? "" : $": {fault.Found}")}", entry);
        }
        try
        {
            using var archive = strict ? null : new ZipArchive(new SourceStream(source), ZipArchiveMode.Read);
            foreach (ZipArchiveEntry e in archive?.Entries ?? []) entries.Add((e.FullName, () => Memory(e)));
            Entries(source, name, entry, depth, strict, entries);
        }
        catch (Exception e) when (IsUnreadable(e))
        {
            Add("archive", RiskSeverity.Critical, $"the archive cannot be read, and other tools may read it otherwise: {e.Message}", entry);
        }
    }

    private void Entries(IByteSource source, string name, string entry, int depth, bool strict, List<(string Name, Func<IByteSource> Open)> entries)
    {
        bool script = entries.Any(e => e.Name.EndsWith("/constants.pkl", StringComparison.Ordinal) || e.Name.Contains("/code/", StringComparison.Ordinal));
        if (script) Add("torchscript", RiskSeverity.Warning, "a TorchScript archive: a program, not weights alone", entry);
        bool torch = false;
        // One entry that cannot be read must not hide the others.
        foreach ((string inner, Func<IByteSource> open) in entries)
        {
            string where = entry.Length == 0 ? inner : $"{entry}!{inner}";
            if (script && inner.Contains("/code/", StringComparison.Ordinal)) continue;
            bool pickle = inner.EndsWith(".pkl", StringComparison.Ordinal) || s_pickled.Contains(System.IO.Path.GetExtension(inner).ToLowerInvariant());
            if (inner.EndsWith("/data.pkl", StringComparison.Ordinal) && inner.IndexOf('/', StringComparison.Ordinal) == inner.Length - 9) torch = true;
            bool numbers = !pickle && inner.Contains("/data/", StringComparison.Ordinal);
            try
            {
                using IByteSource part = open();
                if (part.Length == 0) continue;
                if (numbers) Numbers(part, where);
                else if (pickle) Entry(part, where, script);
                else Look(part, inner, where, depth + 1);
            }
            catch (Exception e) when (e is Fault || IsUnreadable(e))
            {
                Add("archive", RiskSeverity.Critical, $"the entry cannot be read, and other tools may read it otherwise: {e.Message}", where);
            }
        }
        if (torch && strict && !script) Strict(source, entry, () => TorchContent.ReadZip(source));
    }

    private void Entry(IByteSource part, string where, bool script)
    {
        PickleWalk walk = PickleScan.Walk(part, 0, part.Length);
        Names(walk, where, script);
        if (!walk.Stopped) Add("pickle_form", RiskSeverity.Warning, $"the pickle cannot be read to its end ({walk.Trouble}); Python would run what stands before", At(where, walk.End));
        else if (walk.End < part.Length) Pickles(new PartSource(part, walk.End, part.Length - walk.End, where), where, "");
    }

    // Weights may begin with any bytes: only what is a whole pickle is taken for one.
    private void Numbers(IByteSource part, string where)
    {
        if (FileKinds.Of(part) != FileKind.Pickle) return;
        PickleWalk walk = PickleScan.Walk(part, 0, part.Length);
        if (walk.Stopped && walk.Names.Count > 0) Names(walk, where);
    }

    private void Unpacked(IByteSource source, string name, string entry, int depth)
    {
        if (depth >= Deepest) return;
        try
        {
            using var packed = new GZipStream(new SourceStream(source), CompressionMode.Decompress);
            using var memory = new MemoryStream();
            if (!Copy(packed, memory)) Add("archive", RiskSeverity.Warning, $"only the first {MostUnpacked / 1_000_000} MB of what it unpacks to were looked at", entry);
            Look(new MemorySource(memory.ToArray(), source.Name), System.IO.Path.GetFileNameWithoutExtension(name), entry + "(gzip)", depth + 1);
        }
        catch (Exception e) when (IsUnreadable(e))
        {
            Add("archive", RiskSeverity.Warning, $"it cannot be unpacked: {e.Message}", entry);
        }
    }

    // What readers of archives throw for archives that are made to be wrong.
    private static bool IsUnreadable(Exception e) => e is InvalidDataException or IOException or NotSupportedException or ArgumentException or OverflowException or IndexOutOfRangeException;

    private static MemorySource Memory(ZipArchiveEntry entry)
    {
        using Stream packed = entry.Open();
        using var memory = new MemoryStream();
        Copy(packed, memory);
        return new MemorySource(memory.ToArray(), entry.FullName);
    }

    private static bool Copy(Stream from, MemoryStream to)
    {
        byte[] buffer = new byte[1 << 16];
        for (int got; (got = from.Read(buffer)) > 0;)
        {
            if (to.Length + got > MostUnpacked) return false;
            to.Write(buffer.AsSpan(0, got));
        }
        return true;
    }

    private static string At(string entry, long offset) => string.Create(CultureInfo.InvariantCulture, $"{entry}{(entry.Length == 0 ? "" : " ")}offset {offset}");
}
