using System.Text.Json;
using Budwood.Adapters;
using Budwood.Checkpoints;
using Budwood.Engine;
using Budwood.Files;
using Budwood.Methods;
using Budwood.Methods.Generated;
using Budwood.Numbers;
using Budwood.Numbers.Kernels;
using Budwood.Recipes;

namespace Budwood.Tests.Fixtures;

/// <summary>Merges of the peer, stored with their outputs: runs a case in the peer's arithmetic and compares as the case says.</summary>
internal static class Goldens
{
    /// <summary>Names of all cases whose merge_method is one of these; empty where the goldens are not at hand.</summary>
    public static IEnumerable<string> Cases(string pack, params string[] methods)
    {
        string root = Shared.Path(pack);
        return Directory.EnumerateDirectories(root).Where(d => File.Exists(Path.Combine(d, "case.json")))
            .Where(d => methods.Contains(JsonDocument.Parse(File.ReadAllText(Path.Combine(d, "case.json"))).RootElement.GetProperty("method").GetString())).Select(d => Path.GetFileName(d)!).Order(StringComparer.Ordinal);
    }

    /// <summary>Runs a case of <c>goldens/merge</c> and compares at its tolerance.</summary>
    public static void Check(string name) => Check("goldens/merge", name, Arithmetic.Mergekit014);

    /// <summary>Runs a case of <c>goldens/merge-extras</c>, which 0.1.5 made; an output equal to the base is no fault there.</summary>
    public static void CheckNewer(string name) => Check("goldens/merge-extras", name, Arithmetic.Mergekit015);

    /// <summary>Runs a case of <c>goldens/merge</c> as 0.1.5 does it now.</summary>
    public static void CheckReissued(string name) => Check("goldens/merge", name, Arithmetic.Mergekit015, Path.Combine(Shared.Path("goldens/merge-extras/reissue"), name));

