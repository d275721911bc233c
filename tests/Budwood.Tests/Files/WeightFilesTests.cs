using Budwood.Files;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Files;

public class WeightFilesTests
{
    private const string One = "model-00001-of-00002.safetensors", Two = "model-00002-of-00002.safetensors", Index = "model.safetensors.index.json";

    private static string Map(params (string Tensor, string Shard)[] lines) =>
        "{\"metadata\": {\"total_size\": 1}, \"weight_map\": {" + string.Join(",\n", lines.Select(l => $"\"{l.Tensor}\": \"{l.Shard}\"")) + "}}";

    private static TempFolder Sharded()
    {
        var folder = new TempFolder();
        folder.Write(One, Crafted.Vectors("b", "a"));
        folder.Write(Two, Crafted.Vectors("c"));
        folder.Write(Index, Map(("a", One), ("b", One), ("c", Two)));
        folder.Write("config.json", "{}");
        return folder;
    }

    private static Fault Refuses(TempFolder folder, string code, params string[] words) =>
        Crafted.Refuses(code, () => WeightFiles.Open(folder.Path).Dispose(), words);

    [Fact]
    public void Shards_with_an_index_open_sorted_by_name()
    {
        using TempFolder folder = Sharded();
        using WeightFiles weights = WeightFiles.Open(folder.Path);
        Assert.Equal(["a", "b", "c"], weights.Tensors.Select(t => t.Name));
        Assert.Equal([One, Two], weights.FileNames);
        Assert.Empty(weights.StrayFiles);
        Assert.Equal(24, weights.TotalBytes);
        Assert.True(weights.TryGet("c", out WeightTensor? c));
        Assert.EndsWith(Two, c.File.Path);
        byte[] bytes = new byte[4];
        c.Read(4, bytes);
        Assert.Equal([29, 36, 43, 50], bytes);
        Assert.Throws<ArgumentOutOfRangeException>(() => c.Read(5, bytes));
        Assert.False(weights.TryGet("d", out _));
    }

