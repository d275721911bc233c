using System.Text.Json.Nodes;
using Budwood.Checkpoints.Audit;
using Budwood.Files;
using Budwood.Numbers;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Checkpoints.Audit;

public sealed class CheckTests : IDisposable
{
    private const string Up = "model.layers.1.mlp.up_proj.weight";
    private static readonly string[] s_tokens = [.. Enumerable.Range(0, 16).Select(i => $"t{i}")];
    private readonly TempFolder _temp = new();

    public void Dispose() => _temp.Dispose();

    private static CheckReport Run(string folder, bool values = true, DigestCache? cache = null) =>
        CheckpointCheck.Run(folder, new CheckOptions(2, Values: values, Cache: cache ?? new DigestCache(null)), TestContext.Current.CancellationToken);

    private static Finding Only(CheckReport report, string code, Severity severity, params string[] words)
    {
        Finding finding = Assert.Single(report.Findings, f => f.Code == code);
        Assert.Equal(severity, finding.Severity);
        foreach (string word in words) Assert.Contains(word, finding.ToString());
        return finding;
    }

    [Fact]
    public void A_sound_model_passes_with_a_word_on_who_loads_it()
    {
        TinyCheckpoint.Llama(_temp["m"], DType.BF16, shardBytes: 900);
        _temp.Write("m/tokenizer.json", TinyCheckpoint.Tokenizer(s_tokens, ("t15", 15)));
        CheckReport report = Run(_temp["m"]);
        Assert.True(report.Passed);
        Assert.Equal((0, 0), (report.Errors, report.Warnings));
        Only(report, "BW3508", Severity.Note, "transformers", "LlamaForCausalLM", "llama", "BF16 21");
        using WeightFiles files = WeightFiles.Open(_temp["m"]);
        Assert.Equal(Digests.Checkpoint(files.Tensors.Select(t => (t.Name, Digests.OfTensor(t)))), report.Digest);
        Assert.Single(report.Table().Rows);
    }

    [Fact]
    public void Everything_that_is_wrong_is_listed_at_once_errors_first()
    {
        TinyModel model = TinyCheckpoint.Llama().Edit(Up, v => v[5] = float.PositiveInfinity);
        model.Config["num_hidden_layers"] = 3;
        model.Config["torch_dtype"] = "float16";
        model.Config["eos_token_id"] = new JsonArray(2, 99);
        model.Write(_temp["m"]);
        _temp.Write("m/tokenizer.json", TinyCheckpoint.Tokenizer(s_tokens, ("<late>", 40)));
        _temp.Write("m/adapter_config.json", "{}");
        CheckReport report = Run(_temp["m"]);
        Assert.False(report.Passed);
        Assert.Equal(["BW3120", "BW3301", "BW3501", "BW3502"], report.Findings.Where(f => f.Severity == Severity.Error).Select(f => f.Code).Order());
        Assert.Equal(["BW3127", "BW3506"], report.Findings.Where(f => f.Severity == Severity.Warning).Select(f => f.Code).Order());
        Assert.Equal(report.Findings.Select(f => f.Severity).Order(), report.Findings.Select(f => f.Severity));
    }

    [Theory]
    [InlineData(DType.F32)]
    [InlineData(DType.F16)]
    [InlineData(DType.BF16)]
    [InlineData(DType.F64)]
    public void NaN_and_infinities_are_counted_by_kind(DType type)
    {
        TinyModel model = TinyCheckpoint.Llama(type).Edit(Up, v => (v[0], v[95], v[40]) = (float.NaN, float.NaN, float.NegativeInfinity));
        model.Write(_temp["m"]);
        Only(Run(_temp["m"]), "BW3301", Severity.Error, Up, "2 NaN and 1 infinity in 96 elements");
        Assert.True(Run(_temp["m"], values: false).Passed);
    }

    [Theory]
    [InlineData(DType.F8E4M3, "2 NaN and 0 infinities")]
    [InlineData(DType.F8E5M2, "2 NaN and 1 infinity")]
    public void Eight_bit_floats_have_NaN_too(DType type, string found)
    {
        TinyCheckpoint.Write(_temp["m"], "{\"model_type\": \"novel\"}", [new TinyTensor("x", type, new Shape(6), [0, 0x7F, 0xFF, 0x7C, 1, 0x3C])]);
        Only(Run(_temp["m"]), "BW3301", Severity.Error, "x", found);
    }

