using System.Text.Json.Nodes;
using Budwood.Files;
using Budwood.Numbers;
using Budwood.Numbers.Kernels;

namespace Budwood.Tests.Fixtures;

/// <summary>One tensor of a checkpoint that a test writes.</summary>
internal sealed record TinyTensor(string Name, DType DType, Shape Shape, byte[] Bytes)
{
    /// <summary>Values rounded to an arithmetic type.</summary>
    public static TinyTensor Of(string name, DType type, Shape shape, ReadOnlySpan<float> values)
    {
        byte[] bytes = new byte[type.Bytes(values.Length)];
        Conversion.Narrow(type, values, bytes);
        return new TinyTensor(name, type, shape, bytes);
    }

    public float[] Values()
    {
        float[] values = new float[Shape.Count];
        Conversion.Widen(DType, Bytes, values);
        return values;
    }

    /// <summary>The same tensor with its values changed.</summary>
    public TinyTensor With(Action<float[]> edit)
    {
        float[] values = Values();
        edit(values);
        return Of(Name, DType, Shape, values);
    }

    public TinyTensor As(DType type) => Of(Name, type, Shape, Values());
}

/// <summary>A small model with seeded values, to be edited and then written as a Hugging Face folder.</summary>
internal sealed class TinyModel(JsonObject config)
{
    /// <summary>config.json; edit it as you like.</summary>
    public JsonObject Config { get; } = config;

    /// <summary>The tensors in the order in which they are written; edit the list as you like.</summary>
    public List<TinyTensor> Tensors { get; } = [];

    /// <summary>Reads or replaces the tensor of that name.</summary>
    public TinyTensor this[string name]
    {
        get => Tensors.Single(t => t.Name == name);
        set => Tensors[Tensors.FindIndex(t => t.Name == name)] = value;
    }

    /// <summary>Changes the values of one tensor.</summary>
    public TinyModel Edit(string name, Action<float[]> edit)
    {
        this[name] = this[name].With(edit);
        return this;
    }

    /// <summary>Writes the folder; returns it.</summary>
    public string Write(string folder, long shardBytes = long.MaxValue)
    {
        TinyCheckpoint.Write(folder, Config.ToJsonString(), Tensors, shardBytes);
        return folder;
    }

    // Values in [-1, 1) that depend on seed, name and place only, so that two models share what a test does not change.
    internal void Add(string name, DType type, int seed, params long[] shape)
    {
        var sizes = new Shape(shape);
        uint state = unchecked((uint)seed * 2654435761u);
        foreach (char c in name) state = unchecked((state ^ c) * 16777619u);
        float[] values = new float[sizes.Count];
        for (int i = 0; i < values.Length; i++)
        {
            state = unchecked((state * 1664525u) + 1013904223u);
            values[i] = ((int)(state >> 8) - (1 << 23)) / (float)(1 << 23);
        }
        Tensors.Add(TinyTensor.Of(name, type, sizes, values));
    }
}

/// <summary>Checkpoints small enough for a test, made by code.</summary>
internal static class TinyCheckpoint
{
    /// <summary>A llama in memory: hidden 8, two heads and one key-value head of 4, feed-forward 12.</summary>
    public static TinyModel Llama(DType type = DType.F32, int seed = 1, int layers = 2, int vocabulary = 16, bool tied = false)
    {
        var model = new TinyModel(new JsonObject
        {
            ["architectures"] = new JsonArray("LlamaForCausalLM"),
            ["model_type"] = "llama",
            ["hidden_size"] = 8,
            ["intermediate_size"] = 12,
            ["num_hidden_layers"] = layers,
            ["num_attention_heads"] = 2,
            ["num_key_value_heads"] = 1,
            ["head_dim"] = 4,
            ["vocab_size"] = vocabulary,
            ["max_position_embeddings"] = 64,
            ["rms_norm_eps"] = 1e-5,
            ["tie_word_embeddings"] = tied,
            ["bos_token_id"] = 1,
            ["eos_token_id"] = 2,
            ["torch_dtype"] = type.TorchName(),
        });
        model.Add("model.embed_tokens.weight", type, seed, vocabulary, 8);
        for (int i = 0; i < layers; i++)
        {
            string at = $"model.layers.{i}.";
            model.Add(at + "input_layernorm.weight", type, seed, 8);
            model.Add(at + "self_attn.q_proj.weight", type, seed, 8, 8);
            model.Add(at + "self_attn.k_proj.weight", type, seed, 4, 8);
            model.Add(at + "self_attn.v_proj.weight", type, seed, 4, 8);
            model.Add(at + "self_attn.o_proj.weight", type, seed, 8, 8);
            model.Add(at + "post_attention_layernorm.weight", type, seed, 8);
            model.Add(at + "mlp.gate_proj.weight", type, seed, 12, 8);
            model.Add(at + "mlp.up_proj.weight", type, seed, 12, 8);
            model.Add(at + "mlp.down_proj.weight", type, seed, 8, 12);
        }
        model.Add("model.norm.weight", type, seed, 8);
        if (!tied) model.Add("lm_head.weight", type, seed, vocabulary, 8);
        return model;
    }

