using System.Numerics;
using System.Runtime.InteropServices;
using System.Text.Json;
using Budwood.Files;
using Budwood.Numbers;
using Budwood.Numbers.Linear;

namespace Budwood.Tests.Fixtures;

/// <summary>One stored case of the science or state-space goldens: its inputs, and checks of results as the case itself says.</summary>
internal sealed class ScienceGoldens
{
    private readonly string _name;
    private readonly JsonElement _case, _values;
    private readonly Dictionary<string, (long[] Shape, double[] Values)> _inputs, _expected;

    private ScienceGoldens(string folder)
    {
        _name = Path.GetFileName(folder);
        _case = Json(Path.Join(folder, "case.json"));
        string values = Path.Join(folder, "expected.json");
        _values = File.Exists(values) ? Json(values) : default;
        _inputs = Load(Path.Join(folder, "inputs.safetensors"));
        _expected = Load(Path.Join(folder, "expected.safetensors"));
    }

    /// <summary>Opens a case such as <c>science/hmm-k3</c>; the test is skipped where it is not at hand.</summary>
    public static ScienceGoldens Open(string name) => new(Shared.Path(Path.Join("goldens", name)));

    public static IEnumerable<string> Names(string pack, string start) =>
        Shared.Find(Path.Join("goldens", pack)) is not { } root ? [Path.Join(pack, start)]
        : Directory.EnumerateDirectories(root, start + "*").Select(d => Path.Join(pack, Path.GetFileName(d))).Order(StringComparer.Ordinal);

    public JsonElement Options => _case.GetProperty("options");

    public JsonElement Value(string name) => _values.GetProperty(name);

    public bool HasInput(string name) => _inputs.ContainsKey(name) || _inputs.ContainsKey(name + ".re");

    public bool Expects(string name) => _expected.ContainsKey(name) || _expected.ContainsKey(name + ".re");

    public IEnumerable<string> Expected => _expected.Keys;

    public double[] Real(string name) => _inputs[name].Values;

    public long[] Shape(string name) => (_inputs.TryGetValue(name, out var t) ? t : _inputs[name + ".re"]).Shape;

    public long[] ExpectedShape(string name) => (_expected.TryGetValue(name, out var t) ? t : _expected[name + ".re"]).Shape;

    public int[] Whole(string name) => [.. Real(name).Select(v => (int)v)];

    public Matrix Matrix(string name) => new((int)_inputs[name].Shape[0], (int)_inputs[name].Shape[1], Real(name));

    /// <summary>A complex tensor; a real one has no imaginary part.</summary>
    public Complex[] Complex(string name) => Pair(_inputs, name)!;

    public void Check(string name, ReadOnlySpan<double> actual) => Compare(name, actual.ToArray().Select(v => new Complex(v, 0)).ToArray());

    public void Check(string name, ReadOnlySpan<Complex> actual) => Compare(name, actual.ToArray());

    public void Check(string name, Matrix actual) => Check(name, actual.Values);

    /// <summary>A value of <c>expected.json</c>, or one inside it.</summary>
    public void CheckValue(string name, JsonElement expected, double actual)
    {
        JsonElement check = _case.GetProperty("check").GetProperty(name);
        double wanted = Number(expected);
        if (Kind(check) != "info") Assert.True(Near(check, actual, wanted), $"{_name} {name}: {actual:R} for {wanted:R}");
    }

    public void CheckValue(string name, double actual) => CheckValue(name, Value(name), actual);

    public void CheckValues(string name, IEnumerable<double> actual)
    {
        JsonElement[] wanted = [.. Value(name).EnumerateArray()];
        double[] got = [.. actual];
        Assert.Equal(wanted.Length, got.Length);
        for (int i = 0; i < got.Length; i++) CheckValue(name, wanted[i], got[i]);
    }

