using System.Globalization;
using System.Text;
using System.Text.Json;
using Budwood.Files;
using Budwood.Numbers;
using Budwood.Recipes;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Merge;

/// <summary>Every merge of the peer also runs in our arithmetic; how far the results lie apart is a page of the reference.</summary>
public sealed class DefaultArithmeticTests
{
    private const string Page = "docs/reference/default-arithmetic.md", Guide = "docs/guide/coming-from-mergekit.md";

    private static string[] Names(string root) =>
        [.. Directory.EnumerateDirectories(root).Where(d => File.Exists(Path.Combine(d, "case.json"))).Select(d => Path.GetFileName(d)!)
            .Order(StringComparer.Ordinal)];

    [Fact]
    public void Every_merge_of_the_peer_runs_in_our_arithmetic()
    {
        string root = Shared.Path("goldens/merge");
        var rows = new StringBuilder();
        foreach (string name in Names(root)) rows.Append(Row(Path.Combine(root, name)));
        if (Committed.Rewrites) File.WriteAllText(Committed.Path(Page), Head + rows);
        Assert.True(File.Exists(Committed.Path(Page)), $"{Page} is missing; run this test with BUDWOOD_REWRITE=1 to write it");
        string page = File.ReadAllText(Committed.Path(Page));
        // The guide quotes rows of the page.
        string[] quoted = [.. File.ReadAllLines(Committed.Path(Guide)).Where(l => Names(root).Any(n => l.StartsWith($"| {n} |", StringComparison.Ordinal)))];
        Assert.NotEmpty(quoted);
        foreach (string line in quoted) Assert.True(page.Contains(line, StringComparison.Ordinal), $"{Guide}: '{line}' is not a row of {Page}");
        foreach (string name in Names(root))
            Assert.True(page.Contains($"| {name} |", StringComparison.Ordinal), $"{Page} lacks {name}; run this test with BUDWOOD_REWRITE=1 to write it anew");
    }