    [Fact]
    public void A_tied_head_that_differs_is_an_error_and_an_equal_one_is_not()
    {
        TinyModel model = TinyCheckpoint.Llama();
        model.Config["tie_word_embeddings"] = true;
        model.Write(_temp["different"]);
        Only(Run(_temp["different"]), "BW3129", Severity.Error, "lm_head.weight", "tie_word_embeddings");
        model["lm_head.weight"] = model["model.embed_tokens.weight"] with { Name = "lm_head.weight" };
        model.Write(_temp["equal"]);
        Assert.DoesNotContain(Run(_temp["equal"]).Findings, f => f.Severity != Severity.Note);
    }

    [Theory]
    [InlineData("added_tokens.json", "{\"<ghost>\": 17}")]
    [InlineData("tokenizer_config.json", "{\"added_tokens_decoder\": {\"17\": {\"content\": \"<ghost>\"}}}")]
    [InlineData("tokenizer.json", "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0, \"<ghost>\": 17}}}")]
    [InlineData("tokenizer.json",
        "{\"model\": {\"type\": \"Unigram\", \"vocab\": [[\"0\",0],[\"1\",0],[\"2\",0],[\"3\",0],[\"4\",0],[\"5\",0],[\"6\",0],[\"7\",0],[\"8\",0],"
        + "[\"9\",0],[\"10\",0],[\"11\",0],[\"12\",0],[\"13\",0],[\"14\",0],[\"15\",0],[\"16\",0],[\"<ghost>\",0]]}}")]
    [InlineData("vocab.json", "{\"a\": 0, \"<ghost>\": 17}")]
    [InlineData("vocab.txt", "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16\n<ghost>\n")]
    public void A_token_beyond_the_embedding_is_named_wherever_it_stands(string file, string text)
    {
        TinyCheckpoint.Llama(_temp["m"]);
        _temp.Write($"m/{file}", text);
        Only(Run(_temp["m"]), "BW3501", Severity.Error, "<ghost>", "17", "16 rows", file);
    }

    [Theory]
    [InlineData("config.json", "pad_token_id")]
    [InlineData("generation_config.json", "bos_token_id")]
    public void A_special_token_beyond_the_embedding_is_named(string file, string field)
    {
        TinyModel model = TinyCheckpoint.Llama();
        if (file == "config.json") model.Config[field] = 16;
        model.Write(_temp["m"]);
        if (file != "config.json") _temp.Write($"m/{file}", $"{{\"{field}\": 16}}");
        Only(Run(_temp["m"]), "BW3502", Severity.Error, file, field, "16 rows");
    }

    [Fact]
    public void A_negative_special_token_is_a_warning()
    {
        TinyModel model = TinyCheckpoint.Llama();
        model.Config["pad_token_id"] = -1;
        model.Write(_temp["m"]);
        Only(Run(_temp["m"]), "BW3512", Severity.Warning, "pad_token_id", "-1");
    }

    [Fact]
    public void Chat_templates_that_differ_are_named_and_the_winner_with_them()
    {
        TinyCheckpoint.Llama(_temp["m"]);
        _temp.Write("m/tokenizer_config.json",
            "{\"chat_template\": [{\"name\": \"tool\", \"template\": \"T\"}, {\"name\": \"default\", \"template\": \"A\"}]}");
        _temp.Write("m/chat_template.jinja", "A\n");
        Assert.DoesNotContain(Run(_temp["m"]).Findings, f => f.Code == "BW3503");
        _temp.Write("m/chat_template.jinja", "B");
        Only(Run(_temp["m"]), "BW3503", Severity.Warning, "chat_template.jinja, tokenizer_config.json", "chat_template.jinja wins");
    }

