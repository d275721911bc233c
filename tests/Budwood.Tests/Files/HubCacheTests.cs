using Budwood.Files;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Files;

public class HubCacheTests
{
    private const string Old = "1111111aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", New = "1111111bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    private static TempFolder Cache()
    {
        var folder = new TempFolder();
        folder.Write("models--org--tiny/refs/main", New);
        folder.Write("models--org--tiny/refs/refs/pr/1", Old + "\n");
        folder.Write($"models--org--tiny/snapshots/{Old}/model.safetensors", Crafted.Vectors("a"));
        folder.Write($"models--org--tiny/snapshots/{New}/model.safetensors", Crafted.Vectors("a"));
        folder.Write("models--gpt9/refs/main", Old);
        folder.Write($"models--gpt9/snapshots/{Old}/model.safetensors", Crafted.Vectors("a"));
        Directory.SetLastWriteTimeUtc(folder[$"models--org--tiny/snapshots/{Old}"], DateTime.UtcNow.AddDays(-1));
        return folder;
    }

    private static Fault Refuses(TempFolder cache, string code, string name, string? revision, params string[] words) =>
        Crafted.Refuses(code, () => new HubCache(cache.Path).Resolve(name, revision), words);

    [Theory]
    [InlineData("org/tiny", null, New)]
    [InlineData("org/tiny", "main", New)]
    [InlineData("org/tiny", "refs/pr/1", Old)]
    [InlineData("org/tiny", Old, Old)]
    [InlineData("org/tiny", "1111111a", Old)]
    [InlineData("gpt9", null, Old)]
    public void Branches_commits_and_their_first_digits_lead_to_a_snapshot(string name, string? revision, string commit)
    {
        using TempFolder cache = Cache();
        string path = new HubCache(cache.Path).Resolve(name, revision);
        Assert.Equal(commit, Path.GetFileName(path));
        WeightFiles.Open(path).Dispose();
    }

    [Fact]
    public void A_model_that_is_not_there_gets_the_line_that_downloads_it()
    {
        using TempFolder cache = Cache();
        Fault fault = Refuses(cache, "BW2070", "org/tinny", null, "'org/tiny'", "never downloads", cache.Path);
        Assert.EndsWith("hf download org/tinny", fault.Next);
        fault = Refuses(cache, "BW2070", "org/tinny", "v1.0");
        Assert.EndsWith("hf download org/tinny --revision v1.0", fault.Next);
        Crafted.Refuses("BW2070", () => new HubCache(cache.Path, offline: true).Resolve("org/else"), "HF_HUB_OFFLINE is set");
        Crafted.Refuses("BW2070", () => new HubCache(cache["nowhere"]).Resolve("org/tiny"), "nowhere");
    }

    [Theory]
    [InlineData("v2")]
    [InlineData("111111")]
    [InlineData("2222222")]
    public void A_revision_that_is_not_there_lists_those_that_are(string revision)
    {
        using TempFolder cache = Cache();
        Refuses(cache, "BW2070", "org/tiny", revision, $"'{revision}'", "main, refs/pr/1, 1111111aaaaa, 1111111bbbbb", $"--revision {revision}");
    }

    [Fact]
    public void Digits_that_begin_two_commits_are_refused()
    {
        using TempFolder cache = Cache();
        Refuses(cache, "BW2073", "org/tiny", "1111111", Old, New);
    }

    [Theory]
    [InlineData("../secret")]
    [InlineData("org/..")]
    [InlineData("org/../x")]
    [InlineData("a/b/c")]
    [InlineData("/etc")]
    [InlineData("org\\x")]
    [InlineData("org--tiny")]
    [InlineData("-rf/x")]
    [InlineData("org/x;ls")]
    [InlineData("org/x\n")]
    [InlineData("")]
    public void Names_that_lead_elsewhere_are_refused(string name)
    {
        using TempFolder cache = Cache();
        Refuses(cache, "BW2074", name, null);
    }

