using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Budwood.Numbers;
using Budwood.Tests.Fixtures;

namespace Budwood.Cli.Tests.Robustness;

/// <summary>A folder with models and a merge of several shards, to be hurt while the program works in it.</summary>
internal sealed class Workshop : IDisposable
{
    public const int Shards = 8;
    private const int Columns = 1024;
    private readonly TempFolder _folder = new();
    private readonly int _rows;

    /// <param name="kilobytes">Size of a tensor; each of three models has eight, and each is a shard of the output.</param>
    public Workshop(int kilobytes, string method = "ties")
    {
        _rows = kilobytes * 1024 / 2 / Columns;
        foreach (int m in new[] { 1, 2, 3 })
        {
            TinyCheckpoint.Write(_folder[$"m{m}"], "{\"model_type\": \"mystery\", \"architectures\": [\"Mystery\"]}", Enumerable.Range(0, Shards).Select(i => Tensor(m, i)));
            File.WriteAllText(Path.Join(_folder[$"m{m}"], "tokenizer_config.json"), "{\"a\": 1}");
        }
        _folder.Write("merge.yml", $"merge_method: {method}\nbase_model: m1\nmodels:\n  - {{model: m2, parameters: {{weight: 0.5, density: 0.5}}}}\n  - {{model: m3, parameters: {{weight: 0.5, density: 0.4}}}}\n");
    }

    public string Path_ => _folder.Path;
    public string Out => _folder["out"];
    public string this[string name] => _folder[name];

    /// <summary>Bytes of one shard's tensors.</summary>
    public long ShardBytes => (long)_rows * Columns * 2;

    private TinyTensor Tensor(int model, int index)
    {
        float[] values = new float[_rows * Columns];
        uint state = (uint)((model * 100) + index);
        for (int i = 0; i < values.Length; i++)
        {
            state = unchecked((state * 1664525u) + 1013904223u);
            values[i] = (state >> 8) * (1f / (1 << 24));
        }
        return TinyTensor.Of($"t{index}.weight", DType.BF16, new Shape(_rows, Columns), values);
    }

    public string[] Command(params string[] more) => ["merge", "merge.yml", "out", "--shard-size", ShardBytes.ToString(CultureInfo.InvariantCulture), .. more];

    public Ran Merge(params string[] more) => Program.Run(Path_, Command(more));

    public Process Start(params string[] more) => Program.Start(Path_, null, Command(more));

    /// <summary>The merge undisturbed: digests of every file by name. The output is gone afterwards.</summary>
    public IReadOnlyDictionary<string, string> Reference()
    {
        Ran ran = Merge("-q");
        Assert.True(ran.Exit == 0, ran.All);
        IReadOnlyDictionary<string, string> files = Files(Out);
        Directory.Delete(Out, recursive: true);
        return files;
    }

    public static IReadOnlyDictionary<string, string> Files(string folder) => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
        .ToDictionary(f => Path.GetRelativePath(folder, f), f => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(f))), StringComparer.Ordinal);

    /// <summary>What stands beside the output under a name of the program's.</summary>
    public IReadOnlyList<string> Leftovers => [.. Directory.EnumerateFileSystemEntries(Path_, ".out*").Select(e => Path.GetFileName(e))];

    /// <summary>Number of finished shards by the journal of an interrupted run.</summary>
    public int Journalled => JournalledShards.Count;

    /// <summary>File names of the finished shards by the journal of an interrupted run, in the order in which they were finished.</summary>
    public IReadOnlyList<string> JournalledShards
    {
        get
        {
            try
            {
                return [.. Directory.EnumerateFiles(Path_, ".out.partial-*.lock").SelectMany(f =>
                {
                    using var file = new FileStream(f, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);
                    return new StreamReader(file).ReadToEnd().Split('\n').Where(l => l.StartsWith("shard ", StringComparison.Ordinal)).Select(l => l.Split(' ', 3)[^1]);
                })];
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return []; // locked by the run that writes it, or gone
            }
        }
    }

    /// <summary>Waits until a condition holds or the program has ended; true when it holds.</summary>
    public static bool Until(Process process, Func<bool> condition)
    {
        while (!condition())
        {
            if (process.HasExited) return condition();
            Thread.Sleep(1);
        }
        return true;
    }

    public static void Signal(Process process, string name) =>
        Process.Start("kill", [$"-{name}", process.Id.ToString(CultureInfo.InvariantCulture)]).WaitForExit();

    public void Dispose() => _folder.Dispose();
}
