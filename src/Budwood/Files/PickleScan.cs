using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace Budwood.Files;

/// <summary>A name that a pickle has Python look up when it is loaded; null for one that is put together while it loads.</summary>
internal sealed record PickledName(string? Module, string? Name, string Opcode, long Offset)
{
    internal string Shown => Module is null ? "a name that is put together while loading" : $"{Module}.{Name}";

    internal bool Listed => Module is not null && (PickledGlobals.TryGet(Module, Name!, out _) || PickleScan.Harmless.Contains($"{Module}.{Name}"));
}

/// <summary>What a walk over one pickle met.</summary>
/// <param name="End">Offset behind the last instruction that was read.</param>
/// <param name="Stopped">The pickle ended with its STOP.</param>
/// <param name="Trouble">Why the walk ended before.</param>
internal sealed record PickleWalk(IReadOnlyList<PickledName> Names, long End, bool Stopped, string? Trouble);

/// <summary>Walks the instructions of a pickle of any protocol without carrying one out, and lists every name that it asks for.</summary>
/// <remarks>
/// Unlike <see cref="Unpickler"/> it does not end at the first name that no weights need, and it builds nothing: its stack holds short texts, marks and blanks, so that
/// the two texts before STACK_GLOBAL are known. Where they are not literals the name is put together while loading, and no list can say what it is.
/// </remarks>
internal sealed class PickleScan
{
    private const int LongestText = 1000;
    private static readonly object s_mark = new(), s_blank = new();

    // Beside the names of weights: containers and arrays of numbers, whose constructors run nothing of the file's.
    internal static readonly FrozenSet<string> Harmless = new[]
    {
        "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct", "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar", "numpy.ndarray",
        "numpy.dtype", "_codecs.encode", "builtins.set", "__builtin__.set", "builtins.frozenset", "builtins.bytearray", "builtins.complex", "__builtin__.complex",
        "torch.device", "torch._utils._rebuild_sparse_tensor", "torch._utils._rebuild_qtensor", "torch.per_tensor_affine", "torch.per_channel_affine",
        "torch.ComplexDoubleStorage", "torch.QInt8Storage", "torch.QUInt8Storage", "torch.QInt32Storage", "torch.storage.TypedStorage", "torch.serialization._get_layout",
    }.ToFrozenSet(StringComparer.Ordinal);

    private readonly PickleReader _reader;
    private readonly List<object> _stack = [];
    private readonly Dictionary<long, object> _memo = [];
    private readonly List<PickledName> _names = [];
    private long _at;

    private PickleScan(PickleReader reader) => _reader = reader;

    /// <summary>Walks one pickle that begins at an offset.</summary>
    internal static PickleWalk Walk(IByteSource source, long start, long end)
    {
        var scan = new PickleScan(new PickleReader(source, start, end));
        string? trouble = null;
        bool stopped = false;
        try
        {
            while (!stopped)
            {
                scan._at = scan._reader.Position;
                byte opcode = scan._reader.Byte();
                if (opcode == (byte)'.') stopped = true;
                else if (scan.Step(opcode) is { } unknown)
                {
                    trouble = unknown;
                    break;
                }
            }
        }
        catch (Fault fault)
        {
            trouble = fault.What;
        }
        return new PickleWalk(scan._names, scan._reader.Position, stopped, trouble);
    }

