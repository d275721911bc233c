using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using Budwood.Numbers;

namespace Budwood.Files;

/// <summary>Reads named float64 arrays from safetensors, NumPy and CSV files, and writes them as safetensors.</summary>
public static partial class ArrayFiles
{
    /// <summary>The most that one array may hold: what a managed array can.</summary>
    private const long MostElements = 0x7FFFFFC7 / 8;

    /// <summary>
    /// Reads a file: every floating or whole tensor of a safetensors file; the one array of a .npy file and the numbers of a .csv or .tsv file (one array
    /// "values" of rows by columns, and each column under its name), the former named after the file.
    /// </summary>
    public static Arrays Read(string path)
    {
        if (!File.Exists(path)) throw FileFaults.Missing(path, "file", FileFaults.Siblings(path));
        return Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".safetensors" => Safetensors(path),
            ".npy" => Npy(path),
            ".csv" or ".tsv" => Columns(TableFiles.Read(path), path),
            _ => throw new Fault("BW2303", ExitCode.Input, "arrays are read from .safetensors, .npy, .csv and .tsv", path, $"found '{Path.GetExtension(path)}'", "Convert the file."),
        };
    }

    /// <summary>The bytes of a safetensors file that holds the arrays as F64.</summary>
    public static byte[] Safetensors(Arrays arrays)
    {
        SafetensorsLayout layout = SafetensorsLayout.Plan(arrays.Names.Select(n => (n, DType.F64, arrays[n].Shape)));
        byte[] file = new byte[layout.Length];
        layout.Header.Span.CopyTo(file);
        foreach (TensorEntry t in layout.Tensors) MemoryMarshal.AsBytes(arrays[t.Name].Values.AsSpan()).CopyTo(file.AsSpan((int)t.Offset));
        return file;
    }

    private static Arrays Safetensors(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        var arrays = new Arrays { Label = path };
        foreach (TensorEntry t in file.Tensors)
        {
            if (t.Shape.Count > MostElements) throw TooLarge(path, t.Name, t.Shape);
            byte[] bytes = new byte[t.Bytes];
            file.Source.Read(t.Offset, bytes);
            arrays[t.Name] = new NdArray(t.Shape, Widen(bytes, t.DType, (int)t.Shape.Count) ?? throw new Fault("BW2304", ExitCode.Input, "this type is not read as numbers", $"{path}: {t.Name}", $"found {t.DType.Name()}", "Convert the array to float64."));
        }
        return arrays;
    }

    private static double[]? Widen(ReadOnlySpan<byte> bytes, DType type, int count)
    {
        var values = new double[count];
        switch (type)
        {
            case DType.F64: MemoryMarshal.Cast<byte, double>(bytes).CopyTo(values); break;
            case DType.F32: Each(MemoryMarshal.Cast<byte, float>(bytes), values, v => v); break;
            case DType.F16: Each(MemoryMarshal.Cast<byte, Half>(bytes), values, v => (double)v); break;
            case DType.BF16: Each(MemoryMarshal.Cast<byte, ushort>(bytes), values, v => BitConverter.UInt32BitsToSingle((uint)v << 16)); break;
            case DType.I64: Each(MemoryMarshal.Cast<byte, long>(bytes), values, v => v); break;
            case DType.I32: Each(MemoryMarshal.Cast<byte, int>(bytes), values, v => v); break;
            case DType.I16: Each(MemoryMarshal.Cast<byte, short>(bytes), values, v => v); break;
            case DType.I8: Each(MemoryMarshal.Cast<byte, sbyte>(bytes), values, v => v); break;
            case DType.U8 or DType.Bool: Each(bytes, values, v => v); break;
            case DType.U16: Each(MemoryMarshal.Cast<byte, ushort>(bytes), values, v => v); break;
            case DType.U32: Each(MemoryMarshal.Cast<byte, uint>(bytes), values, v => v); break;
            case DType.U64: Each(MemoryMarshal.Cast<byte, ulong>(bytes), values, v => v); break;
            default: return null;
        }
        return values;
    }

    private static void Each<T>(ReadOnlySpan<T> from, double[] to, Func<T, double> widen)
    {
        for (int i = 0; i < to.Length; i++) to[i] = widen(from[i]);
    }

    private static readonly Dictionary<string, (DType, int)> s_npyTypes = new(StringComparer.Ordinal)
    {
        ["<f8"] = (DType.F64, 8), ["<f4"] = (DType.F32, 4), ["<f2"] = (DType.F16, 2), ["<i8"] = (DType.I64, 8), ["<i4"] = (DType.I32, 4), ["<i2"] = (DType.I16, 2),
        ["|i1"] = (DType.I8, 1), ["|u1"] = (DType.U8, 1), ["|b1"] = (DType.Bool, 1), ["<u2"] = (DType.U16, 2), ["<u4"] = (DType.U32, 4), ["<u8"] = (DType.U64, 8),
    };

    [GeneratedRegex(@"'descr'\s*:\s*'(?<type>[^']*)'")]
    private static partial Regex NpyType();

    [GeneratedRegex(@"'fortran_order'\s*:\s*(?<flag>True|False)")]
    private static partial Regex NpyOrder();

    [GeneratedRegex(@"'shape'\s*:\s*\((?<sizes>[0-9,\s]*)\)")]
    private static partial Regex NpyShape();

    // NumPy's format, versions 1 to 3: magic, version, header length, a dictionary as text, then the data.
    private static Arrays Npy(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        if (file.Length < 12 || !file.AsSpan(0, 6).SequenceEqual(Magic)) throw NotNpy(path, "it does not start with the mark of NumPy");
        int at = file[6] == 1 ? 10 : 12;
        long length = file[6] == 1 ? BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(8)) : BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(8));
        if (length > file.Length - at) throw NotNpy(path, "its header runs past the end");
        string header = Encoding.Latin1.GetString(file, at, (int)length);
        Match type = NpyType().Match(header), order = NpyOrder().Match(header), sizes = NpyShape().Match(header);
        if (!type.Success || !order.Success || !sizes.Success) throw NotNpy(path, "its header is not of one plain array");
        long[] shape = [.. sizes.Groups["sizes"].Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(s => long.Parse(s, CultureInfo.InvariantCulture))];
        if (order.Groups["flag"].Value == "True" && shape.Length > 1) throw NotNpy(path, "it is stored column by column (fortran_order); save it with numpy.ascontiguousarray");
        if (!s_npyTypes.TryGetValue(type.Groups["type"].Value, out (DType Type, int Bytes) dtype)) throw NotNpy(path, $"its type '{type.Groups["type"].Value}' is not read; save it as float64");
        var of = new Shape(shape);
        if (of.Count > MostElements) throw TooLarge(path, "array", of);
        ReadOnlySpan<byte> data = file.AsSpan(at + (int)length);
        if (data.Length != of.Count * dtype.Bytes) throw NotNpy(path, $"it holds {data.Length} bytes where {of} of {type.Groups["type"].Value} takes {of.Count * dtype.Bytes}");
        return new Arrays { Label = path, [Path.GetFileNameWithoutExtension(path)] = new NdArray(of, Widen(data, dtype.Type, (int)of.Count)!) };
    }

    private static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    private static Arrays Columns(Table table, string path)
    {
        var arrays = new Arrays { Label = path };
        double[][] columns = [.. table.Columns.Select(c => table.Numbers(c.Name))];
        var values = new double[table.Rows.Count * columns.Length];
        for (int c = 0; c < columns.Length; c++)
        {
            arrays[table.Columns[c].Name] = NdArray.Of(columns[c]);
            for (int r = 0; r < table.Rows.Count; r++) values[(r * columns.Length) + c] = columns[c][r];
        }
        if (!arrays.TryGet("values", out _)) arrays["values"] = new NdArray(new Shape(table.Rows.Count, columns.Length), values);
        return arrays;
    }

    private static Fault NotNpy(string path, string why) => new("BW2305", ExitCode.Input, "not a NumPy array that can be read", path, why, "Save one plain array with numpy.save.");

    private static Fault TooLarge(string path, string name, Shape shape) =>
        new("BW2306", ExitCode.Input, "the array is too large to be held", $"{path}: {name}", $"shape {shape}, at most {MostElements:#,0} numbers", "Give a part of it.");
}
