using System.Text;
using System.Text.Json;
using Budwood.Checkpoints;
using Budwood.Numbers;

namespace Budwood.Tests.Checkpoints;

public class FamilyTests
{
    private const string Llama = """
        {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 3,
            "num_attention_heads": 4,
         "num_key_value_heads": 2, "vocab_size": 96, "layer_types": ["a", "b", "c"]}
        """;

    private const string Gpt2 = """
        {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "n_embd": 48, "n_head": 4, "n_layer": 2, "n_positions": 64,
         "n_inner": null, "vocab_size": 96}
        """;

    private const string Bert = """
        {"model_type": "bert", "architectures": ["BertForMaskedLM"], "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
            "num_attention_heads": 4,
         "vocab_size": 96, "max_position_embeddings": 32}
        """;

    private const string Neox = """
        {"model_type": "gpt_neox", "architectures": ["GPTNeoXForCausalLM"], "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 1,
            "num_attention_heads": 4, "vocab_size": 96}
        """;

    private const string Mixtral = """
        {"model_type": "mixtral", "architectures": ["MixtralForCausalLM"], "hidden_size": 32, "intermediate_size": 40, "num_hidden_layers": 2,
            "num_attention_heads": 4,
         "num_key_value_heads": 2, "num_local_experts": 4, "vocab_size": 96}
        """;

    internal static ModelConfig Config(string text) => ModelConfig.Parse(Encoding.UTF8.GetBytes(text), "config.json");

    internal static FamilyModel Model(string text, IEnumerable<string>? names = null)
    {
        ModelConfig config = Config(text);
        return Family.For(config)!.Describe(config, names);
    }

    private static ExpectedTensor Expect(FamilyModel model, string name)
    {
        Assert.True(model.TryExpected(name, out ExpectedTensor? tensor), $"{name} is not expected");
        return tensor;
    }

    [Fact]
    public void A_family_is_found_by_model_type_and_else_by_class()
    {
        Assert.Equal("llama", Family.For(Config("""{"model_type": "llama", "architectures": ["PlantedForCausalLM"]}"""))!.Name);
        Assert.Equal("gpt2", Family.For(Config("""{"architectures": ["GPT2LMHeadModel"]}"""))!.Name);
        Assert.Null(Family.For(Config("""{"model_type": "alien", "architectures": ["AlienForCausalLM"]}""")));
    }

    [Fact]
    public void No_two_families_claim_the_same_model_type_or_class()
    {
        string[] names = [.. Family.All.SelectMany(f => f.ModelTypes.Concat(f.Architectures))];
        Assert.Equal(names.Length, names.Distinct().Count());
    }

    [Fact]
    public void Shapes_come_from_the_config_with_defaults_for_silent_keys()
    {
        FamilyModel model = Model(Llama);
        Assert.Equal(3, model.Layers);
        ExpectedTensor k = Expect(model, "model.layers.2.self_attn.k_proj.weight");
        Assert.Equal((new Shape(16, 32), Role.K, 2, "model.layers.{layer}.self_attn.k_proj.weight"), (k.Shape, k.Role, k.Layer, k.Template));
        Assert.Equal(["kv", "hidden"], k.Axes);
        Axis kv = model.Axes["kv"];
        Assert.Equal((16L, 8L, "num_key_value_heads", "num_attention_heads"), (kv.Size, kv.Unit, kv.Field, kv.Divides));
        Assert.False(model.TryExpected("model.layers.0.self_attn.q_proj.bias", out _));
        Assert.Equal(new Shape(16), Expect(Model(Llama.Replace("\"vocab_size\"", "\"attention_bias\": true, \"vocab_size\"")),
            "model.layers.0.self_attn.v_proj.bias").Shape);
    }

    [Fact]
    public void The_head_is_optional_and_tied_only_when_the_config_ties()
    {
        ExpectedTensor untied = Expect(Model(Llama), "lm_head.weight");
        Assert.Equal((false, null), (untied.Optional, untied.TiedTo));
        ExpectedTensor tied = Expect(Model(Gpt2), "lm_head.weight");
        Assert.Equal((true, "transformer.wte.weight"), (tied.Optional, tied.TiedTo));
    }

