using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace Budwood.Files;

/// <summary>One stored entry of a ZIP archive and where its bytes lie in the file.</summary>
internal readonly record struct ZipEntry(string Name, long Offset, long Bytes);

/// <summary>The directory of a ZIP archive whose entries are stored as they are, as torch.save writes them.</summary>
/// <remarks>The central directory decides; every entry is held against its local header, against the file and against its neighbours.</remarks>
internal sealed class ZipDirectory
{
    private const long DirectoryLimit = 100_000_000;
    private const int EndBytes = 22, LocatorBytes = 20, End64Bytes = 56, CentralBytes = 46, LocalBytes = 30;
    private const string Again = "Download the file again.";

    private readonly IByteSource _source;
    private readonly Dictionary<string, ZipEntry> _entries = new(StringComparer.Ordinal);

    private ZipDirectory(IByteSource source) => _source = source;

    internal IReadOnlyDictionary<string, ZipEntry> Entries => _entries;

    internal static ZipDirectory Read(IByteSource source)
    {
        var zip = new ZipDirectory(source);
        (long at, long bytes, long count) = zip.Locate();
        zip.ReadEntries(at, bytes, count);
        return zip;
    }

    private (long At, long Bytes, long Count) Locate()
    {
        long length = _source.Length, endAt = length - EndBytes;
        if (endAt < 0) throw FileFaults.ZipCut(_source.Name, length);
        byte[] end = Bytes(endAt, EndBytes);
        // torch writes no comment, so the record stands at the very end; one behind a comment could be told two ways.
        if (U32(end, 0) != 0x06054B50 || U16(end, 20) != 0) throw FileFaults.ZipCut(_source.Name, length);
        bool oneDisk = U16(end, 4) is 0 or 0xFFFF && U16(end, 6) is 0 or 0xFFFF;
        long count = U16(end, 10), bytes = U32(end, 12), at = U32(end, 16), directoryEnd = endAt;
        long locatorAt = endAt - LocatorBytes;
        byte[] locator = locatorAt >= 0 ? Bytes(locatorAt, LocatorBytes) : [];
        if (locator.Length > 0 && U32(locator, 0) == 0x07064B50)
        {
            long end64At = I64(locator, 8);
            if (end64At < 0 || end64At > locatorAt - End64Bytes) throw Damaged("the record of its large sizes lies outside of it");
            byte[] end64 = Bytes(end64At, End64Bytes);
            if (U32(end64, 0) != 0x06064B50 || I64(end64, 4) != locatorAt - end64At - 12) throw Damaged("the record of its large sizes is wrong");
            oneDisk &= U32(end64, 16) == 0 && U32(end64, 20) == 0;
            (count, bytes, at, directoryEnd) = (I64(end64, 32), I64(end64, 40), I64(end64, 48), end64At);
        }
        if (!oneDisk) throw Damaged("it is one part of several");
        if (bytes > DirectoryLimit) throw Damaged($"a directory of {bytes} bytes, the limit is {DirectoryLimit} (100 MB)");
        if (at < 0 || bytes < 0 || at != directoryEnd - bytes) throw Damaged("its directory is not where its end says");
        if (count < 0 || count > bytes / CentralBytes) throw Damaged($"{count} entries in a directory of {bytes} bytes");
        return (at, bytes, count);
    }

    private void ReadEntries(long at, long bytes, long count)
    {
        byte[] directory = Bytes(at, (int)bytes);
        var spans = new List<(long Begin, long End, string Name)>((int)count);
        int next = 0;
        for (long i = 0; i < count; i++)
        {
            if (next > directory.Length - CentralBytes || U32(directory, next) != 0x02014B50) throw Damaged($"entry {i} of its directory is wrong");
            ReadOnlySpan<byte> head = directory.AsSpan(next, CentralBytes);
            int name = U16(head, 28), extra = U16(head, 30), comment = U16(head, 32);
            if (name + extra + comment > directory.Length - next - CentralBytes) throw Damaged($"entry {i} of its directory leaves it");
            ReadOnlySpan<byte> nameBytes = directory.AsSpan(next + CentralBytes, name);
            spans.Add(ReadEntry(head, nameBytes, directory.AsSpan(next + CentralBytes + name, extra), at));
            next += CentralBytes + name + extra + comment;
        }
        if (next != directory.Length) throw Damaged("bytes behind the last entry of its directory");
        spans.Sort(static (a, b) => a.Begin.CompareTo(b.Begin));
        for (int i = 1; i < spans.Count; i++)
        {
            if (spans[i].Begin >= spans[i - 1].End) continue;
            throw Damaged($"entries '{FileFaults.Cut(spans[i - 1].Name)}' and '{FileFaults.Cut(spans[i].Name)}' overlap");
        }
    }

