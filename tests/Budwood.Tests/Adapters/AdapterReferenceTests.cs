using System.Text.Json.Nodes;
using Budwood.Adapters;
using Budwood.Checkpoints;
using Budwood.Engine;
using Budwood.Files;
using Budwood.Numbers;
using Budwood.Recipes;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Adapters;

/// <summary>Models with adapters where merge files name models.</summary>
public sealed class AdapterReferenceTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private const string Only = "merge_method: linear\nmodels: [{model: base+adapter, parameters: {weight: 1}}]\n";

    private RunOutcome Merge(string yaml, string output = "out", int threads = 2, params string[] allow)
    {
        _folder.Write("merge.yml", yaml);
        return Goldens.Merge(_folder["merge.yml"], _folder[output], threads: threads, allow: allow);
    }

    private Fault Refused(string yaml)
    {
        var fault = Assert.Throws<Fault>(() => Merge(yaml));
        Assert.False(Directory.Exists(_folder["out"]));
        return fault;
    }

    private void Write(DType type = DType.F32, bool tied = false, Action<TinyAdapter>? edit = null)
    {
        TinyCheckpoint.Llama(_folder["base"], type, tied: tied);
        TinyAdapter adapter = TinyAdapter.Llama();
        edit?.Invoke(adapter);
        adapter.Write(_folder["adapter"]);
    }

    [Theory]
    [InlineData("hub/name@v1+other/adapter@main", "hub/name", "v1", "other/adapter", "main")]
    [InlineData("a+b", "a", null, "b", null)]
    [InlineData("./a+./b", "./a", null, "./b", null)]
    [InlineData("a@b", "a", "b", null, null)]
    [InlineData("plain", "plain", null, null, null)]
    public void A_reference_has_a_model_and_may_have_an_adapter(string text, string path, string? revision, string? adapter, string? adapterRevision)
    {
        var reference = ModelReference.Parse(text, _ => false);
        Assert.Equal((path, revision, adapter, adapterRevision), (reference.Path, reference.Revision, reference.Adapter, reference.AdapterRevision));
    }

    [Fact]
    public void Folders_with_a_plus_in_their_names_are_found()
    {
        Assert.Equal("c++", ModelReference.Parse("c+++lora", p => p == "c++").Path);
        Assert.Equal("lora+x", ModelReference.Parse("m+lora+x", p => p is "m" or "lora+x").Adapter);
        Assert.Equal("BW1129", Assert.Throws<Fault>(() => ModelReference.Parse("a+b+c", _ => false)).Code);
        Assert.Equal("BW1128", Assert.Throws<Fault>(() => ModelReference.Parse("a+", _ => false)).Code);
    }

    [Fact]
    public void The_receipt_compares_with_the_model_as_stored_and_names_both_parents()
    {
        Write();
        RunOutcome outcome = Merge(Only);
        Assert.Equal(("base", 4, 17, 0), (outcome.Receipt.Reference, outcome.Receipt.Changed, outcome.Receipt.Same, outcome.Receipt.Added));
        Assert.Equal(["base", "adapter"], outcome.Parents.Select(p => p.Label));
        using WeightFiles stored = WeightFiles.Open(_folder["base"]);
        Assert.Equal(Digests.Checkpoint(stored.Tensors.Select(t => (t.Name, Digests.OfTensor(t)))), outcome.Parents[0].Digest);
        Assert.Contains("lora, r 2, alpha 4, 4 modules", File.ReadAllText(Path.Join(_folder["out"], "run.json")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DType.F32)]
    [InlineData(DType.BF16)]
    public void Threads_and_the_way_it_is_written_do_not_change_a_bit(DType type)
    {
        Write(type);
        Digest one = Merge(Only, "a", threads: 1).Receipt.Digest;
        Assert.Equal(one, Merge(Only, "b", threads: 3).Receipt.Digest);
        Assert.Equal(one, Merge("merge_method: passthrough\nmodels: [{model: base+adapter}]\n", "c").Receipt.Digest);
        Assert.Equal(one, Merge("merge_method: passthrough\nslices: [{sources: [{model: base+adapter, layer_range: [0, 2]}]}]\n", "d").Receipt.Digest);
        Assert.Equal(one, Merge("merge_method: ties\nbase_model: base+adapter\nmodels: [{model: base+adapter}]\n", "e").Receipt.Digest);
        Assert.Equal(one, Merge("merge_method: stack\nmodels: [{model: base+adapter}]\nparameters: {factor: 1}\n", "f").Receipt.Digest);
    }

    [Fact]
    public void A_task_vector_over_the_base_gives_the_sum_back()
    {
        Write();
        Digest one = Merge(Only, "a").Receipt.Digest;
        _ = Merge("merge_method: ties\nbase_model: base\nmodels: [{model: base+adapter, parameters: {weight: 1, density: 1}}]\nparameters: {normalize: true}\n", "b");
        using WeightFiles a = WeightFiles.Open(_folder["a"]), b = WeightFiles.Open(_folder["b"]);
        for (int i = 0; i < a.Tensors.Count; i++)
        {
            float[] x = Goldens.Read((SafetensorsFile)a.Tensors[i].File, a.Tensors[i].Entry), y = Goldens.Read((SafetensorsFile)b.Tensors[i].File, b.Tensors[i].Entry);
            for (int k = 0; k < x.Length; k++) Assert.Equal(x[k], y[k], 1e-6f);
        }
        Assert.NotEqual(default, one);
    }

    [Fact]
    public void An_untrained_adapter_is_not_released_even_where_a_copy_may_be()
    {
        Write(edit: a =>
        {
            for (int i = 0; i < a.Tensors.Count; i++) if (a.Tensors[i].Name.Contains("lora_B", StringComparison.Ordinal)) a.Tensors[i] = a.Tensors[i].With(v => Array.Clear(v));
        });
        foreach (string yaml in (string[])[Only, "merge_method: passthrough\nmodels: [{model: base+adapter}]\n"])
        {
            Fault fault = Refused(yaml);
            Assert.Equal(("BW4001", ExitCode.NothingChanged), (fault.Code, fault.Exit));
            Assert.Contains("the adapter changes nothing", fault.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Modules_that_were_trained_whole_replace_and_untie()
    {
        Write(DType.BF16, tied: true, edit: a =>
        {
            a.Config["modules_to_save"] = new JsonArray("embed_tokens", "lm_head");
            a.Add("model.embed_tokens.weight", DType.F32, 11, 16, 8);
            a.Add("lm_head.weight", DType.F32, 12, 16, 8);
        });
        RunOutcome outcome = Merge(Only);
        Assert.Equal(1, outcome.Receipt.Added);
        using Checkpoint made = Checkpoint.Open(_folder["out"]);
        Assert.False(made.Config!.TiesEmbeddings);
        Assert.True(made.TryGet("lm_head.weight", out CheckpointTensor? head));
        Assert.True(made.TryGet("model.embed_tokens.weight", out CheckpointTensor? embed));
        Assert.Equal(DType.BF16, head.DType);
        Assert.NotEqual(TinyAdapter.Bytes(head), TinyAdapter.Bytes(embed));
    }

    [Fact]
    public void New_tokens_bring_rows_vocabulary_and_tokenizer()
    {
        Write(edit: a =>
        {
            a.Config["modules_to_save"] = new JsonArray("embed_tokens", "lm_head");
            a.Add("model.embed_tokens.weight", DType.F32, 11, 18, 8);
            a.Add("lm_head.weight", DType.F32, 12, 18, 8);
        });
        _folder.Write("base/tokenizer.json", TinyCheckpoint.Tokenizer(["a"]));
        _folder.Write("base/added_tokens.json", "{}");
        string own = TinyCheckpoint.Tokenizer(["a", "b"]);
        _folder.Write("adapter/tokenizer.json", own);
        RunOutcome outcome = Merge(Only);
        Assert.Equal((16L, 18L), outcome.Receipt.Vocabulary);
        Assert.Equal(own, File.ReadAllText(Path.Join(_folder["out"], "tokenizer.json")));
        Assert.False(File.Exists(Path.Join(_folder["out"], "added_tokens.json")));
        using Checkpoint made = Checkpoint.Open(_folder["out"]);
        Assert.True(made.Config!.TryInt("vocab_size", out long vocabulary));
        Assert.Equal(18, vocabulary);
    }

    [Fact]
    public void A_head_that_stays_shorter_than_the_embedding_is_refused()
    {
        Write(edit: a =>
        {
            a.Config["modules_to_save"] = new JsonArray("embed_tokens");
            a.Add("model.embed_tokens.weight", DType.F32, 11, 18, 8);
        });
        Assert.Equal(("BW3417", ExitCode.Input), (Refused(Only).Code, Refused(Only).Exit));
    }

    [Fact]
    public void The_same_adapter_twice_is_one_model_and_another_is_not()
    {
        Write();
        TinyAdapter.Llama(seed: 9).Write(_folder["second"]);
        Fault fault = Refused("merge_method: linear\nmodels: [{model: base+adapter, parameters: {weight: 1}}, {model: ./base+adapter, parameters: {weight: 1}}]\n");
        Assert.Equal("BW1120", fault.Code);
        RunOutcome outcome = Merge("merge_method: linear\nmodels: [{model: base+adapter, parameters: {weight: 1}}, {model: base+second, parameters: {weight: 1}}]\n");
        Assert.Equal(["base", "adapter", "second"], outcome.Parents.Select(p => p.Label));
        Assert.Equal(4, outcome.Receipt.Changed);
    }

    [Fact]
    public void An_output_that_is_the_adapters_folder_is_refused()
    {
        Write();
        Assert.Equal(ExitCode.Usage, Assert.Throws<Fault>(() => Merge(Only, "adapter")).Exit);
    }

    [Fact]
    public void A_small_budget_suffices_for_a_wide_adapter()
    {
        Write();
        using Checkpoint sum = TinyAdapter.Sum(_folder["base"], _folder["adapter"]);
        Assert.True(sum.TryGet("model.layers.0.self_attn.q_proj.weight", out CheckpointTensor? tensor));
        using var pool = new BufferPool();
        using (TensorReader reader = tensor.Source.Open(pool)) reader.Fetch(0, 64);
        Assert.InRange(pool.PeakBytes, 1, tensor.Source.BufferBytes(64));
    }

    [Fact]
    public void An_adapter_where_a_model_should_be_is_said_to_need_a_base()
    {
        Write();
        Fault fault = Refused("merge_method: linear\nmodels: [{model: adapter, parameters: {weight: 1}}]\n");
        Assert.Equal(ExitCode.Input, fault.Exit);
        Assert.Contains("BASE+", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("peft_type", "\"VERA\"", "BW1407", ExitCode.Usage)]
    [InlineData("layer_replication", "[[0, 2]]", "BW1406", ExitCode.Usage)]
    [InlineData("a_new_variant", "true", "BW1405", ExitCode.Usage)]
    [InlineData("r", "0", "BW1404", ExitCode.Usage)]
    [InlineData("r", "3", "BW3415", ExitCode.Input)]
    [InlineData("bias", "\"some\"", "BW1404", ExitCode.Usage)]
    [InlineData("target_modules", "\"(\"", "BW1408", ExitCode.Usage)]
    [InlineData("target_modules", "[\"q_proj\"]", "BW3406", ExitCode.Input)]
    [InlineData("target_modules", "[\"q_proj\", \"v_proj\", \"k_proj\"]", "BW3410", ExitCode.Input)]
    [InlineData("rank_pattern", "{\"o_proj\": 2}", "BW1409", ExitCode.Usage)]
    [InlineData("layers_to_transform", "[0, 9]", "BW3409", ExitCode.Input)]
    [InlineData("use_dora", "true", "BW3411", ExitCode.Input)]
    [InlineData("init_lora_weights", "\"pissa_niter_4\"", "BW3403", ExitCode.Input)]
    [InlineData("modules_to_save", "[\"lm_head\"]", "BW3410", ExitCode.Input)]
    [InlineData("trainable_token_indices", "[1]", "BW3414", ExitCode.Input)]
    public void A_field_that_cannot_be_is_refused_by_name(string field, string value, string code, ExitCode exit)
    {
        Write(edit: a => a.Config[field] = JsonNode.Parse(value));
        Fault fault = Refused(Only);
        Assert.Equal((code, exit), (fault.Code, fault.Exit));
        if (exit == ExitCode.Usage) Assert.Contains(field, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fields_that_are_off_are_read_past_and_said()
    {
        Write(edit: a => a.Config["a_future_option"] = null);
        using Checkpoint sum = TinyAdapter.Sum(_folder["base"], _folder["adapter"]);
        Assert.Contains(sum.Added!.Notes, n => n.Contains("a_future_option", StringComparison.Ordinal));
    }

    [Fact]
    public void A_folder_without_configuration_or_weights_is_named()
    {
        Write();
        File.Delete(_folder["adapter/adapter_model.safetensors"]);
        Assert.Equal("BW3401", Assert.Throws<Fault>(() => Adapter.Open(_folder["adapter"])).Code);
        File.Delete(_folder["adapter/adapter_config.json"]);
        Assert.Equal(("BW1401", ExitCode.Usage), Assert.Throws<Fault>(() => Adapter.Open(_folder["adapter"])) is { } f ? (f.Code, f.Exit) : default);
    }

    [Fact]
    public void Whole_tensors_must_be_named_by_modules_to_save()
    {
        Write(edit: a => a.Add("model.norm.weight", DType.F32, 1, 8));
        Assert.Equal("BW3407", Refused(Only).Code);
    }

    [Fact]
    public void A_quantised_model_takes_no_adapter()
    {
        TinyModel model = TinyCheckpoint.Llama();
        model.Config["quantization_config"] = new JsonObject { ["quant_method"] = "gptq", ["bits"] = 4 };
        model.Write(_folder["base"]);
        TinyAdapter.Llama().Write(_folder["adapter"]);
        Assert.Equal("BW3402", Refused(Only).Code);
    }
}
