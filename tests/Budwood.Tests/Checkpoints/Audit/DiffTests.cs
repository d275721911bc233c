using Budwood.Checkpoints;
using Budwood.Checkpoints.Audit;
using Budwood.Files;
using Budwood.Numbers;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Checkpoints.Audit;

public sealed class DiffTests : IDisposable
{
    private const string Up = "model.layers.1.mlp.up_proj.weight", Embed = "model.embed_tokens.weight";
    private readonly TempFolder _temp = new();

    public void Dispose() => _temp.Dispose();

    private static DiffReport Compare(string a, string b, int threads = 2, DigestCache? cache = null, Action<long>? progress = null)
    {
        using Checkpoint x = Checkpoint.Open(a), y = Checkpoint.Open(b);
        return CheckpointDiff.Compare(x, y, new DiffOptions(threads, progress, cache ?? new DigestCache(null)), TestContext.Current.CancellationToken);
    }

    [Fact]
    public void The_same_weights_in_other_shards_are_identical()
    {
        DiffReport report = Compare(TinyCheckpoint.Llama(_temp["a"], DType.BF16), TinyCheckpoint.Llama(_temp["b"], DType.BF16, shardBytes: 700));
        Assert.True(report.Identical);
        Assert.Equal(21, report.Same);
        Assert.Equal(report.DigestA, report.DigestB);
        Assert.Contains($"identical: 21 tensors, {report.DigestA}", report.Lines()[0]);
        Assert.All(report.ByRole.Rows, r => Assert.Equal(0d, r[^1]));
    }

    [Fact]
    public void A_gpt2_without_prefix_is_the_same_model()
    {
        DiffReport report = Compare(TinyCheckpoint.Gpt2(_temp["a"]), TinyCheckpoint.Gpt2(_temp["b"], prefix: ""));
        Assert.True(report.Identical);
        Assert.Equal(report.DigestA, report.DigestB);
    }

    [Theory]
    [InlineData(DType.F32)]
    [InlineData(DType.BF16)]
    [InlineData(DType.F16)]
    [InlineData(DType.F64)]
    public void A_changed_tensor_is_measured(DType type)
    {
        TinyModel a = TinyCheckpoint.Llama(type), b = TinyCheckpoint.Llama(type).Edit(Up, v =>
        {
            v[3] += 0.5f;
            v[70] = -v[70];
        });
        DiffReport report = Compare(a.Write(_temp["a"]), b.Write(_temp["b"]));
        Assert.False(report.WeightsIdentical);
        TensorDifference only = Assert.Single(report.Tensors);
        Assert.Equal((Up, TensorChange.Changed, 2L, 96L), (only.Name, only.Change, only.Changed!.Value, only.Compared));
        double[] x = [.. a[Up].Values().Select(v => (double)v)], y = [.. b[Up].Values().Select(v => (double)v)];
        double difference = x.Zip(y, (p, q) => (q - p) * (q - p)).Sum(), norm = Math.Sqrt(difference / x.Sum(v => v * v));
        Assert.Equal(norm, only.RelativeNorm!.Value, norm * 1e-6);
        Assert.Equal(x.Zip(y, (p, q) => Math.Abs(q - p)).Max(), only.Largest!.Value, 1e-6);
        object?[] mlp = Assert.Single(report.ByRole.Rows, r => (string)r[0]! == "mlp");
        Assert.Equal((6L, 1L, 2L), ((long)mlp[1]!, (long)mlp[2]!, (long)mlp[5]!));
        Assert.Equal(norm, (double)mlp[^1]!, norm * 1e-6);
        Assert.All(report.ByRole.Rows.Where(r => (string)r[0]! != "mlp"), r => Assert.Equal(0d, r[^1]));
    }

    [Fact]
    public void Digests_are_those_of_the_tensors_under_their_names()
    {
        TinyModel b = TinyCheckpoint.Llama(DType.BF16, vocabulary: 40_000);
        TinyCheckpoint.Llama(_temp["a"], vocabulary: 40_000);
        DiffReport report = Compare(_temp["a"], b.Write(_temp["b"]));
        Assert.Equal(Digests.Checkpoint(b.Tensors.Select(t => (t.Name, Digests.Tensor(t.DType, t.Shape, t.Bytes)))), report.DigestB);
        using WeightFiles a = WeightFiles.Open(_temp["a"]);
        Assert.Equal(Digests.Checkpoint(a.Tensors.Select(t => (t.Name, Digests.OfTensor(t)))), report.DigestA);
    }

