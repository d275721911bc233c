using System.Numerics;
using System.Text;
using Budwood.Numbers;

namespace Budwood.Files;

/// <summary>Reads the pickles of torch.save: data and tensors, by a list of instructions and a list of names. No code of a pickle is ever run.</summary>
/// <remarks>
/// A flat loop over a stack of its own, so nesting costs no stack of ours. What it builds is charged before it is allocated: at most 1 MB and
/// <see cref="MemoryPerByte"/> bytes for each byte of pickle read.
/// </remarks>
internal sealed class Unpickler
{
    internal const int MemoryPerByte = 32;
    private const int Allowance = 1_000_000, MostMarks = 1000, LongestNumber = 255, LongestName = 1000, MostAxes = 64;
    private static readonly object s_true = true, s_false = false;
    private static readonly UTF8Encoding s_utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly PickleReader _reader;
    private readonly Dictionary<string, PickledStorage> _storages;
    private readonly List<object?> _stack = [];
    private readonly List<int> _marks = [];
    private readonly Dictionary<uint, object?> _memo = [];
    private readonly long _start;
    private long _charged, _at;

    private Unpickler(PickleReader reader, Dictionary<string, PickledStorage> storages)
    {
        _reader = reader;
        _storages = storages;
        _start = reader.Position;
    }

    /// <summary>Reads one pickle up to its STOP; the storages that it names are added to <paramref name="storages"/>.</summary>
    internal static object? Load(PickleReader reader, Dictionary<string, PickledStorage> storages) => new Unpickler(reader, storages).Run();

    private object? Run()
    {
        if (_reader.Byte() != 0x80) throw Malformed("no protocol");
        byte protocol = _reader.Byte();
        if (protocol is < 2 or > 5) throw Malformed($"protocol {protocol}, expected 2 to 5,");
        while (true)
        {
            _at = _reader.Position;
            byte opcode = _reader.Byte();
            if (opcode == (byte)'.') break;
            Step(opcode);
        }
        object? value = Pop();
        if (_stack.Count > 0 || _marks.Count > 0) throw Malformed("values left over");
        return value;
    }

    private void Step(byte opcode)
    {
        switch (opcode)
        {
            case 0x95: // FRAME
                long frame = _reader.I64();
                if (frame < 0) throw Malformed($"a frame of {frame} bytes");
                break;
            case (byte)'(':
                if (_marks.Count >= MostMarks) throw Limit("nested values", $"{MostMarks} levels");
                _marks.Add(_stack.Count);
                break;
            case (byte)'N': Push(null); break;
            case 0x88: Push(s_true); break;
            case 0x89: Push(s_false); break;
            case (byte)'K': PushNumber(_reader.Byte()); break;
            case (byte)'M': PushNumber(_reader.U16()); break;
            case (byte)'J': PushNumber(_reader.I32()); break;
            case 0x8A: PushLong(_reader.Byte()); break;
            case 0x8B: PushLong(_reader.I32()); break;
            case (byte)'G':
                Charge(24);
                Push(_reader.BigEndianDouble());
                break;
            case (byte)'X': PushText((uint)_reader.I32()); break;
            case 0x8C or (byte)'U': PushText(_reader.Byte()); break;
            case 0x8D: PushText(_reader.I64()); break;
            case (byte)'T': PushText(_reader.I32()); break; // Python 2
            case (byte)')': Push(Array.Empty<object?>()); break;
            case (byte)']':
                Charge(80);
                Push(new PickledList());
                break;
            case (byte)'}':
                Charge(100);
                Push(new PickledDict(ordered: false));
                break;
            case 0x85: Push(Tuple(1)); break;
            case 0x86: Push(Tuple(2)); break;
            case 0x87: Push(Tuple(3)); break;
            case (byte)'t': Push(Tuple(AboveMark())); break;
            case (byte)'a': Append(1); break;
            case (byte)'e': Append(AboveMark()); break;
            case (byte)'s': SetItems(2); break;
            case (byte)'u': SetItems(AboveMark()); break;
            case (byte)'q': Remember(_reader.Byte()); break;
            case (byte)'r': Remember((uint)_reader.I32()); break;
            case 0x94: Remember((uint)_memo.Count); break;
            case (byte)'h': Recall(_reader.Byte()); break;
            case (byte)'j': Recall((uint)_reader.I32()); break;
            case (byte)'c': PushGlobal(Line(), Line()); break;
            case (byte)'i': // INST calls what it names: named and refused
                Refuse(Line(), Line());
                break;
            case 0x93:
                string name = PopText("a global"), module = PopText("a global");
                PushGlobal(module, name);
                break;
            case (byte)'R': Call(fresh: false); break;
            case 0x81: Call(fresh: true); break;
            case (byte)'b': Build(); break;
            case (byte)'Q': PushStorage(); break;
            default: throw FileFaults.PickleOpcode(_reader.Path, opcode, _at);
        }
    }