    [Fact]
    public void The_index_decides_and_the_rest_are_strays()
    {
        using TempFolder folder = Sharded();
        foreach (string name in (string[])["consolidated.safetensors", "model.safetensors", "adapter_model.safetensors", "pytorch_model.bin",
            "training_args.bin"]) folder.Write(name, "x");
        using WeightFiles weights = WeightFiles.Open(folder.Path);
        Assert.Equal(["adapter_model.safetensors", "consolidated.safetensors", "model.safetensors", "pytorch_model.bin"], weights.StrayFiles);
    }

    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("diffusion_pytorch_model.safetensors")]
    [InlineData("model-00001-of-00001.safetensors")]
    public void A_single_file_needs_no_index(string name)
    {
        using var folder = new TempFolder();
        folder.Write(name, Crafted.Vectors("a"));
        folder.Write("consolidated.safetensors", "x");
        folder.Write("adapter_model.safetensors", "x");
        using WeightFiles weights = WeightFiles.Open(folder.Path);
        Assert.Equal([name], weights.FileNames);
        using WeightFiles alone = WeightFiles.Open(folder[name]);
        Assert.Equal("a", Assert.Single(alone.Tensors).Name);
    }

    [Fact]
    public void Model_safetensors_wins_over_other_files()
    {
        using var folder = new TempFolder();
        folder.Write("model.safetensors", Crafted.Vectors("a"));
        folder.Write("other.safetensors", "x");
        using WeightFiles weights = WeightFiles.Open(folder.Path);
        Assert.Equal(["other.safetensors"], weights.StrayFiles);
    }

    [Fact]
    public void An_index_under_another_name_is_found()
    {
        using var folder = new TempFolder();
        folder.Write("unet-00001-of-00002.safetensors", Crafted.Vectors("a"));
        folder.Write("unet-00002-of-00002.safetensors", Crafted.Vectors("b"));
        folder.Write("unet.safetensors.index.json", Map(("a", "unet-00001-of-00002.safetensors"), ("b", "unet-00002-of-00002.safetensors")));
        using WeightFiles weights = WeightFiles.Open(folder.Path);
        Assert.Equal(2, weights.Tensors.Count);
        folder.Write("vae.safetensors.index.json", "{}");
        Refuses(folder, "BW2049", "unet.safetensors.index.json", "vae.safetensors.index.json");
    }

    [Fact]
    public void Several_files_without_an_index_are_listed()
    {
        using var folder = new TempFolder();
        folder.Write("x.safetensors", Crafted.Vectors("a"));
        folder.Write("y.safetensors", Crafted.Vectors("b"));
        Refuses(folder, "BW2049", "x.safetensors", "y.safetensors");
    }

    [Fact]
    public void Numbered_shards_without_an_index_ask_for_it()
    {
        using TempFolder folder = Sharded();
        File.Delete(folder[Index]);
        Refuses(folder, "BW2048", Index, One, Two);
    }

    [Fact]
    public void Missing_shards_are_listed_at_once()
    {
        using TempFolder folder = Sharded();
        File.Delete(folder[One]);
        File.Delete(folder[Two]);
        Refuses(folder, "BW2043", One, Two, "2 of 2", "download is incomplete");
        folder.Write("model.safetensors", Crafted.Vectors("a"));
        Refuses(folder, "BW2043", "delete the index");
    }

    [Theory]
    [InlineData("../outside/x.safetensors")]
    [InlineData("/etc/passwd")]
    [InlineData("sub/x.safetensors")]
    [InlineData("..")]
    [InlineData("C:x.safetensors")]
    [InlineData("..\\\\x.safetensors")]
    [InlineData("")]
    public void A_path_that_leads_out_of_the_folder_is_refused_as_written(string shard)
    {
        using TempFolder folder = Sharded();
        folder.Write(Index, Map(("a", One), ("b", One), ("c", shard)));
        Refuses(folder, "BW2042", $"'{shard.Replace("\\\\", "\\")}'", "'c'", "not opened");
    }

    [Fact]
    public void A_numbered_shard_that_the_index_never_mentions_is_refused_with_its_tensors()
    {
        using TempFolder folder = Sharded();
        folder.Write(Index, Map(("a", One), ("b", One)));
        Refuses(folder, "BW2044", Two, "never mentions", "1 tensors: c");
    }

    [Fact]
    public void A_tensor_that_its_shard_lacks_is_refused()
    {
        using TempFolder folder = Sharded();
        folder.Write(Index, Map(("a", One), ("b", One), ("c", Two), ("d", Two)));
        Refuses(folder, "BW2045", Two, "d");
        folder.Write(Index, Map(("a", One), ("b", Two), ("c", Two)));
        Refuses(folder, "BW2045", Two, "b");
    }

    [Fact]
    public void A_tensor_that_the_index_leaves_out_is_refused()
    {
        using TempFolder folder = Sharded();
        folder.Write(Index, Map(("b", One), ("c", Two)));
        Refuses(folder, "BW2046", One, "a");
    }

    [Fact]
    public void A_tensor_in_two_shards_is_refused()
    {
        using TempFolder folder = Sharded();
        folder.Write(Two, Crafted.Vectors("c", "a"));
        Refuses(folder, "BW2047", "'a'", One, Two);
    }

    [Fact]
    public void Damaged_shards_are_reported_together()
    {
        using TempFolder folder = Sharded();
        folder.Write(One, "");
        folder.Write(Two, Crafted.Vectors("c").AsSpan()[..^1]);
        Fault fault = Refuses(folder, "BW2016", One);
        Assert.Equal(["BW2016", "BW2017"], fault.All.Select(f => f.Code));
    }

    [Theory]
    [InlineData("{\n\"weight_map\": {\n\"a\": }}", "BW2040", Index + ":3")]
    [InlineData("{\"weight_map\": {\"a\": \"x\", \"a\": \"y\"}}", "BW2041", "'a' twice")]
    [InlineData("{\"weight_map\": {\"a\": \"x\"}, \"weight_map\": {}}", "BW2041", "'weight_map' twice")]
    [InlineData("{\"metadata\": {}}", "BW2040", "weight_map is missing")]
    [InlineData("{\"weight_map\": {}}", "BW2040", "weight_map is empty")]
    [InlineData("{\"weight_map\": [\"a\"]}", "BW2040", "not an object")]
    [InlineData("{\"weight_map\": {\"a\": 1}}", "BW2040", "'a' is not a string")]
    [InlineData("[]", "BW2040", "not a JSON object")]
    [InlineData("", "BW2040", "empty")]
    [InlineData("<html>", "BW2040", "HTML")]
    [InlineData("{\"weight_map\": {\"\\ud800\": \"a\"}}", "BW2040", "surrogate")]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 55\n", "BW2010", "git lfs pull")]
    public void A_damaged_index_says_what_is_wrong(string json, string code, string word)
    {
        using TempFolder folder = Sharded();
        folder.Write(Index, json);
        Refuses(folder, code, Index, word);
    }

    [Fact]
    public void An_index_with_a_byte_order_mark_is_read()
    {
        using TempFolder folder = Sharded();
        folder.Write(Index, "\uFEFF" + Map(("a", One), ("b", One), ("c", Two)));
        WeightFiles.Open(folder.Path).Dispose();
    }

    [Fact]
    public void A_missing_folder_suggests_its_siblings()
    {
        using TempFolder folder = Sharded();
        Directory.CreateDirectory(folder["mistral-7b"]);
        Crafted.Refuses("BW2001", () => WeightFiles.Open(folder["mistal-7b"]), "mistal-7b", "'mistral-7b'");
    }

    [Fact]
    public void An_adapter_is_named_as_one()
    {
        using var folder = new TempFolder();
        folder.Write("adapter_config.json", "{}");
        folder.Write("adapter_model.safetensors", Crafted.Vectors("a"));
        Refuses(folder, "BW2051", "adapter, not a model", "BASE+" + folder.Path);
    }

    private static byte[] Checkpoint(params string[] names)
    {
        Pickled pickle = Pickled.New.Op('}').Op('(');
        foreach (string name in names) pickle.Text(name).Tensor("0", 2, [2], [1]);
        return Torch.Zip(pickle.Op('u').End, ("data/0", Torch.Floats(2)));
    }

    [Theory]
    [InlineData("pytorch_model.bin")]
    [InlineData("other.bin")]
    [InlineData("weights.pt")]
    [InlineData("weights.pth")]
    public void Without_safetensors_the_checkpoint_of_torch_is_the_model(string name)
    {
        using var folder = new TempFolder();
        folder.Write(name, Checkpoint("b", "a"));
        foreach (string state in (string[])["training_args.bin", "optimizer.pt", "scheduler.pt", "rng_state_0.pth",
            "consolidated.00.pth"]) folder.Write(state, "x");
        using (WeightFiles weights = WeightFiles.Open(folder.Path))
        {
            Assert.Equal([name], weights.FileNames);
            Assert.Equal(["a", "b"], weights.Tensors.Select(t => t.Name));
            Assert.Equal(["consolidated.00.pth"], weights.StrayFiles);
        }
        using (WeightFiles alone = WeightFiles.Open(folder[name])) Assert.Equal(2, alone.Tensors.Count);
        folder.Write("model.safetensors", Crafted.Vectors("c"));
        using WeightFiles safe = WeightFiles.Open(folder.Path);
        Assert.Equal("c", Assert.Single(safe.Tensors).Name);
        Assert.Contains(name, safe.StrayFiles);
    }

    [Fact]
    public void Shards_of_torch_are_held_against_their_index()
    {
        const string First = "pytorch_model-00001-of-00002.bin", Second = "pytorch_model-00002-of-00002.bin", Map2 = "pytorch_model.bin.index.json";
        using var folder = new TempFolder();
        folder.Write(First, Checkpoint("a"));
        folder.Write(Second, Checkpoint("b"));
        Refuses(folder, "BW2048", Map2, First);
        folder.Write(Map2, Map(("a", First), ("b", Second)));
        using (WeightFiles weights = WeightFiles.Open(folder.Path)) Assert.Equal([First, Second], weights.FileNames);
        folder.Write("inputs.safetensors", Crafted.Vectors("x"));
        folder.Write("outputs.safetensors", Crafted.Vectors("y"));
        using (WeightFiles weights = WeightFiles.Open(folder.Path)) Assert.Equal(["inputs.safetensors", "outputs.safetensors"], weights.StrayFiles);
        File.Delete(folder["inputs.safetensors"]);
        File.Delete(folder["outputs.safetensors"]);
        folder.Write(Map2, Map(("a", First)));
        Refuses(folder, "BW2044", Second, "1 tensors: b");
        folder.Write(Map2, Map(("a", First), ("b", Second), ("c", Second)));
        Refuses(folder, "BW2045", Second, "c");
        File.Delete(folder[Second]);
        Refuses(folder, "BW2043", Second, "1 of 2");
    }

    [Fact]
    public void Several_checkpoints_of_torch_are_listed_and_those_of_an_adapter_are_not_a_model()
    {
        using var folder = new TempFolder();
        folder.Write("a.pt", Checkpoint("a"));
        folder.Write("b.pth", Checkpoint("a"));
        Refuses(folder, "BW2049", "a.pt", "b.pth");
        folder.Write("adapter_config.json", "{}");
        folder.Write("adapter_model.bin", Checkpoint("a"));
        Refuses(folder, "BW2051", "adapter");
    }

    [Fact]
    public void A_damaged_pickle_is_named_and_stubs_of_lfs_told_apart()
    {
        using var folder = new TempFolder();
        folder.Write("pytorch_model.bin", "PK\u0003\u0004");
        Refuses(folder, "BW2083", "pytorch_model.bin", "cut off");
        folder.Write("pytorch_model.bin", "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 55\n");
        Refuses(folder, "BW2010", "pytorch_model.bin", "55 bytes");
    }

    [Fact]
    public void A_folder_without_weights_says_what_it_holds_and_looks_inside()
    {
        using var folder = new TempFolder();
        Refuses(folder, "BW2050", "no files");
        folder.Write("config.json", "{}");
        Refuses(folder, "BW2050", "config.json");
        folder.Write("checkpoint-500/model.safetensors", Crafted.Vectors("a"));
        Refuses(folder, "BW2050", "checkpoint-500");
        folder.Write("consolidated.safetensors", Crafted.Vectors("a"));
        Refuses(folder, "BW2050", "consolidated.safetensors");
    }

    [Fact]
    public void Gguf_alone_is_named()
    {
        using var folder = new TempFolder();
        folder.Write("model-Q4.gguf", "GGUF");
        Refuses(folder, "BW2012", "model-Q4.gguf", "quantised");
    }

    [Fact]
    public void Links_of_the_hub_cache_are_followed()
    {
        if (OperatingSystem.IsWindows()) return;
        using var folder = new TempFolder();
        folder.Write("blobs/abc", Crafted.Vectors("a"));
        Directory.CreateDirectory(folder["snapshot"]);
        File.CreateSymbolicLink(folder["snapshot/model.safetensors"], "../blobs/abc");
        using WeightFiles weights = WeightFiles.Open(folder["snapshot"]);
        Assert.Single(weights.Tensors);
    }
}
