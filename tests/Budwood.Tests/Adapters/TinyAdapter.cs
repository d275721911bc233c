using System.Text.Json.Nodes;
using Budwood.Adapters;
using Budwood.Checkpoints;
using Budwood.Numbers;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Adapters;

/// <summary>A small adapter with seeded values, to be edited and then written as PEFT writes it.</summary>
internal sealed class TinyAdapter
{
    public const string Prefix = "base_model.model.";

    public JsonObject Config { get; } = new()
    {
        ["peft_type"] = "LORA", ["base_model_name_or_path"] = "base", ["r"] = 2, ["lora_alpha"] = 4, ["lora_dropout"] = 0.05, ["bias"] = "none", ["fan_in_fan_out"] = false,
        ["inference_mode"] = true, ["target_modules"] = new JsonArray("q_proj", "v_proj"), ["modules_to_save"] = null,
    };

    public List<TinyTensor> Tensors { get; } = [];

    /// <summary>LoRA of rank 2 on q_proj and v_proj of <see cref="TinyCheckpoint.Llama(DType, int, int, int, bool)"/>.</summary>
    public static TinyAdapter Llama(int seed = 7, int layers = 2, int rank = 2, DType type = DType.F32)
    {
        var adapter = new TinyAdapter();
        adapter.Config["r"] = rank;
        for (int i = 0; i < layers; i++)
        {
            adapter.Lora($"model.layers.{i}.self_attn.q_proj", 8, 8, rank, seed, type);
            adapter.Lora($"model.layers.{i}.self_attn.v_proj", 8, 4, rank, seed, type);
        }
        return adapter;
    }

    public TinyAdapter Lora(string module, int input, int output, int rank = 2, int seed = 7, DType type = DType.F32)
    {
        Add($"{module}.lora_A.weight", type, seed, rank, input);
        Add($"{module}.lora_B.weight", type, seed, output, rank);
        return this;
    }

    public void Add(string name, DType type, int seed, params long[] shape)
    {
        var values = new TinyModel([]);
        values.Add(Prefix + name, type, seed, shape);
        Tensors.Add(values.Tensors[0].With(v => { for (int i = 0; i < v.Length; i++) v[i] *= 0.1f; }));
    }

    public TinyTensor this[string name]
    {
        get => Tensors.Single(t => t.Name == Prefix + name);
        set => Tensors[Tensors.FindIndex(t => t.Name == Prefix + name)] = value;
    }

    public string Write(string folder)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Join(folder, "adapter_config.json"), Config.ToJsonString());
        TinyCheckpoint.WriteFile(Path.Join(folder, "adapter_model.safetensors"), Tensors);
        return folder;
    }

    /// <summary>Model and adapter, opened; disposing closes both.</summary>
    public static Checkpoint Sum(string model, string adapter) => Adapter.Open(adapter).Onto(Checkpoint.Open(model));

    /// <summary>All bytes of a tensor, read in pieces of so many elements.</summary>
    public static byte[] Bytes(CheckpointTensor tensor, int piece = int.MaxValue)
    {
        using var pool = new BufferPool();
        using TensorReader reader = tensor.Source.Open(pool);
        byte[] all = new byte[tensor.DType.Bytes(tensor.Shape.Count)];
        for (long start = 0; start < tensor.Shape.Count; start += piece)
        {
            int count = (int)Math.Min(piece, tensor.Shape.Count - start);
            reader.Fetch(start, count);
            Assert.Equal(tensor.DType.Bytes(count), reader.Bytes.Length);
            reader.Bytes.CopyTo(all.AsSpan((int)tensor.DType.Bytes(start)));
        }
        return all;
    }

    public static float[] Values(CheckpointTensor tensor, int piece = int.MaxValue) => new TinyTensor(tensor.Name, tensor.DType, tensor.Shape, Bytes(tensor, piece)).Values();
}