    [Fact]
    public void Gpt2_weights_lie_in_by_out_and_split_in_three()
    {
        FamilyModel model = Model(Gpt2);
        ExpectedTensor qkv = Expect(model, "transformer.h.1.attn.c_attn.weight");
        Assert.Equal((new Shape(48, 144), Role.Qkv), (qkv.Shape, qkv.Role));
        Assert.Equal([(Role.Q, 0L, 48L), (Role.K, 48L, 48L), (Role.V, 96L, 48L)], model.Axes["qkv"].Parts.Select(p => (p.Role, p.Start, p.Length)));
        Assert.Equal(new Shape(48, 192), Expect(model, "transformer.h.0.mlp.c_fc.weight").Shape);
    }

    [Fact]
    public void Gpt_neox_interleaves_query_key_and_value_by_head()
    {
        Axis qkv = Model(Neox).Axes["qkv"];
        Assert.Equal((192L, 4L), (qkv.Size, qkv.Groups));
        Assert.Equal([(0L, 16L), (16L, 16L), (32L, 16L)], qkv.Parts.Select(p => (p.Start, p.Length)));
    }

    [Theory]
    [InlineData(Gpt2, "h.1.attn.c_attn.weight", "transformer.h.1.attn.c_attn.weight")]
    [InlineData(Gpt2, "transformer.wte.weight", "transformer.wte.weight")]
    [InlineData(Gpt2, "wpe.weight", "transformer.wpe.weight")]
    [InlineData(Gpt2, "h.007.ln_1.weight", null)]
    [InlineData(Gpt2, "h.one.ln_1.weight", null)]
    [InlineData(Bert, "embeddings.LayerNorm.gamma", "bert.embeddings.LayerNorm.weight")]
    [InlineData(Bert, "bert.encoder.layer.1.output.LayerNorm.beta", "bert.encoder.layer.1.output.LayerNorm.bias")]
    [InlineData(Bert, "cls.predictions.transform.LayerNorm.gamma", "cls.predictions.transform.LayerNorm.weight")]
    [InlineData(Llama, "layers.9.mlp.up_proj.weight", "model.layers.9.mlp.up_proj.weight")]
    [InlineData(Llama, "model.layers.0.self_attn.q_proj.lora_A.weight", null)]
    [InlineData(Mixtral, "model.layers.1.block_sparse_moe.experts.3.w2.weight", "model.layers.1.block_sparse_moe.experts.3.w2.weight")]
    public void Stored_names_have_canonical_names(string config, string stored, string? canonical) => Assert.Equal(canonical, Model(config).Canonical(stored));

    [Theory]
    [InlineData(Gpt2, "h.0.attn.bias", true)]
    [InlineData(Gpt2, "transformer.h.0.attn.masked_bias", true)]
    [InlineData(Gpt2, "transformer.h.0.attn.c_attn.bias", false)]
    [InlineData(Neox, "gpt_neox.layers.0.attention.rotary_emb.inv_freq", true)]
    [InlineData(Neox, "gpt_neox.layers.0.attention.dense.bias", false)]
    [InlineData(Bert, "embeddings.position_ids", true)]
    public void Known_buffers_are_told_from_biases(string config, string stored, bool buffer) => Assert.Equal(buffer, Model(config).IsKnownBuffer(stored));

    [Fact]
    public void A_tensor_can_be_renumbered_into_another_layer()
    {
        FamilyModel model = Model(Mixtral);
        Assert.Equal("model.layers.7.block_sparse_moe.experts.2.w1.weight", model.Renumbered("model.layers.1.block_sparse_moe.experts.2.w1.weight", 7));
        Assert.Equal("transformer.h.12.ln_1.bias", Model(Gpt2).Renumbered("h.1.ln_1.bias", 12));
        Assert.Null(model.Renumbered("lm_head.weight", 1));
        Assert.Equal("a.3.b", FamilyModel.WithLayer("a.{layer}.b", 3));
    }