    /// <summary>A llama in a folder.</summary>
    public static string Llama(string folder, DType type = DType.F32, int seed = 1, int layers = 2, int vocabulary = 16, bool tied = false,
        long shardBytes = long.MaxValue) =>
        Llama(type, seed, layers, vocabulary, tied).Write(folder, shardBytes);

    /// <summary>A GPT-2 in memory: hidden 8, two heads; its head is the embedding.</summary>
    /// <param name="prefix">What its files put before every name; <c>transformer.</c> today, nothing in the first releases.</param>
    public static TinyModel Gpt2(DType type = DType.F32, int seed = 1, int layers = 2, int vocabulary = 16, string prefix = "transformer.")
    {
        var model = new TinyModel(new JsonObject
        {
            ["architectures"] = new JsonArray("GPT2LMHeadModel"),
            ["model_type"] = "gpt2",
            ["n_embd"] = 8,
            ["n_head"] = 2,
            ["n_layer"] = layers,
            ["n_positions"] = 32,
            ["vocab_size"] = vocabulary,
            ["torch_dtype"] = type.TorchName(),
        });
        model.Add("wte.weight", type, seed, vocabulary, 8);
        model.Add("wpe.weight", type, seed, 32, 8);
        for (int i = 0; i < layers; i++)
        {
            string at = $"h.{i}.";
            foreach (string norm in (string[])["ln_1", "ln_2"])
            {
                model.Add($"{at}{norm}.weight", type, seed, 8);
                model.Add($"{at}{norm}.bias", type, seed, 8);
            }
            // Conv1D keeps its weights as input by output.
            foreach ((string name, int rows, int columns) in ((string, int, int)[])[("attn.c_attn", 8, 24), ("attn.c_proj", 8, 8), ("mlp.c_fc", 8, 32),
                ("mlp.c_proj", 32, 8)])
            {
                model.Add($"{at}{name}.weight", type, seed, rows, columns);
                model.Add($"{at}{name}.bias", type, seed, columns);
            }
        }
        model.Add("ln_f.weight", type, seed, 8);
        model.Add("ln_f.bias", type, seed, 8);
        // Values go by the bare name: with and without prefix they are the same model.
        for (int i = 0; i < model.Tensors.Count; i++) model.Tensors[i] = model.Tensors[i] with { Name = prefix + model.Tensors[i].Name };
        return model;
    }

    /// <summary>A GPT-2 in a folder.</summary>
    public static string Gpt2(string folder, DType type = DType.F32, int seed = 1, int layers = 2, int vocabulary = 16, string prefix = "transformer.",
        long shardBytes = long.MaxValue) => Gpt2(type, seed, layers, vocabulary, prefix).Write(folder, shardBytes);

    /// <summary>Writes config.json (unless null) and the weights: one file, or shards of at most so many bytes and their index.</summary>
    public static void Write(string folder, string? configJson, IEnumerable<TinyTensor> tensors, long shardBytes = long.MaxValue)
    {
        Directory.CreateDirectory(folder);
        if (configJson is not null) File.WriteAllText(Path.Join(folder, "config.json"), configJson);
        TinyTensor[] all = [.. tensors];
        var byName = all.ToDictionary(t => t.Name, StringComparer.Ordinal);
        ShardPlan plan = ShardPlan.Plan([.. all.Select(t => (t.Name, t.DType, t.Shape))], shardBytes);
        foreach ((string name, SafetensorsLayout layout) in plan.Files) WriteFile(Path.Join(folder, name), layout, byName);
        if (plan.IndexJson is { } index) File.WriteAllBytes(Path.Join(folder, ShardPlan.IndexName), index);
    }

    /// <summary>Writes one safetensors file.</summary>
    public static void WriteFile(string path, IEnumerable<TinyTensor> tensors)
    {
        TinyTensor[] all = [.. tensors];
        WriteFile(path, SafetensorsLayout.Plan(all.Select(t => (t.Name, t.DType, t.Shape))), all.ToDictionary(t => t.Name, StringComparer.Ordinal));
    }

    /// <summary>A tokenizer.json of word pieces with the given tokens in order of their ids, and added tokens with ids of their own.</summary>
    public static string Tokenizer(IEnumerable<string> tokens, params (string Token, int Id)[] added)
    {
        var vocabulary = new JsonObject();
        int id = 0;
        foreach (string token in tokens) vocabulary[token] = id++;
        var json = new JsonObject
        {
            ["version"] = "1.0",
            ["added_tokens"] = new JsonArray([.. added.Select(a => new JsonObject { ["id"] = a.Id, ["content"] = a.Token, ["special"] = true })]),
            ["model"] = new JsonObject { ["type"] = "WordLevel", ["vocab"] = vocabulary, ["unk_token"] = "<unk>" },
        };
        return json.ToJsonString();
    }

    private static void WriteFile(string path, SafetensorsLayout layout, Dictionary<string, TinyTensor> byName)
    {
        using FileStream file = File.Create(path);
        file.Write(layout.Header.Span);
        foreach (TensorEntry entry in layout.Tensors) file.Write(byName[entry.Name].Bytes);
    }
}