    [Fact]
    public void Threads_change_no_bit()
    {
        TinyCheckpoint.Llama(_temp["a"], seed: 1, vocabulary: 70_001);
        TinyCheckpoint.Llama(_temp["b"], seed: 2, vocabulary: 70_001);
        DiffReport one = Compare(_temp["a"], _temp["b"], threads: 1);
        foreach (int threads in (int[])[2, 5, 64]) Assert.Equal(one.Tensors, Compare(_temp["a"], _temp["b"], threads).Tensors);
    }

    [Fact]
    public void Another_dtype_is_said_and_values_are_compared_all_the_same()
    {
        TinyModel a = TinyCheckpoint.Llama(DType.BF16), b = TinyCheckpoint.Llama(DType.BF16);
        for (int i = 0; i < b.Tensors.Count; i++) b.Tensors[i] = b.Tensors[i].As(DType.F32);
        DiffReport report = Compare(a.Write(_temp["a"]), b.Write(_temp["b"]));
        Assert.Equal(21, report.Changed);
        Assert.All(report.Tensors, t => Assert.Equal(0, t.Changed));
        Assert.Contains("dtype: BF16 -> F32 in 21 tensors", report.Lines());
        Assert.Contains("BF16 -> F32", report.ByTensor().Rows[0].OfType<string>());
    }

    [Fact]
    public void Common_rows_of_embeddings_are_compared_and_other_shapes_are_not()
    {
        TinyModel a = TinyCheckpoint.Llama(), b = TinyCheckpoint.Llama(vocabulary: 18);
        b[Embed] = TinyTensor.Of(Embed, DType.F32, new Shape(18, 8), [.. a[Embed].Values(), .. new float[16]]);
        b[Up] = TinyTensor.Of(Up, DType.F32, new Shape(6, 8), new float[48]);
        DiffReport report = Compare(a.Write(_temp["a"]), b.Write(_temp["b"]));
        TensorDifference embed = report.Tensors.Single(t => t.Name == Embed), up = report.Tensors.Single(t => t.Name == Up);
        Assert.Equal((128L, 0L, 0d), (embed.Compared, embed.Changed!.Value, embed.RelativeNorm!.Value));
        Assert.Contains("16 rows that both have", embed.Remark);
        Assert.Contains($"vocabulary: 16 -> 18 rows of {Embed}", report.Lines());
        Assert.Equal((0L, null), (up.Compared, up.Changed));
        Assert.Contains("not compared", up.Remark);
    }

    [Fact]
    public void Tensors_that_came_or_went_are_listed_and_ties_explained()
    {
        TinyModel a = TinyCheckpoint.Llama(tied: true), b = TinyCheckpoint.Llama(layers: 3);
        DiffReport report = Compare(a.Write(_temp["a"]), b.Write(_temp["b"]));
        Assert.Equal((0L, 10L, 0L), (report.Changed, report.Added, report.Removed));
        Assert.Contains("tied to model.embed_tokens.weight", report.Tensors.Single(t => t.Name == "lm_head.weight").Remark);
        Assert.Equal((0L, 0L, 10L), (Compare(_temp["b"], _temp["a"]).Changed, Compare(_temp["b"], _temp["a"]).Added, Compare(_temp["b"], _temp["a"]).Removed));
    }

    [Fact]
    public void What_is_not_finite_is_counted_and_stands_in_no_sum()
    {
        TinyModel b = TinyCheckpoint.Llama().Edit(Up, v => (v[0], v[1], v[2], v[3]) = (float.NaN, float.NegativeInfinity, float.NaN, v[3] + 1));
        DiffReport report = Compare(TinyCheckpoint.Llama(_temp["a"]), b.Write(_temp["b"]));
        TensorDifference only = Assert.Single(report.Tensors);
        Assert.Equal((4L, 2L, 1L), (only.Changed!.Value, only.NaN, only.Infinite));
        Assert.True(double.IsFinite(only.RelativeNorm!.Value) && Math.Abs(only.Largest!.Value - 1) < 1e-6);
        Assert.Contains("leave out 3 elements", only.Remark);
        Assert.Contains("2 NaN and 1 infinity", string.Join('\n', report.Lines()));
        // The other way round the reference is not finite, and the result is.
        Assert.True(double.IsFinite(Compare(_temp["b"], _temp["a"]).Tensors[0].RelativeNorm!.Value));
    }