    [Fact]
    public void The_layout_of_experts_follows_the_stored_names()
    {
        Assert.Equal(2 * 4 * 3, Model(Mixtral).Tensors.Count(t => t.Expert is not null));
        FamilyModel fused = Model(Mixtral, ["model.layers.0.mlp.experts.gate_up_proj"]);
        Assert.Equal(new Shape(4, 80, 32), Expect(fused, "model.layers.1.mlp.experts.gate_up_proj").Shape);
        Assert.DoesNotContain(fused.Tensors, t => t.Expert is not null);
    }

    [Theory]
    [InlineData("gemma2", "", new[] { 0, 1, 0, 1 }, null)]
    [InlineData("gemma2", "", new[] { 0, 2, 1 }, "sliding_attention sliding_attention full_attention")]
    [InlineData("qwen2", "\"use_sliding_window\": true, \"max_window_layers\": 2, ", new[] { 0, 1, 2, 3, 0 }, "full_attention full_attention sliding_attention sliding_attention full_attention")]
    [InlineData("qwen2", "\"use_sliding_window\": false, \"max_window_layers\": 2, ", new[] { 3, 2, 0 }, null)]
    public void Lists_that_a_config_implies_are_written_out_when_layers_move(string type, string more, int[] sources, string? words)
    {
        ModelConfig config = ModelConfig.Parse(Encoding.UTF8.GetBytes($"{{\"model_type\": \"{type}\", {more}\"num_hidden_layers\": 4}}"), "config.json");
        ModelConfig moved = Family.For(config)!.WithLayers(config, sources);
        Assert.Equal(words, moved.TryGet("layer_types", out var list) ? string.Join(" ", list.EnumerateArray().Select(w => w.GetString())) : null);
    }

    [Fact]
    public void Layers_and_lists_over_layers_follow_together()
    {
        ModelConfig config = Config(Llama);
        ModelConfig deeper = Family.For(config)!.WithLayers(config, [0, 1, 1, 2]);
        Assert.True(deeper.TryInt("num_hidden_layers", out long layers));
        Assert.Equal(4, layers);
        Assert.True(deeper.TryGet("layer_types", out JsonElement types));
        Assert.Equal(["a", "b", "b", "c"], types.EnumerateArray().Select(e => e.GetString()));
        Assert.Equal(config.Fields, deeper.Fields);

        ModelConfig gpt2 = Config(Gpt2);
        Assert.True(Family.For(gpt2)!.WithLayers(gpt2, [1]).TryInt("n_layer", out long one));
        Assert.Equal(1, one);

        Fault fault = Assert.Throws<Fault>(() => Family.For(config)!.WithLayers(config, [0, 3]));
        Assert.Equal("config.json: there is no layer 3: its layers are 0 to 2 (num_hidden_layers is 3). Name layers that the model has. [BW3130]",
            fault.Message);
    }

    [Theory]
    [InlineData("\"hidden_size\": 32", "\"hiden_size\": 32",
        "config.json: 'hidden_size' is not stated, which a llama model needs. Did you mean 'hiden_size'? [BW3110]")]
    [InlineData("\"vocab_size\": 96", "\"vocab_size\": \"96\"", "'vocab_size' is not a whole number: found \"96\", expected a whole number")]
    [InlineData("\"vocab_size\": 96", "\"vocab_size\": 0", "a size must be 1 or more: vocab_size 0")]
    [InlineData("\"num_key_value_heads\": 2", "\"num_key_value_heads\": 3",
        "'num_key_value_heads' does not divide 'num_attention_heads': num_key_value_heads 3, num_attention_heads 4")]
    [InlineData("\"num_attention_heads\": 4", "\"num_attention_heads\": 5", "32 is not divisible by 5 (hidden_size 32, num_attention_heads 5)")]
    [InlineData("\"num_attention_heads\": 4", "\"num_attention_heads\": 0", "32 / 0")]
    [InlineData("\"num_key_value_heads\": 2", "\"num_key_value_heads\": 2, \"head_dim\": 9223372036854775807", "does not fit 64 bits")]
    [InlineData("\"num_hidden_layers\": 3", "\"num_hidden_layers\": 9000000000", "'num_hidden_layers' is 9000000000, which is not a number of layers")]
    public void A_config_that_gives_no_shapes_is_refused_by_key(string key, string instead, string message) =>
        Assert.Contains(message, Assert.Throws<Fault>(() => Model(Llama.Replace(key, instead))).Message);

