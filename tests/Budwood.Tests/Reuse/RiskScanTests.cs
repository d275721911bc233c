using System.Text.Json.Nodes;
using Budwood.Checkpoints;
using Budwood.Files;
using Budwood.Lab.Worlds;
using Budwood.Methods;
using Budwood.Numbers;
using Budwood.Reuse;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Reuse;

/// <summary>Every check of <c>risk_scan</c> on a folder that was built for it, and on models that people use.</summary>
public sealed class RiskScanTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static List<(string File, string Check, string Severity, string What, string Where)> Scan(string folder, params string[] trusted)
    {
        Table table = TestDesk.Run(new RiskScan(), new RiskScan.Parameters { Trusted = trusted }, 0, ("folder", Artifact.Of(ModelFolder.Open(folder))))["findings"].Table;
        return [.. table.Rows.Select(r => ((string)r[0]!, (string)r[1]!, (string)r[2]!, (string)r[3]!, (string)r[4]!))];
    }

    private string Model(Action<TinyModel>? edit = null, string name = "model")
    {
        TinyModel model = TinyCheckpoint.Llama(DType.F32, vocabulary: 400);
        edit?.Invoke(model);
        return model.Write(_folder[name]);
    }

    [Fact]
    public void A_sound_model_has_no_critical_finding_and_no_warning_but_the_licence()
    {
        var found = Scan(Model());
        Assert.Equal(["licence_missing"], found.Where(f => f.Severity != "note").Select(f => f.Check));
    }

    [Fact]
    public void Every_global_of_a_pickle_is_named_with_its_offset()
    {
        string folder = Model();
        byte[] pickle = [0x80, 0x02, .. "cos\nsystem\ncsubprocess\nPopen\nccollections\nOrderedDict\n."u8];
        _folder.Write("model/optimizer.pt", pickle);
        var found = Scan(folder).Where(f => f.Severity == "critical").ToList();
        Assert.Equal(2, found.Count);
        Assert.Contains("os.system", found[0].What, StringComparison.Ordinal);
        Assert.Equal("offset 2", found[0].Where);
        Assert.Contains("subprocess.Popen", found[1].What, StringComparison.Ordinal);
        Assert.Equal("offset 13", found[1].Where);
    }

    [Theory]
    [InlineData("notes.md", "cos\nsystem\n(S'true'\ntR.", true)] // protocol 0 has no mark: content decides
    [InlineData("notes.md", "c is a letter\nand so is d.\n", false)]
    [InlineData("weights.bin", "7z\u00bc\u00af is packed by another program", false)]
    public void Pickles_are_found_by_content_and_texts_are_not(string name, string text, bool critical)
    {
        string folder = Model();
        _folder.Write("model/" + name, text);
        var found = Scan(folder);
        Assert.Equal(critical, found.Any(f => f.Severity == "critical"));
        if (name.EndsWith(".bin", StringComparison.Ordinal)) Assert.Contains(found, f => f.Check == "pickle_form" && f.File == name);
    }

    [Fact]
    public void The_corpus_is_told_apart_whole()
    {
        Table table = TestDesk.Run(new PickleCorpusTrial(), new PickleCorpusTrial.Parameters(), 0)["files"].Table;
        Assert.Equal(52, table.Rows.Count);
        Assert.Empty(table.Rows.Where(r => (long)r[4]! != 0).Select(r => $"{r[0]}: {r[3]}, expected {r[2]}: {r[5]}"));
        Assert.Equal(20, table.Texts("kind").Count(k => k == "hostile"));
        Assert.Equal(20, table.Texts("kind").Count(k => k == "benign"));
        Assert.Equal(12, table.Texts("kind").Count(k => k == "malformed"));
    }

    // A state dict of the corpus is one that the reader of weights reads: benign is not merely what the walk lets pass.
    [Fact]
    public void The_benign_files_of_the_corpus_are_read_as_weights()
    {
        foreach ((string name, byte[] bytes) in PickleCorpusTrial.Benign())
        {
            using PickleFile file = PickleFile.Open(new MemorySource(bytes, name));
            Assert.Equal("layer.weight", Assert.Single(file.Tensors).Name);
        }
    }

    [Fact]
    public void Any_bytes_are_walked_without_an_exception()
    {
        byte[][] seeds = [.. PickleCorpusTrial.Hostile().Concat(PickleCorpusTrial.Benign()).Concat(PickleCorpusTrial.Malformed()).Select(f => f.Bytes)];
        var random = new Budwood.Numbers.Random.RandomStream(5, "fuzz");
        for (int i = 0; i < 3000; i++)
        {
            byte[] bytes = [.. seeds[random.Below(seeds.Length)]];
            for (int k = 0; k < 1 + (i % 4); k++) bytes[random.Below(bytes.Length)] = (byte)random.Bits();
            if (i % 5 == 0) bytes = bytes[..random.Below(bytes.Length)];
            string name = ((string[])["a.bin", "a.safetensors", "a.pt", "a.pkl", "a"])[i % 5];
            Assert.NotNull(FormatScan.Of(new MemorySource(bytes, name), name));
        }
    }

    // 'G' is the instruction for a float: eight bytes behind it the pickle goes on.
    [Theory]
    [InlineData("GGUF\0\0\0\0\0cos\nsystem\n(S'true'\ntR.")]
    [InlineData("\u0001")]
    public void The_mark_of_another_format_hides_no_pickle(string text)
    {
        byte[] bytes = text.Length > 1 ? System.Text.Encoding.ASCII.GetBytes(text) : [0x80, 0x02, (byte)'X', 2, 0, 0, 0, (byte)' ', (byte)'{', .. "cos\nsystem\n."u8];
        Assert.Contains(FormatScan.Of(new MemorySource(bytes, "model.bin"), "model.bin"), f => f.Check == "pickle_global" && f.What.Contains("os.system", StringComparison.Ordinal));
    }

    [Fact]
    public void Code_and_auto_map_are_warnings()
    {
        string folder = Model(m => m.Config["auto_map"] = new JsonObject { ["AutoModel"] = "somebody/code--modeling.Model" });
        _folder.Write("model/modeling.py", "print('never run')");
        string[] checks = [.. Scan(folder).Where(f => f.Severity == "warning").Select(f => f.Check)];
        Assert.Equal(2, checks.Count(c => c == "custom_code"));
        Assert.Contains("mutable_revision", checks);
    }

    [Fact]
    public void A_torchscript_archive_is_a_program()
    {
        string folder = Model();
        using var memory = new MemoryStream();
        using (var zip = new System.IO.Compression.ZipArchive(memory, System.IO.Compression.ZipArchiveMode.Create, leaveOpen: true))
        {
            using (Stream s = zip.CreateEntry("m/constants.pkl", System.IO.Compression.CompressionLevel.NoCompression).Open()) s.Write([0x80, 0x02, (byte)')', (byte)'.']);
            using (Stream s = zip.CreateEntry("m/code/a.py", System.IO.Compression.CompressionLevel.NoCompression).Open()) s.Write("def f(): pass"u8);
        }
        _folder.Write("model/traced.pt", memory.ToArray());
        Assert.Contains(Scan(folder), f => f.Check == "torchscript" && f.Severity == "warning");
    }

    [Fact]
    public void Values_that_are_not_finite_zeros_and_twins_are_found()
    {
        string folder = Model(m =>
        {
            m.Edit("model.norm.weight", v => (v[0], v[1], v[2]) = (float.NaN, float.PositiveInfinity, float.NaN));
            m.Edit("model.layers.0.mlp.up_proj.weight", v => Array.Clear(v));
            float[] embedding = m["model.embed_tokens.weight"].Values();
            m.Edit("lm_head.weight", v => embedding.CopyTo(v, 0));
        });
        var found = Scan(folder);
        Assert.Contains(found, f => f.Check == "not_finite" && f.Where == "model.norm.weight" && f.What == "2 NaN and 1 infinities");
        Assert.Contains(found, f => f.Check == "all_zero" && f.Where == "model.layers.0.mlp.up_proj.weight");
        Assert.Contains(found, f => f.Check == "twin_tensors" && f.Where == "model.embed_tokens.weight" | f.Where == "lm_head.weight");
    }

    [Fact]
    public void A_payload_is_seen_in_a_pattern_and_not_in_noise()
    {
        var random = new Budwood.Numbers.Random.RandomStream(1, "payload");
        string folder = Model(m =>
        {
            for (int i = 0; i < m.Tensors.Count; i++)
                m.Tensors[i] = m.Tensors[i].With(v =>
                {
                    for (int k = 0; k < v.Length; k++) v[k] = BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits((float)random.Normal()) & 0xFFFF0000);
                });
        });
        Assert.DoesNotContain(Scan(folder), f => f.Check == "hidden_payload" && f.Severity == "warning");
        string carrying = Model(m =>
        {
            for (int i = 0; i < m.Tensors.Count; i++)
                m.Tensors[i] = m.Tensors[i].With(v =>
                {
                    for (int k = 0; k < v.Length; k++) v[k] = BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits((float)random.Normal()) & 0xFFFF0000);
                });
            m.Edit("lm_head.weight", v => PayloadTrial.Hide(v, 0.1, random));
        }, "carrying");
        var found = Scan(carrying).Single(f => f.Check == "hidden_payload" && f.Severity == "warning");
        Assert.Equal("lm_head.weight", found.Where);
    }

    [Theory]
    [InlineData("meta-llarna/llama", "meta-llama/llama", true)]
    [InlineData("g\u043e\u043egle", "google", true)] // two Cyrillic letters
    [InlineData("micorsoft", "microsoft", true)]
    [InlineData("google", "google", false)]
    [InlineData("bert", "gpt2", false)]
    [InlineData("mistralai", "microsoft", false)]
    public void Names_that_may_be_mistaken_are_told(string name, string trusted, bool mistakable) => Assert.Equal(mistakable, NameLikeness.Mistakable(name, trusted) is not null);

    [Fact]
    public void A_folder_of_a_look_alike_name_is_warned_of()
    {
        Model(name: "microsft/phi");
        Assert.Contains(Scan(_folder["microsft/phi"], "microsoft", "google"), f => f.Check == "name_squatting" && f.What.Contains("'microsoft'", StringComparison.Ordinal));
    }

    [Fact]
    public void Licences_are_held_against_each_other()
    {
        string folder = Model();
        _folder.Write("model/README.md", "---\nlicense: mit\nbase_model: a/b\n---\n# Model\n");
        _folder.Write("model/LICENSE", "                 Apache License\n           Version 2.0, January 2004\n");
        var found = Scan(folder);
        Assert.Contains(found, f => f.Check == "licence_conflict" && f.Where == "README.md line 2");
        Assert.Contains(found, f => f.Check == "mutable_revision" && f.Where == "line 3");
    }

    [Fact]
    public void Published_models_have_no_critical_finding()
    {
        foreach (string model in Directory.EnumerateDirectories(Shared.Path("real/models")))
        {
            var found = Scan(model);
            Assert.Empty(found.Where(f => f.Severity == "critical").Select(f => $"{model}: {f.What}"));
            // Trained in float32: nothing can be told, and nothing is claimed. (Of the embedding model's positions a quarter was trained on.)
            if (model.Contains("stories", StringComparison.Ordinal)) Assert.DoesNotContain(found, f => f.Check == "hidden_payload" && f.Severity == "warning");
        }
    }

    [Theory]
    [InlineData("file-pickle-code", "pickle_global")]
    [InlineData("file-offset-past-end", "safetensors_header")]
    [InlineData("file-shape-lies", "safetensors_header")]
    [InlineData("file-aliased-tensors", "safetensors_header")]
    public void Cases_from_practice_are_critical(string name, string check) =>
        Assert.Contains(Scan(Shared.Path("cases/" + name)), f => f.Severity == "critical" && f.Check == check);

    [Fact]
    public void The_content_of_a_folder_is_its_names_and_bytes()
    {
        string folder = Model();
        string first = FolderScan.Open(folder).Digest().ToString();
        Assert.Equal(first, FolderScan.Open(folder, "another label").Digest().ToString());
        _folder.Write("model/sub/a.txt", "a");
        string second = FolderScan.Open(folder).Digest().ToString();
        Assert.NotEqual(first, second);
        File.Move(_folder["model/sub/a.txt"], _folder["model/sub/b.txt"]);
        Assert.NotEqual(second, FolderScan.Open(folder).Digest().ToString());
        Assert.Throws<Fault>(() => FolderScan.Open(_folder["nowhere"]));
    }
}
