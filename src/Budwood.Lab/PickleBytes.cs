using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Budwood.Lab;

/// <summary>Writes pickles instruction by instruction, in memory; nothing of them is ever run.</summary>
internal sealed class PickleBytes
{
    private readonly ArrayBufferWriter<byte> _bytes = new();

    public static PickleBytes Protocol(byte version) => new PickleBytes().Op(0x80, version);

    public byte[] Stop() => Op((byte)'.').ToArray();

    public byte[] ToArray() => _bytes.WrittenSpan.ToArray();

    public PickleBytes Op(params ReadOnlySpan<byte> bytes)
    {
        _bytes.Write(bytes);
        return this;
    }

    public PickleBytes Op(char opcode) => Op((byte)opcode);

    public PickleBytes Global(string module, string name) => Op('c').Line(module).Line(name);

    public PickleBytes Line(string text) => Op(Encoding.UTF8.GetBytes(text + "\n"));

    /// <summary>BINUNICODE.</summary>
    public PickleBytes Text(string text)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(text), length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, utf8.Length);
        return Op('X').Op(length).Op(utf8);
    }

    /// <summary>SHORT_BINUNICODE.</summary>
    public PickleBytes ShortText(string text)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        return Op(0x8C, (byte)utf8.Length).Op(utf8);
    }

    /// <summary>The two texts and STACK_GLOBAL.</summary>
    public PickleBytes StackGlobal(string module, string name) => ShortText(module).ShortText(name).Op(0x93);

    /// <summary>A call of what lies on the stack with one text.</summary>
    public PickleBytes CallWith(string argument) => Text(argument).Op(0x85).Op('R');

    /// <summary>A tensor of one storage, as torch.save describes it.</summary>
    public PickleBytes Tensor(string storage, string key, byte count) =>
        Global("torch._utils", "_rebuild_tensor_v2").Op('(').Op('(').Text("storage").Global("torch", storage).Text(key).Text("cpu").Op((byte)'K', count).Op('t').Op('Q')
            .Op((byte)'K', 0).Op((byte)'K', count).Op(0x85).Op((byte)'K', 1).Op(0x85).Op(0x89).Global("collections", "OrderedDict").Op(')').Op('R').Op('t').Op('R');

    /// <summary>A state dict of one tensor; a plain dict or an OrderedDict.</summary>
    public static byte[] StateDict(string storage, byte count, bool ordered)
    {
        PickleBytes dict = ordered ? Protocol(2).Global("collections", "OrderedDict").Op(')').Op('R') : Protocol(2).Op('}');
        return dict.Op((byte)'q', 0).Op('(').Text("layer.weight").Tensor(storage, "0", count).Op('u').Stop();
    }

    /// <summary>The archive that torch.save writes since 1.6.</summary>
    public static byte[] Archive(byte[] pickle, byte[] data, CompressionLevel level = CompressionLevel.NoCompression)
    {
        using var memory = new MemoryStream();
        using (var zip = new ZipArchive(memory, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach ((string name, byte[] bytes) in ((string, byte[])[])[("model/data.pkl", pickle), ("model/byteorder", "little"u8.ToArray()), ("model/data/0", data), ("model/version", "3\n"u8.ToArray())])
            {
                using Stream entry = zip.CreateEntry(name, level).Open();
                entry.Write(bytes);
            }
        }
        return memory.ToArray();
    }

    /// <summary>The file that torch.save wrote before 1.6.</summary>
    public static byte[] Legacy(byte[] pickle, byte[] data, int count)
    {
        byte[] number = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(number, count);
        return
        [
            0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E, .. Protocol(2).Op((byte)'M', 0xE9, 0x03).Stop(),
            .. Protocol(2).Op('}').Op('(').Text("protocol_version").Op((byte)'M', 0xE9, 0x03).Text("little_endian").Op(0x88).Op('u').Stop(), .. pickle,
            .. Protocol(2).Op(']').Text("0").Op('a').Stop(), .. number, .. data,
        ];
    }
}