    [Fact]
    public void Expressions_are_evaluated_with_the_usual_precedence()
    {
        static long Value(string text) => SizeExpression.Parse(text).Evaluate(f => f == "a" ? 7 : 2);
        Assert.Equal(15, Value("1+a*b"));
        Assert.Equal(16, Value("(1 + a) * b"));
        Assert.Equal(3, Value("a//b"));
        Assert.Equal(1, Value("a - b - 4"));
        Assert.Equal(-4, Value("-a//b"));
        Assert.Equal(4, Value("8/b"));
        Assert.Equal(["a", "b"], SizeExpression.Parse("a*b+a").Fields);
        Assert.Throws<ArithmeticException>(() => Value("a/b"));
        Assert.Throws<ArithmeticException>(() => Value("a/(b-2)"));
        Assert.Throws<ArithmeticException>(() => Value("9223372036854775807+b"));
        Assert.Throws<FormatException>(() => SizeExpression.Parse("a*"));
        Assert.Throws<FormatException>(() => SizeExpression.Parse("(a"));
        Assert.Throws<FormatException>(() => SizeExpression.Parse("a b"));
        Assert.Throws<FormatException>(() => SizeExpression.Parse("2a"));
    }

    [Fact]
    public void Roles_have_texts_that_read_back()
    {
        Assert.Equal("gate_up", Role.GateUp.Text());
        Assert.All(Enum.GetValues<Role>(), r => Assert.True(Roles.TryParse(r.Text(), out Role back) && back == r));
        Assert.Equal("attention", Role.Qkv.Group().Text());
    }

    [Theory]
    [InlineData("model.layers.3.self_attn.q_proj.weight", Role.Q, 3)]
    [InlineData("model.layers.3.post_attention_layernorm.weight", Role.Norm, 3)]
    [InlineData("transformer.h.11.mlp.c_proj.weight", Role.Down, 11)]
    [InlineData("transformer.h.11.attn.c_proj.weight", Role.O, 11)]
    [InlineData("model.embed_tokens.weight", Role.Embed, null)]
    [InlineData("lm_head.weight", Role.Head, null)]
    [InlineData("model.layers.0.mlp.gate.weight", Role.Router, 0)]
    [InlineData("model.layers.0.extra.weight", Role.Other, 0)]
    public void Unknown_families_still_get_roles_and_layers_from_names(string name, Role role, int? layer)
    {
        Assert.Equal(role, Roles.Guess(name));
        Assert.Equal(layer, Layers.Guess(name));
    }

    [Fact]
    public void Guesses_agree_with_the_groups_of_the_families_that_are_described()
    {
        // The layers of a head (cls.predictions.transform) say too little by name; the rest must land in the right row of a receipt.
        var wrong = new List<string>();
        foreach (string text in (string[])[Llama, Gpt2, Bert, Neox, Mixtral])
        {
            FamilyModel model = Model(text);
            wrong.AddRange(model.Tensors.Where(t => t.Role.Group() != RoleGroup.Head && Roles.Guess(t.Name).Group() != t.Role.Group()).Select(t =>
                $"{t.Template}: {Roles.Guess(t.Name).Text()}"));
        }
        Assert.Empty(wrong.Distinct());
    }

    [Fact]
    public void The_numbering_that_most_tensors_share_is_found()
    {
        LayerNumbering numbering = Layers.Infer(["body.blocks.0.a", "body.blocks.0.b", "body.blocks.4.a", "tail.0.w", "head.weight"])!;
        Assert.Equal(("body.blocks.", 5, 2), (numbering.Prefix, numbering.Count, numbering.Numberings));
        Assert.Equal(4, numbering.Of("body.blocks.4.a"));
        Assert.Null(numbering.Of("tail.0.w"));
        Assert.Equal("body.blocks.9.a", numbering.Renumbered("body.blocks.4.a", 9));
        Assert.Null(Layers.Infer(["head.weight"]));
    }
}
