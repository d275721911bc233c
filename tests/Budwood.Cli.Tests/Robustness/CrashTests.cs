using System.Diagnostics;
using System.Globalization;

namespace Budwood.Cli.Tests.Robustness;

/// <summary>
/// A merge is killed at random moments, again and again: there is never half an output and never a wrong one, and going on gives the bits of an undisturbed run.
/// <c>BUDWOOD_KILLS</c> is the number of kills, <c>BUDWOOD_KILL_SEED</c> the seed of the moments.
/// </summary>
public sealed class CrashTests(ITestOutputHelper output) : IDisposable
{
    private readonly Workshop _shop = new(kilobytes: 512);

    public void Dispose() => _shop.Dispose();

    private static int Setting(string name, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out int value) ? value : otherwise;

    [Fact]
    public void Killed_at_any_moment_a_merge_leaves_no_wrong_output_and_goes_on()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the kill is SIGKILL");
        int kills = Setting("BUDWOOD_KILLS", 12), seed = Setting("BUDWOOD_KILL_SEED", 1);
        var dice = new Random(seed);
        var whole = Stopwatch.StartNew();
        IReadOnlyDictionary<string, string> reference = _shop.Reference();
        double length = whole.Elapsed.TotalMilliseconds;
        int killed = 0, before = 0, staged = 0, resumable = 0, finished = 0, completed = 0;
        bool force = false;
        IReadOnlyDictionary<string, string>? old = null;
        while (killed < kills)
        {
            // Every other output replaces one that stands there already.
            if (!Directory.Exists(_shop.Out) && _shop.Leftovers.Count == 0)
            {
                force = dice.Next(2) == 0;
                old = null;
                if (force)
                {
                    Directory.CreateDirectory(_shop.Out);
                    File.WriteAllText(Path.Join(_shop.Out, "old.txt"), "old");
                    old = Workshop.Files(_shop.Out);
                }
            }
            string[] more = force ? ["-q", "--force"] : ["-q"];
            // Half of the kills at moments of the whole run, half soon after so many shards were finished: a busy machine then does not keep runs from getting on.
            bool byTime = dice.Next(2) == 0;
            int wait = dice.Next(40), shards = dice.Next(Workshop.Shards + 1);
            using Process process = _shop.Start(more);
            var clock = Stopwatch.StartNew();
            if (byTime)
            {
                double moment = dice.NextDouble() * length * 1.05;
                while (!process.HasExited && clock.Elapsed.TotalMilliseconds < moment) Thread.Sleep(1);
            }
            else
            {
                Workshop.Until(process, () => _shop.Leftovers.Count > 0 && _shop.Journalled >= shards);
                var after = Stopwatch.StartNew();
                while (!process.HasExited && after.Elapsed.TotalMilliseconds < wait) Thread.Sleep(1);
            }
            bool ended = process.HasExited;
            process.Kill();
            process.WaitForExit();
            if (ended)
            {
                Assert.True(process.ExitCode == 0, process.StandardError.ReadToEnd());
                length = clock.Elapsed.TotalMilliseconds;
                completed++;
            }
            else
            {
                killed++;
                if (_shop.Leftovers.Count == 0) before++;
                else if (_shop.Journalled == 0) staged++;
                else resumable++;
            }
            // What stands there is the old output or the new one, to the last bit.
            if (Directory.Exists(_shop.Out))
            {
                IReadOnlyDictionary<string, string> found = Workshop.Files(_shop.Out);
                bool isNew = Same(found, reference);
                Assert.True(isNew || (old is not null && Same(found, old)), $"kill {killed} of seed {seed}: OUT is neither the old nor the new output");
                if (isNew)
                {
                    finished++;
                    // A kill after the release may leave the old output or an empty lock; the next run takes them away.
                    Directory.Delete(_shop.Out, recursive: true);
                    if (dice.Next(4) == 0) Complete(reference);
                    old = null;
                }
            }
            else Assert.True(!ended && !force, $"kill {killed} of seed {seed}: the old output is gone");
            if (dice.Next(5) == 0 && _shop.Leftovers.Count > 0) Complete(reference);
        }
        Complete(reference);
        string line = FormattableString.Invariant($"{killed} kills, seed {seed}, {whole.Elapsed.TotalSeconds:0} s: {before} before the folder was begun, {staged} before a shard was finished, {resumable} with finished shards to go on from; {completed} runs ended by themselves; {finished} outputs checked; 0 wrong");
        output.WriteLine(line);
        if (Environment.GetEnvironmentVariable("BUDWOOD_KILL_REPORT") is { } report) File.AppendAllText(report, line + "\n");

        void Complete(IReadOnlyDictionary<string, string> reference)
        {
            Ran ran = _shop.Merge("--force");
            Assert.True(ran.Exit == 0, ran.All);
            Assert.True(Same(Workshop.Files(_shop.Out), reference), $"seed {seed}, after kill {killed}: going on gave other bits\n{ran.Err}");
            Assert.Empty(_shop.Leftovers);
            Directory.Delete(_shop.Out, recursive: true);
            force = false;
            old = null;
            finished++;
        }
    }

    private static bool Same(IReadOnlyDictionary<string, string> one, IReadOnlyDictionary<string, string> other) =>
        one.Count == other.Count && one.All(p => other.TryGetValue(p.Key, out string? digest) && digest == p.Value);
}
