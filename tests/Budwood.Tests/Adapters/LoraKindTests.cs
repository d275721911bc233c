using System.Text.Json.Nodes;
using Budwood.Checkpoints;
using Budwood.Numbers;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Adapters;

public sealed class LoraKindTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static void Oracle(TinyTensor weight, TinyTensor a, TinyTensor b, double scale, bool inputFirst, CheckpointTensor got)
    {
        float[] w = weight.Values(), af = a.Values(), bf = b.Values(), y = TinyAdapter.Values(got);
        (int rank, int input) = ((int)a.Shape[0], (int)a.Shape[1]);
        int columns = (int)weight.Shape[1];
        for (int i = 0; i < w.Length; i++)
        {
            (int row, int column) = (i / columns, i % columns);
            (int o, int n) = inputFirst ? (column, row) : (row, column);
            double sum = 0;
            for (int k = 0; k < rank; k++) sum += (double)bf[(o * rank) + k] * af[(k * input) + n];
            double exact = w[i] + (scale * sum);
            double bound = weight.DType == DType.F32 ? 1e-6 : Math.Abs(exact) / 256 + 1e-4;
            Assert.Equal(exact, y[i], bound);
            Assert.Equal(y[i], TinyTensor.Of("y", weight.DType, new Shape(1), [y[i]]).Values()[0]);
        }
    }

    [Theory]
    [InlineData(DType.F32, DType.F32)]
    [InlineData(DType.BF16, DType.F32)]
    [InlineData(DType.F16, DType.BF16)]
    public void It_agrees_with_a_naive_loop_in_double_and_has_the_models_type(DType type, DType adapterType)
    {
        TinyModel model = TinyCheckpoint.Llama(type);
        TinyAdapter adapter = TinyAdapter.Llama(type: adapterType);
        using Checkpoint sum = TinyAdapter.Sum(model.Write(_folder["base"]), adapter.Write(_folder["adapter"]));
        foreach (string module in (string[])["q_proj", "v_proj"])
        {
            string at = $"model.layers.1.self_attn.{module}";
            Assert.True(sum.TryGet(at + ".weight", out CheckpointTensor? got));
            Oracle(model[at + ".weight"], adapter[at + ".lora_A.weight"], adapter[at + ".lora_B.weight"], 2, false, got);
        }
        Assert.True(sum.TryGet("model.norm.weight", out CheckpointTensor? norm));
        Assert.True(sum.AsStored.TryGet("model.norm.weight", out CheckpointTensor? stored));
        Assert.Same(stored, norm);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Conv1D_is_told_by_the_layer_whatever_the_file_says(bool said)
    {
        TinyModel model = TinyCheckpoint.Gpt2();
        TinyAdapter adapter = new TinyAdapter().Lora("transformer.h.0.attn.c_proj", 8, 8).Lora("transformer.h.0.attn.c_attn", 8, 24).Lora("transformer.h.1.attn.c_proj", 8, 8).Lora("transformer.h.1.attn.c_attn", 8, 24);
        adapter.Config["target_modules"] = new JsonArray("c_attn", "attn.c_proj");
        adapter.Config["fan_in_fan_out"] = said;
        using Checkpoint sum = TinyAdapter.Sum(model.Write(_folder["base"]), adapter.Write(_folder["adapter"]));
        foreach (string module in (string[])["transformer.h.0.attn.c_proj", "transformer.h.1.attn.c_attn"])
        {
            Assert.True(sum.TryGet(module + ".weight", out CheckpointTensor? got));
            Oracle(model[module + ".weight"], adapter[module + ".lora_A.weight"], adapter[module + ".lora_B.weight"], 2, true, got);
        }
    }

    [Fact]
    public void Patterns_give_ranks_and_alphas_to_single_modules()
    {
        TinyModel model = TinyCheckpoint.Llama();
        TinyAdapter adapter = new TinyAdapter().Lora("model.layers.0.self_attn.q_proj", 8, 8).Lora("model.layers.1.self_attn.q_proj", 8, 8, rank: 4);
        adapter.Config["target_modules"] = "model.*q_proj";
        adapter.Config["rank_pattern"] = new JsonObject { ["1.self_attn.q_proj"] = 4 };
        adapter.Config["alpha_pattern"] = new JsonObject { [@".*\.1\..*(q|o)_proj"] = 32, ["q_proj"] = 6 };
        adapter.Config["use_rslora"] = true;
        using Checkpoint sum = TinyAdapter.Sum(model.Write(_folder["base"]), adapter.Write(_folder["adapter"]));
        foreach ((int layer, double scale) in ((int, double)[])[(0, 6 / Math.Sqrt(2)), (1, 32 / Math.Sqrt(4))])
        {
            string at = $"model.layers.{layer}.self_attn.q_proj";
            Assert.True(sum.TryGet(at + ".weight", out CheckpointTensor? got));
            Oracle(model[at + ".weight"], adapter[at + ".lora_A.weight"], adapter[at + ".lora_B.weight"], scale, false, got);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Pieces_of_any_length_give_the_same_bits(bool dora)
    {
        // Wide enough for tiles, tails and rows that pieces cut through.
        TinyModel model = TinyCheckpoint.Llama(DType.BF16, layers: 1);
        model.Config["intermediate_size"] = 4111;
        foreach (string name in (string[])["gate_proj", "up_proj", "down_proj"]) model.Tensors.RemoveAll(t => t.Name.Contains(name, StringComparison.Ordinal));
        model.Add("model.layers.0.mlp.gate_proj.weight", DType.BF16, 1, 4111, 8);
        model.Add("model.layers.0.mlp.up_proj.weight", DType.BF16, 1, 4111, 8);
        model.Add("model.layers.0.mlp.down_proj.weight", DType.BF16, 1, 8, 4111);
        TinyAdapter adapter = new TinyAdapter().Lora("model.layers.0.mlp.down_proj", 4111, 8, rank: 3);
        adapter.Config["r"] = 3;
        adapter.Config["target_modules"] = new JsonArray("down_proj");
        if (dora)
        {
            adapter.Config["use_dora"] = true;
            adapter.Add("model.layers.0.mlp.down_proj.lora_magnitude_vector", DType.F32, 3, 8);
        }
        using Checkpoint sum = TinyAdapter.Sum(model.Write(_folder["base"]), adapter.Write(_folder["adapter"]));
        Assert.True(sum.TryGet("model.layers.0.mlp.down_proj.weight", out CheckpointTensor? got));
        byte[] whole = TinyAdapter.Bytes(got);
        foreach (int piece in (int[])[1, 7, 2048, 4096, 4111, 12345]) Assert.Equal(whole, TinyAdapter.Bytes(got, piece));
    }

    [Fact]
    public void Dora_stretches_each_output_to_its_magnitude()
    {
        TinyModel model = TinyCheckpoint.Llama(layers: 1);
        TinyAdapter adapter = new TinyAdapter().Lora("model.layers.0.self_attn.v_proj", 8, 4);
        adapter.Config["target_modules"] = new JsonArray("v_proj");
        adapter.Config["use_dora"] = true;
        adapter.Add("model.layers.0.self_attn.v_proj.lora_magnitude_vector", DType.F32, 3, 4);
        using Checkpoint sum = TinyAdapter.Sum(model.Write(_folder["base"]), adapter.Write(_folder["adapter"]));
        Assert.True(sum.TryGet("model.layers.0.self_attn.v_proj.weight", out CheckpointTensor? got));
        float[] y = TinyAdapter.Values(got), m = adapter["model.layers.0.self_attn.v_proj.lora_magnitude_vector"].Values();
        for (int row = 0; row < 4; row++) Assert.Equal(Math.Abs(m[row]), Math.Sqrt(y.Skip(row * 8).Take(8).Sum(v => (double)v * v)), 1e-6);
    }

    [Fact]
    public void An_adapters_name_in_its_keys_is_read_past_and_two_names_are_not()
    {
        string model = TinyCheckpoint.Llama(_folder["base"]);
        TinyAdapter plain = TinyAdapter.Llama(), named = TinyAdapter.Llama();
        for (int i = 0; i < named.Tensors.Count; i++) named.Tensors[i] = named.Tensors[i] with { Name = named.Tensors[i].Name.Replace(".weight", ".default.weight", StringComparison.Ordinal) };
        using Checkpoint one = TinyAdapter.Sum(model, plain.Write(_folder["plain"])), other = TinyAdapter.Sum(model, named.Write(_folder["named"]));
        Assert.True(one.TryGet("model.layers.0.self_attn.q_proj.weight", out CheckpointTensor? x));
        Assert.True(other.TryGet("model.layers.0.self_attn.q_proj.weight", out CheckpointTensor? y));
        Assert.Equal(TinyAdapter.Bytes(x), TinyAdapter.Bytes(y));
        named.Tensors[0] = named.Tensors[0] with { Name = named.Tensors[0].Name.Replace(".default.", ".second.", StringComparison.Ordinal) };
        Assert.Equal("BW3416", Assert.Throws<Fault>(() => TinyAdapter.Sum(model, named.Write(_folder["two"]))).Code);
    }

    [Fact]
    public void A_zero_update_leaves_the_sign_of_zero()
    {
        TinyModel model = TinyCheckpoint.Llama().Edit("model.layers.0.self_attn.q_proj.weight", v => v[3] = -0f);
        TinyAdapter adapter = TinyAdapter.Llama();
        adapter["model.layers.0.self_attn.q_proj.lora_B.weight"] = adapter["model.layers.0.self_attn.q_proj.lora_B.weight"].With(v => v[0] = v[1] = 0);
        using Checkpoint sum = TinyAdapter.Sum(model.Write(_folder["base"]), adapter.Write(_folder["adapter"]));
        Assert.True(sum.TryGet("model.layers.0.self_attn.q_proj.weight", out CheckpointTensor? got));
        Assert.True(float.IsNegative(TinyAdapter.Values(got)[3]));
        Assert.False(sum.Added!.ChangesNothing);
    }
}
