using System.Buffers;
using System.Collections.ObjectModel;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Budwood.Numbers;

namespace Budwood.Files;

/// <summary>Reads the header of a safetensors file and holds it against the file; every claim is checked before anything is allocated by it.</summary>
internal sealed class SafetensorsHeader
{
    private static readonly IReadOnlyDictionary<string, string> s_none = ReadOnlyDictionary<string, string>.Empty;

    private readonly string _path;
    private readonly long _length;
    private readonly long _start;
    private readonly List<TensorEntry> _tensors = [];
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);

    private SafetensorsHeader(string path, long length, long start)
    {
        _path = path;
        _length = length;
        _start = start;
    }

    public IReadOnlyList<TensorEntry> Tensors => _tensors;

    public IReadOnlyDictionary<string, string> Metadata { get; private set; } = s_none;

    public static SafetensorsHeader Read(IByteSource source)
    {
        byte[] head = FileKinds.Head(source);
        FileKind kind = FileKinds.Of(head, source.Length);
        if (kind != FileKind.Safetensors) throw FileFaults.NotSafetensors(source.Name, kind, head, source.Length);
        ulong count = FileKinds.HeaderLength(head);
        if (count > SafetensorsFile.HeaderLimit) throw FileFaults.HeaderTooLarge(source.Name, count, SafetensorsFile.HeaderLimit);
        if ((long)count > source.Length - 8) throw FileFaults.TruncatedHeader(source.Name, count, source.Length);

        byte[] json = new byte[(int)count];
        source.Read(8, json);
        if (!Utf8.IsValid(json)) throw FileFaults.HeaderNotUtf8(source.Name, 8 + FirstInvalid(json));
        var header = new SafetensorsHeader(source.Name, source.Length, 8 + (long)count);
        try
        {
            header.Parse(json);
        }
        catch (JsonException e)
        {
            throw FileFaults.HeaderJson(source.Name, $"at offset {8 + Offset(json, e)}: {FirstSentence(e.Message)}", e);
        }
        catch (InvalidOperationException e)
        {
            // What the reader throws for an escape of half a surrogate pair.
            throw FileFaults.HeaderJson(source.Name, "a name holds half of a surrogate pair", e);
        }
        header.CheckLayout();
        return header;
    }

    private void Parse(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 16 });
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = reader.GetString()!;
            if (!_names.Add(name)) throw FileFaults.DuplicateName(_path, name);
            if (name == "__metadata__")
            {
                ParseMetadata(ref reader);
                continue;
            }
            if (name.Any(char.IsControl)) throw FileFaults.BadName(_path, name);
            ParseTensor(ref reader, name);
        }
        // Reads on to the end: anything but white space behind the object throws.
        while (reader.Read())
        {
        }
    }

    private void ParseMetadata(ref Utf8JsonReader reader)
    {
        reader.Read();
        // Some writers put null where they have nothing to say.
        if (reader.TokenType == JsonTokenType.Null) return;
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw FileFaults.HeaderJson(_path, $"__metadata__ should be an object of strings and is {Kind(reader.TokenType)}");
        }
        var entries = new Dictionary<string, string>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string key = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.String) throw FileFaults.MetadataValue(_path, key, Kind(reader.TokenType));
            if (!entries.TryAdd(key, reader.GetString()!)) throw FileFaults.DuplicateName(_path, "__metadata__." + key);
        }
        if (entries.Count > 0) Metadata = entries;
    }

    private void ParseTensor(ref Utf8JsonReader reader, string name)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject) throw FileFaults.Malformed(_path, name, $"expected an object, found {Kind(reader.TokenType)}");
        string? dtypeName = null;
        List<long>? sizes = null, offsets = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string field = reader.GetString()!;
            bool again = field switch { "dtype" => dtypeName is not null, "shape" => sizes is not null, "data_offsets" => offsets is not null, _ => false };
            if (again) throw FileFaults.Malformed(_path, name, $"'{field}' stands twice");
            reader.Read();
            switch (field)
            {
                case "dtype":
                    dtypeName = reader.TokenType == JsonTokenType.String ? reader.GetString()!
                        : throw FileFaults.Malformed(_path, name, $"dtype should be a string, found {Kind(reader.TokenType)}");
                    break;
                case "shape":
                    sizes = Numbers(ref reader, name, field);
                    break;
                case "data_offsets":
                    offsets = Numbers(ref reader, name, field);
                    break;
                default:
                    // A field that is not known may change what the bytes mean.
                    throw FileFaults.Malformed(_path, name, $"the field '{FileFaults.Cut(field)}' is not known");
            }
        }
        if (dtypeName is null) throw FileFaults.Malformed(_path, name, "dtype is missing");
        if (sizes is null) throw FileFaults.Malformed(_path, name, "shape is missing");
        if (offsets is null) throw FileFaults.Malformed(_path, name, "data_offsets is missing");
        if (offsets.Count != 2) throw FileFaults.Malformed(_path, name, $"data_offsets should be two numbers and are {offsets.Count}");
        if (!DTypes.TryParse(dtypeName, out DType dtype)) throw FileFaults.UnknownDType(_path, name, dtypeName);
        Add(name, dtype, [.. sizes], offsets[0], offsets[1]);
    }

    private void Add(string name, DType dtype, long[] sizes, long begin, long end)
    {
        if (end < begin) throw FileFaults.BadSize(_path, name, $"data_offsets [{begin}, {end}] run backwards");
        // An offset near 2^63 must not wrap when the start of the data is added.
        if (end > long.MaxValue - _start) throw FileFaults.BeyondFile(_path, name, begin, end, _start, _length);
        var shape = new Shape(sizes);
        long bytes;
        try
        {
            long count = shape.Count;
            bytes = dtype.Bytes(count);
            if (count % 8 * dtype.Bits() % 8 != 0) throw FileFaults.BadSize(_path, name, $"{dtype.Name()} {Text(sizes)} does not fill whole bytes");
        }
        catch (OverflowException)
        {
            throw FileFaults.BadSize(_path, name, $"{dtype.Name()} {Text(sizes)} has more elements or bytes than a file can hold");
        }
        if (bytes != end - begin) throw FileFaults.ShapeLies(_path, name, Text(sizes), dtype.Name(), bytes.ToString(CultureInfo.InvariantCulture), end - begin);
        _tensors.Add(new TensorEntry(name, dtype, shape, _start + begin, bytes));
    }

    // Every byte behind the header belongs to exactly one tensor.
    private void CheckLayout()
    {
        // Empty tensors first among equals, then as listed: OrderBy is stable.
        List<TensorEntry> sorted = [.. _tensors.OrderBy(t => t.Offset).ThenBy(t => t.End)];
        _tensors.Clear();
        _tensors.AddRange(sorted);

        Fault? misfit = null;
        TensorEntry? last = null;
        long at = _start;
        foreach (TensorEntry tensor in sorted)
        {
            if (tensor.Offset < at) misfit ??= FileFaults.Overlap(_path, last!, tensor, _start);
            if (tensor.Offset > at) misfit ??= FileFaults.Hole(_path, at - _start, tensor.Offset - _start, tensor.Name);
            if (tensor.End >= at) (at, last) = (tensor.End, tensor);
        }
        if (at > _length)
        {
            TensorEntry first = sorted.First(t => t.End > _length);
            // Contiguous and too long is a file that lost its tail; offsets that also leave a gap are a header that lies.
            throw misfit is null ? FileFaults.TruncatedData(_path, at, _length, first)
                : FileFaults.BeyondFile(_path, first.Name, first.Offset - _start, first.End - _start, _start, _length);
        }
        if (misfit is not null) throw misfit;
        if (at < _length) throw FileFaults.TrailingBytes(_path, at, _length);
    }

    private List<long> Numbers(ref Utf8JsonReader reader, string name, string field)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw FileFaults.Malformed(_path, name, $"{field} should be a list of numbers and is {Kind(reader.TokenType)}");
        }
        List<long> numbers = [];
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number) throw FileFaults.Malformed(_path, name, $"{field} holds {Kind(reader.TokenType)}");
            if (!reader.TryGetInt64(out long value) || value < 0)
            {
                string text = Encoding.UTF8.GetString(reader.ValueSpan[..Math.Min(reader.ValueSpan.Length, 40)]);
                throw FileFaults.BadSize(_path, name, $"{field} holds {text}, expected a whole number from 0 to {long.MaxValue}");
            }
            numbers.Add(value);
        }
        return numbers;
    }

    private static string Text(long[] sizes) =>
        sizes.Length <= 16 ? new Shape(sizes).ToString() : $"[{string.Join(", ", sizes.Take(16))}, … {sizes.Length} axes]";

    private static string Kind(JsonTokenType type) => type switch
    {
        JsonTokenType.String => "a string",
        JsonTokenType.Number => "a number",
        JsonTokenType.True or JsonTokenType.False => "a truth value",
        JsonTokenType.Null => "null",
        JsonTokenType.StartArray => "a list",
        _ => "an object",
    };

    private static int FirstInvalid(ReadOnlySpan<byte> json)
    {
        int at = 0;
        while (at < json.Length && Rune.DecodeFromUtf8(json[at..], out _, out int used) == OperationStatus.Done) at += used;
        return at;
    }

    private static long Offset(ReadOnlySpan<byte> json, JsonException e)
    {
        int at = 0;
        for (long line = e.LineNumber ?? 0; line > 0; line--) at += json[at..].IndexOf((byte)'\n') + 1;
        return at + (e.BytePositionInLine ?? 0);
    }

    private static string FirstSentence(string message)
    {
        int at = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return (at > 0 ? message[..at] : message).TrimEnd('.');
    }
}
