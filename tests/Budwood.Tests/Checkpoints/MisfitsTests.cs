using Budwood.Checkpoints;
using Budwood.Numbers;

namespace Budwood.Tests.Checkpoints;

public class MisfitsTests
{
    private const string Llama = """
        {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 3,
            "num_attention_heads": 4,
         "num_key_value_heads": 2, "vocab_size": 96, "torch_dtype": "float32"}
        """;

    private static Dictionary<string, (DType Type, Shape Shape)> Files(FamilyModel model) =>
        model.Tensors.Where(t => !t.Optional).ToDictionary(t => t.Name, t => (DType.F32, t.Shape));

    private static string[] Check(string text, Action<Dictionary<string, (DType Type, Shape Shape)>> change, string? files = null, Func<string, string,
        bool>? same = null)
    {
        FamilyModel model = FamilyTests.Model(text);
        Dictionary<string, (DType Type, Shape Shape)> tensors = Files(FamilyTests.Model(files ?? text));
        change(tensors);
        return [.. Misfits.Check(model.Config, model, n => tensors.TryGetValue(n, out var t) ? t : null, tensors.Keys, same).Select(m => m.ToString())];
    }

    [Fact]
    public void A_checkpoint_that_fits_has_no_misfits() => Assert.Empty(Check(Llama, _ => { }));

    [Fact]
    public void A_missing_layer_names_the_count_and_the_layer()
    {
        string[] found = Check(Llama, t => t.Keys.Where(k => k.Contains("layers.2.")).ToList().ForEach(k => t.Remove(k)));
        Assert.Equal(["error: num_hidden_layers is 3, but model.layers.2 has no tensors: 2 of 3 layers are stored [BW3120]"], found);
    }

    [Fact]
    public void Missing_tensors_of_one_kind_make_one_line()
    {
        string[] found = Check(Llama, t => t.Keys.Where(k => k.Contains("up_proj")).ToList().ForEach(k => t.Remove(k)));
        Assert.Equal(["error: model.layers.0.mlp.up_proj.weight, model.layers.1.mlp.up_proj.weight, model.layers.2.mlp.up_proj.weight are missing [BW3121]"],
            found);
    }

    [Fact]
    public void A_shape_misfit_names_both_shapes_and_the_keys_that_decide_them()
    {
        string[] found = Check(Llama.Replace("\"num_key_value_heads\": 2,", ""), _ => { }, Llama);
        Assert.Equal(2, found.Length);
        Assert.Equal("error: model.layers.0.self_attn.k_proj.weight, model.layers.1.self_attn.k_proj.weight, model.layers.2.self_attn.k_proj.weight "
            + "have shape [16, 32], "
            + "but config.json means [32, 32]: 16 against 32 = num_key_value_heads*head_dim "
            + "(num_key_value_heads not stated, num_attention_heads 4, head_dim not stated, hidden_size 32) [BW3122]",
            found[0]);
    }

    [Fact]
    public void Layers_beyond_the_count_and_strangers_are_notes()
    {
        string[] found = Check(Llama.Replace("\"num_hidden_layers\": 3", "\"num_hidden_layers\": 2"), t =>
            t["model.layers.0.magic"] = (DType.F32, new Shape(3)), Llama);
        Assert.Equal(2, found.Length);
        Assert.StartsWith("note: num_hidden_layers is 2, but the file has layers up to 2: model.layers.2.input_layernorm.weight", found[0]);
        Assert.Equal("note: model.layers.0.magic is not part of a llama model [BW3124]", found[1]);
    }

    [Fact]
    public void A_bias_that_the_config_denies_is_explained()
    {
        string[] found = Check(Llama, t => t["model.layers.0.self_attn.q_proj.bias"] = (DType.F32, new Shape(32)));
        Assert.Equal(["note: model.layers.0.self_attn.q_proj.bias is in the file, but attention_bias is false in config.json [BW3124]"], found);
    }

    [Fact]
    public void A_list_over_layers_of_another_length_is_an_error()
    {
        string[] found = Check(Llama.Replace("\"vocab_size\"", "\"layer_types\": [\"a\", \"b\"], \"vocab_size\""), _ => { });
        Assert.Equal(["error: 'layer_types' has 2 entries, but the model has 3 layers: layer_types of 2, num_hidden_layers 3 [BW3123]"], found);
    }

    [Fact]
    public void A_stored_head_beside_a_tie_is_an_error_only_when_it_differs()
    {
        string tied = Llama.Replace("\"vocab_size\"", "\"tie_word_embeddings\": true, \"vocab_size\"");
        Assert.Empty(Check(tied, _ => { }, Llama, (_, _) => true));
        Assert.Equal(["note: 'lm_head.weight' is stored beside 'model.embed_tokens.weight', to which it is tied [BW3129]"], Check(tied, _ => { }, Llama));
        Assert.Equal(["error: 'lm_head.weight' is stored and differs from 'model.embed_tokens.weight', but tie_word_embeddings is true [BW3129]"],
            Check(tied, _ => { }, Llama, (_, _) => false));
    }

    [Fact]
    public void Packed_integers_and_a_wrong_element_type_are_told()
    {
        string[] packed = Check(Llama, t => t["model.norm.weight"] = (DType.U8, new Shape(16, 1)));
        Assert.Equal(["error: model.norm.weight holds U8, not floating-point weights: config.json states no quantisation [BW3126]"], packed);
        string[] lies = Check(Llama.Replace("float32", "bfloat16"), _ => { });
        Assert.Equal(["note: torch_dtype is bfloat16, but the tensors are float32 [BW3127]"], lies);
    }

    [Fact]
    public void One_tensor_under_two_names_is_an_error()
    {
        string[] found = Check(Llama, t => t["norm.weight"] = (DType.F32, new Shape(32)));
        Assert.Equal(["error: 'model.norm.weight' and 'norm.weight' are one tensor under two names [BW3128]"], found);
    }

    [Fact]
    public void A_misfit_becomes_a_fault()
    {
        Fault fault = new Misfit(true, "BW3120", "what", "config.json", "found", "Do it.").ToFault();
        Assert.Equal("config.json: what: found. Do it. [BW3120]", fault.Message);
        Assert.Equal(ExitCode.Input, fault.Exit);
    }

    [Theory]
    [InlineData("config-head-dim/left", "")]
    [InlineData("config-head-dim/silent", "q_proj head_dim")]
    [InlineData("config-layer-missing/left", "num_hidden_layers model.layers.2")]
    [InlineData("config-layer-types/left", "")]
    [InlineData("config-layer-types/longer", "layer_types 3 2")]
    [InlineData("config-no-kv-heads/mha", "")]
    [InlineData("config-no-kv-heads/gqa", "num_key_value_heads k_proj")]
    public void Folders_of_the_field_are_judged(string folder, string words)
    {
        SharedFolders.Require("cases");
        string path = Path.Combine(SharedFolders.Root!, "cases", folder);
        ModelConfig config = ModelConfig.Read(Path.Combine(path, "config.json"));
        Dictionary<string, (DType Type, Shape Shape)> tensors = SharedFolders.Tensors(path);
        FamilyModel model = Family.For(config)!.Describe(config, tensors.Keys);
        string[] errors = [.. Misfits.Check(config, model, n => tensors.TryGetValue(n, out var t) ? t : null, tensors.Keys).Where(m => m.IsError).Select(m =>
            m.ToString())];
        if (words.Length == 0) Assert.Empty(errors);
        else Assert.All(words.Split(' '), w => Assert.Contains(w, string.Join('\n', errors)));
    }
}
