using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Budwood.Numbers;
using Budwood.Tests.Fixtures;

namespace Budwood.Cli.Tests.Verbs;

public sealed class MergeVerbTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private const string Linear = "merge_method: linear\nmodels:\n  - {model: a, parameters: {weight: 0.5}}\n  - {model: b, parameters: {weight: 0.5}}\n";

    private void Two(string yaml = Linear)
    {
        TinyCheckpoint.Llama(_folder["a"], DType.BF16, seed: 1);
        TinyCheckpoint.Llama(_folder["b"], DType.BF16, seed: 2);
        _folder.Write("merge.yml", yaml);
    }

    private Ran Merge(params string[] more) => Program.Run(_folder.Path, ["merge", "merge.yml", "out", .. more]);

    private void Refused(Ran ran, int exit, string code, params string[] words)
    {
        Assert.Equal(exit, ran.Exit);
        Assert.Contains($"error[{code}]", ran.Err, StringComparison.Ordinal);
        foreach (string word in words) Assert.Contains(word, ran.Err, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", ran.All, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["out"]));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path, ".out*"));
    }

    [Fact]
    public void Results_go_to_standard_output_and_everything_else_to_standard_error()
    {
        Two();
        Ran ran = Merge();
        Assert.Equal(0, ran.Exit);
        Assert.StartsWith("receipt: against a: 21 tensors changed", ran.Out, StringComparison.Ordinal);
        Assert.Contains("plan: linear of 2 models", ran.Err, StringComparison.Ordinal);
        Assert.DoesNotContain("\e[", ran.All, StringComparison.Ordinal);
        Assert.Empty(Program.Run(_folder.Path, "merge", "merge.yml", "again", "-q").Err);
    }

    [Fact]
    public void Json_is_the_only_thing_on_standard_output()
    {
        Two();
        using JsonDocument json = JsonDocument.Parse(Merge("--json").Out);
        Assert.Equal(21, json.RootElement.GetProperty("changed").GetInt32());
        Assert.StartsWith("xxh128:", json.RootElement.GetProperty("digest").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_dry_run_plans_and_writes_nothing()
    {
        Two();
        Ran ran = Merge("--dry-run");
        Assert.Equal(0, ran.Exit);
        Assert.Contains("memory at most", ran.Out, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["out"]));
    }

    [Fact]
    public void An_output_that_exists_is_kept_unless_forced()
    {
        Two();
        _folder.Write("out/keep.txt", "mine");
        Ran ran = Merge();
        Assert.Equal(2, ran.Exit);
        Assert.Contains("--force", ran.Err, StringComparison.Ordinal);
        Assert.Equal(0, Merge("--force").Exit);
        Assert.False(File.Exists(Path.Join(_folder["out"], "keep.txt")));
    }

    [Fact]
    public void A_truncated_file_is_refused()
    {
        Two();
        string file = Path.Join(_folder["b"], "model.safetensors");
        File.WriteAllBytes(file, File.ReadAllBytes(file)[..^100]);
        Ran ran = Merge();
        Assert.Equal(3, ran.Exit);
        Assert.Contains("model.safetensors", ran.Err, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["out"]));
    }

    [Fact]
    public void A_header_that_lies_about_a_shape_is_refused()
    {
        Two();
        Craft("{\"w\":{\"dtype\":\"F32\",\"shape\":[1000000],\"data_offsets\":[0,4]}}", 4);
        Ran ran = Merge();
        Assert.Equal(3, ran.Exit);
        Assert.Contains("4000000", ran.Err.Replace(",", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public void Tensors_that_overlap_are_refused()
    {
        Two();
        Craft("{\"u\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"v\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}", 12);
        Ran ran = Merge();
        Assert.Equal(3, ran.Exit);
        Assert.Contains("overlap", ran.Err, StringComparison.OrdinalIgnoreCase);
    }

    private void Craft(string header, int data)
    {
        byte[] json = Encoding.UTF8.GetBytes(header);
        byte[] file = new byte[8 + json.Length + data];
        BinaryPrimitives.WriteInt64LittleEndian(file, json.Length);
        json.CopyTo(file, 8);
        File.WriteAllBytes(Path.Join(_folder["b"], "model.safetensors"), file);
    }

    [Fact]
    public void Not_a_number_is_refused_with_tensor_and_count()
    {
        Two();
        TinyCheckpoint.Llama(DType.BF16, seed: 2).Edit("model.norm.weight", v => v[3] = float.NaN).Write(_folder["b"]);
        Refused(Merge(), 3, "BW3301", "model.norm.weight", "1 NaN", "--allow nan");
    }

    [Fact]
    public void A_missing_shard_is_refused_before_any_work()
    {
        Two();
        Directory.Delete(_folder["b"], recursive: true);
        TinyCheckpoint.Llama(_folder["b"], DType.BF16, seed: 2, shardBytes: 500);
        File.Delete(Path.Join(_folder["b"], "model-00002-of-00007.safetensors"));
        string lost = Directory.EnumerateFiles(_folder["b"], "model-*.safetensors").Order(StringComparer.Ordinal).First();
        File.Delete(lost);
        Ran ran = Merge();
        Assert.Equal(3, ran.Exit);
        Assert.Contains(Path.GetFileName(lost), ran.Err, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_key_names_line_and_nearest_word()
    {
        Two(Linear + "out_dtpye: float16\n");
        Refused(Merge(), 2, "BW1109", "merge.yml:5", "'out_dtype'");
    }

    [Fact]
    public void An_unmatched_filter_names_line_and_nearest_tensor()
    {
        Two(Linear + "parameters: {normalize: [{filter: lmhead, value: false}, {value: true}]}\n");
        Refused(Merge(), 2, "BW1122", "merge.yml:5", "'lmhead'", "'lm_head'");
    }

    [Theory]
    [InlineData("")]
    [InlineData("mergekit")]
    public void The_same_model_twice_is_refused_naming_both_lines(string compat)
    {
        Two("merge_method: linear\nmodels:\n  - {model: a, parameters: {weight: 0.5}}\n  - {model: ./a, parameters: {weight: 0.5}}\n");
        Refused(compat.Length == 0 ? Merge() : Merge("--compat", compat), 2, "BW1120", "merge.yml:4", "line 3");
    }

    [Fact]
    public void A_model_that_is_not_there_names_the_nearest_folder()
    {
        Two(Linear.Replace("model: b", "model: ./bb", StringComparison.Ordinal));
        Ran ran = Merge();
        Assert.Equal(3, ran.Exit);
        Assert.Contains("bb", ran.Err, StringComparison.Ordinal);
    }

    [Fact]
    public void Too_little_memory_is_refused_before_the_first_byte()
    {
        Two();
        Refused(Merge("--memory", "1MB"), 6, "BW6001", "--memory");
    }

    [Fact]
    public void A_folder_without_permission_is_refused()
    {
        Assert.SkipWhen(Environment.UserName == "root", "root may write everywhere");
        Two();
        Directory.CreateDirectory(_folder["closed"]);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(_folder["closed"], UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Ran ran = Program.Run(_folder.Path, "merge", "merge.yml", "closed/out");
        Assert.Equal(2, ran.Exit);
        Assert.Contains("BW1304", ran.Err, StringComparison.Ordinal);
    }

    [Fact]
    public void The_peers_shard_size_and_seed_are_options()
    {
        Two();
        Ran ran = Merge("--shard-size", "700", "--seed", "3", "--compat", "mergekit");
        Assert.Equal(0, ran.Exit);
        Assert.True(File.Exists(Path.Join(_folder["out"], "model.safetensors.index.json")));
    }

    /// <summary>A merge of models of 96 MB each that takes long enough to be stopped.</summary>
    private void Large(int megabytes)
    {
        const int columns = 1024;
        int rows = megabytes * (1 << 20) / 2 / columns / 4;
        foreach (int m in new[] { 1, 2, 3 })
        {
            var values = new float[rows * columns];
            uint state = (uint)m;
            for (int i = 0; i < values.Length; i++)
            {
                state = unchecked((state * 1664525u) + 1013904223u);
                values[i] = (state >> 8) * (1f / (1 << 24));
            }
            TinyTensor one = TinyTensor.Of("t0", DType.BF16, new Shape(rows, columns), values);
            TinyCheckpoint.Write(_folder[$"m{m}"], "{\"model_type\": \"mystery\", \"architectures\": [\"Mystery\"]}", Enumerable.Range(0, 4).Select(i => one with { Name = $"t{i}.weight" }));
        }
        _folder.Write("merge.yml", "merge_method: ties\nbase_model: m1\nmodels:\n  - {model: m2, parameters: {weight: 0.5, density: 0.5}}\n  - {model: m3, parameters: {weight: 0.5, density: 0.4}}\n");
    }

    [Fact]
    public void Checkpoints_several_times_larger_than_the_memory_are_merged_within_it()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the peak is read from /proc");
        Large(160); // three models of 160 MB under 110 MB: 480 MB in all
        const long allowed = 110_000_000;
        using Process process = Program.Start(_folder.Path, null, "merge", "merge.yml", "out", "--memory", allowed.ToString(CultureInfo.InvariantCulture));
        long peak = 0;
        while (!process.WaitForExit(5))
        {
            try
            {
                string? line = File.ReadLines($"/proc/{process.Id}/status").FirstOrDefault(l => l.StartsWith("VmHWM", StringComparison.Ordinal));
                if (line is not null) peak = Math.Max(peak, long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                break;
            }
        }
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, process.StandardError.ReadToEnd());
        Assert.InRange(peak, 1, allowed);
    }

    [Fact]
    public void A_kill_leaves_no_output_and_the_next_run_cleans_up()
    {
        Large(96);
        using (Process process = Program.Start(_folder.Path, null, "merge", "merge.yml", "out"))
        {
            WaitForStaging(process);
            process.Kill();
            process.WaitForExit();
        }
        Assert.False(Directory.Exists(_folder["out"]));
        Assert.NotEmpty(Directory.EnumerateDirectories(_folder.Path, ".out.partial-*"));
        Ran again = Merge();
        Assert.Equal(0, again.Exit);
        Assert.Contains("interrupted run", again.Err, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path, ".out*"));
    }

    [Fact]
    public void Ctrl_C_ends_with_130_and_leaves_nothing()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() || OperatingSystem.IsMacOS(), "SIGINT is sent by kill");
        Large(96);
        using Process process = Program.Start(_folder.Path, null, "merge", "merge.yml", "out");
        WaitForStaging(process);
        Process.Start("kill", ["-INT", process.Id.ToString(CultureInfo.InvariantCulture)]).WaitForExit();
        process.WaitForExit();
        Assert.Equal(130, process.ExitCode);
        Assert.False(Directory.Exists(_folder["out"]));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path, ".out*"));
    }

    private void WaitForStaging(Process process)
    {
        var clock = Stopwatch.StartNew();
        while (!Directory.EnumerateDirectories(_folder.Path, ".out.partial-*").Any())
        {
            Assert.False(process.HasExited, "the merge ended before it could be stopped");
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(30));
            Thread.Sleep(1);
        }
        Thread.Sleep(30);
    }
}