    [Fact]
    public void Differences_beyond_float32_are_still_numbers()
    {
        TinyModel a = TinyCheckpoint.Llama().Edit(Up, v => v[0] = 3e38f), b = TinyCheckpoint.Llama().Edit(Up, v => v[0] = -3e38f);
        TensorDifference only = Assert.Single(Compare(a.Write(_temp["a"]), b.Write(_temp["b"])).Tensors);
        Assert.Equal(2, only.RelativeNorm!.Value, 1e-6);
        Assert.Equal(6e38, only.Largest!.Value, 1e33);
    }

    [Fact]
    public void Whole_numbers_are_compared_by_their_bytes()
    {
        TinyModel a = TinyCheckpoint.Llama(), b = TinyCheckpoint.Llama();
        a.Tensors.Add(new TinyTensor("position_ids", DType.I64, new Shape(4), new byte[32]));
        b.Tensors.Add(new TinyTensor("position_ids", DType.I64, new Shape(4), [.. new byte[17], 9, 1, .. new byte[13]]));
        TensorDifference only = Assert.Single(Compare(a.Write(_temp["a"]), b.Write(_temp["b"])).Tensors);
        Assert.Equal((1L, null, RoleGroup.Other), (only.Changed!.Value, only.RelativeNorm, only.Role.Group()));
    }

    [Fact]
    public void Fields_of_the_configuration_are_compared_by_value()
    {
        TinyModel a = TinyCheckpoint.Llama(), b = TinyCheckpoint.Llama();
        a.Config["rope_theta"] = 10000;
        b.Config["rope_theta"] = 500000.0;
        b.Config["rms_norm_eps"] = System.Text.Json.Nodes.JsonNode.Parse("0.00001");
        b.Config["layer_types"] = System.Text.Json.Nodes.JsonNode.Parse("[\n \"full\",\n \"full\"]");
        b.Config.Remove("torch_dtype");
        b.Config["dtype"] = "float32";
        DiffReport report = Compare(a.Write(_temp["a"]), b.Write(_temp["b"]));
        Assert.True(report.WeightsIdentical);
        Assert.False(report.Identical);
        Assert.Equal([new ConfigDifference("rope_theta", "10000", "500000"), new ConfigDifference("layer_types", null, "[\"full\", \"full\"]")], report.Config);
        Assert.Equal("(absent)", report.ByField().Rows[1][1]);
    }

    [Fact]
    public void What_the_cache_knows_to_be_equal_is_not_read_again()
    {
        TinyModel b = TinyCheckpoint.Llama().Edit(Up, v => v[0] += 1);
        TinyCheckpoint.Llama(_temp["a"]);
        b.Write(_temp["b"]);
        long first = 0, second = 0;
        DiffReport before = Compare(_temp["a"], _temp["b"], 1, new DigestCache(_temp["home"]), n => first += n);
        DiffReport after = Compare(_temp["a"], _temp["b"], 1, new DigestCache(_temp["home"]), n => second += n);
        Assert.Equal(2 * b.Tensors.Sum(t => t.Bytes.Length), first);
        Assert.Equal(2 * 96 * 4, second);
        Assert.Equal(before.Tensors, after.Tensors);
        Assert.Equal(before.DigestB, after.DigestB);
    }

    [Fact]
    public void A_stop_ends_the_comparison()
    {
        using Checkpoint x = Checkpoint.Open(TinyCheckpoint.Llama(_temp["a"])), y = Checkpoint.Open(TinyCheckpoint.Llama(_temp["b"], seed: 2));
        foreach (int threads in (int[])[1, 2])
            Assert.ThrowsAny<OperationCanceledException>(() => CheckpointDiff.Compare(x, y, new DiffOptions(threads, null, new DigestCache(null)),
                new CancellationToken(true)));
    }

    [Fact]
    public void A_file_that_shrinks_while_it_is_read_ends_in_a_fault()
    {
        TinyCheckpoint.Llama(_temp["a"]);
        TinyCheckpoint.Llama(_temp["b"], seed: 2);
        using Checkpoint x = Checkpoint.Open(_temp["a"]), y = Checkpoint.Open(_temp["b"]);
        string cut = Path.Join(_temp["b"], "model.safetensors");
        using (var file = new FileStream(cut, FileMode.Open, FileAccess.Write, FileShare.ReadWrite)) file.SetLength(file.Length - 100);
        Fault fault = Assert.Throws<Fault>(() => CheckpointDiff.Compare(x, y, new DiffOptions(2, null, new DigestCache(null))));
        Assert.Equal(ExitCode.Input, fault.Exit);
    }
}
