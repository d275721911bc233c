using Budwood.Engine;
using Budwood.Files;
using Budwood.Methods;
using Budwood.Numbers;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Recipes;

public sealed class MergeResolverTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private RunOutcome Merge(string yaml, string output = "out", Arithmetic arithmetic = Arithmetic.Ours, params string[] allow)
    {
        File.WriteAllText(_folder["merge.yml"], yaml);
        return Goldens.Merge(_folder["merge.yml"], _folder[output], arithmetic, allow: allow);
    }

    private Fault Refused(string yaml, params string[] allow)
    {
        var fault = Assert.Throws<Fault>(() => Merge(yaml, allow: allow));
        Assert.False(Directory.Exists(_folder["out"]));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path, ".out*"));
        return fault;
    }

    private void Three(DType type = DType.F32)
    {
        for (int i = 0; i < 3; i++) TinyCheckpoint.Llama(_folder[$"m{i}"], type, seed: i + 1, layers: 3);
    }

    private const string Linear = "merge_method: linear\nmodels:\n  - {model: m0, parameters: {weight: 0.5}}\n  - {model: m1, parameters: {weight: 0.5}}\n";

    [Fact]
    public void A_merge_writes_what_a_reader_of_hugging_face_folders_expects()
    {
        Three();
        RunOutcome outcome = Merge(Linear);
        Assert.Equal(["README.md", "config.json", "mergekit_config.yml", "model.safetensors", "run.json"], Directory.EnumerateFiles(_folder["out"]).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(Linear, File.ReadAllText(Path.Combine(_folder["out"], "mergekit_config.yml")));
        Assert.Contains("base_model_relation: merge", File.ReadAllText(Path.Combine(_folder["out"], "README.md")), StringComparison.Ordinal);
        Assert.Contains(outcome.Receipt.Digest.ToString(), File.ReadAllText(Path.Combine(_folder["out"], "run.json")), StringComparison.Ordinal);
        using WeightFiles weights = WeightFiles.Open(_folder["out"]);
        Assert.Equal(Digests.Checkpoint(weights.Tensors.Select(t => (t.Name, Digests.OfTensor(t)))), outcome.Receipt.Digest);
    }

    [Fact]
    public void Threads_and_shards_do_not_change_a_bit()
    {
        Three(DType.BF16);
        File.WriteAllText(_folder["merge.yml"], Linear);
        RunOutcome one = Goldens.Merge(_folder["merge.yml"], _folder["a"], threads: 1), many = Goldens.Merge(_folder["merge.yml"], _folder["b"], threads: 3, shardBytes: 700);
        Assert.Single(one.Files);
        Assert.True(many.Files.Count > 5);
        Assert.Equal(one.Receipt.Digest, many.Receipt.Digest);
    }

    [Theory]
    [InlineData("parameters: {wieght: 1}", "BW1109", "weight")]
    [InlineData("parameters: {normalize: false, weight: 3}", "BW1122", "never wins")]
    [InlineData("parameters: {normalize: [{filter: modelnorm, value: false}, {value: true}]}", "BW1122", "model.norm")]
    public void A_parameter_that_does_nothing_is_an_error_with_line_and_nearest_word(string line, string code, string words)
    {
        Three();
        Fault fault = Refused(Linear + line + "\n");
        Assert.Equal((code, ExitCode.Usage), (fault.Code, fault.Exit));
        Assert.StartsWith("merge.yml:", fault.Where, StringComparison.Ordinal);
        Assert.Contains(words, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Unmatched_values_may_be_allowed()
    {
        Three();
        Assert.NotNull(Merge(Linear + "parameters: {weight: 3}\n", allow: "unmatched"));
    }

    [Fact]
    public void Parameters_of_a_peers_other_methods_are_read_past()
    {
        Three();
        Assert.NotNull(Merge(Linear + "parameters: {int8_mask: true}\n"));
    }

    [Fact]
    public void A_missing_value_names_parameter_tensor_and_the_line_to_add()
    {
        Three();
        Fault fault = Refused("merge_method: linear\nmodels:\n  - {model: m0, parameters: {weight: [{filter: mlp, value: 1}]}}\n  - {model: m1, parameters: {weight: 1}}\n");
        Assert.Equal(("BW1121", ExitCode.Usage), (fault.Code, fault.Exit));
        Assert.Contains("model.embed_tokens.weight", fault.Message, StringComparison.Ordinal);
        Assert.Contains("- value:", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_base_is_asked_for_where_a_method_needs_one()
    {
        Three();
        Assert.Equal("BW1125", Refused("merge_method: ties\nmodels: [{model: m0, parameters: {weight: 1}}]\n").Code);
    }

    [Fact]
    public void A_wrong_number_of_models_is_refused()
    {
        Three();
        Assert.Equal("BW1124", Refused("merge_method: slerp\nbase_model: m0\nmodels: [{model: m1}, {model: m2}]\nparameters: {t: 0.5}\n").Code);
    }

    [Fact]
    public void Weights_of_the_base_are_said_to_do_nothing_for_task_vectors()
    {
        Three();
        Assert.NotNull(Merge("merge_method: ties\nbase_model: m0\nmodels: [{model: m0, parameters: {weight: 1, density: 0.5}}, {model: m1, parameters: {weight: 1, density: 0.5}}]\n"));
    }

    [Fact]
    public void A_merge_that_changes_nothing_is_not_released()
    {
        Three();
        TinyCheckpoint.Llama(_folder["same"], seed: 1, layers: 3, shardBytes: 500);
        Fault fault = Refused("merge_method: ties\nbase_model: m0\nmodels: [{model: same, parameters: {weight: 1, density: 0.5}}]\n");
        Assert.Equal(("BW4001", ExitCode.NothingChanged), (fault.Code, fault.Exit));
        Assert.Contains("same", fault.Message, StringComparison.Ordinal);
        Assert.NotNull(Merge("merge_method: ties\nbase_model: m0\nmodels: [{model: same, parameters: {weight: 1}}]\n", allow: "unchanged"));
    }

    [Fact]
    public void All_misfits_are_listed_at_once()
    {
        Three();
        TinyModel wide = TinyCheckpoint.Llama(seed: 9, layers: 3);
        wide.Config["intermediate_size"] = 16;
        for (int i = 0; i < wide.Tensors.Count; i++)
        {
            TinyTensor t = wide.Tensors[i];
            if (t.Name.Contains("gate_proj", StringComparison.Ordinal) || t.Name.Contains("up_proj", StringComparison.Ordinal)) wide.Tensors[i] = TinyTensor.Of(t.Name, t.DType, new Shape(16, 8), new float[128]);
            if (t.Name.Contains("down_proj", StringComparison.Ordinal)) wide.Tensors[i] = TinyTensor.Of(t.Name, t.DType, new Shape(8, 16), new float[128]);
        }
        wide.Write(_folder["wide"]);
        Fault fault = Refused("merge_method: linear\nmodels: [{model: m0, parameters: {weight: 1}}, {model: wide, parameters: {weight: 1}}]\n");
        Assert.Equal(("BW3303", ExitCode.Input, 9), (fault.Code, fault.Exit, fault.All.Count));
        Assert.Contains(fault.All, f => f.Message.Contains("[12, 8]", StringComparison.Ordinal) && f.Message.Contains("gate_proj", StringComparison.Ordinal));
    }

    [Fact]
    public void Values_that_are_not_finite_are_refused_with_tensor_and_counts()
    {
        Three();
        TinyCheckpoint.Llama(seed: 2, layers: 3).Edit("model.layers.1.mlp.down_proj.weight", v => (v[0], v[5], v[7]) = (float.NaN, float.NaN, float.PositiveInfinity)).Write(_folder["bad"]);
        const string yaml = "merge_method: linear\nmodels: [{model: m0, parameters: {weight: 1}}, {model: bad, parameters: {weight: 1}}]\n";
        Fault fault = Refused(yaml);
        Assert.Equal(("BW3301", ExitCode.Input), (fault.Code, fault.Exit));
        Assert.Contains("model.layers.1.mlp.down_proj.weight", fault.Message, StringComparison.Ordinal);
        Assert.Contains("2 NaN and 1 infinite", fault.Message, StringComparison.Ordinal);
        Assert.Equal(3, Merge(yaml, allow: "nan").Receipt.NotFinite);
    }

    [Fact]
    public void Different_vocabularies_are_refused_and_common_rows_may_be_allowed()
    {
        Three();
        TinyCheckpoint.Llama(_folder["more"], seed: 5, layers: 3, vocabulary: 18);
        const string yaml = "merge_method: linear\nmodels: [{model: m0, parameters: {weight: 1}}, {model: more, parameters: {weight: 1}}]\n";
        Fault fault = Refused(yaml);
        Assert.Equal(("BW3304", ExitCode.Input), (fault.Code, fault.Exit));
        Assert.Contains("tokenizer", fault.Message, StringComparison.Ordinal);
        Merge(yaml, allow: "common_rows");
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(_folder["out"], "model.safetensors"));
        Assert.Equal(new Shape(16, 8), file.Tensors.Single(t => t.Name == "model.embed_tokens.weight").Shape);
    }

    [Fact]
    public void Slices_take_layers_and_the_configuration_follows()
    {
        Three();
        Merge("""
            merge_method: linear
            slices:
              - sources: [{model: m0, layer_range: [0, 2], parameters: {weight: 1}}]
              - sources: [{model: m1, layer_range: [0, 2], parameters: {weight: 1}}]
              - sources: [{model: m0, layer_range: [2, 3], parameters: {weight: 1}}]
            """);
        Assert.Contains("\"num_hidden_layers\": 5", File.ReadAllText(Path.Combine(_folder["out"], "config.json")), StringComparison.Ordinal);
        using SafetensorsFile made = SafetensorsFile.Open(Path.Combine(_folder["out"], "model.safetensors")), m1 = SafetensorsFile.Open(Path.Combine(_folder["m1"], "model.safetensors"));
        Assert.Equal(Values(m1, "model.layers.1.mlp.up_proj.weight"), Values(made, "model.layers.3.mlp.up_proj.weight"));
    }

    [Theory]
    [InlineData("[1, 9]", "BW1118")]
    [InlineData("[0, 1]", "BW1119")]
    public void Ranges_that_do_not_fit_are_refused(string range, string code)
    {
        Three();
        Fault fault = Refused($"merge_method: linear\nslices:\n  - sources:\n      - {{model: m0, layer_range: [0, 2], parameters: {{weight: 1}}}}\n      - {{model: m1, layer_range: {range}, parameters: {{weight: 1}}}}\n");
        Assert.Equal((code, ExitCode.Usage), (fault.Code, fault.Exit));
    }

    [Fact]
    public void Stacking_copies_layers_and_rewrites_the_configuration()
    {
        Three(DType.BF16);
        RunOutcome outcome = Merge("merge_method: stack\nmodels: [{model: m0}]\nparameters: {factor: 3}\n");
        Assert.Equal((0, 18), (outcome.Receipt.Changed, outcome.Receipt.Added / 3));
        Assert.Contains("\"num_hidden_layers\": 9", File.ReadAllText(Path.Combine(_folder["out"], "config.json")), StringComparison.Ordinal);
        using SafetensorsFile made = SafetensorsFile.Open(Path.Combine(_folder["out"], "model.safetensors"));
        Assert.Equal(Values(made, "model.layers.1.self_attn.q_proj.weight"), Values(made, "model.layers.7.self_attn.q_proj.weight"));
        Assert.NotNull(Merge("merge_method: stack\nmodels: [{model: m0}]\nparameters: {factor: 1}\n", "once"));
    }

    [Fact]
    public void Gpt2_with_and_without_prefix_merge_and_the_output_has_the_prefix()
    {
        TinyCheckpoint.Gpt2(_folder["m0"], seed: 1);
        TinyCheckpoint.Gpt2(_folder["m1"], seed: 2, prefix: "");
        Merge(Linear);
        using SafetensorsFile made = SafetensorsFile.Open(Path.Combine(_folder["out"], "model.safetensors"));
        Assert.All(made.Tensors, t => Assert.StartsWith("transformer.", t.Name, StringComparison.Ordinal));
    }

    [Fact]
    public void A_donor_without_prefix_gives_an_output_without_it_unless_a_peer_is_followed()
    {
        TinyCheckpoint.Gpt2(_folder["m0"], seed: 1, prefix: "");
        TinyCheckpoint.Gpt2(_folder["m1"], seed: 2);
        RunOutcome ours = Merge(Linear), peers = Merge(Linear, "peer", Arithmetic.Mergekit014);
        using SafetensorsFile made = SafetensorsFile.Open(Path.Combine(_folder["out"], "model.safetensors")), peer = SafetensorsFile.Open(Path.Combine(_folder["peer"], "model.safetensors"));
        Assert.Contains(made.Tensors, t => t.Name == "h.0.attn.c_attn.weight");
        Assert.Contains(peer.Tensors, t => t.Name == "transformer.h.0.attn.c_attn.weight");
        Assert.Equal(ours.Receipt.Changed, peers.Receipt.Changed);
    }

    [Fact]
    public void A_family_that_is_not_known_merges_by_names()
    {
        for (int i = 0; i < 2; i++)
        {
            TinyModel model = TinyCheckpoint.Llama(seed: i + 1);
            model.Config["model_type"] = "mystery";
            model.Config["architectures"] = new System.Text.Json.Nodes.JsonArray("MysteryModel");
            model.Write(_folder[$"m{i}"]);
        }
        RunOutcome outcome = Merge(Linear);
        Assert.Equal(21, outcome.Receipt.Changed);
    }

    [Fact]
    public void Tensors_outside_the_architecture_are_merged_when_all_have_them_and_buffers_are_copied()
    {
        for (int i = 0; i < 2; i++)
        {
            TinyModel model = TinyCheckpoint.Llama(seed: i + 1);
            model.Tensors.Add(TinyTensor.Of("model.extra.weight", DType.F32, new Shape(4), [i, i, i, i]));
            model.Tensors.Add(new TinyTensor("model.ids", DType.I64, new Shape(2), new byte[16]));
            model.Write(_folder[$"m{i}"]);
        }
        Merge(Linear);
        using SafetensorsFile made = SafetensorsFile.Open(Path.Combine(_folder["out"], "model.safetensors"));
        Assert.Equal([0.5f, 0.5f, 0.5f, 0.5f], Values(made, "model.extra.weight"));
        Assert.Equal(DType.I64, made.Tensors.Single(t => t.Name == "model.ids").DType);
    }

    [Fact]
    public void An_output_that_is_an_input_is_refused()
    {
        Three();
        File.WriteAllText(_folder["merge.yml"], Linear);
        var fault = Assert.Throws<Fault>(() => Goldens.Merge(_folder["merge.yml"], _folder["m0"]));
        Assert.Equal(ExitCode.Usage, fault.Exit);
    }

    private static float[] Values(SafetensorsFile file, string name) => Goldens.Read(file, file.Tensors.Single(t => t.Name == name));
}