    // Runs a case as it is; where that is refused, with the word that the refusal names.
    private static string Row(string folder)
    {
        string name = Path.GetFileName(folder);
        JsonElement json = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "case.json"))).RootElement;
        long seed = json.TryGetProperty("options", out JsonElement options) && options.TryGetProperty("random_seed", out JsonElement s) ? s.GetInt64() : 0;
        string expected = Path.Combine(folder, json.GetProperty("check").TryGetProperty("reference", out JsonElement r) ? r.GetString()! : "expected");
        using var output = new TempFolder();
        var remarks = new List<string>();
        try
        {
            Goldens.Merge(Path.Combine(folder, "config.yaml"), output["out"], seed: seed);
        }
        catch (Fault fault)
        {
            Assert.Equal(ExitCode.Input, fault.Exit);
            string word = MergeResolver.AllowWords.First(w => fault.Message.Contains($"allow {w}", StringComparison.Ordinal));
            Goldens.Merge(Path.Combine(folder, "config.yaml"), output["out"], seed: seed, allow: [word]);
            remarks.Add($"with `--allow {word}`");
        }
        Difference d = Compare(output["out"], expected);
        bool random = json.GetProperty("random").GetBoolean();
        if (random) remarks.Add("another random stream");
        if (d.Widened is { } narrow) remarks.Add($"mergekit computes in {narrow} and widens");
        if (d.Theirs != d.Ours) remarks.Add($"mergekit stores {d.Theirs}");
        if (d.Names > 0) remarks.Add($"{d.Names} tensors stand in one of the two outputs only");
        string? reissued = Shared.Find(Path.Combine("goldens/merge-extras/reissue", name));
        string newer = reissued is null ? "" : Share(Compare(output["out"], reissued)), method = json.GetProperty("method").GetString()!;
        return $"| {name} | {method} | {d.Ours} | {Number(d.Largest)} | {Number(d.Steps)} | {Share(d)} | {newer} | {string.Join(", ", remarks)} |\n";
    }

    private sealed record Difference(string Ours, string Theirs, double Largest, double Steps, long Differ, long Elements, int Names, DType? Widened);

    private static Difference Compare(string ours, string theirs)
    {
        Dictionary<string, (DType Type, float[] Values)> x = Read(ours), y = Read(theirs);
        (double largest, double steps, long differ, long elements) = (0, 0, 0, 0);
        foreach (string name in x.Keys.Intersect(y.Keys))
        {
            (DType type, float[] a) = x[name];
            float[] b = [.. y[name].Values];
            Assert.Equal(b.Length, a.Length);
            if (y[name].Type != type) Rounding.To(type, b);
            elements += a.Length;
            double typical = Math.Sqrt(b.Where(float.IsFinite).Sum(v => (double)v * v) / Math.Max(1, b.Length));
            for (int i = 0; i < a.Length; i++)
            {
                if (a[i] == b[i] || (float.IsNaN(a[i]) && float.IsNaN(b[i]))) continue;
                differ++;
                double off = Math.Abs((double)a[i] - b[i]);
                largest = Math.Max(largest, off);
                steps = Math.Max(steps, off / LastPlace(type, Math.Max(typical, Math.Max(Math.Abs(a[i]), Math.Abs(b[i])))));
            }
        }
        // Values of a wide type that are all values of a narrow one were computed in it.
        DType? widened = null;
        foreach (DType narrow in (DType[])[DType.F16, DType.BF16])
            if (differ > 0 && Types(x) == "F32" && y.Values.All(v => Fits(narrow, v.Values))) widened = narrow;
        return new Difference(Types(x), Types(y), largest, steps, differ, elements, x.Keys.Except(y.Keys).Count() + y.Keys.Except(x.Keys).Count(), widened);
    }

    private static bool Fits(DType type, float[] values)
    {
        float[] rounded = [.. values];
        Rounding.To(type, rounded);
        return rounded.AsSpan().SequenceEqual(values);
    }

    private static string Types(Dictionary<string, (DType Type, float[] Values)> tensors) =>
        string.Join(", ", tensors.Values.Select(t => t.Type.ToString()).Distinct().Order());

    private static Dictionary<string, (DType Type, float[] Values)> Read(string folder)
    {
        var all = new Dictionary<string, (DType, float[])>(StringComparer.Ordinal);
        foreach (string path in Directory.EnumerateFiles(folder, "*.safetensors"))
        {
            using SafetensorsFile file = SafetensorsFile.Open(path);
            foreach (TensorEntry entry in file.Tensors.Where(t => t.DType is DType.F32 or DType.F16 or DType.BF16))
                all[entry.Name] = (entry.DType, Goldens.Read(file, entry));
        }
        return all;
    }

    // The distance between neighbouring values of the type at this magnitude.
    private static double LastPlace(DType type, double magnitude)
    {
        (int digits, int least) = type switch { DType.F16 => (10, -14), DType.BF16 => (7, -126), _ => (23, -126) };
        return Math.ScaleB(1, Math.Max(least, Math.ILogB(magnitude)) - digits);
    }

    private static string Number(double v) => v == 0 ? "0" : v.ToString(v is >= 0.1 and < 1e5 ? "0.#" : "0.0e0", CultureInfo.InvariantCulture);

    private static string Share(Difference d)
    {
        if (d.Differ == 0) return "none";
        double percent = 100.0 * d.Differ / d.Elements;
        return percent.ToString(percent < 0.1 ? "G1" : "0.0", CultureInfo.InvariantCulture) + " %";
    }

    private const string Head = """
        # Default arithmetic beside mergekit's

        Budwood computes in float32 and rounds once, when a value is stored; mergekit 0.1.4 rounds to the storage type after every operation, and draws random
        numbers from one generator in the order of execution. `--compat mergekit` follows it, and a test holds the bits. This page says what the *default* does
        instead: every stored merge of mergekit 0.1.4 run in our arithmetic, compared element by element with mergekit's output.

        - *largest difference*: of all elements, in the unit of the weights. Most weights of these small models lie between -1 and 1; those of the cases named
          *edge* go up to the limits of the type.
        - *last places*: the largest difference in units of the last place: distances between neighbouring values of the storage type, at the magnitude of the
          value, or of the tensor (its root mean square) where the value is smaller.
        - *differ*: share of the elements that are not equal. *From 0.1.5*: the same against mergekit 0.1.5, for merges that it computes otherwise than 0.1.4.
        - The methods that select elements are compared with mergekit under a stable sort: which of equal magnitudes survive is otherwise an accident there.

        What to make of it. On float32 models the task-vector methods without a random drop give mergekit's bits, up to a rescaling's last place or two;
        `linear` gives those of mergekit 0.1.5, unless a wider `out_dtype` asks for digits that mergekit has rounded away. On 16-bit models averages and
        interpolations lie a few units in the last place apart, because mergekit rounds intermediate results. Where a method *selects* or elects a sign (ties,
        breadcrumbs, sce, arcee_fusion), that rounding decides in mergekit which elements survive: some percent of the elements then differ by as much as a
        fine-tune moved them.

        Written by `BUDWOOD_REWRITE=1 dotnet test --project tests/Budwood.Tests --filter-class '*DefaultArithmeticTests'`.

        | merge | method | stored as | largest difference | last places | differ | from 0.1.5 | remark |
        |---|---|---|---|---|---|---|---|

        """;
}