    /// <summary>Reads one instruction; gives what is wrong with it.</summary>
    private string? Step(byte opcode)
    {
        switch (opcode)
        {
            case (byte)'(': Push(s_mark); break;
            case (byte)'0': Pop(); break;
            case (byte)'1': PopToMark(); break;
            case (byte)'2': Push(_stack.Count > 0 ? _stack[^1] : s_blank); break;
            case (byte)'N' or (byte)'}' or (byte)']' or (byte)')' or 0x88 or 0x89 or 0x8F or 0x97: Push(s_blank); break;
            case (byte)'F' or (byte)'I' or (byte)'L' or (byte)'P':
                Line();
                Push(s_blank);
                break;
            case (byte)'S': Push(Quoted(Line())); break;
            case (byte)'V': Push(Literal(Line())); break;
            case (byte)'J': Blank(4); break;
            case (byte)'K': Blank(1); break;
            case (byte)'M': Blank(2); break;
            case (byte)'G': Blank(8); break;
            case 0x8A or (byte)'C': Blank(_reader.Byte()); break;
            case 0x8B or (byte)'B': Blank((uint)_reader.I32()); break;
            case 0x8E or 0x96: Blank(_reader.I64()); break;
            case (byte)'X' or (byte)'T': Text((uint)_reader.I32()); break;
            case 0x8C or (byte)'U': Text(_reader.Byte()); break;
            case 0x8D: Text(_reader.I64()); break;
            case (byte)'Q' or 0x98: Replace(1); break;
            case (byte)'R' or 0x81: Replace(2); break;
            case 0x92: Replace(3); break;
            case (byte)'a' or (byte)'b': Pop(); break;
            case (byte)'s':
                Pop();
                Pop();
                break;
            case (byte)'e' or (byte)'u' or 0x90: PopToMark(); break;
            case (byte)'t' or (byte)'l' or (byte)'d' or (byte)'o' or 0x91:
                PopToMark();
                Push(s_blank);
                break;
            case 0x85: Replace(1); break;
            case 0x86: Replace(2); break;
            case 0x87: Replace(3); break;
            case (byte)'p': Remember(Number(Line())); break;
            case (byte)'q': Remember(_reader.Byte()); break;
            case (byte)'r': Remember((uint)_reader.I32()); break;
            case 0x94: Remember(_memo.Count); break;
            case (byte)'g': Recall(Number(Line())); break;
            case (byte)'h': Recall(_reader.Byte()); break;
            case (byte)'j': Recall((uint)_reader.I32()); break;
            case (byte)'c':
                _names.Add(new PickledName(Line(), Line(), "GLOBAL", _at));
                Push(s_blank);
                break;
            case (byte)'i':
                _names.Add(new PickledName(Line(), Line(), "INST", _at));
                PopToMark();
                Push(s_blank);
                break;
            case 0x93:
                string? name = Pop() as string, module = Pop() as string;
                _names.Add(module is null || name is null ? new PickledName(null, null, "STACK_GLOBAL", _at) : new PickledName(module, name, "STACK_GLOBAL", _at));
                Push(s_blank);
                break;
            case 0x82: Extension(1); break;
            case 0x83: Extension(2); break;
            case 0x84: Extension(4); break;
            case 0x80:
                byte protocol = _reader.Byte();
                if (protocol > 5) return string.Create(CultureInfo.InvariantCulture, $"protocol {protocol}, expected 0 to 5");
                break;
            case 0x95: _reader.I64(); break;
            default: return string.Create(CultureInfo.InvariantCulture, $"0x{opcode:X2} is no instruction");
        }
        return null;
    }

    private void Push(object item) => _stack.Add(item);

    // Too few values is Python's trouble at that place, and ours to walk past.
    private object Pop()
    {
        if (_stack.Count == 0) return s_blank;
        object top = _stack[^1];
        _stack.RemoveAt(_stack.Count - 1);
        return top;
    }

    private void PopToMark()
    {
        while (_stack.Count > 0 && Pop() != s_mark)
        {
        }
    }

    private void Replace(int count)
    {
        for (int i = 0; i < count; i++) Pop();
        Push(s_blank);
    }

    private void Remember(long index) => _memo[index] = _stack.Count > 0 ? _stack[^1] : s_blank;

    private void Recall(long index) => Push(_memo.GetValueOrDefault(index, s_blank));

    private void Blank(long bytes)
    {
        Skip(bytes);
        Push(s_blank);
    }

    private void Text(long bytes)
    {
        if (bytes > LongestText) Blank(bytes);
        else Push(Encoding.UTF8.GetString(_reader.Bytes(bytes)));
    }

    // Large literals are passed over in pieces, so that a length costs no memory.
    private void Skip(long bytes)
    {
        if (bytes < 0) _reader.Bytes(bytes);
        for (; bytes > 0; bytes -= Math.Min(bytes, 1 << 13)) _reader.Bytes(Math.Min(bytes, 1 << 13));
    }

    // A number of copyreg's registry stands for a name that the file does not hold.
    private void Extension(int bytes)
    {
        _reader.Bytes(bytes);
        _names.Add(new PickledName(null, null, "EXT", _at));
        Push(s_blank);
    }

    private string Line()
    {
        var line = new List<byte>();
        for (byte b; (b = _reader.Byte()) != (byte)'\n'; line.Add(b))
        {
            if (line.Count > 1 << 20) throw FileFaults.PickleLimit(_reader.Path, "a line of more than 1 MB", "1 MB", _at);
        }
        return Encoding.UTF8.GetString([.. line]);
    }

    private static long Number(string text) => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long n) ? n : -1;

    private static object Quoted(string text) => text.Length >= 2 && text[0] is '\'' or '"' && text[^1] == text[0] ? Literal(text[1..^1]) : s_blank;

    // An escape may spell another name: it counts as not known.
    private static object Literal(string text) => text.Length > LongestText || text.Contains('\\', StringComparison.Ordinal) ? s_blank : text;
}