    [Fact]
    public void Code_and_stray_weights_are_said_and_never_touched()
    {
        TinyModel model = TinyCheckpoint.Llama();
        model.Config["auto_map"] = new JsonObject { ["AutoModel"] = "modeling_x.X" };
        model.Write(_temp["m"]);
        _temp.Write("m/modeling_x.py", "open('ran', 'w')");
        _temp.Write("m/pytorch_model.bin", "x");
        CheckReport report = Run(_temp["m"]);
        Assert.True(report.Passed);
        Only(report, "BW3504", Severity.Warning, "pytorch_model.bin");
        Only(report, "BW3505", Severity.Warning, "modeling_x.py", "never runs", "trust_remote_code");
    }

    [Fact]
    public void Packed_weights_are_said_and_not_held_against_the_table()
    {
        TinyModel model = TinyCheckpoint.Llama();
        model.Config["quantization_config"] = new JsonObject { ["quant_method"] = "gptq", ["bits"] = 4 };
        model.Tensors.RemoveAll(t => t.Name == Up);
        model.Tensors.Add(new TinyTensor(Up.Replace(".weight", ".qweight"), DType.I32, new Shape(1, 12), new byte[48]));
        model.Write(_temp["m"]);
        CheckReport report = Run(_temp["m"]);
        Assert.True(report.Passed);
        Only(report, "BW3507", Severity.Note, "GPTQ 4-bit");
    }

    [Fact]
    public void A_folder_without_configuration_does_not_pass_and_a_file_alone_does()
    {
        TinyCheckpoint.Write(_temp["m"], null, TinyCheckpoint.Llama().Tensors);
        Only(Run(_temp["m"]), "BW3002", Severity.Error, "config.json");
        Assert.True(Run(Path.Join(_temp["m"], "model.safetensors")).Passed);
    }

    [Fact]
    public void A_family_of_ours_is_loaded_by_us_alone()
    {
        TinyCheckpoint.Write(_temp["m"], "{\"model_type\": \"budwood_mlp\"}", TinyCheckpoint.Llama().Tensors);
        Only(Run(_temp["m"]), "BW3508", Severity.Note, "only Budwood", "budwood_mlp");
    }

    [Fact]
    public void A_folder_that_does_not_open_gives_every_fault_as_a_finding()
    {
        TinyCheckpoint.Llama(_temp["m"], shardBytes: 700);
        string[] shards = [.. Directory.GetFiles(_temp["m"], "model-*").Order()];
        File.WriteAllText(shards[0], "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 4\n");
        File.WriteAllText(shards[1], "");
        CheckReport report = Run(_temp["m"]);
        Assert.Equal(["BW2010", "BW2016"], report.Findings.Select(f => f.Code));
        Assert.Null(report.Digest);
    }

    [Fact]
    public void Malformed_side_files_are_findings_and_the_check_goes_on()
    {
        TinyModel model = TinyCheckpoint.Llama().Edit(Up, v => v[0] = float.NaN);
        model.Write(_temp["m"]);
        _temp.Write("m/tokenizer.json", "version https://git-lfs.github.com/spec/v1\nsize 4\n");
        CheckReport report = Run(_temp["m"]);
        Only(report, "BW3510", Severity.Error, "tokenizer.json", "git lfs pull");
        Only(report, "BW3301", Severity.Error);
    }

    [Fact]
    public void An_adapter_is_checked_as_one()
    {
        AdapterFolder.Write(_temp["a"], new JsonObject { ["base_model_name_or_path"] = null });
        CheckReport report = Run(_temp["a"]);
        Assert.True(report.Passed);
        Assert.NotNull(report.Digest);
        Only(report, "BW3542", Severity.Note, "lora", "q_proj, v_proj");
        Only(report, "BW3544", Severity.Warning, "base_model_name_or_path");
        AdapterFolder.Write(_temp["fresh"], trained: false);
        Only(Run(_temp["fresh"]), "BW3548", Severity.Warning, "changes nothing");
    }

    [Fact]
    public void A_check_leaves_digests_for_the_next_run()
    {
        TinyCheckpoint.Llama(_temp["m"]);
        CheckReport report = Run(_temp["m"], cache: new DigestCache(_temp["home"]));
        Assert.True(new DigestCache(_temp["home"]).TryGet(Path.Join(_temp["m"], "model.safetensors"), out IReadOnlyDictionary<string, Digest> digests));
        Assert.Equal(report.Digest, Digests.Checkpoint(digests.Select(d => (d.Key, d.Value))));
    }
}
