using System.Globalization;
using System.Numerics;
using System.Text;

namespace Budwood.Files;

/// <summary>What torch.save wrote: one object, and where the bytes of its storages lie in the file.</summary>
internal sealed class TorchContent
{
    private const int NewestArchive = 10, SmallBytes = 64;
    private const long LegacyProtocol = 1001;
    private static readonly BigInteger s_magic = BigInteger.Parse("119547037146038801333356", CultureInfo.InvariantCulture);

    private readonly Func<PickledStorage, (long Offset, long Bytes)> _locate;

    private TorchContent(object? root, Func<PickledStorage, (long, long)> locate)
    {
        Root = root;
        _locate = locate;
    }

    internal object? Root { get; }

    /// <summary>Where a storage lies; its size has been held against the pickle.</summary>
    internal (long Offset, long Bytes) Locate(PickledStorage storage) => _locate(storage);

    /// <summary>The format since torch 1.6: NAME/data.pkl, NAME/data/KEY, NAME/byteorder, NAME/version.</summary>
    internal static TorchContent ReadZip(IByteSource source)
    {
        string path = source.Name;
        ZipDirectory zip = ZipDirectory.Read(source);
        string[] pickles = [.. zip.Entries.Keys.Where(n => n.EndsWith("/data.pkl", StringComparison.Ordinal) && n.IndexOf('/') == n.Length - 9)];
        if (pickles.Length != 1)
        {
            throw FileFaults.NotACheckpoint(path, "a ZIP archive, but not one of torch.save",
                pickles.Length == 0 ? "NAME/data.pkl is missing in it" : $"it holds {pickles.Length} of NAME/data.pkl", "Name the weights of a model.");
        }
        string folder = pickles[0][..^"data.pkl".Length];
        if (zip.Entries.Keys.Any(n => n == folder + "constants.pkl" || n.StartsWith(folder + "code/", StringComparison.Ordinal)))
        {
            throw FileFaults.NotACheckpoint(path, "a TorchScript archive, which is a program and not weights",
                "it holds constants.pkl or code; nothing was run", "Save model.state_dict() of the original model, best with safetensors.");
        }
        if (Text(source, zip, folder + "byteorder") is { } order && order != "little") throw FileFaults.ByteOrder(path, order);
        if (Text(source, zip, folder + "version") is { } version
            && !(int.TryParse(version, CultureInfo.InvariantCulture, out int number) && number is > 0 and <= NewestArchive))
        {
            throw FileFaults.NotACheckpoint(path, "an archive of a version that is not known",
                $"version '{FileFaults.Cut(version)}', the newest known is {NewestArchive}", "Look for a newer Budwood, or save it as safetensors.");
        }
        var storages = new Dictionary<string, PickledStorage>(StringComparer.Ordinal);
        ZipEntry pickle = zip.Entries[folder + "data.pkl"];
        var reader = new PickleReader(source, pickle.Offset, pickle.Offset + pickle.Bytes);
        object? root = Unpickler.Load(reader, storages);
        if (!reader.AtEnd) throw FileFaults.PickleMalformed(path, "bytes behind its end", reader.Position);
        return new TorchContent(root, storage =>
        {
            if (!zip.Entries.TryGetValue($"{folder}data/{storage.Key}", out ZipEntry entry))
            {
                throw FileFaults.Storage(path, storage.Key, "the archive does not hold it");
            }
            if (entry.Bytes != (Int128)storage.Count * storage.ElementBytes)
            {
                throw FileFaults.Storage(path, storage.Key,
                    $"{entry.Bytes} bytes in the archive, and the pickle says {storage.Count} elements of {storage.ElementBytes} bytes");
            }
            return (entry.Offset, entry.Bytes);
        });
    }

    /// <summary>The format before torch 1.6: magic number, protocol, system, the object, the keys of its storages, then each with its length.</summary>
    internal static TorchContent ReadLegacy(IByteSource source)
    {
        string path = source.Name;
        var reader = new PickleReader(source, 0, source.Length);
        Dictionary<string, PickledStorage> none = new(StringComparer.Ordinal), storages = new(StringComparer.Ordinal);
        if (Unpickler.Load(reader, none) is not BigInteger magic || magic != s_magic)
        {
            throw FileFaults.NotACheckpoint(path, "a Python pickle, but not one of torch.save", "it does not begin with torch's number; nothing was run",
                "Save model.state_dict() with torch, best as safetensors.");
        }
        if (Unpickler.Load(reader, none) is not LegacyProtocol)
        {
            throw FileFaults.NotACheckpoint(path, "a checkpoint of an unknown protocol of torch", null, "Save it with a newer torch.");
        }
        if (Unpickler.Load(reader, none) is not PickledDict system || !system.TryGet("little_endian", out object? little) || little is not bool order)
        {
            throw FileFaults.PickleMalformed(path, "no facts of the system", reader.Position);
        }
        if (!order) throw FileFaults.ByteOrder(path, "big");
        object? root = Unpickler.Load(reader, storages);
        if (Unpickler.Load(reader, none) is not PickledList keys || none.Count > 0)
        {
            throw FileFaults.PickleMalformed(path, "no list of storages", reader.Position);
        }
        var places = new Dictionary<string, (long, long)>(StringComparer.Ordinal);
        long at = reader.Position;
        Span<byte> eight = stackalloc byte[8];
        foreach (object? item in keys.Items)
        {
            if (item is not string key || !storages.TryGetValue(key, out PickledStorage? storage))
            {
                throw FileFaults.PickleMalformed(path, "a storage of no tensor", at);
            }
            if (source.Length - at < 8) throw FileFaults.PickleCut(path, source.Length);
            source.Read(at, eight);
            long count = BitConverter.ToInt64(eight);
            if (count != storage.Count) throw FileFaults.Storage(path, key, $"{count} elements by the file, {storage.Count} by the pickle");
            Int128 bytes = (Int128)count * storage.ElementBytes;
            if (bytes > source.Length - at - 8)
            {
                throw FileFaults.Storage(path, key, $"{bytes} bytes at offset {at + 8}, the file has {source.Length}");
            }
            if (!places.TryAdd(key, (at + 8, (long)bytes))) throw FileFaults.Storage(path, key, "it is listed twice");
            at += 8 + (long)bytes;
        }
        if (at != source.Length) throw FileFaults.PickleMalformed(path, "bytes behind the last storage", at);
        return new TorchContent(root, storage => places.TryGetValue(storage.Key, out (long, long) place) ? place
            : throw FileFaults.Storage(path, storage.Key, "the file does not hold it"));
    }

    private static string? Text(IByteSource source, ZipDirectory zip, string name)
    {
        if (!zip.Entries.TryGetValue(name, out ZipEntry entry)) return null;
        if (entry.Bytes > SmallBytes) throw FileFaults.ZipEntry(source.Name, name, $"{entry.Bytes} bytes, expected a word", "Download the file again.");
        byte[] text = new byte[entry.Bytes];
        source.Read(entry.Offset, text);
        return Encoding.UTF8.GetString(text).Trim();
    }
}
