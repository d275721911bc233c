using Budwood.Numbers;

namespace Budwood.Files;

// What a pickle may hold: string, long, BigInteger, double, bool, null, object?[] for a tuple, and the types of this file.

/// <summary>A Python list.</summary>
internal sealed class PickledList
{
    internal List<object?> Items { get; } = [];
}

/// <summary>A Python dict or OrderedDict; names stand in it once.</summary>
internal sealed class PickledDict(bool ordered)
{
    private HashSet<string>? _names;

    internal bool Ordered { get; } = ordered;

    internal List<(object? Key, object? Value)> Items { get; } = [];

    /// <summary>Adds an entry; false when the name is there already.</summary>
    internal bool TryAdd(object? key, object? value)
    {
        if (key is string name && !(_names ??= new(StringComparer.Ordinal)).Add(name)) return false;
        Items.Add((key, value));
        return true;
    }

    internal bool TryGet(string name, out object? value)
    {
        value = null;
        if (_names?.Contains(name) != true) return false;
        value = Items.First(i => i.Key is string k && k == name).Value;
        return true;
    }
}

/// <summary>Bytes that tensors are views of; the type is null for bytes alone, which count in bytes.</summary>
internal sealed record PickledStorage(string Key, DType? DType, long Count, string Location)
{
    internal int ElementBytes => DType is { } type ? type.Bits() / 8 : 1;
}

/// <summary>A view of a storage, as the pickle states it; nothing of it is checked against the storage.</summary>
internal sealed record PickledTensor(PickledStorage Storage, DType DType, long Offset, long[] Sizes, long[] Strides, string? Trouble);

/// <summary>What a listed global is.</summary>
internal enum PickledGlobalKind
{
    OrderedDict, Size, RebuildTensor, RebuildTensorV2, RebuildTensorV3, RebuildParameter, Storage, DType,
}

/// <summary>A name that a pickle may ask for; it stands for itself, and no code is behind it.</summary>
/// <param name="DType">Of a storage or a dtype; null for untyped storages, and for dtypes that no file of ours can hold.</param>
internal sealed record PickledGlobal(string Name, PickledGlobalKind Kind, DType? DType = null);

/// <summary>The whole list of names that a pickle may ask for.</summary>
internal static class PickledGlobals
{
    private static readonly Dictionary<string, PickledGlobal> s_listed = Listed().ToDictionary(g => g.Name, StringComparer.Ordinal);

    // Modules whose implementation pickles under a name of its own.
    private static readonly Dictionary<string, string> s_public = new (string Pickled, string Known)[]
    {
        ("posix", "os"), ("nt", "os"), ("__builtin__", "builtins"), ("_operator", "operator"), ("_io", "io"), ("_functools", "functools"),
        ("_socket", "socket"), ("_pickle", "pickle"), ("_codecs", "codecs"), ("_ctypes", "ctypes"), ("commands", "subprocess"),
        ("_posixsubprocess", "subprocess"), ("_thread", "threading"),
    }.ToDictionary(a => a.Pickled, a => a.Known, StringComparer.Ordinal);

    internal static bool TryGet(string module, string name, out PickledGlobal? listed) => s_listed.TryGetValue($"{module}.{name}", out listed);

    /// <summary>The name that people know a global under, when it is another.</summary>
    internal static string? Alias(string module, string name) => s_public.TryGetValue(module, out string? known) ? $"{known}.{name}" : null;

    private static IEnumerable<PickledGlobal> Listed()
    {
        yield return new("collections.OrderedDict", PickledGlobalKind.OrderedDict);
        yield return new("torch.Size", PickledGlobalKind.Size);
        yield return new("torch._utils._rebuild_tensor", PickledGlobalKind.RebuildTensor);
        yield return new("torch._utils._rebuild_tensor_v2", PickledGlobalKind.RebuildTensorV2);
        yield return new("torch._utils._rebuild_tensor_v3", PickledGlobalKind.RebuildTensorV3);
        yield return new("torch._utils._rebuild_parameter", PickledGlobalKind.RebuildParameter);
        (string, DType)[] storages =
        [
            ("Float", DType.F32), ("Half", DType.F16), ("BFloat16", DType.BF16), ("Double", DType.F64), ("Long", DType.I64), ("Int", DType.I32),
            ("Short", DType.I16), ("Char", DType.I8), ("Byte", DType.U8), ("Bool", DType.Bool), ("ComplexFloat", DType.C64),
        ];
        foreach ((string name, DType type) in storages) yield return new($"torch.{name}Storage", PickledGlobalKind.Storage, type);
        yield return new("torch.UntypedStorage", PickledGlobalKind.Storage);
        yield return new("torch.storage.UntypedStorage", PickledGlobalKind.Storage);
        foreach (DType type in Enum.GetValues<DType>())
        {
            if (DTypes.TryParseTorch(type.TorchName(), out _)) yield return new($"torch.{type.TorchName()}", PickledGlobalKind.DType, type);
        }
        foreach (string name in (string[])["complex32", "complex128", "qint8", "quint8", "qint32", "quint4x2", "quint2x4"])
        {
            yield return new($"torch.{name}", PickledGlobalKind.DType);
        }
    }
}
