using System.Text.Json;
using Budwood.Checkpoints;
using Budwood.Files;
using Budwood.Methods;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Adapters;

/// <summary>Adapters as PEFT saved them, against the models that PEFT merged and the errors that a strict reader should give.</summary>
public class AdapterGoldensTests
{
    [Theory]
    [InlineData("dora-bf16")]
    [InlineData("dora-embedding-f32")]
    [InlineData("dora-f32")]
    [InlineData("dora-gpt2-f32")]
    [InlineData("dtype-bf16-over-bf16")]
    [InlineData("dtype-bf16-over-f32")]
    [InlineData("dtype-f32-over-bf16")]
    [InlineData("lora-all-linear-bf16")]
    [InlineData("lora-all-linear-f32")]
    [InlineData("lora-alpha-f32")]
    [InlineData("lora-bias-all-bert-f32")]
    [InlineData("lora-bias-lora-only-gpt2-f32")]
    [InlineData("lora-bias-true-bert-f32")]
    [InlineData("lora-default-f32")]
    [InlineData("lora-embedding-carries-base-f32")]
    [InlineData("lora-embedding-f32")]
    [InlineData("lora-exclude-f32")]
    [InlineData("lora-gpt2-default-bf16")]
    [InlineData("lora-gpt2-f32")]
    [InlineData("lora-layers-f32")]
    [InlineData("lora-list-f32")]
    [InlineData("lora-modules-to-save-bert-f32")]
    [InlineData("lora-modules-to-save-embed-head-f32")]
    [InlineData("lora-rank-alpha-pattern-f32")]
    [InlineData("lora-regex-f32")]
    [InlineData("lora-rslora-f32")]
    [InlineData("lora-target-parameters-f32")]
    [InlineData("lora-trainable-tokens-f32")]
    [InlineData("tied-embedding-lora-f32")]
    [InlineData("tied-ensure-lora-f32")]
    [InlineData("tied-head-lora-f32")]
    [InlineData("tied-modules-to-save-f32")]
    public void The_sum_is_what_peft_stores(string name)
    {
        string folder = Shared.Path(Path.Join("goldens/adapters", name));
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(Path.Join(folder, "case.json")));
        string model = Shared.Path(Path.Join("goldens/adapters/bases", json.RootElement.GetProperty("base").GetString()));
        JsonElement wanted = json.RootElement.GetProperty("outputs").GetProperty("expected.safetensors"), check = wanted.GetProperty("check");
        bool complete = wanted.GetProperty("complete").GetBoolean();
        using SafetensorsFile expected = SafetensorsFile.Open(Path.Join(folder, "expected.safetensors"));
        var byName = expected.Tensors.ToDictionary(t => t.Name, StringComparer.Ordinal);
        // A base has its logits beside it, so that the file of the weights is named.
        using var copy = new TempFolder();
        foreach (string file in (string[])["config.json", "model.safetensors"]) File.Copy(Path.Join(model, file), copy[file]);
        using Checkpoint sum = TinyAdapter.Sum(copy.Path, Path.Join(folder, "adapter"));
        if (complete) Assert.Equal(byName.Keys.Order(StringComparer.Ordinal), sum.Tensors.Select(t => t.Stored).Order(StringComparer.Ordinal));
        Assert.Superset(byName.Keys.ToHashSet(), sum.Tensors.Select(t => t.Stored).ToHashSet());
        foreach (CheckpointTensor tensor in sum.Tensors)
        {
            byte[] got = TinyAdapter.Bytes(tensor);
            Assert.Equal(got, TinyAdapter.Bytes(tensor, 45));
            if (!byName.TryGetValue(tensor.Stored, out TensorEntry? entry))
            {
                Assert.True(sum.AsStored.TryGet(tensor.Name, out CheckpointTensor? stored));
                Assert.Equal(TinyAdapter.Bytes(stored), got);
                continue;
            }
            Assert.Equal((entry.DType, entry.Shape), (tensor.DType, tensor.Shape));
            float[] x = new TinyTensor(tensor.Name, tensor.DType, tensor.Shape, got).Values(), y = Goldens.Read(expected, entry);
            int differ = 0;
            for (int i = 0; i < x.Length; i++)
            {
                if (x[i] == y[i]) continue;
                differ++;
                bool ulp = check.GetProperty("kind").GetString() == "ulp";
                double bound = ulp ? Math.Abs(y[i]) / 128 : check.GetProperty("kind").GetString() == "exact" ? 0 : check.GetProperty("atol").GetDouble() + (check.GetProperty("rtol").GetDouble() * Math.Abs(y[i]));
                Assert.True(Math.Abs((double)x[i] - y[i]) <= bound, $"{tensor.Stored}[{i}]: {x[i]:R} for {y[i]:R}");
            }
            if (check.GetProperty("kind").GetString() == "ulp") Assert.True(differ <= Math.Max(1, check.GetProperty("max_mismatch").GetDouble() * x.Length), $"{tensor.Stored}: {differ} of {x.Length} differ");
        }
        if (name == "tied-modules-to-save-f32") Assert.False(sum.Config!.TiesEmbeddings);
    }

    [Theory]
    [InlineData("neg-alpha-missing")]
    [InlineData("neg-bin-only")]
    [InlineData("neg-bin-with-code")]
    [InlineData("neg-both-files")]
    [InlineData("neg-config-not-json")]
    [InlineData("neg-config-targets-more")]
    [InlineData("neg-config-without-r")]
    [InlineData("neg-corda-reload")]
    [InlineData("neg-dora-flag-off")]
    [InlineData("neg-empty-file")]
    [InlineData("neg-extra-keys")]
    [InlineData("neg-keys-match-nothing")]
    [InlineData("neg-layer-replication")]
    [InlineData("neg-layers-out-of-range")]
    [InlineData("neg-lora-ga-reload")]
    [InlineData("neg-missing-lora-b")]
    [InlineData("neg-nan")]
    [InlineData("neg-no-prefix")]
    [InlineData("neg-old-fields")]
    [InlineData("neg-other-model-size")]
    [InlineData("neg-peft-type-bone")]
    [InlineData("neg-peft-type-unknown")]
    [InlineData("neg-rank-pattern-no-match")]
    [InlineData("neg-rank-pattern-order")]
    [InlineData("neg-resized-vocab")]
    [InlineData("neg-target-modules-match-nothing")]
    [InlineData("neg-truncated")]
    [InlineData("neg-unknown-config-key")]
    [InlineData("neg-wrong-base")]
    public void A_spoiled_adapter_ends_as_a_strict_reader_ends(string name)
    {
        string folder = Shared.Path(Path.Join("goldens/adapters", name));
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(Path.Join(folder, "case.json")));
        string model = Shared.Path(Path.Join("goldens/adapters/bases", json.RootElement.GetProperty("base").GetString()));
        JsonElement strict = json.RootElement.GetProperty("strict");
        using var work = new TempFolder();
        Directory.CreateDirectory(work["base"]);
        foreach (string file in (string[])["config.json", "model.safetensors"]) File.Copy(Path.Join(model, file), work[Path.Join("base", file)]);
        Directory.CreateDirectory(work["adapter"]);
        foreach (string file in Directory.EnumerateFiles(Path.Join(folder, "adapter"))) File.Copy(file, work[Path.Join("adapter", Path.GetFileName(file))]);
        work.Write("merge.yml", "merge_method: linear\nmodels: [{model: base+adapter, parameters: {weight: 1}}]\n");
        string said;
        try
        {
            Goldens.Merge(work["merge.yml"], work["out"]);
            using Checkpoint sum = TinyAdapter.Sum(work["base"], work["adapter"]);
            said = string.Join('\n', sum.Added!.Notes);
            Assert.Equal(0, strict.GetProperty("exit_code").GetInt32());
        }
        catch (Fault fault)
        {
            said = fault.Message + string.Join('\n', fault.All.Select(f => f.Message));
            Assert.True((int)fault.Exit == strict.GetProperty("exit_code").GetInt32(), $"exit {(int)fault.Exit}: {said}");
        }
        foreach (JsonElement word in strict.GetProperty("must_name").EnumerateArray()) Assert.Contains(word.GetString()!, said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("lora-dora")]
    [InlineData("lora-f32")]
    [InlineData("lora-pattern")]
    [InlineData("lora-plain")]
    [InlineData("lora-save")]
    [InlineData("lora-two")]
    public void References_in_a_merge_file_merge_as_the_peers(string name) => Goldens.Check("goldens/merge-extras", name, Arithmetic.Mergekit015);
}