    private (long, long, string) ReadEntry(ReadOnlySpan<byte> head, ReadOnlySpan<byte> nameBytes, ReadOnlySpan<byte> extra, long directoryAt)
    {
        if (!Utf8.IsValid(nameBytes)) throw Damaged("a name in it is not UTF-8");
        string name = Encoding.UTF8.GetString(nameBytes);
        int flags = U16(head, 8), method = U16(head, 10);
        if ((flags & 0x2041) != 0) throw FileFaults.ZipEntry(_source.Name, name, "it is encrypted", "Ask its author for a file that is not.");
        if (method != 0)
        {
            throw FileFaults.ZipEntry(_source.Name, name, $"it is compressed (method {method}), and torch.save stores",
                "The archive was packed again by another program: load and save it with torch, or pack it without compression (zip -0).");
        }
        long packed = U32(head, 20), bytes = U32(head, 24), local = U32(head, 42);
        (bytes, packed, local) = Large(name, extra, bytes, packed, local);
        if (packed != bytes) throw FileFaults.ZipEntry(_source.Name, name, $"{packed} bytes stored for {bytes}", Again);
        if (local < 0 || local > directoryAt - LocalBytes) throw Outside(name);
        byte[] localHead = Bytes(local, LocalBytes);
        if (U32(localHead, 0) != 0x04034B50 || U16(localHead, 8) != 0) throw FileFaults.ZipEntry(_source.Name, name, "its local header is another", Again);
        long begin = local + LocalBytes + U16(localHead, 26) + U16(localHead, 28);
        if (begin > directoryAt || bytes < 0 || bytes > directoryAt - begin) throw Outside(name);
        if (U16(localHead, 26) != nameBytes.Length || !Bytes(local + LocalBytes, nameBytes.Length).AsSpan().SequenceEqual(nameBytes))
        {
            throw FileFaults.ZipEntry(_source.Name, name, "its local header bears another name", Again);
        }
        // Zero where the sizes follow the data, all ones where they are large.
        if (U32(localHead, 22) is var said and not (0 or 0xFFFFFFFF) && said != bytes)
        {
            throw FileFaults.ZipEntry(_source.Name, name, $"{bytes} bytes by the directory, {said} by its local header", Again);
        }
        if (!_entries.TryAdd(name, new ZipEntry(name, begin, bytes))) throw Damaged($"'{FileFaults.Cut(name)}' is in it twice");
        return (local, begin + bytes, name);
    }

    /// <summary>Sizes over 4 GB stand in an extra field, in this order, those only that do not fit.</summary>
    private (long Bytes, long Packed, long Local) Large(string name, ReadOnlySpan<byte> extra, long bytes, long packed, long local)
    {
        if (bytes != uint.MaxValue && packed != uint.MaxValue && local != uint.MaxValue) return (bytes, packed, local);
        while (extra.Length >= 4)
        {
            int id = U16(extra, 0), size = U16(extra, 2);
            if (size > extra.Length - 4) break;
            ReadOnlySpan<byte> field = extra.Slice(4, size);
            extra = extra[(4 + size)..];
            if (id != 1) continue;
            if (!Take(ref bytes, ref field) || !Take(ref packed, ref field) || !Take(ref local, ref field)) break;
            return (bytes, packed, local);
        }
        throw FileFaults.ZipEntry(_source.Name, name, "its large sizes are missing", Again);

        static bool Take(ref long value, ref ReadOnlySpan<byte> field)
        {
            if (value != uint.MaxValue) return true;
            if (field.Length < 8) return false;
            value = I64(field, 0);
            field = field[8..];
            return true;
        }
    }

    private byte[] Bytes(long at, int count)
    {
        byte[] bytes = new byte[count];
        _source.Read(at, bytes);
        return bytes;
    }

    private Fault Damaged(string found) => FileFaults.ZipDamaged(_source.Name, found);

    private Fault Outside(string name) => FileFaults.ZipEntry(_source.Name, name, "it lies outside of the archive", Again);

    private static int U16(ReadOnlySpan<byte> from, int at) => BinaryPrimitives.ReadUInt16LittleEndian(from[at..]);

    private static uint U32(ReadOnlySpan<byte> from, int at) => BinaryPrimitives.ReadUInt32LittleEndian(from[at..]);

    private static long I64(ReadOnlySpan<byte> from, int at) => BinaryPrimitives.ReadInt64LittleEndian(from[at..]);
}
