using System.Diagnostics;
using System.Globalization;

namespace Budwood.Cli.Tests.Robustness;

/// <summary>Disks that are full or read-only, inputs that change under the run, and two runs at one output: exit code, message, and what is left.</summary>
public sealed class ObstacleTests(PreparedShop prepared) : IClassFixture<PreparedShop>, IDisposable
{
    private readonly Workshop _shop = prepared.Shop;

    public void Dispose() => prepared.Restore();

    private void Refused(Ran ran, int exit, string code, params string[] words)
    {
        Assert.True(ran.Exit == exit, ran.All);
        Assert.Contains($"error[{code}]", ran.Err, StringComparison.Ordinal);
        foreach (string word in words) Assert.Contains(word, ran.Err, StringComparison.Ordinal);
        Assert.Contains("next:", ran.Err, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_shop.Out));
        Assert.Empty(_shop.Leftovers);
    }

    private void Same() => Assert.Equal(prepared.Reference.OrderBy(p => p.Key), Workshop.Files(_shop.Out).OrderBy(p => p.Key));

    /// <summary>Runs commands of a shell where a file system of so many bytes is mounted at 'disk'; it is gone with them.</summary>
    private Ran OnDisk(string options, string script)
    {
        Directory.CreateDirectory(_shop["disk"]);
        var start = new ProcessStartInfo("unshare", ["-rm", "sh", "-c", $"mount -t tmpfs -o {options} tmpfs disk || exit 99\n{script}"])
        {
            WorkingDirectory = _shop.Path_, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        start.Environment["BUDWOOD_HOME"] = _shop[".budwood-home"];
        start.Environment["MERGE"] = $"dotnet {Path.Join(AppContext.BaseDirectory, "budwood.dll")} merge merge.yml disk/out --shard-size {_shop.ShardBytes}";
        Process? process;
        try
        {
            process = Process.Start(start);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            process = null;
        }
        Assert.SkipWhen(process is null, "there is no unshare on this system");
        using (process)
        {
            Task<string> error = process!.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            Assert.SkipWhen(process.ExitCode is 99 or 1 && !error.Result.Contains("error[", StringComparison.Ordinal), $"no file system may be mounted here: {error.Result}");
            return new Ran(process.ExitCode, output, error.Result);
        }
    }

    [Fact]
    public void A_disk_that_is_too_small_is_refused_before_the_first_byte()
    {
        Ran ran = OnDisk("size=4m", "$MERGE; code=$?; ls -A disk; exit $code");
        Assert.True(ran.Exit == 6, ran.All);
        Assert.Contains("error[BW6003]: disk/out: the disk is too full for the output", ran.Err, StringComparison.Ordinal);
        Assert.Contains("4.19 MB are free", ran.Err, StringComparison.Ordinal);
        Assert.Empty(ran.Out);
    }

    [Fact]
    public void A_disk_that_fills_up_at_the_end_keeps_the_finished_shards_for_when_there_is_room()
    {
        // The weights fit, the tokenizer does not.
        File.WriteAllBytes(Path.Join(_shop["m1"], "tokenizer.json"), new byte[8_000_000]);
        long bytes = (_shop.ShardBytes * Workshop.Shards) + 2_000_000;
        Ran ran = OnDisk($"size={bytes}", "$MERGE -q; echo \"first $?\"; ls -A disk; mount -o remount,size=100m disk; $MERGE; echo \"second $?\"; ls -A disk");
        Assert.Contains("error[BW6002]: disk/out/tokenizer.json: the disk is full", ran.Err, StringComparison.Ordinal);
        Assert.Contains("next:  Free some space", ran.Err, StringComparison.Ordinal);
        Assert.Contains("resuming: 8 of 8 shards are finished", ran.Err, StringComparison.Ordinal);
        string[] lines = ran.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("first 6", lines[0]);
        Assert.StartsWith(".out.partial-", lines[1], StringComparison.Ordinal);
        Assert.Equal(["second 0", "out"], lines[^2..]);
    }

    [Fact]
    public void What_an_interrupted_run_has_taken_of_the_disk_does_not_stand_in_the_way_of_the_next()
    {
        // Room for the output once, not twice: the left-over is used or removed first.
        long bytes = (_shop.ShardBytes * Workshop.Shards) + 3_000_000;
        Ran ran = OnDisk($"size={bytes}", "$MERGE -q & p=$!; while ! ls -A disk | grep -q partial; do sleep 0.01; done; sleep 0.3; kill -9 $p; wait $p; $MERGE -q; code=$?; ls -A disk; exit $code");
        Assert.True(ran.Exit == 0, ran.All);
        Assert.Contains("out\n", ran.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("partial", ran.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_read_only_disk_is_refused()
    {
        Ran ran = OnDisk("ro", "$MERGE");
        Assert.True(ran.Exit == 2, ran.All);
        Assert.Contains("error[BW1304]", ran.Err, StringComparison.Ordinal);
        Assert.Contains("Choose another output folder", ran.Err, StringComparison.Ordinal);
    }

    [Fact]
    public void A_store_that_cannot_be_written_costs_time_only()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "/proc takes no folders");
        Ran ran = Program.Run(_shop.Path_, new Dictionary<string, string> { ["BUDWOOD_HOME"] = "/proc/budwood" }, _shop.Command());
        Assert.True(ran.Exit == 0, ran.All);
        Same();
    }

    /// <summary>Does something to the folder while the run stands still, once so many shards are finished, and lets it go on.</summary>
    private Ran While(int finished, Action action)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "signals are sent by kill");
        using Process process = _shop.Start();
        Task<string> error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken), output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        Assert.True(Workshop.Until(process, () => _shop.Leftovers.Count > 1 && _shop.Journalled >= finished), "the merge ended too early");
        Workshop.Signal(process, "STOP");
        try
        {
            action();
        }
        finally
        {
            Workshop.Signal(process, "CONT");
        }
        process.WaitForExit();
        return new Ran(process.ExitCode, output.Result, error.Result);
    }

    [Fact]
    public void An_input_that_is_cut_off_while_it_is_read_is_refused()
    {
        Ran ran = While(0, () =>
        {
            using FileStream file = File.OpenWrite(Path.Join(_shop["m3"], "model.safetensors"));
            file.SetLength(file.Length / 2);
        });
        Refused(ran, 3, "BW2004", "m3/model.safetensors", "shrank while it was read", "run again");
    }

    [Fact]
    public void An_input_that_is_written_into_after_it_was_read_is_refused()
    {
        Ran ran = While(1, () =>
        {
            using FileStream file = File.OpenWrite(Path.Join(_shop["m3"], "model.safetensors"));
            file.Position = file.Length - (_shop.ShardBytes * Workshop.Shards) + 100; // in the first tensor
            file.WriteByte(0x55);
        });
        Refused(ran, 3, "BW2007", "m3/model.safetensors", "t0.weight", "wait for that to finish");
    }

    [Fact]
    public void An_input_that_is_only_touched_is_no_obstacle()
    {
        Ran ran = While(1, () => File.SetLastWriteTimeUtc(Path.Join(_shop["m3"], "model.safetensors"), DateTime.UtcNow.AddSeconds(5)));
        Assert.True(ran.Exit == 0, ran.All);
        Same();
    }

    [Fact]
    public void Weights_that_vanish_while_they_are_read_are_read_to_the_end()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "an open file outlives its name");
        Ran ran = While(0, () => File.Delete(Path.Join(_shop["m3"], "model.safetensors")));
        Assert.True(ran.Exit == 0, ran.All);
        Same();
    }

    [Fact]
    public void A_tokenizer_that_vanishes_is_not_left_out_silently()
    {
        Ran ran = While(0, () => File.Delete(Path.Join(_shop["m1"], "tokenizer_config.json")));
        Refused(ran, 3, "BW2001", "m1/tokenizer_config.json", "there is no such file");
    }

    [Fact]
    public async Task Of_several_merges_into_one_output_at_once_one_writes_and_the_others_are_refused()
    {
        for (int round = 0; round < 4; round++)
        {
            Process[] all = [.. Enumerable.Range(0, 2 + (round % 2)).Select(_ => _shop.Start())];
            Task<string>[] errors = [.. all.Select(p => p.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken))];
            foreach (Process process in all) process.WaitForExit();
            int[] exits = [.. all.Select(p => p.ExitCode).Order()];
            string[] said = await Task.WhenAll(errors);
            Assert.True(exits[0] == 0 && exits.Skip(1).All(e => e == 2), $"{string.Join(", ", exits)}\n{string.Join('\n', said)}");
            foreach (string error in said.Where(e => e.Contains("error[", StringComparison.Ordinal)))
                Assert.True(error.Contains("BW1303", StringComparison.Ordinal) || error.Contains("BW1301", StringComparison.Ordinal), error);
            foreach (Process process in all) process.Dispose();
            Same();
            Assert.Empty(_shop.Leftovers);
            Directory.Delete(_shop.Out, recursive: true);
        }
    }

    [Fact]
    public async Task Of_several_merges_that_would_go_on_from_one_left_over_one_does()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "signals are sent by kill");
        for (int round = 0; round < 2; round++)
        {
            using (Process first = _shop.Start())
            {
                Assert.True(Workshop.Until(first, () => _shop.Journalled > 0));
                first.Kill();
                first.WaitForExit();
            }
            Process[] all = [_shop.Start(), _shop.Start()];
            Task<string>[] errors = [.. all.Select(p => p.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken))];
            foreach (Process process in all) process.WaitForExit();
            Assert.Equal([0, 2], all.Select(p => p.ExitCode).Order());
            Assert.Contains("resuming: ", string.Concat(await Task.WhenAll(errors)), StringComparison.Ordinal);
            foreach (Process process in all) process.Dispose();
            Same();
            Assert.Empty(_shop.Leftovers);
            Directory.Delete(_shop.Out, recursive: true);
        }
    }

    [Fact]
    public void The_shard_size_of_the_workshop_makes_eight_shards() =>
        Assert.Equal(Workshop.Shards, prepared.Reference.Keys.Count(k => k.StartsWith("model-0", StringComparison.Ordinal) && k.EndsWith(string.Create(CultureInfo.InvariantCulture, $"-of-{Workshop.Shards:00000}.safetensors"), StringComparison.Ordinal)));
}

