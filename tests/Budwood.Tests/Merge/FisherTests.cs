using Budwood.Engine;
using Budwood.Files;
using Budwood.Merge;
using Budwood.Numbers;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Merge;

public sealed class FisherTests : IDisposable
{
    private static readonly Shape s_shape = new(13, 1027);
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static float[] Run(float[][] inputs, float[][] fisher, double[]? weights = null, RuleHarness.Settings? settings = null, double floor = 1e-10) =>
        RuleHarness.Run(new Fisher(), s_shape, inputs, -1, [.. inputs.Select((_, i) => new Fisher.Parameters { Weight = weights?[i] ?? 1, Fisher = $"f{i}", Floor = floor })],
            (settings ?? new()) with { Companions = fisher });

    private static float[][] Squares(int models) => [.. Enumerable.Range(0, models).Select(i => Array.ConvertAll(RuleHarness.Values((int)s_shape.Count, 50 + i, 1e-3), v => v * v))];

    [Theory]
    [InlineData(1e-10)]
    [InlineData(1e-6)]
    public void It_agrees_with_a_naive_loop_in_double(double floor)
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 3), f = Squares(3);
        double[] w = [0.5, 0.2, 0.9];
        float[] y = Run(x, f, w, floor: floor);
        for (int i = 0; i < y.Length; i++)
        {
            double sum = 0, divisor = 0;
            for (int k = 0; k < 3; k++)
            {
                sum += w[k] * (f[k][i] + floor) * x[k][i];
                divisor += w[k] * (f[k][i] + floor);
            }
            Assert.Equal(sum / divisor, y[i], 4e-6);
        }
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(0.37f)]
    public void With_equal_fisher_information_it_is_linear(float value)
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 3);
        float[] all = new float[s_shape.Count];
        Array.Fill(all, value);
        double[] w = [0.3, 0.3, 0.4];
        float[] linear = RuleHarness.Run(new Linear(), s_shape, x, -1, [.. w.Select(v => new Linear.Parameters { Weight = v })]);
        float[] y = Run(x, [all, all, all], w);
        for (int i = 0; i < y.Length; i++) Assert.Equal(linear[i], y[i], 2e-6f);
    }

    [Fact]
    public void A_parameter_that_one_model_alone_has_information_on_is_that_models()
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 2);
        float[] none = new float[s_shape.Count], full = new float[s_shape.Count];
        Array.Fill(full, 1);
        Nearness.OneUlp(DType.BF16, [.. x[1].Select(v => Rounded(v))], Run(x, [none, full], settings: new() { DType = DType.BF16 }));
    }

    private static float Rounded(float v)
    {
        float[] one = [v];
        Rounding.To(DType.BF16, one);
        return one[0];
    }

    [Fact]
    public void Threads_and_pieces_do_not_change_a_bit()
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 3), f = Squares(3);
        Assert.Equal(Run(x, f), Run(x, f, settings: new() { Threads = 3, PieceBytes = 16384 }));
    }

    [Theory]
    [InlineData(-1e-12f)]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Values_that_are_no_fisher_information_are_refused(float value)
    {
        float[][] x = RuleHarness.Family((int)s_shape.Count, 2), f = Squares(2);
        f[1][5000] = value;
        var fault = Assert.Throws<Fault>(() => Run(x, f));
        Assert.Equal(("BW3314", ExitCode.Input), (fault.Code, fault.Exit));
        Assert.Contains("'f1'", fault.Message, StringComparison.Ordinal);
        Assert.NotNull(fault.Where);
        Assert.NotNull(fault.Next);
    }

    [Fact]
    public void Weights_of_zero_alone_are_refused()
    {
        var fault = Assert.Throws<Fault>(() => Run(RuleHarness.Family((int)s_shape.Count, 2), Squares(2), [0, 0]));
        Assert.Equal("BW1201", fault.Code);
    }

    [Fact]
    public void Its_bits_stand_with_its_revision() => RevisionLock.Check(new Fisher(), "1:3a878848434347465e2a5ff4a16c41a7", ("fisher", "f"));

    private const string Config = "merge_method: fisher\nmodels:\n  - {model: m0, parameters: {weight: 0.4, fisher: f0}}\n  - {model: m1, parameters: {weight: 0.6, fisher: f1/part.safetensors}}\n";

    // The first Fisher checkpoint is a folder without configuration, the second a single file; both leave the prefix out.
    private void Two(Action<TinyModel>? edit = null, int vocabulary = 16)
    {
        for (int i = 0; i < 2; i++)
        {
            TinyCheckpoint.Gpt2(_folder[$"m{i}"], seed: i + 1, vocabulary: i == 0 ? vocabulary : 16);
            TinyModel fisher = TinyCheckpoint.Gpt2(seed: i + 11, prefix: "", vocabulary: i == 0 ? vocabulary : 16);
            for (int t = 0; t < fisher.Tensors.Count; t++) fisher.Tensors[t] = fisher.Tensors[t].With(v => { for (int k = 0; k < v.Length; k++) v[k] *= v[k]; });
            if (i == 1) edit?.Invoke(fisher);
            if (i == 0) TinyCheckpoint.Write(_folder["f0"], null, fisher.Tensors);
            else
            {
                Directory.CreateDirectory(_folder["f1"]);
                TinyCheckpoint.WriteFile(_folder["f1/part.safetensors"], fisher.Tensors);
            }
        }
        _folder.Write("merge.yml", Config);
    }

    private float[] Values(string file, string name)
    {
        using SafetensorsFile opened = SafetensorsFile.Open(_folder[file]);
        return Goldens.Read(opened, opened.Tensors.Single(t => t.Name == name));
    }

    [Fact]
    public void A_merge_file_names_a_folder_or_a_file_for_each_model()
    {
        Two();
        RunOutcome one = Goldens.Merge(_folder["merge.yml"], _folder["out"], threads: 1), many = Goldens.Merge(_folder["merge.yml"], _folder["again"], threads: 3);
        Assert.Equal(one.Receipt.Digest, many.Receipt.Digest);
        float[] y = Values("out/model.safetensors", "transformer.h.1.mlp.c_fc.weight");
        float[][] x = [.. Enumerable.Range(0, 2).Select(i => Values($"m{i}/model.safetensors", "transformer.h.1.mlp.c_fc.weight"))];
        float[][] f = [Values("f0/model.safetensors", "h.1.mlp.c_fc.weight"), Values("f1/part.safetensors", "h.1.mlp.c_fc.weight")];
        for (int i = 0; i < y.Length; i++)
        {
            double a = 0.4 * (f[0][i] + 1e-10), b = 0.6 * (f[1][i] + 1e-10);
            Assert.Equal(((a * x[0][i]) + (b * x[1][i])) / (a + b), y[i], 2e-6);
        }
        Assert.Equal(["f0", "f1/part.safetensors"], one.Parents.Where(p => p.IsCompanion).Select(p => p.Label));
        string run = File.ReadAllText(_folder["out/run.json"]), card = File.ReadAllText(_folder["out/README.md"]);
        Assert.Contains("\"companion\": \"f0\"", run, StringComparison.Ordinal);
        Assert.DoesNotContain("- f1/part.safetensors", card, StringComparison.Ordinal);
    }

    [Fact]
    public void A_plan_counts_what_fisher_information_costs()
    {
        Two();
        _folder.Write("plain.yml", "merge_method: linear\nmodels:\n  - {model: m0, parameters: {weight: 1}}\n  - {model: m1, parameters: {weight: 1}}\n");
        Plan? with = null, without = null;
        Goldens.Merge(_folder["merge.yml"], _folder["a"], planned: p => with = p);
        Goldens.Merge(_folder["plain.yml"], _folder["b"], planned: p => without = p);
        Assert.Equal(2 * without!.ReadBytes, with!.ReadBytes);
        Assert.True(with.PeakBytes(1, 1 << 16) > without.PeakBytes(1, 1 << 16));
    }

    [Fact]
    public void A_fisher_checkpoint_that_does_not_fit_is_refused_with_all_misfits()
    {
        Two(f =>
        {
            f.Tensors.RemoveAll(t => t.Name == "h.0.ln_1.weight");
            f["ln_f.weight"] = TinyTensor.Of("ln_f.weight", DType.F32, new Shape(4), [1, 1, 1, 1]);
        });
        var fault = Assert.Throws<Fault>(() => Goldens.Merge(_folder["merge.yml"], _folder["out"]));
        Assert.Equal(ExitCode.Input, fault.Exit);
        Assert.Equal(["BW3312", "BW3313"], fault.All.Select(f => f.Code).Order());
        Assert.Contains(fault.All, f => f.What.Contains("transformer.h.0.ln_1.weight", StringComparison.Ordinal));
        Assert.All(fault.All, f => Assert.True(f is { Where: not null, Found: not null, Next: not null }));
        Assert.False(Directory.Exists(_folder["out"]));
    }

    [Fact]
    public void A_fisher_path_that_is_not_there_is_one_fault()
    {
        Two();
        _folder.Write("merge.yml", Config.Replace("fisher: f0", "fisher: nowhere", StringComparison.Ordinal));
        var fault = Assert.Throws<Fault>(() => Goldens.Merge(_folder["merge.yml"], _folder["out"]));
        Assert.Equal(ExitCode.Input, fault.Exit);
        Assert.Empty(fault.All);
    }

    [Fact]
    public void Vocabularies_of_different_sizes_are_refused_even_when_rows_may_be_cut()
    {
        Two(vocabulary: 18);
        var fault = Assert.Throws<Fault>(() => Goldens.Merge(_folder["merge.yml"], _folder["out"], allow: "common_rows"));
        Assert.Equal("BW3304", fault.Code);
    }

    [Fact]
    public void Negative_values_in_a_file_name_the_tensor()
    {
        Two(f => f.Edit("h.0.ln_2.bias", v => v[3] = -1));
        var fault = Assert.Throws<Fault>(() => Goldens.Merge(_folder["merge.yml"], _folder["out"]));
        Assert.Equal(("BW3314", "h.0.ln_2.bias"), (fault.Code, fault.Where));
        Assert.False(Directory.Exists(_folder["out"]));
    }

    [Fact]
    public void A_step_of_a_chain_computes_with_it_too()
    {
        Two();
        Goldens.Merge(_folder["merge.yml"], _folder["step"]);
        _folder.Write("second.yml", "merge_method: linear\nmodels:\n  - {model: step, parameters: {weight: 1}}\n  - {model: m0, parameters: {weight: 1}}\n");
        Digest apart = Goldens.Merge(_folder["second.yml"], _folder["apart"]).Receipt.Digest;
        Directory.Move(_folder["step"], _folder["moved"]);
        _folder.Write("chain.yml", $"name: step\n{Config}---\n{File.ReadAllText(_folder["second.yml"])}");
        Assert.Equal(apart, Goldens.Merge(_folder["chain.yml"], _folder["chained"]).Receipt.Digest);
    }
}
