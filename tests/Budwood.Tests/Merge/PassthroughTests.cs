using Budwood.Engine;
using Budwood.Files;
using Budwood.Merge;
using Budwood.Numbers;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Merge;

public class PassthroughTests
{
    private static readonly Shape s_shape = new(13, 1027);

    private static float[] Run(float[] x, double? scale, RuleHarness.Settings? settings = null) =>
        RuleHarness.Run(new Passthrough(), s_shape, [x], -1, [new Passthrough.Parameters { Scale = scale }], settings);

    [Theory]
    [InlineData(0.3)]
    [InlineData(-2.0)]
    [InlineData(0.0)]
    public void It_is_the_value_times_the_scale(double scale)
    {
        float[] x = RuleHarness.Values((int)s_shape.Count, 3);
        Assert.Equal(x.Select(v => v * (float)scale), Run(x, scale));
    }

    [Theory]
    [InlineData(null)]
    [InlineData(1.0)]
    public void Without_a_scale_nothing_changes(double? scale)
    {
        float[] x = RuleHarness.Values((int)s_shape.Count, 3);
        Assert.Equal(x, Run(x, scale));
    }

    [Fact]
    public void Threads_and_pieces_do_not_change_a_bit()
    {
        float[] x = RuleHarness.Values((int)s_shape.Count, 3);
        Assert.Equal(Run(x, 0.7), Run(x, 0.7, new() { Threads = 3, PieceBytes = 16384 }));
    }

    [Fact]
    public void Slices_stack_layers_of_two_models_and_a_scale_of_zero_silences_some()
    {
        using var folder = new TempFolder();
        TinyModel one = TinyCheckpoint.Llama(DType.BF16, seed: 1), two = TinyCheckpoint.Llama(DType.BF16, seed: 2);
        one.Write(folder["one"]);
        two.Write(folder["two"]);
        RunOutcome outcome = Merge(folder, """
            merge_method: passthrough
            slices:
              - sources: [{model: one, layer_range: [0, 2]}]
              - sources:
                  - model: two
                    layer_range: [1, 2]
                    parameters:
                      scale:
                        - {filter: o_proj, value: 0}
                        - {value: 1.0}
            """);
        Assert.NotNull(outcome);
        Dictionary<string, byte[]> written = Bytes(folder["out"]);
        Assert.Equal(one["model.layers.1.mlp.up_proj.weight"].Bytes, written["model.layers.1.mlp.up_proj.weight"]);
        Assert.Equal(two["model.layers.1.mlp.up_proj.weight"].Bytes, written["model.layers.2.mlp.up_proj.weight"]);
        Assert.Equal(two["lm_head.weight"].Bytes, written["lm_head.weight"]);
        Assert.Equal(one["model.embed_tokens.weight"].Bytes, written["model.embed_tokens.weight"]);
        Assert.All(TinyTensor.Of("", DType.BF16, new Shape(8, 8), new float[64]) with { Bytes = written["model.layers.2.self_attn.o_proj.weight"] } is var t ? t.Values() : [], v => Assert.Equal(0, v));
    }

    [Fact]
    public void Integers_are_copied_and_cannot_be_scaled()
    {
        using var folder = new TempFolder();
        TinyModel model = TinyCheckpoint.Llama();
        model["model.norm.weight"] = new("model.norm.weight", DType.I64, new Shape(8), [.. Enumerable.Range(0, 64).Select(i => (byte)(i * 37))]);
        model.Tensors.Add(new("model.position_ids", DType.I32, new Shape(3), [1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0]));
        model.Write(folder["one"]);
        Merge(folder, "merge_method: passthrough\nmodels: [{model: one}]\ndtype: bfloat16\n");
        Dictionary<string, byte[]> written = Bytes(folder["out"]);
        Assert.Equal(model["model.norm.weight"].Bytes, written["model.norm.weight"]);
        Assert.Equal(model["model.position_ids"].Bytes, written["model.position_ids"]);
        var fault = Assert.Throws<Fault>(() => Merge(folder, "merge_method: passthrough\nmodels: [{model: one, parameters: {scale: 0.5}}]\n"));
        Assert.Equal("BW3310", fault.Code);
    }

    [Fact]
    public void A_base_beside_the_source_lends_the_configuration_alone()
    {
        using var folder = new TempFolder();
        TinyModel one = TinyCheckpoint.Llama(seed: 1), two = TinyCheckpoint.Llama(seed: 2);
        two.Config["rope_theta"] = 12345;
        one.Write(folder["one"]);
        two.Write(folder["two"]);
        Merge(folder, "merge_method: passthrough\nbase_model: two\nmodels: [{model: one}]\n");
        Assert.Equal(one["lm_head.weight"].Bytes, Bytes(folder["out"])["lm_head.weight"]);
        Assert.Contains("12345", File.ReadAllText(Path.Combine(folder["out"], "config.json")), StringComparison.Ordinal);
    }

    [Fact]
    public void Its_bits_stand_with_its_revision() => RevisionLock.Check(new Passthrough(), "1:e19b6004455bef318a638ea5494e0656", ("scale", 0.7));

    [Theory]
    [InlineData("passthrough-copy-bf16")]
    [InlineData("passthrough-scale-f32")]
    [InlineData("passthrough-out-bf16-of-f32")]
    [InlineData("passthrough-out-f16-of-bf16")]
    [InlineData("frankenmerge-f16")]
    [InlineData("frankenmerge-repeat-bf16")]
    [InlineData("frankenmerge-gpt2")]
    public void It_gives_the_peers_numbers_in_the_peers_arithmetic(string name) => Goldens.Check(name);

    private static RunOutcome Merge(TempFolder folder, string yaml)
    {
        if (Directory.Exists(folder["out"])) Directory.Delete(folder["out"], recursive: true);
        File.WriteAllText(folder["merge.yml"], yaml);
        return Goldens.Merge(folder["merge.yml"], folder["out"]);
    }

    private static Dictionary<string, byte[]> Bytes(string folder)
    {
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(folder, "model.safetensors"));
        return file.Tensors.ToDictionary(t => t.Name, t =>
        {
            byte[] bytes = new byte[t.Bytes];
            file.Source.Read(t.Offset, bytes);
            return bytes;
        });
    }
}
