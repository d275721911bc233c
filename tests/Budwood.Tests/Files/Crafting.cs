using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Budwood.Files;

namespace Budwood.Tests.Files;

/// <summary>Pickles put together instruction by instruction, so that they may ask for whatever a test wants.</summary>
internal sealed class Pickled
{
    private readonly List<byte> _bytes = [0x80, 2];

    public static Pickled New => new();

    public byte[] Bytes => [.. _bytes];

    /// <summary>The pickle with its STOP.</summary>
    public byte[] End => [.. _bytes, (byte)'.'];

    public Pickled Op(params ReadOnlySpan<byte> bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    public Pickled Op(char opcode, params ReadOnlySpan<byte> bytes) => Op([(byte)opcode, .. bytes]);

    public Pickled Text(string text)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        byte[] length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, utf8.Length);
        return Op('X').Op(length).Op(utf8);
    }

    public Pickled Number(long value)
    {
        byte[] bytes = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        return Op(0x8A, 8).Op(bytes);
    }

    public Pickled Global(string module, string name) => Op('c').Op(Encoding.UTF8.GetBytes($"{module}\n{name}\n"));

    public Pickled Tuple(params long[] values)
    {
        Op('(');
        foreach (long value in values) Number(value);
        return Op('t');
    }

    /// <summary>A call of a global with one text.</summary>
    public Pickled Call(string module, string name, string argument) => Global(module, name).Text(argument).Op(0x85).Op('R');

    public Pickled Storage(string key, long count, string type = "torch.FloatStorage", string location = "cpu", bool legacy = false)
    {
        int dot = type.LastIndexOf('.');
        Op('(').Text("storage").Global(type[..dot], type[(dot + 1)..]).Text(key).Text(location).Number(count);
        if (legacy) Op('N');
        return Op('t').Op('Q');
    }

    public Pickled Hooks() => Op(0x89).Global("collections", "OrderedDict").Op(')').Op('R');

    public Pickled Tensor(string key, long count, long[] sizes, long[] strides, long offset = 0, string type = "torch.FloatStorage", bool legacy = false) =>
        Global("torch._utils", "_rebuild_tensor_v2").Op('(').Storage(key, count, type, legacy: legacy).Number(offset).Tuple(sizes).Tuple(strides)
            .Hooks().Op('t').Op('R');

    /// <summary>A dict of one entry, whose value <paramref name="value"/> writes.</summary>
    public static Pickled Dict(Func<Pickled, Pickled> value, string key = "w") => value(New.Op('}').Text(key)).Op('s');
}

/// <summary>Checkpoints around pickles, and ZIP archives as wrong as a test wants.</summary>
internal static class Torch
{
    /// <summary>0, 1, 2, ... as floats.</summary>
    public static byte[] Floats(int count) => [.. Enumerable.Range(0, count).SelectMany(i => BitConverter.GetBytes((float)i))];

    public static byte[] Zip(byte[] pickle, params (string Name, byte[] Bytes)[] others) =>
        Stored([("m/data.pkl", pickle), ("m/byteorder", "little"u8.ToArray()), .. others.Select(o => ("m/" + o.Name, o.Bytes)),
            ("m/version", "3\n"u8.ToArray())]);

    public static byte[] Deflated(params (string Name, byte[] Bytes)[] entries)
    {
        using var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach ((string name, byte[] bytes) in entries)
            {
                using Stream entry = zip.CreateEntry(name, CompressionLevel.Optimal).Open();
                entry.Write(bytes);
            }
        }
        return stream.ToArray();
    }

    /// <summary>An archive whose sizes stand in the extra fields of ZIP64 when <paramref name="large"/>.</summary>
    public static byte[] Stored((string Name, byte[] Bytes)[] entries, bool large = false)
    {
        using var stream = new MemoryStream();
        using var w = new BinaryWriter(stream);
        using var directory = new MemoryStream();
        using var d = new BinaryWriter(directory);
        foreach ((string name, byte[] bytes) in entries)
        {
            byte[] utf8 = Encoding.UTF8.GetBytes(name);
            long at = stream.Position;
            w.Write(0x04034B50u);
            Head(w, utf8.Length, bytes.Length, 0);
            w.Write(utf8);
            w.Write(bytes);
            d.Write(0x02014B50u);
            d.Write((ushort)45);
            Head(d, utf8.Length, large ? -1 : bytes.Length, large ? 28 : 0);
            d.Write((ushort)0); // comment
            d.Write(0); // disk, attributes
            d.Write(0);
            d.Write(large ? -1 : (int)at);
            d.Write(utf8);
            if (!large) continue;
            d.Write((ushort)1);
            d.Write((ushort)24);
            d.Write((long)bytes.Length);
            d.Write((long)bytes.Length);
            d.Write(at);
        }
        long begin = stream.Position;
        w.Write(directory.ToArray());
        if (large)
        {
            long end64 = stream.Position;
            w.Write(0x06064B50u);
            w.Write(44L);
            w.Write(45 | (45 << 16));
            w.Write(0L); // disks
            w.Write((long)entries.Length);
            w.Write((long)entries.Length);
            w.Write(directory.Length);
            w.Write(begin);
            w.Write(0x07064B50u);
            w.Write(0);
            w.Write(end64);
            w.Write(1);
        }
        w.Write(0x06054B50u);
        w.Write(0);
        w.Write((ushort)(large ? 0xFFFF : entries.Length));
        w.Write((ushort)(large ? 0xFFFF : entries.Length));
        w.Write(large ? -1 : (int)directory.Length);
        w.Write(large ? -1 : (int)begin);
        w.Write((ushort)0);
        return stream.ToArray();

        static void Head(BinaryWriter to, int name, int size, int extra)
        {
            to.Write((ushort)45);
            to.Write((ushort)0x800);
            to.Write((ushort)0); // stored
            to.Write(0); // time
            to.Write(0); // checksum
            to.Write(size);
            to.Write(size);
            to.Write((ushort)name);
            to.Write((ushort)extra);
        }
    }

    public static readonly byte[] Magic = [0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, (byte)'.'];

    public static byte[] Legacy(byte[] pickle, bool little, params (string Key, long Count, byte[] Bytes)[] storages)
    {
        List<byte> file = [.. Magic, .. Pickled.New.Number(1001).End];
        file.AddRange(Pickled.Dict(p => p.Op((byte)(little ? 0x88 : 0x89)), "little_endian").End);
        file.AddRange(pickle);
        Pickled keys = Pickled.New.Op(']').Op('(');
        foreach ((string key, _, _) in storages) keys.Text(key);
        file.AddRange(keys.Op('e').End);
        foreach ((_, long count, byte[] bytes) in storages)
        {
            file.AddRange(BitConverter.GetBytes(count));
            file.AddRange(bytes);
        }
        return [.. file];
    }

    public static PickleFile Open(byte[] bytes) => PickleFile.Open(new MemorySource(bytes, "x.bin"));

    public static float[] Values(WeightFile file, int tensor = 0)
    {
        byte[] bytes = new byte[file.Tensors[tensor].Bytes];
        file.Source.Read(file.Tensors[tensor].Offset, bytes);
        return [.. Enumerable.Range(0, bytes.Length / 4).Select(i => BitConverter.ToSingle(bytes, 4 * i))];
    }
}
