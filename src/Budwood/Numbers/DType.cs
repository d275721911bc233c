
namespace Budwood.Numbers;

/// <summary>Element type of a stored tensor, under the names of the safetensors format.</summary>
/// <remarks>The order of the members is the order in which tensors stand in a file (descending), as the safetensors library writes them.</remarks>
public enum DType
{
    Bool, F4, F6E2M3, F6E3M2, U8, I8, F8E5M2, F8E4M3, F8E8M0, F8E4M3Fnuz, F8E5M2Fnuz, I16, U16, F16, BF16, I32, U32, F32, C64, F64, I64, U64,
}

/// <summary>Facts about element types: names in the safetensors, torch and numpy worlds, widths, kinds.</summary>
public static class DTypes
{
    private static readonly (DType Type, string Name, int Bits, string? Torch)[] s_table =
    [
        (DType.Bool, "BOOL", 8, "bool"), (DType.F4, "F4", 4, null), (DType.F6E2M3, "F6_E2M3", 6, null), (DType.F6E3M2, "F6_E3M2", 6, null),
        (DType.U8, "U8", 8, "uint8"), (DType.I8, "I8", 8, "int8"), (DType.F8E5M2, "F8_E5M2", 8, "float8_e5m2"), (DType.F8E4M3, "F8_E4M3", 8, "float8_e4m3fn"),
        (DType.F8E8M0, "F8_E8M0", 8, "float8_e8m0fnu"), (DType.F8E4M3Fnuz, "F8_E4M3FNUZ", 8, "float8_e4m3fnuz"), (DType.F8E5M2Fnuz, "F8_E5M2FNUZ", 8, "float8_e5m2fnuz"),
        (DType.I16, "I16", 16, "int16"), (DType.U16, "U16", 16, "uint16"), (DType.F16, "F16", 16, "float16"), (DType.BF16, "BF16", 16, "bfloat16"),
        (DType.I32, "I32", 32, "int32"), (DType.U32, "U32", 32, "uint32"), (DType.F32, "F32", 32, "float32"), (DType.C64, "C64", 64, "complex64"),
        (DType.F64, "F64", 64, "float64"), (DType.I64, "I64", 64, "int64"), (DType.U64, "U64", 64, "uint64"),
    ];

    private static readonly Dictionary<string, DType> s_byName = s_table.ToDictionary(r => r.Name, r => r.Type, StringComparer.Ordinal);
    private static readonly Dictionary<string, DType> s_byTorch = s_table.Where(r => r.Torch is not null)
        .Select(r => (Key: r.Torch!, r.Type)).Concat([("half", DType.F16), ("float", DType.F32), ("double", DType.F64)])
        .ToDictionary(r => r.Item1, r => r.Item2, StringComparer.Ordinal);

    /// <summary>The name in a safetensors header, such as <c>BF16</c>.</summary>
    public static string Name(this DType type) => s_table[(int)type].Name;

    /// <summary>The name in config.json and merge files, such as <c>bfloat16</c>; the safetensors name in lower case where torch has none.</summary>
    public static string TorchName(this DType type) => s_table[(int)type].Torch ?? s_table[(int)type].Name.ToLowerInvariant();

    /// <summary>Width of an element in bits; 4 and 6 for the packed float formats.</summary>
    public static int Bits(this DType type) => s_table[(int)type].Bits;

    /// <summary>Bytes that <paramref name="count"/> elements occupy; throws <see cref="OverflowException"/> beyond 2^63.</summary>
    public static long Bytes(this DType type, long count) => checked(count / 8 * type.Bits() + (count % 8 * type.Bits() + 7) / 8);

    /// <summary>Types that arithmetic methods read and write: F16, BF16, F32, F64.</summary>
    public static bool IsArithmetic(this DType type) => type is DType.F16 or DType.BF16 or DType.F32 or DType.F64;

    /// <summary>Any floating type, packed and 8-bit ones included.</summary>
    public static bool IsFloat(this DType type) => type.IsArithmetic() || type is DType.F4 or DType.F6E2M3 or DType.F6E3M2 or DType.F8E5M2 or DType.F8E4M3 or DType.F8E8M0 or DType.F8E4M3Fnuz or DType.F8E5M2Fnuz;

    /// <summary>Reads a safetensors name.</summary>
    public static bool TryParse(string name, out DType type) => s_byName.TryGetValue(name, out type);

    /// <summary>Reads a name as config.json and merge files spell it (<c>bfloat16</c>, <c>torch.bfloat16</c>).</summary>
    public static bool TryParseTorch(string name, out DType type) => s_byTorch.TryGetValue(name.StartsWith("torch.", StringComparison.Ordinal) ? name[6..] : name, out type);

    /// <summary>Names that config.json and merge files may use, for suggestions.</summary>
    public static IEnumerable<string> TorchNames => s_byTorch.Keys;

    /// <summary>The type that two types meet in when stacked, as torch promotes: BF16 with F16 is F32, anything with F32 is F32.</summary>
    public static DType Promote(DType a, DType b)
    {
        if (a == b) return a;
        if (!a.IsArithmetic()) return b;
        if (!b.IsArithmetic()) return a;
        return a == DType.F64 || b == DType.F64 ? DType.F64 : DType.F32;
    }
}
