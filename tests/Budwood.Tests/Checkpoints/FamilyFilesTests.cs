using Budwood.Checkpoints;
using Budwood.Numbers;

namespace Budwood.Tests.Checkpoints;

public class FamilyFilesTests
{
    // Folders that are broken on purpose.
    private static readonly HashSet<string> s_broken = ["loader-missing-f32", "bad-missing", "bad-truncated", "bad-header", "bad-shard", "bad-int"];

    [Fact]
    public void Every_family_file_is_read()
    {
        string[] names = [.. Family.All.Select(f => f.Name)];
        Assert.Equal(["bert", "distilbert", "gemma2", "gpt2", "gpt_neox", "llama", "mamba", "mistral", "mixtral", "phi3", "qwen2", "qwen3", "roberta", "t5",
            "vit"], names);
        Assert.All(Family.All, f => Assert.NotEmpty(f.ModelTypes));
    }

    [Theory]
    [InlineData("goldens/networks", 28)]
    [InlineData("goldens/merge/inputs", 20)]
    [InlineData("goldens/merge-extras/inputs", 60)]
    [InlineData("real/models", 5)]
    public void Names_and_shapes_agree_with_every_real_folder(string under, int atLeast)
    {
        SharedFolders.Require(under);
        var failures = new List<string>();
        int held = 0;
        foreach (string folder in SharedFolders.Models(under))
        {
            string name = Path.GetFileName(folder);
            ModelConfig config = ModelConfig.Read(Path.Combine(folder, "config.json"));
            if (s_broken.Contains(name) || Family.For(config) is not { } family) continue;
            Dictionary<string, (DType Type, Shape Shape)> tensors = SharedFolders.Tensors(folder);
            if (tensors.Count == 0) continue;
            FamilyModel model = family.Describe(config, tensors.Keys);
            IReadOnlyList<Misfit> misfits = Misfits.Check(config, model, n => tensors.TryGetValue(n, out var t) ? t : null, tensors.Keys);
            // Two folders hold strangers on purpose; in all others every name must be known.
            bool strangers = name.Contains("extra") || name.Contains("planted");
            failures.AddRange(misfits.Where(m => m.IsError || (m.Code == "BW3124" && !strangers)).Select(m => $"{name}: {m}"));
            held++;
        }
        Assert.Empty(failures);
        Assert.True(held >= atLeast, $"only {held} folders were held against a family");
    }
}
