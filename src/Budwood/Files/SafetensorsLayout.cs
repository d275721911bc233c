using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Budwood.Numbers;

namespace Budwood.Files;

/// <summary>The plan of a safetensors file to be written: its header, and where each tensor goes.</summary>
public sealed class SafetensorsLayout
{
    private SafetensorsLayout(ReadOnlyMemory<byte> header, IReadOnlyList<TensorEntry> tensors)
    {
        Header = header;
        Tensors = tensors;
        Length = tensors.Count == 0 ? header.Length : tensors[^1].End;
    }

    /// <summary>The first bytes of the file: eight of length, then the JSON padded with spaces.</summary>
    public ReadOnlyMemory<byte> Header { get; }

    /// <summary>The tensors in file order, with offsets from the start of the file.</summary>
    public IReadOnlyList<TensorEntry> Tensors { get; }

    /// <summary>Length of the whole file.</summary>
    public long Length { get; }

    /// <summary>
    /// Lays tensors out as the safetensors library does: wide types first, then by name, without gaps, metadata exactly <c>{"format":"pt"}</c>.
    /// </summary>
    /// <param name="alignment">The data start at a multiple of this; the header is padded with spaces.</param>
    public static SafetensorsLayout Plan(IEnumerable<(string Name, DType DType, Shape Shape)> tensors, int alignment = 8)
    {
        (byte[] Key, string Name, DType DType, Shape Shape)[] sorted = [.. tensors.Select(t => (NameBytes(t.Name), t.Name, t.DType, t.Shape))];
        // Bytes, not chars: UTF-16 sorts what lies beyond the first plane before U+E000.
        Array.Sort(sorted, static (a, b) => a.DType != b.DType ? b.DType.CompareTo(a.DType) : a.Key.AsSpan().SequenceCompareTo(b.Key));

        var json = new ArrayBufferWriter<byte>(256);
        json.Write("{\"__metadata__\":{\"format\":\"pt\"}"u8);
        var names = new HashSet<string>(sorted.Length, StringComparer.Ordinal);
        var entries = new TensorEntry[sorted.Length];
        long at = 0;
        for (int i = 0; i < sorted.Length; i++)
        {
            (byte[] key, string name, DType dtype, Shape shape) = sorted[i];
            if (!names.Add(name)) throw FileFaults.WritingName(name, "it is listed twice");
            if (name == "__metadata__") throw FileFaults.WritingName(name, "the format keeps that name for itself");
            long bytes;
            try
            {
                bytes = dtype.Bytes(shape.Count);
                if ((Int128)shape.Count * dtype.Bits() % 8 != 0) throw FileFaults.WritingSize(name, dtype, shape, "does not fill whole bytes");
                entries[i] = new TensorEntry(name, dtype, shape, at, bytes);
                Append(json, key, entries[i]);
                at = checked(at + bytes);
            }
            catch (OverflowException)
            {
                throw FileFaults.WritingSize(name, dtype, shape, "is more than a file can hold");
            }
            if (json.WrittenCount > SafetensorsFile.HeaderLimit) throw FileFaults.WritingHeader(sorted.Length, SafetensorsFile.HeaderLimit);
        }
        json.Write("}"u8);
        int padded = ((8 + json.WrittenCount + alignment - 1) / alignment * alignment) - 8;
        // At the limit the data start where they may.
        if (padded > SafetensorsFile.HeaderLimit) padded = (json.WrittenCount + 7) / 8 * 8;
        if (padded > SafetensorsFile.HeaderLimit) throw FileFaults.WritingHeader(sorted.Length, SafetensorsFile.HeaderLimit);
        byte[] header = new byte[8 + padded];
        BinaryPrimitives.WriteInt64LittleEndian(header, padded);
        json.WrittenSpan.CopyTo(header.AsSpan(8));
        header.AsSpan(8 + json.WrittenCount).Fill((byte)' ');
        for (int i = 0; i < entries.Length; i++) entries[i] = entries[i] with { Offset = entries[i].Offset + header.Length };
        return new SafetensorsLayout(header, entries);
    }

    private static void Append(ArrayBufferWriter<byte> json, byte[] name, TensorEntry tensor)
    {
        json.Write(",\""u8);
        JsonText.Escape(json, name);
        var text = new StringBuilder("\":{\"dtype\":\"").Append(tensor.DType.Name()).Append("\",\"shape\":[");
        for (int axis = 0; axis < tensor.Shape.Rank; axis++) text.Append(axis == 0 ? "" : ",").Append(tensor.Shape[axis]);
        text.Append("],\"data_offsets\":[").Append(tensor.Offset).Append(',').Append(tensor.End).Append("]}");
        Encoding.UTF8.GetBytes(text.ToString(), json);
    }

    private static byte[] NameBytes(string name)
    {
        if (name.Any(char.IsControl)) throw FileFaults.WritingName(name, "it has a control character");
        try
        {
            return JsonText.Strict.GetBytes(name);
        }
        catch (EncoderFallbackException)
        {
            throw FileFaults.WritingName(name, "it holds half of a surrogate pair");
        }
    }
}

/// <summary>JSON strings as serde and Python's ensure_ascii=False write them: only what must be escaped is.</summary>
internal static class JsonText
{
    internal static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private static readonly SearchValues<byte> s_escaped = SearchValues.Create([.. Enumerable.Range(0, 32).Select(b => (byte)b), (byte)'"', (byte)'\\']);

    internal static void Escape(IBufferWriter<byte> to, ReadOnlySpan<byte> utf8)
    {
        for (int at; (at = utf8.IndexOfAny(s_escaped)) >= 0; utf8 = utf8[(at + 1)..])
        {
            to.Write(utf8[..at]);
            byte b = utf8[at];
            if (b is (byte)'"' or (byte)'\\') to.Write([(byte)'\\', b]);
            else Encoding.ASCII.GetBytes("\\u" + b.ToString("x4", CultureInfo.InvariantCulture), to);
        }
        to.Write(utf8);
    }
}