    public static void Check(string pack, string name, Arithmetic arithmetic, string? wanted = null)
    {
        string folder = Path.Combine(Shared.Path(pack), name);
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "case.json")));
        JsonElement check = json.RootElement.GetProperty("check"), options = json.RootElement.TryGetProperty("options", out JsonElement o) ? o : default;
        using var output = new TempFolder();
        string at = Path.Combine(output.Path, "out");
        string[] allow = arithmetic != Arithmetic.Mergekit015 ? [] : Truncates(json.RootElement) ? ["unchanged", "common_rows"] : ["unchanged"];
        Merge(Path.Combine(folder, "config.yaml"), at, arithmetic,
            Option(options, "random_seed", 0), Option(options, "out_shard_size", 5_000_000_000), allow: allow);
        wanted ??= Path.Combine(folder, check.TryGetProperty("reference", out JsonElement r) ? r.GetString()! : "expected");
        Assert.Equal(Directory.EnumerateFiles(wanted, "*.safetensors").Select(Path.GetFileName).Order(), Directory.EnumerateFiles(at, "*.safetensors").Select(Path.GetFileName).Order());
        Compare(check, wanted, at);
    }

    /// <summary>A merge file run from start to end, as the program does.</summary>
    public static RunOutcome Merge(string config, string output, Arithmetic arithmetic = Arithmetic.Ours, long seed = 0, long shardBytes = 5_000_000_000,
        int threads = 2, Action<Plan>? planned = null, params IReadOnlyList<string> allow)
    {
        MergeFile file = MergeFile.Read(config);
        var opened = new List<Checkpoint>();
        try
        {
            Rule Find(MergeDocument d) => BudwoodCoreCatalogue.All.OfType<Rule>().Single(m => m.Card.Name == d.Method);
            ResolvedMerge resolved = MergeChain.Resolve(file, Find, _ => new MergeSettings
            {
                Arithmetic = arithmetic,
                Seed = seed,
                Allow = allow,
                Open = n =>
                {
                    string At(string path) => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(config)!, path));
                    ModelReference reference = ModelReference.Parse(n.Text, p => Directory.Exists(At(p)) || File.Exists(At(p)));
                    var c = Checkpoint.Open(At(reference.Path), reference.Path);
                    opened.Add(c);
                    if (reference.Adapter is { } adapter) opened[^1] = c = Adapter.Open(At(adapter), adapter).Onto(c, n.Text);
                    return c;
                },
            });
            planned?.Invoke(resolved.Plan);
            return Runner.Run(resolved.Plan, new RunOptions { Out = output, ShardBytes = shardBytes, Threads = threads, Configuration = file.Text }, CancellationToken.None)!;
        }
        finally
        {
            foreach (Checkpoint c in opened) c.Dispose();
        }
    }

    private static void Compare(JsonElement check, string wanted, string got)
    {
        string kind = check.GetProperty("kind").GetString()!;
        long bad = 0, total = 0;
        bool isF32 = false;
        foreach (string path in Directory.EnumerateFiles(wanted, "*.safetensors"))
        {
            using SafetensorsFile w = SafetensorsFile.Open(path), g = SafetensorsFile.Open(Path.Combine(got, Path.GetFileName(path)));
            Assert.Equal(w.Tensors.Select(t => (t.Name, t.DType, t.Shape)), g.Tensors.Select(t => (t.Name, t.DType, t.Shape)));
            for (int i = 0; i < w.Tensors.Count; i++)
            {
                TensorEntry entry = w.Tensors[i];
                (float[] x, float[] y) = (Read(g, g.Tensors[i]), Read(w, entry));
                isF32 |= entry.DType == DType.F32;
                total += x.Length;
                for (int k = 0; k < x.Length; k++)
                {
                    if (BitConverter.SingleToInt32Bits(x[k]) == BitConverter.SingleToInt32Bits(y[k]) || (float.IsNaN(x[k]) && float.IsNaN(y[k]))) continue;
                    switch (kind)
                    {
                        case "exact":
                            Assert.Fail($"{entry.Name}[{k}]: {x[k]:R} for {y[k]:R}, to be equal bit for bit");
                            break;
                        case "close" when entry.DType == DType.F32:
                            double bound = Number(check, "atol") + (Number(check, "rtol") * Math.Abs(y[k]));
                            Assert.True(Math.Abs((double)x[k] - y[k]) <= bound, $"{entry.Name}[{k}]: {x[k]:R} for {y[k]:R}, beyond {bound:R}");
                            break;
                        case "close":
                            bad++;
                            Assert.True(Ulps(entry.DType, x[k], y[k]) <= Number(check, "max_ulp"), $"{entry.Name}[{k}]: {x[k]:R} for {y[k]:R}");
                            break;
                        default:
                            bad++;
                            break;
                    }
                }
            }
        }
        if (isF32 && kind == "close") return;
        double most = Number(check, "max_mismatch");
        Assert.True(bad <= (most >= 1 ? most : most * total), $"{bad} of {total} values differ, {most} allowed");
    }

    private static bool Truncates(JsonElement root) =>
        root.TryGetProperty("command", out JsonElement command) && command.EnumerateArray().Any(c => c.GetString() == "--unsafe-truncate-embeddings");

    private static long Option(JsonElement options, string name, long otherwise) =>
        options.ValueKind == JsonValueKind.Object && options.TryGetProperty(name, out JsonElement v) ? v.GetInt64() : otherwise;

    private static double Number(JsonElement check, string name) => check.TryGetProperty(name, out JsonElement v) ? v.GetDouble() : 0;

    private static long Ulps(DType type, float x, float y)
    {
        static long Key(long bits, int width) => (bits & (1L << (width - 1))) != 0 ? -(bits & ((1L << (width - 1)) - 1)) : bits;
        (long a, long b) = type == DType.BF16
            ? (BitConverter.SingleToUInt32Bits(x) >> 16, (long)(BitConverter.SingleToUInt32Bits(y) >> 16)) : (BitConverter.HalfToUInt16Bits((Half)x), BitConverter.HalfToUInt16Bits((Half)y));
        return Math.Abs(Key(a, 16) - Key(b, 16));
    }

    public static float[] Read(SafetensorsFile file, TensorEntry entry)
    {
        byte[] bytes = new byte[entry.Bytes];
        file.Source.Read(entry.Offset, bytes);
        float[] values = new float[entry.Shape.Count];
        Conversion.Widen(entry.DType, bytes, values);
        return values;
    }
}