    [Theory]
    [InlineData("../../x")]
    [InlineData("/etc/passwd")]
    [InlineData("a//b")]
    [InlineData("-f")]
    [InlineData("main; ls")]
    [InlineData("")]
    public void Revisions_that_lead_elsewhere_are_refused(string revision)
    {
        using TempFolder cache = Cache();
        Refuses(cache, "BW2074", "org/tiny", revision);
    }

    [Theory]
    [InlineData("../../../elsewhere")]
    [InlineData("")]
    public void A_damaged_reference_is_not_followed(string text)
    {
        using TempFolder cache = Cache();
        cache.Write("models--org--tiny/refs/main", text);
        Refuses(cache, "BW2072", "org/tiny", null, "refs/main");
    }

    [Fact]
    public void Downloads_that_stopped_are_seen()
    {
        using TempFolder cache = Cache();
        cache.Write("models--org--tiny/blobs/abc.incomplete", "x");
        Refuses(cache, "BW2071", "org/tiny", null, "incomplete", "blobs/abc.incomplete", "hf download org/tiny");
        new HubCache(cache.Path).Resolve("org/tiny", Old);
        cache.Write("models--org--tiny/blobs/abc", "x");
        new HubCache(cache.Path).Resolve("org/tiny");

        cache.Write($"models--org--tiny/snapshots/{New}/model.safetensors.index.json",
            "{\"weight_map\": {\"a\": \"m-1.safetensors\", \"b\": \"model.safetensors\"}}");
        Refuses(cache, "BW2071", "org/tiny", null, "m-1.safetensors (1 of 2)");
        File.Delete(cache[$"models--org--tiny/snapshots/{New}/model.safetensors.index.json"]);
        cache.Write("models--org--tiny/refs/next", "3333333333333333333333333333333333333333");
        Refuses(cache, "BW2071", "org/tiny", "next", "not there");
        if (OperatingSystem.IsWindows()) return;
        File.CreateSymbolicLink(cache[$"models--org--tiny/snapshots/{New}/config.json"], "../../blobs/gone");
        Refuses(cache, "BW2071", "org/tiny", null, "config.json");
    }

    [Fact]
    public void A_cache_is_only_read()
    {
        using TempFolder cache = Cache();
        string[] before = Everything(cache.Path);
        new HubCache(cache.Path).Resolve("org/tiny");
        Refuses(cache, "BW2070", "org/other", null);
        Assert.Equal(before, Everything(cache.Path));
    }

    private static string[] Everything(string folder) =>
        [.. Directory.EnumerateFileSystemEntries(folder, "*", SearchOption.AllDirectories).Order().Select(f => $"{f} {File.GetLastWriteTimeUtc(f).Ticks}")];

    [Theory]
    [InlineData("/c", "HF_HUB_CACHE=/c", "HF_HOME=/h")]
    [InlineData("/h/hub", "HF_HOME=/h", "TRANSFORMERS_CACHE=/t")]
    [InlineData("/t", "TRANSFORMERS_CACHE=/t")]
    [InlineData("/x/huggingface/hub", "XDG_CACHE_HOME=/x")]
    [InlineData("/me/.cache/huggingface/hub")]
    [InlineData("/me/models", "HF_HUB_CACHE=~/models")]
    [InlineData("/me/.cache/huggingface/hub", "HF_HUB_CACHE=", "HF_HUB_OFFLINE=1")]
    public void Variables_of_hugging_face_are_honoured(string folder, params string[] variables)
    {
        Dictionary<string, string> set = variables.Append("HOME=/me").ToDictionary(v => v.Split('=')[0], v => v.Split('=')[1]);
        HubCache cache = HubCache.FromEnvironment(set.GetValueOrDefault);
        Assert.Equal(folder, cache.Folder);
        Assert.Equal(set.ContainsKey("HF_HUB_OFFLINE"), cache.Offline);
    }
}