    // The stack

    private int Floor => _marks.Count > 0 ? _marks[^1] : 0;

    private void Push(object? value) => _stack.Add(value);

    private object? Pop()
    {
        object? top = Top();
        _stack.RemoveAt(_stack.Count - 1);
        return top;
    }

    private object? Top() => _stack.Count > Floor ? _stack[^1] : throw Malformed("a value is missing");

    private string PopText(string what) => Pop() as string ?? throw Malformed($"{what} without a name");

    private int AboveMark()
    {
        if (_marks.Count == 0) throw Malformed("a mark is missing");
        int count = _stack.Count - _marks[^1];
        _marks.RemoveAt(_marks.Count - 1);
        return count;
    }

    private object?[] Tuple(int count)
    {
        if (count > _stack.Count - Floor) throw Malformed("a value is missing");
        Charge(24 + (8L * count));
        object?[] items = [.. _stack[^count..]];
        _stack.RemoveRange(_stack.Count - count, count);
        return items;
    }

    private void Append(int count)
    {
        object?[] items = Tuple(count);
        if (Top() is not PickledList list) throw Malformed("items for what is not a list");
        Charge(16L * count);
        list.Items.AddRange(items);
    }

    private void SetItems(int count)
    {
        object?[] items = Tuple(count);
        if (Top() is not PickledDict dict || count % 2 != 0) throw Malformed("entries for what is not a dict");
        Charge(32L * count);
        for (int i = 0; i < count; i += 2) Add(dict, items[i], items[i + 1]);
    }

    private void Add(PickledDict dict, object? key, object? value)
    {
        if (key is not (null or string or long or BigInteger or double or bool or object?[] or PickledGlobal)) throw Malformed("a key that Python cannot have");
        if (!dict.TryAdd(key, value)) throw Malformed($"'{FileFaults.Cut((string)key!)}' twice in one dict");
    }

    private void Remember(uint index)
    {
        Charge(48);
        _memo[index] = Top();
    }

    private void Recall(uint index) => Push(_memo.TryGetValue(index, out object? value) ? value : throw Malformed($"nothing was stored as {index}"));

    private void PushNumber(long value)
    {
        Charge(24);
        Push(value);
    }

    private void PushLong(int bytes)
    {
        if (bytes > LongestNumber) throw Limit($"a number of {bytes} bytes", $"{LongestNumber} bytes");
        ReadOnlySpan<byte> digits = _reader.Bytes(bytes);
        Charge(64 + bytes);
        var value = new BigInteger(digits);
        Push(value >= long.MinValue && value <= long.MaxValue ? (object)(long)value : value);
    }

    private void PushText(long bytes)
    {
        ReadOnlySpan<byte> text = _reader.Bytes(bytes);
        Charge(32 + (2 * bytes));
        try
        {
            Push(s_utf8.GetString(text));
        }
        catch (DecoderFallbackException)
        {
            throw Malformed("text that is not UTF-8");
        }
    }

    private string Line()
    {
        var line = new List<byte>();
        for (byte b; (b = _reader.Byte()) != (byte)'\n'; line.Add(b))
        {
            if (line.Count >= LongestName) throw Limit("a long name", $"{LongestName} bytes");
        }
        return Encoding.UTF8.GetString([.. line]);
    }

    // Names and calls

    private void PushGlobal(string module, string name)
    {
        if (!PickledGlobals.TryGet(module, name, out PickledGlobal? listed)) Refuse(module, name);
        Push(listed);
    }

    private void Refuse(string module, string name) =>
        throw FileFaults.PickleGlobal(_reader.Path, module, name, PickledGlobals.Alias(module, name), _at);

    private void Call(bool fresh)
    {
        object?[] args = Pop() as object?[] ?? throw Malformed("a call without arguments");
        if (Pop() is not PickledGlobal what) throw FileFaults.PickleCall(_reader.Path, "a value", _at);
        if (fresh && what.Kind is not (PickledGlobalKind.OrderedDict or PickledGlobalKind.Size)) throw Uncallable(what);
        Push(what.Kind switch
        {
            PickledGlobalKind.OrderedDict when args.Length == 0 => Empty(),
            PickledGlobalKind.OrderedDict when args.Length == 1 && args[0] is PickledList pairs => Filled(pairs),
            PickledGlobalKind.Size when args.Length == 1 && args[0] is object?[] sizes && sizes.All(n => n is long) => sizes,
            PickledGlobalKind.RebuildTensor when args.Length == 4 => Tensor(what, args, null, null),
            PickledGlobalKind.RebuildTensorV2 when args.Length is 6 or 7 => Tensor(what, args, null, args.ElementAtOrDefault(6)),
            PickledGlobalKind.RebuildTensorV3 when args.Length is 7 or 8 && args[6] is PickledGlobal { Kind: PickledGlobalKind.DType } type =>
                Tensor(what, args, type, args.ElementAtOrDefault(7)),
            PickledGlobalKind.RebuildParameter when args.Length == 3 && args[0] is PickledTensor inner && NoHooks(args[2]) => inner,
            _ => throw Uncallable(what),
        });
    }

