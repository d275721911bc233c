using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace Budwood.Cli.Tests.Robustness;

/// <summary>An interrupted merge is gone on with: the bits of an undisturbed one, and only what is missing is computed.</summary>
public sealed class ResumeTests(PreparedShop prepared) : IClassFixture<PreparedShop>, IDisposable
{
    private readonly Workshop _shop = prepared.Shop;

    public void Dispose() => prepared.Restore();

    /// <summary>Stops a merge once so many shards are finished; kill's signal leaves no time for anything.</summary>
    private (int Exit, string Err) Stopped(int finished, string signal)
    {
        using Process process = _shop.Start();
        Task<string> error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        Assert.True(Workshop.Until(process, () => Journalled(finished)), "the merge ended before it could be stopped");
        Workshop.Signal(process, signal);
        process.WaitForExit();
        Assert.False(Directory.Exists(_shop.Out));
        return (process.ExitCode, error.Result);
    }

    private bool Journalled(int finished) => _shop.Journalled >= finished;

    private void Same()
    {
        Assert.Equal(prepared.Reference.OrderBy(p => p.Key), Workshop.Files(_shop.Out).OrderBy(p => p.Key));
        Assert.Empty(_shop.Leftovers);
    }

    [Fact]
    public void After_a_kill_the_finished_shards_are_kept_and_the_bits_are_the_same()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "signals are sent by kill");
        Stopped(2, "KILL");
        int finished = _shop.Journalled;
        Ran ran = _shop.Merge("--json");
        Assert.Equal(0, ran.Exit);
        Assert.Contains($"resuming: {finished} of 8 shards are finished", ran.Err, StringComparison.Ordinal);
        using JsonDocument json = JsonDocument.Parse(ran.Out);
        JsonElement resumed = json.RootElement.GetProperty("resumed");
        Assert.Equal((finished, 8), (resumed.GetProperty("shards").GetInt32(), resumed.GetProperty("of").GetInt32()));
        Same();
    }

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public void A_signal_ends_with_130_keeps_the_finished_shards_and_says_so(string signal)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "signals are sent by kill");
        (int exit, string error) = Stopped(1, signal);
        Assert.Equal(130, exit);
        Assert.Contains("shards are finished and kept. Run the same command again", error, StringComparison.Ordinal);
        string staging = Directory.EnumerateDirectories(_shop.Path_, ".out.partial-*").Single();
        Assert.Equal(_shop.Journalled, Directory.GetFiles(staging).Length);
        Ran ran = _shop.Merge();
        Assert.Equal(0, ran.Exit);
        Assert.Contains("resuming: ", ran.Err, StringComparison.Ordinal);
        Same();
    }

    [Theory]
    [InlineData("seed")]
    [InlineData("shards")]
    [InlineData("configuration")]
    [InlineData("input")]
    public void Other_work_keeps_nothing_and_says_so(string what)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "signals are sent by kill");
        Stopped(1, "KILL");
        if (what == "configuration") File.AppendAllText(_shop["merge.yml"], "# other\n");
        if (what == "input") File.SetLastWriteTimeUtc(Path.Join(_shop["m2"], "model.safetensors"), DateTime.UtcNow);
        Ran ran = what == "seed" ? _shop.Merge("--seed", "7") : what == "shards" ? Program.Run(_shop.Path_, "merge", "merge.yml", "out") : _shop.Merge();
        Assert.Equal(0, ran.Exit);
        Assert.Contains("removed what an interrupted run left", ran.Err, StringComparison.Ordinal);
        Assert.DoesNotContain("resuming", ran.Err, StringComparison.Ordinal);
        Assert.Empty(_shop.Leftovers);
    }

    [Theory]
    [InlineData("shard")]
    [InlineData("header")]
    [InlineData("missing")]
    [InlineData("short")]
    [InlineData("journal")]
    [InlineData("journal, first entry")]
    public void What_was_damaged_meanwhile_is_computed_again(string what)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "signals are sent by kill");
        Stopped(2, "KILL");
        string staging = Directory.EnumerateDirectories(_shop.Path_, ".out.partial-*").Single();
        string[] journalled = [.. _shop.JournalledShards];
        // Shards finish in any order.
        string shard = Path.Join(staging, journalled[0]);
        switch (what)
        {
            case "shard" or "header":
                using (FileStream file = File.OpenWrite(shard))
                {
                    file.Position = what == "shard" ? file.Length - 1000 : 20;
                    file.WriteByte(0xA5);
                }
                break;
            case "missing": File.Delete(shard); break;
            case "short":
                using (FileStream file = File.OpenWrite(shard)) file.SetLength(file.Length - 1);
                break;
            default: // an entry, and with it all that follow
                byte[] journal = File.ReadAllBytes(staging + ".lock");
                journal[journal.AsSpan().IndexOf(Encoding.ASCII.GetBytes(journalled[what == "journal" ? 1 : 0]))] ^= 1;
                File.WriteAllBytes(staging + ".lock", journal);
                break;
        }
        Ran ran = _shop.Merge();
        Assert.Equal(0, ran.Exit);
        Assert.Contains(what switch
        {
            "journal" => "the journal of the interrupted run ends in half an entry",
            "journal, first entry" => "removed what an interrupted run left",
            _ => $"{journalled[0]} is not as the interrupted run had written it",
        }, ran.Err, StringComparison.Ordinal);
        Same();
    }

    [Fact]
    public void An_input_that_a_finished_shard_should_have_refused_is_still_refused()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "signals are sent by kill");
        string file = Path.Join(_shop["m2"], "model.safetensors");
        byte[] bytes = File.ReadAllBytes(file);
        // A NaN in the first tensor: nothing is finished from there on, so no journal can hide it.
        BitConverter.GetBytes((ushort)0x7FC0).CopyTo(bytes, bytes.Length - (int)(_shop.ShardBytes * 8) + 10);
        File.WriteAllBytes(file, bytes);
        Ran ran = _shop.Merge();
        Assert.Equal(3, ran.Exit);
        Assert.Contains("BW3301", ran.Err, StringComparison.Ordinal);
        Assert.Empty(_shop.Leftovers);
    }
}
