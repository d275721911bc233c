using System.Text;
using Budwood.Engine;
using Budwood.Methods;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Engine;

public sealed class StoreTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly List<string> _said = [];

    public void Dispose() => _folder.Dispose();

    private Store Open(long limit = 1_000_000) => new(_folder["store"], limit, _said.Add);

    private static StepKey Key(int value = 1, long seed = 0) => new("m", 1, new Dictionary<string, string> { ["value"] = $"{value}" }, new Dictionary<string, IReadOnlyList<string>> { ["in"] = ["xxh128:0"] }, seed, "f64");

    private static StepOutcome Write(string folder, string text = "hello", int bytes = 0)
    {
        byte[] content = [.. Encoding.UTF8.GetBytes(text), .. new byte[bytes]];
        File.WriteAllBytes(Path.Join(folder, "out.json"), content);
        return new StepOutcome([new StoredOutput("out", ArtifactKind.Table, "out.json", StoreEntry.Hash(content))]);
    }

    [Fact]
    public void What_was_made_is_found()
    {
        Assert.False(Open().GetOrMake(Key(), null, f => Write(f), default).Hit);
        (StoreEntry entry, bool hit) = Open().GetOrMake(Key(), null, _ => throw new InvalidOperationException(), default);
        Assert.True(hit);
        Assert.Equal("hello", File.ReadAllText(Path.Join(entry.Folder, "out.json")));
        Assert.Null(Open().Find(Key(2)));
        Assert.Null(Open().Find(Key(1, seed: 1)));
    }

    [Fact]
    public void A_poisoned_entry_is_made_again_and_said()
    {
        (StoreEntry entry, _) = Open().GetOrMake(Key(), null, f => Write(f), default);
        File.WriteAllText(Path.Join(entry.Folder, "out.json"), "hellp");
        Assert.False(Open().GetOrMake(Key(), null, f => Write(f), default).Hit);
        Assert.Contains(_said, s => s.Contains("damaged (out.json)", StringComparison.Ordinal));
        File.WriteAllText(Path.Join(entry.Folder, "entry.json"), "{");
        Assert.False(Open().GetOrMake(Key(), null, f => Write(f), default).Hit);
    }

    [Fact]
    public void A_fresh_run_takes_nothing_from_before_and_what_it_made_itself()
    {
        Open().GetOrMake(Key(), null, f => Write(f), default);
        DateTimeOffset now = DateTimeOffset.UtcNow;
        Assert.Null(Open().Find(Key(), now));
        Assert.False(Open().GetOrMake(Key(), now, f => Write(f), default).Hit);
        Assert.True(Open().GetOrMake(Key(), now, f => Write(f), default).Hit);
    }

    [Fact]
    public void Failures_are_not_kept()
    {
        Assert.Throws<InvalidOperationException>(() => Open().GetOrMake(Key(), null, _ => throw new InvalidOperationException(), default));
        Assert.False(Open().GetOrMake(Key(), null, f => Write(f), default).Hit);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder["store/work"]));
    }

    [Fact]
    public void What_a_killed_run_left_is_not_found_and_is_swept()
    {
        string left = _folder[$"store/work/{Key().Address}"];
        Store store = Open();
        Directory.CreateDirectory(left);
        File.WriteAllText(Path.Join(left, "half"), "x");
        Directory.CreateDirectory(_folder["store/work/0123"]);
        Assert.False(store.GetOrMake(Key(), null, f =>
        {
            Assert.Empty(Directory.EnumerateFileSystemEntries(f));
            return Write(f);
        }, default).Hit);
        store.Trim();
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder["store/work"]));
    }

    [Fact]
    public void What_was_used_longest_ago_goes_first_and_what_is_in_use_stays()
    {
        for (int i = 0; i < 4; i++)
        {
            (StoreEntry entry, _) = Open().GetOrMake(Key(i), null, f => Write(f, "x", 1000), default);
            File.SetLastWriteTimeUtc(Path.Join(entry.Folder, "entry.json"), DateTime.UtcNow.AddHours(i - 10));
        }
        Store store = Open(limit: 3000);
        Assert.NotNull(store.Find(Key(0)));
        store.Trim();
        Assert.NotNull(Open().Find(Key(0)));
        Assert.Null(Open().Find(Key(1)));
        Assert.NotNull(Open().Find(Key(3)));
    }

    [Fact]
    public void Why_a_step_was_missed_is_known()
    {
        Store store = Open();
        Assert.Equal("it never ran", store.WhyMissed("place", Key()));
        store.Remember("place", Key());
        Assert.Equal("parameter value changed", store.WhyMissed("place", Key(2)));
        Assert.Equal("seed changed", store.WhyMissed("place", Key(1, 5)));
        Assert.Equal("its output was removed", store.WhyMissed("place", Key()));
    }

    [Fact]
    public async Task Two_that_want_the_same_make_it_once()
    {
        int made = 0;
        using var both = new Barrier(2);
        await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
        {
            both.SignalAndWait();
            return Open().GetOrMake(Key(), null, f =>
            {
                Interlocked.Increment(ref made);
                Thread.Sleep(100);
                return Write(f);
            }, default);
        })));
        Assert.Equal(1, made);
    }
}