    private PickledDict Empty()
    {
        Charge(100);
        return new PickledDict(ordered: true);
    }

    private PickledDict Filled(PickledList pairs)
    {
        PickledDict dict = Empty();
        Charge(64L * pairs.Items.Count);
        foreach (object? pair in pairs.Items)
        {
            (object? key, object? value) = pair switch
            {
                PickledList { Items: [var k, var v] } => (k, v),
                object?[] and [var k, var v] => (k, v),
                _ => throw Malformed("an OrderedDict of what are not pairs"),
            };
            Add(dict, key, value);
        }
        return dict;
    }

    private PickledTensor Tensor(PickledGlobal what, object?[] args, PickledGlobal? type, object? metadata)
    {
        if (args[0] is not PickledStorage storage || args[1] is not long offset || args[2] is not object?[] sizes || args[3] is not object?[] strides
            || sizes.Length != strides.Length || (args.Length > 5 && !NoHooks(args[5])))
        {
            throw Uncallable(what);
        }
        if (sizes.Length > MostAxes) throw Limit($"a tensor of {sizes.Length} axes", $"{MostAxes}");
        string? trouble = metadata switch
        {
            null => null,
            PickledDict marks => marks.Items.Any(m => m.Value is not false) ? "it is marked as conjugated or negated" : null,
            _ => throw Uncallable(what),
        };
        DType? element = storage.DType;
        if (type is not null)
        {
            if (storage.DType is not null) throw Uncallable(what);
            element = type.DType;
            trouble ??= element is null ? $"its type {type.Name} is not one that safetensors has" : null;
        }
        else if (element is null)
        {
            throw Uncallable(what);
        }
        Charge(128 + (16L * sizes.Length));
        return new PickledTensor(storage, element ?? DType.U8, offset, Numbers(sizes, what), Numbers(strides, what), trouble);
    }

    private long[] Numbers(object?[] items, PickledGlobal what)
    {
        Charge(24 + (8L * items.Length));
        long[] numbers = new long[items.Length];
        for (int i = 0; i < items.Length; i++) numbers[i] = items[i] is long n ? n : throw Uncallable(what);
        return numbers;
    }

    private static bool NoHooks(object? hooks) => hooks is null or PickledDict { Items.Count: 0 };

    // OrderedDict carries its attribute _metadata this way: versions of modules, which no weights need.
    private void Build()
    {
        object? state = Pop();
        if (Top() is not PickledDict { Ordered: true } || state is not (PickledDict or null)) throw Malformed("a state for what takes none");
    }

    private void PushStorage()
    {
        // ('storage', type, key, location, count), and before 1.6 a sixth for views of storages
        if (Pop() is not object?[] { Length: 5 or 6 } id
            || id is not ["storage", PickledGlobal { Kind: PickledGlobalKind.Storage } type, string key, string location, long count, ..])
        {
            throw Malformed("a reference to what is not a storage");
        }
        if (id.Length == 6 && id[5] is not null) throw Malformed("a view of a storage, as torch before 0.4 wrote it,");
        Charge(100);
        var storage = new PickledStorage(key, type.DType, count, location);
        if (count < 0) throw FileFaults.Storage(_reader.Path, key, $"{count} elements");
        if (_storages.TryGetValue(key, out PickledStorage? known))
        {
            if (known.DType != storage.DType || known.Count != count) throw FileFaults.Storage(_reader.Path, key, "it is described twice, and differently");
            storage = known;
        }
        else
        {
            _storages.Add(key, storage);
        }
        Push(storage);
    }

    // Faults

    private void Charge(long bytes)
    {
        _charged += bytes;
        if (_charged > Allowance + (MemoryPerByte * (_reader.Position - _start)))
        {
            throw Limit("more memory than its length allows", $"{MemoryPerByte} bytes a byte of pickle");
        }
    }

    private Fault Malformed(string found) => FileFaults.PickleMalformed(_reader.Path, found, _at);

    private Fault Limit(string what, string limit) => FileFaults.PickleLimit(_reader.Path, what, limit, _at);

    private Fault Uncallable(PickledGlobal what) => FileFaults.PickleCall(_reader.Path, what.Name, _at);
}
