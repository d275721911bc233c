using System.Text.Json.Nodes;
using Budwood.Checkpoints;
using Budwood.Inspect;
using Budwood.Methods;
using Budwood.Numbers;
using Budwood.Tests.Files;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Inspect;

public sealed class InspectTests : IDisposable
{
    private readonly TempFolder _temp = new();

    public void Dispose() => _temp.Dispose();

    private static Table Of(string folder, InspectBy by = InspectBy.Tensor, string? filter = null) => Inspection.Of(folder, new() { By = by, Filter = filter });

    private static string Notes(Table table) => string.Join('\n', table.Notes);

    [Fact]
    public void A_table_has_a_row_a_tensor_in_the_order_of_the_model()
    {
        string folder = TinyCheckpoint.Llama(_temp["m"], DType.BF16, layers: 11, shardBytes: 2000);
        Table table = Of(folder);
        string[] names = [.. table.Rows.Select(r => (string)r[0]!)];
        Assert.Equal(3 + (9 * 11), names.Length);
        Assert.Equal("model.embed_tokens.weight", names[0]);
        Assert.True(Array.IndexOf(names, "model.layers.2.mlp.up_proj.weight") < Array.IndexOf(names, "model.layers.10.mlp.up_proj.weight"));
        Assert.Equal("lm_head.weight", names[^1]);
        object?[] row = table.Rows[Array.IndexOf(names, "model.layers.3.self_attn.k_proj.weight")];
        Assert.Equal(["model.layers.3.self_attn.k_proj.weight", "k", 3L, "BF16", "[4, 8]", 32L, 64L], row);
        Assert.Equal("B", table.Columns[^1].Unit);
        Assert.Contains(" shards", Notes(table));
    }

    [Theory]
    [InlineData(InspectBy.Layer, 3)]
    [InlineData(InspectBy.Role, 10)]
    [InlineData(InspectBy.Dtype, 2)]
    public void Sums_by_layer_role_and_dtype_add_up_to_the_whole(InspectBy by, int rows)
    {
        TinyModel model = TinyCheckpoint.Llama();
        model["model.norm.weight"] = model["model.norm.weight"].As(DType.F16);
        Table all = Of(model.Write(_temp["m"])), table = Of(_temp["m"], by);
        Assert.Equal(rows, table.Rows.Count);
        int tensors = by == InspectBy.Role ? 2 : 1;
        Assert.Equal(all.Rows.Count, table.Rows.Sum(r => (long)r[tensors]!));
        Assert.Equal(all.Rows.Sum(r => (long)r[5]!), table.Rows.Sum(r => (long)r[tensors + 1]!));
        Assert.Equal(all.Rows.Sum(r => (long)r[6]!), table.Rows.Sum(r => (long)r[tensors + 2]!));
        Assert.Equal(100, table.Rows.Sum(r => (double)r[tensors + 3]!), 1e-9);
        if (by == InspectBy.Layer) Assert.Equal("outside", table.Rows[^1][0]);
    }

    [Fact]
    public void Notes_say_what_a_person_asks_first()
    {
        TinyModel model = TinyCheckpoint.Llama(tied: true);
        model.Config["torch_dtype"] = "bfloat16";
        model.Tensors.Add(new TinyTensor("model.layers.0.self_attn.rotary_emb.inv_freq", DType.F32, new Shape(2), new byte[8]));
        model.Write(_temp["m"]);
        _temp.Write("m/consolidated.safetensors", Crafted.Vectors("x"));
        _temp.Write("m/modeling_llama.py", "raise SystemExit");
        _temp.Write("m/tokenizer.json", "{}");
        _temp.Write("m/tokenizer_config.json", "{\"chat_template\": \"x\"}");
        string notes = Notes(Of(_temp["m"]));
        Assert.Contains("family: llama (LlamaForCausalLM), 2 layers", notes);
        Assert.Contains("parameters: 1.13 k in 21 tensors, 4.52 kB, model.safetensors", notes);
        Assert.Contains("dtypes: F32; torch_dtype of config.json says bfloat16", notes);
        Assert.Contains("tied: lm_head.weight is model.embed_tokens.weight", notes);
        Assert.Contains("buffers: model.layers.0.self_attn.rotary_emb.inv_freq", notes);
        Assert.Contains("not part of the model: consolidated.safetensors, modeling_llama.py (code is never run)", notes);
        Assert.Contains("tokenizer: tokenizer.json; chat template in tokenizer_config.json", notes);
        Assert.Contains("4.51 kB in float32", notes);
    }