    private void Compare(string name, Complex[] actual)
    {
        JsonElement check = _case.GetProperty("check").GetProperty(name);
        Complex[] wanted = Pair(_expected, name)!;
        string kind = Kind(check);
        if (kind == "info") return;
        Assert.Equal(wanted.Length, actual.Length);
        switch (kind)
        {
            case "norm":
                double off = Norm(actual.Zip(wanted, (a, b) => a - b)), size = Norm(wanted);
                Assert.True(off <= (check.GetProperty("rtol").GetDouble() * size) + 1e-300, $"{_name} {name}: {off / size:E2} of the norm");
                break;
            case "sign" or "phase":
                {
                    int rows = (int)ExpectedShape(name)[0], columns = wanted.Length / rows;
                    bool Free(Func<int, int, int> at, int outer, int inner) => Enumerable.Range(0, outer).All(j =>
                    {
                        Complex dot = 0;
                        for (int i = 0; i < inner; i++) dot += System.Numerics.Complex.Conjugate(actual[at(i, j)]) * wanted[at(i, j)];
                        Complex factor = kind == "sign" ? (dot.Real < 0 ? -1 : 1) : dot == 0 ? 1 : dot / dot.Magnitude;
                        return Enumerable.Range(0, inner).All(i => Near(check, actual[at(i, j)] * factor, wanted[at(i, j)]));
                    });
                    Assert.True(Free((i, j) => (i * columns) + j, columns, rows) || Free((i, j) => (j * columns) + i, rows, columns), $"{_name} {name}: differs beyond a free {kind}");
                    break;
                }

            case "span":
                {
                    int rows = (int)ExpectedShape(name)[0], columns = wanted.Length / rows;
                    Matrix Projector(Complex[] values)
                    {
                        Matrix q = HouseholderQr.Of(new Matrix(rows, columns, [.. values.Select(v => v.Real)])).Q();
                        return q.TimesTransposed(q);
                    }

                    Assert.True((Projector(actual) - Projector(wanted)).FrobeniusNorm() <= check.GetProperty("rtol").GetDouble(), $"{_name} {name}: another space");
                    break;
                }

            case "set":
                {
                    var left = actual.ToList();
                    foreach (Complex want in wanted)
                    {
                        Complex nearest = left.MinBy(v => (v - want).Magnitude);
                        Assert.True(Near(check, nearest, want), $"{_name} {name}: {nearest} for {want}");
                        left.Remove(nearest);
                    }
                    break;
                }

            default:
                {
                    int bad = 0;
                    string first = "";
                    for (int i = 0; i < wanted.Length; i++)
                    {
                        if (kind == "exact" ? actual[i] == wanted[i] : Near(check, actual[i], wanted[i])) continue;
                        if (bad++ == 0) first = $"[{i}] is {actual[i]} for {wanted[i]}";
                    }
                    double most = check.TryGetProperty("max_mismatch", out JsonElement m) ? m.GetDouble() : 0;
                    Assert.True((double)bad / wanted.Length <= most, $"{_name} {name}: {bad} of {wanted.Length} values differ, {first}");
                    break;
                }
        }
    }

    private static bool Near(JsonElement check, Complex actual, Complex wanted)
    {
        if (Kind(check) == "exact") return actual == wanted || (double.IsNaN(actual.Real) && double.IsNaN(wanted.Real));
        if (!double.IsFinite(wanted.Real)) return actual.Real.Equals(wanted.Real);
        double atol = check.TryGetProperty("atol", out JsonElement a) ? a.GetDouble() : 0, rtol = check.TryGetProperty("rtol", out JsonElement r) ? r.GetDouble() : 0;
        return (actual - wanted).Magnitude <= atol + (rtol * wanted.Magnitude);
    }

    private static double Number(JsonElement value) => value.ValueKind != JsonValueKind.String ? value.GetDouble()
        : value.GetString() switch { "inf" => double.PositiveInfinity, "-inf" => double.NegativeInfinity, _ => double.NaN };

    private static double Norm(IEnumerable<Complex> values) => Math.Sqrt(values.Sum(v => (v.Real * v.Real) + (v.Imaginary * v.Imaginary)));

    private static string Kind(JsonElement check) => check.GetProperty("kind").GetString()!;

    private static Complex[]? Pair(Dictionary<string, (long[] Shape, double[] Values)> from, string name) =>
        from.TryGetValue(name, out var whole) ? [.. whole.Values.Select(v => new Complex(v, 0))]
        : [.. from[name + ".re"].Values.Zip(from[name + ".im"].Values, (x, y) => new Complex(x, y))];

    private static JsonElement Json(string path) => JsonDocument.Parse(File.ReadAllText(path)).RootElement;

    private static Dictionary<string, (long[] Shape, double[] Values)> Load(string path)
    {
        var tensors = new Dictionary<string, (long[], double[])>();
        if (!File.Exists(path)) return tensors;
        using SafetensorsFile file = SafetensorsFile.Open(path);
        foreach (TensorEntry entry in file.Tensors)
        {
            byte[] bytes = new byte[entry.Bytes];
            file.Source.Read(entry.Offset, bytes);
            tensors[entry.Name] = (entry.Shape.Sizes.ToArray(), entry.DType switch
            {
                DType.F64 => MemoryMarshal.Cast<byte, double>(bytes).ToArray(),
                DType.F32 => [.. MemoryMarshal.Cast<byte, float>(bytes).ToArray().Select(v => (double)v)],
                DType.I64 => [.. MemoryMarshal.Cast<byte, long>(bytes).ToArray().Select(v => (double)v)],
                _ => [.. bytes.Select(v => (double)v)],
            });
        }
        return tensors;
    }
}
