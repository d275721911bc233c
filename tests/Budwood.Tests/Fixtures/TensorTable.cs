using System.Text.Json;
using Budwood.Files;
using Budwood.Numbers;
using Budwood.Numbers.Kernels;

namespace Budwood.Tests.Fixtures;

/// <summary>All tensors of a folder in memory, and the comparison that a golden's <c>check</c> asks for.</summary>
internal sealed class TensorTable
{
    private readonly Dictionary<string, (DType Type, Shape Shape, byte[] Bytes)> _tensors = new(StringComparer.Ordinal);

    public static TensorTable Of(string folder)
    {
        var table = new TensorTable();
        foreach (string path in Directory.EnumerateFiles(folder, "*.safetensors"))
        {
            using SafetensorsFile file = SafetensorsFile.Open(path);
            foreach (TensorEntry entry in file.Tensors)
            {
                byte[] bytes = new byte[entry.Bytes];
                file.Source.Read(entry.Offset, bytes);
                table._tensors.Add(entry.Name, (entry.DType, entry.Shape, bytes));
            }
        }
        return table;
    }

    public IEnumerable<string> Names => _tensors.Keys;

    public (DType Type, Shape Shape, byte[] Bytes) this[string name] => _tensors[name];

    /// <summary>What is wrong with these tensors of ours, by the rules of the golden; null when nothing is.</summary>
    public string? Judge(TensorTable wanted, IEnumerable<string> names, JsonElement check)
    {
        string kind = check.GetProperty("kind").GetString()!;
        double atol = Number(check, "atol"), rtol = Number(check, "rtol"), ulps = Number(check, "max_ulp"), most = Number(check, "max_mismatch");
        long bad = 0, total = 0;
        string? worst = null;
        foreach (string name in names)
        {
            ((DType type, Shape shape, byte[] x), (DType wantedType, Shape wantedShape, byte[] y)) = (this[name], wanted[name]);
            if ((type, shape) != (wantedType, wantedShape)) return $"{name} is {type} {shape}, to be {wantedType} {wantedShape}";
            total += shape.Count;
            if (x.AsSpan().SequenceEqual(y)) continue;
            for (long k = 0; k < shape.Count; k++)
            {
                if (Same(type, x, y, k)) continue;
                (double a, double b) = (Value(type, x, k), Value(type, y, k));
                if (kind == "close" && type is DType.F32 or DType.F64 && Math.Abs(a - b) <= atol + (rtol * Math.Abs(b))) continue;
                bad++;
                bool allowed = kind == "ties" || (kind == "close" && type is DType.BF16 or DType.F16 && Math.Abs(Key(x, k) - Key(y, k)) <= ulps);
                if (!allowed) return $"{name}[{k}] is {a:R}, to be {b:R}";
                worst ??= $"{name}[{k}] is {a:R}, to be {b:R}";
            }
        }
        return bad <= (most >= 1 ? most : most * total) ? null : $"{bad} of {total} values differ, first {worst}";
    }

    private static double Number(JsonElement check, string name) => check.TryGetProperty(name, out JsonElement v) ? v.GetDouble() : 0;

    private static bool Same(DType type, byte[] x, byte[] y, long k)
    {
        int width = (int)type.Bytes(1);
        return x.AsSpan((int)k * width, width).SequenceEqual(y.AsSpan((int)k * width, width))
            || (type.IsArithmetic() && double.IsNaN(Value(type, x, k)) && double.IsNaN(Value(type, y, k)));
    }

    private static double Value(DType type, byte[] bytes, long k)
    {
        if (type == DType.F64) return BitConverter.ToDouble(bytes, (int)k * 8);
        if (!type.IsArithmetic()) return bytes[(int)(k * type.Bytes(1))];
        Span<float> one = stackalloc float[1];
        Conversion.Widen(type, bytes.AsSpan((int)(k * type.Bytes(1)), (int)type.Bytes(1)), one);
        return one[0];
    }

    private static long Key(byte[] bytes, long k)
    {
        int bits = BitConverter.ToUInt16(bytes, (int)k * 2);
        return (bits & 0x8000) != 0 ? -(bits & 0x7FFF) : bits;
    }
}