    [Fact]
    public void A_family_outside_the_tables_is_matched_by_name()
    {
        TinyModel model = TinyCheckpoint.Llama();
        model.Config["model_type"] = "novel";
        model.Config["architectures"] = new JsonArray("NovelForCausalLM");
        Table table = Of(model.Write(_temp["m"]));
        Assert.Contains("novel (NovelForCausalLM), not in the tables, matched by name, 2 layers", Notes(table));
        Assert.Contains(table.Rows, r => (string)r[0]! == "model.layers.1.self_attn.q_proj.weight" && (string)r[1]! == "q" && (long)r[2]! == 1);
    }

    [Fact]
    public void Tensors_of_a_file_without_prefix_have_the_names_of_today() =>
        Assert.Equal("transformer.wte.weight", Of(TinyCheckpoint.Gpt2(_temp["m"], prefix: "")).Rows[0][0]);

    [Fact]
    public void A_filter_keeps_what_contains_it_and_says_how_much()
    {
        Table table = Of(TinyCheckpoint.Llama(_temp["m"]), filter: "q_proj");
        Assert.Equal(2, table.Rows.Count);
        Assert.Contains("shown: 2 of 21 tensors with 'q_proj', 128 elements", Notes(table));
    }

    [Fact]
    public void A_filter_that_matches_nothing_names_the_nearest_word()
    {
        TinyCheckpoint.Llama(_temp["m"]);
        Crafted.Refuses("BW1501", ExitCode.Usage, () => Of(_temp["m"], filter: "q_porj"), "q_porj", "q_proj");
    }

    [Fact]
    public void An_adapter_folder_shows_kind_base_rank_and_targets()
    {
        AdapterFolder.Write(_temp["a"], new JsonObject { ["rank_pattern"] = new JsonObject { ["layers.1.self_attn.q_proj"] = 4 } });
        Table table = Of(_temp["a"]);
        Assert.Equal(4, table.Rows.Count);
        Assert.Equal("q", table.Rows[0][1]);
        Assert.Equal(1L, table.Rows[2][2]);
        Assert.Contains("adapter: lora, trained on 'some/base', CAUSAL_LM", Notes(table));
        Assert.Contains("r 2 (4 for layers.1.self_attn.q_proj), alpha 4, scale 2", Notes(table));
        Assert.Contains("targets: q_proj, v_proj", Notes(table));
        Assert.Contains("parameters: 64 in 4 tensors", Notes(table));
    }

    [Fact]
    public void An_adapter_configuration_that_is_no_json_names_file_and_line()
    {
        AdapterFolder.Write(_temp["a"]);
        _temp.Write("a/adapter_config.json", "{\n\"r\": 2,\n]");
        Crafted.Refuses("BW3540", ExitCode.Usage, () => Of(_temp["a"]), "adapter_config.json:3");
        _temp.Write("a/adapter_config.json", "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 4\n");
        Crafted.Refuses("BW3540", ExitCode.Usage, () => Of(_temp["a"]), "git lfs pull");
    }

    [Fact]
    public void A_single_weight_file_can_be_looked_at()
    {
        TinyCheckpoint.Llama(_temp["m"]);
        Table table = Of(Path.Join(_temp["m"], "model.safetensors"));
        Assert.Equal(21, table.Rows.Count);
        Assert.Contains("no config.json", Notes(table));
    }

    [Fact]
    public void The_job_gives_its_table_to_the_port()
    {
        using Checkpoint model = Checkpoint.Open(TinyCheckpoint.Llama(_temp["m"]));
        var job = new InspectCheckpoint();
        var values = new ParameterValues(job.Card) { [0] = "role" };
        var desk = new TestDesk { Inputs = { ["model"] = Artifact.Of(model) } };
        job.RunAny(desk, job.ReadParameters(values));
        Assert.Equal("roles", desk.Outputs["tensors"].Table.Name);
        Assert.Equal(["tensor", "layer", "role", "dtype"], job.Card.Parameter("by")!.Choices);
    }
}