/// <summary>A workshop for several tests, with the undisturbed output's digests, put in order after each.</summary>
public sealed class PreparedShop : IDisposable
{
    private readonly Dictionary<string, byte[]> _files;

    public PreparedShop()
    {
        Shop = new Workshop(kilobytes: 2048);
        Reference = Shop.Reference();
        _files = Directory.EnumerateFiles(Shop.Path_, "*", SearchOption.AllDirectories).Where(f => !f.Contains(".budwood-home", StringComparison.Ordinal)).ToDictionary(f => f, File.ReadAllBytes);
    }

    internal Workshop Shop { get; }
    internal IReadOnlyDictionary<string, string> Reference { get; }

    /// <summary>Brings every file back that a test has changed, and removes what it has made.</summary>
    internal void Restore()
    {
        foreach (string entry in Directory.EnumerateFileSystemEntries(Shop.Path_, "*out*").Append(Shop["disk"]).Where(e => Directory.Exists(e) || File.Exists(e)))
        {
            if (Directory.Exists(entry)) Directory.Delete(entry, recursive: true);
            else File.Delete(entry);
        }
        foreach (string file in Directory.EnumerateFiles(Shop.Path_, "*", SearchOption.AllDirectories).Where(f => !f.Contains(".budwood-home", StringComparison.Ordinal) && !_files.ContainsKey(f))) File.Delete(file);
        foreach ((string file, byte[] bytes) in _files)
            if (!File.Exists(file) || !File.ReadAllBytes(file).AsSpan().SequenceEqual(bytes)) File.WriteAllBytes(file, bytes);
    }

    public void Dispose() => Shop.Dispose();
}
