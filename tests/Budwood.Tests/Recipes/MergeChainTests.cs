using Budwood.Checkpoints;
using Budwood.Engine;
using Budwood.Files;
using Budwood.Methods;
using Budwood.Methods.Generated;
using Budwood.Numbers;
using Budwood.Recipes;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Recipes;

public sealed class MergeChainTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private Receipt Run(string yaml, string output, int threads = 2)
    {
        _folder.Write("merge.yml", yaml);
        var opened = new List<Checkpoint>();
        try
        {
            MergeFile file = MergeFile.Read(_folder["merge.yml"]);
            ResolvedMerge resolved = MergeChain.Resolve(file, d => BudwoodCoreCatalogue.All.OfType<Rule>().Single(r => r.Card.Name == d.Method), _ => new MergeSettings
            {
                Open = n =>
                {
                    var c = Checkpoint.Open(_folder[n.Text], n.Text);
                    opened.Add(c);
                    return c;
                },
            });
            return Runner.Run(resolved.Plan, new RunOptions { Out = _folder[output], Threads = threads, Configuration = file.Text }, CancellationToken.None)!.Receipt;
        }
        finally
        {
            foreach (Checkpoint c in opened) c.Dispose();
        }
    }

    private void Three(DType type)
    {
        for (int i = 0; i < 3; i++) TinyCheckpoint.Llama(_folder[$"m{i}"], type, seed: i + 1, layers: 3, vocabulary: 3000);
    }

    private const string First = "merge_method: ties\nbase_model: m0\nmodels:\n  - {model: m1, parameters: {weight: 0.7, density: 0.4}}\n  - {model: m2, parameters: {weight: 0.5, density: 0.6}}\nparameters: {rescale: true}\n";
    private const string Second = "merge_method: slerp\nbase_model: m2\nmodels:\n  - {model: step}\nparameters: {t: 0.3}\n";

    [Theory]
    [InlineData(DType.F32, First, Second)]
    [InlineData(DType.BF16, First, Second)]
    [InlineData(DType.BF16, First + "dtype: float32\nout_dtype: float16\n", Second)]
    [InlineData(DType.F32, "merge_method: passthrough\nslices:\n  - sources: [{model: m0, layer_range: [0, 2]}]\n  - sources: [{model: m1, layer_range: [1, 3]}]\n",
        "merge_method: stack\nmodels: [{model: step}]\nparameters: {factor: 2}\n")]
    [InlineData(DType.BF16, First, "merge_method: passthrough\nmodels: [{model: step}]\n")]
    [InlineData(DType.BF16, First, "merge_method: della\nbase_model: step\nmodels: [{model: m1, parameters: {weight: 1, density: 0.5}}]\n")]
    public void A_chain_gives_the_bits_of_the_merges_run_one_after_the_other(DType type, string first, string second)
    {
        Three(type);
        Run(first, "step");
        Receipt apart = Run(second, "apart");
        Directory.Move(_folder["step"], _folder["moved"]);
        Receipt chained = Run($"name: step\n{first}---\n{second}", "chained", threads: 3);
        Assert.Equal(apart.Digest, chained.Digest);
        Assert.False(Directory.Exists(_folder["step"]));
    }

    [Fact]
    public void Steps_may_stand_in_any_order_and_feed_several_others()
    {
        Three(DType.F32);
        Receipt receipt = Run("""
            merge_method: linear
            models: [{model: a, parameters: {weight: 1}}, {model: b, parameters: {weight: 1}}]
            ---
            name: b
            merge_method: task_arithmetic
            base_model: m0
            models: [{model: a, parameters: {weight: 0.5}}]
            ---
            name: a
            merge_method: linear
            models: [{model: m1, parameters: {weight: 1}}, {model: m2, parameters: {weight: 1}}]
            """, "out");
        using SafetensorsFile made = SafetensorsFile.Open(Path.Combine(_folder["out"], "model.safetensors"));
        float[][] m = [.. Enumerable.Range(0, 3).Select(i => Goldens.Read(Open(i), Open(i).Tensors.Single(t => t.Name == "model.norm.weight")))];
        float[] y = Goldens.Read(made, made.Tensors.Single(t => t.Name == "model.norm.weight"));
        for (int i = 0; i < y.Length; i++)
        {
            double a = (m[1][i] + (double)m[2][i]) / 2, b = m[0][i] + (0.5 * (a - m[0][i]));
            Assert.Equal((a + b) / 2, y[i], 1e-6);
        }
        Assert.True(receipt.Changed > 0);
    }

    private SafetensorsFile Open(int model) => SafetensorsFile.Open(Path.Combine(_folder[$"m{model}"], "model.safetensors"));

    [Theory]
    [InlineData("name: a\nmerge_method: linear\nmodels: [{model: b, parameters: {weight: 1}}]\n---\nname: b\nmerge_method: linear\nmodels: [{model: a, parameters: {weight: 1}}]\n---\nmerge_method: linear\nmodels: [{model: a, parameters: {weight: 1}}]\n", "uses itself")]
    [InlineData("merge_method: linear\nmodels: [{model: m0, parameters: {weight: 1}}]\n---\nmerge_method: linear\nmodels: [{model: m1, parameters: {weight: 1}}]\n", "no name")]
    [InlineData("name: a\nmerge_method: linear\nmodels: [{model: m0, parameters: {weight: 1}}]\n---\nmerge_method: linear\nmodels: [{model: m1, parameters: {weight: 1}}]\n", "used by no other")]
    [InlineData("name: a\nmerge_method: linear\nmodels: [{model: m0, parameters: {weight: 1}}]\n---\nname: a\nmerge_method: linear\nmodels: [{model: m1, parameters: {weight: 1}}]\n", "have the name")]
    public void A_chain_that_cannot_be_ordered_is_refused(string yaml, string words)
    {
        Three(DType.F32);
        var fault = Assert.Throws<Fault>(() => Run(yaml, "out"));
        Assert.Equal(("BW1116", ExitCode.Usage), (fault.Code, fault.Exit));
        Assert.Contains(words, fault.Message, StringComparison.Ordinal);
    }
}
