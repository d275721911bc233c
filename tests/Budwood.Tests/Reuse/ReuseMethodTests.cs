using Budwood.Checkpoints;
using Budwood.Engine;
using Budwood.Lab.Worlds;
using Budwood.Methods;
using Budwood.Numbers;
using Budwood.Numbers.Random;
using Budwood.Recipes.Steps;
using Budwood.Reuse;
using Budwood.Tests.Fixtures;
using Budwood.Tests.Recipes.Steps;

namespace Budwood.Tests.Reuse;

/// <summary>Provenance, reproducibility, portability, claims and the comparison of candidates.</summary>
public sealed class ReuseMethodTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static Dictionary<string, (string Status, string Evidence, string What)> Factors(string folder)
    {
        Table table = TestDesk.Run(new ProvenanceReport(), new ProvenanceReport.Parameters(), 0, ("folder", Artifact.Of(ModelFolder.Open(folder))))["factors"].Table;
        return table.Rows.ToDictionary(r => (string)r[1]!, r => ((string)r[2]!, (string)r[3]!, (string)r[4]!), StringComparer.Ordinal);
    }

    private string Merged(string name = "merged")
    {
        if (!Directory.Exists(_folder["a"])) TinyCheckpoint.Llama(_folder["a"], seed: 1);
        if (!Directory.Exists(_folder["b"])) TinyCheckpoint.Llama(_folder["b"], seed: 2);
        Goldens.Merge(_folder.Write("merge.yml", $"merge_method: linear\nmodels:\n  - model: {_folder["a"]}\n  - model: {_folder["b"]}\nparameters:\n  weight: 0.5\n"), _folder[name]);
        return _folder[name];
    }

    [Fact]
    public void Digests_of_a_record_are_recomputed()
    {
        var factors = Factors(Merged());
        Assert.Equal("verified", factors["content_digests"].Status);
        Assert.Equal(("verified", "run.json: configuration"), (factors["training_configuration"].Status, factors["training_configuration"].Evidence));
        Assert.Equal("verified", factors["architecture"].Status);
        Assert.Equal("missing", factors["licence"].Status);
    }

    [Fact]
    public void One_changed_bit_contradicts_the_record_by_name()
    {
        string folder = Merged(), file = _folder["merged/model.safetensors"];
        byte[] bytes = File.ReadAllBytes(file);
        bytes[^1] ^= 1;
        File.WriteAllBytes(file, bytes);
        var (status, evidence, what) = Factors(folder)["content_digests"];
        Assert.Equal(("contradicted", "run.json: tensors"), (status, evidence));
        using Checkpoint changed = Checkpoint.Open(folder);
        Assert.Contains(changed.Tensors, t => what.StartsWith(t.Name + " is xxh128:", StringComparison.Ordinal));
    }

    [Fact]
    public void Layers_that_the_tensors_do_not_have_contradict_the_configuration()
    {
        TinyModel model = TinyCheckpoint.Llama(layers: 2);
        model.Config["num_hidden_layers"] = 5;
        Assert.Equal("contradicted", Factors(model.Write(_folder["short"]))["architecture"].Status);
    }

    [Fact]
    public void Statements_of_a_card_are_claimed_with_their_line()
    {
        TinyCheckpoint.Llama(_folder["a"]);
        _folder.Write("a/README.md", "---\nlicense: mit\ndatasets:\n- wiki\n---\n# A\nSee https://arxiv.org/abs/2303.02552\n\nTrained with a batch size of 32 on one GPU.\n");
        _folder.Write("a/LICENSE", "MIT License\n");
        var factors = Factors(_folder["a"]);
        Assert.Equal(("claimed", "README.md:4"), (factors["data_set"].Status, factors["data_set"].Evidence));
        Assert.Equal(("claimed", "README.md:7"), (factors["paper_link"].Status, factors["paper_link"].Evidence));
        Assert.Equal(("claimed", "README.md:9"), (factors["hardware"].Status, factors["hardware"].Evidence));
        Assert.Equal("verified", factors["licence"].Status);
        Assert.Equal("missing", factors["latency"].Status);
    }

    private static Dictionary<string, Artifact> Compare(string a, string b)
    {
        using Checkpoint x = Checkpoint.Open(a), y = Checkpoint.Open(b);
        return TestDesk.Run(new ReproducibilityCheck(), new ReproducibilityCheck.Parameters(), 0, ("first", Artifact.Of(x)), ("second", Artifact.Of(y)));
    }

    [Fact]
    public void Two_runs_are_the_same_bits_equal_numbers_or_different()
    {
        TinyCheckpoint.Llama(_folder["a"]);
        TinyCheckpoint.Llama().Edit("model.norm.weight", v => v[3] *= 1 + 2e-7f).Write(_folder["near"]);
        TinyCheckpoint.Llama().Edit("model.norm.weight", v => v[3] *= 1.01f).Edit("lm_head.weight", v => v[5] *= 2).Write(_folder["far"]);
        TinyCheckpoint.Llama(DType.BF16).Write(_folder["rounded"]);
        Assert.Equal("bit-identical", Compare(_folder["a"], _folder["a"])["verdict"].Table.Rows[0][0]);
        Assert.Equal("numerically equal", Compare(_folder["a"], _folder["near"])["verdict"].Table.Rows[0][0]);
        var far = Compare(_folder["a"], _folder["far"]);
        Assert.Equal(("different", "lm_head.weight"), ((string)far["verdict"].Table.Rows[0][0]!, (string)far["verdict"].Table.Rows[0][6]!));
        Assert.Equal(["lm_head.weight", "model.norm.weight"], far["tensors"].Table.Texts("tensor"));
        Assert.Equal(0.5, far["tensors"].Table.Numbers("largest_relative")[0], 1e-6);
        Assert.Equal("different", Compare(_folder["a"], _folder["rounded"])["verdict"].Table.Rows[0][0]);
    }

    [Fact]
    public void A_merge_made_twice_is_the_same_bits()
    {
        string once = Merged("once"), again = Merged("again");
        Assert.Equal("bit-identical", Compare(once, again)["verdict"].Table.Rows[0][0]);
    }

    [Fact]
    public void What_other_types_cannot_hold_is_counted()
    {
        TinyCheckpoint.Llama(layers: 1).Edit("model.norm.weight", v => (v[0], v[1], v[2], v[3], v[4]) = (70000, 1e-30f, 1, 0, 1.0009766f)).Write(_folder["a"]);
        using Checkpoint model = Checkpoint.Open(_folder["a"]);
        var found = TestDesk.Run(new PortabilityCheck(), new PortabilityCheck.Parameters(), 0, ("model", Artifact.Of(model)));
        Table t = found["dtypes"].Table;
        Assert.Equal(["float32", "bfloat16", "float16"], t.Texts("dtype"));
        Assert.Equal(0, t.Numbers("changed")[0]);
        Assert.Equal((0, 1), (t.Numbers("to_infinity")[1], t.Numbers("to_infinity")[2]));
        Assert.Equal((0, 1), (t.Numbers("to_zero")[1], t.Numbers("to_zero")[2]));
        // Half a unit of 8 bits at most.
        Assert.InRange(t.Numbers("largest_relative_error")[1], 1e-4, 1 / 256.0);
        Assert.Contains(found["programs"].Table.Rows, r => (string)r[0]! == "transformers" && (string)r[1]! == "yes");
    }

    private static Table Judge(Artifact scores, ClaimDiscrepancy.Parameters p, long seed = 0) => TestDesk.Run(new ClaimDiscrepancy(), p, seed, ("scores", scores))["verdicts"].Table;

    [Theory]
    [InlineData(0.80, "consistent")]
    [InlineData(0.81, "consistent")]
    [InlineData(0.86, "worse")]
    [InlineData(0.74, "better")]
    public void A_claim_is_judged_by_the_whole_interval(double claimed, string verdict)
    {
        Artifact scores = Tables.Of(["score", "count"], [1.0, 8000.0], [0.0, 2000.0]);
        Table t = Judge(scores, new ClaimDiscrepancy.Parameters { Claimed = claimed });
        Assert.Equal(verdict, t.Texts("verdict")[0]);
        // The normal interval of 8,000 among 10,000.
        Assert.Equal(0.8 - 0.00784, t.Numbers("low")[0], 0.0012);
        Assert.Equal(0.8 + 0.00784, t.Numbers("high")[0], 0.0012);
    }

    [Fact]
    public void The_published_re_evaluations_are_worse_than_claimed_in_three_of_four()
    {
        var p = new PublishedScores.Parameters { Models = ["tiny", "small", "base", "distilled"], Claimed = [72.2, 79.9, 81.8, 81.2], Measured = [66.5, 77.1, 80.1, 81.0] };
        Artifact scores = TestDesk.Run(new PublishedScores(), p, 0)["scores"];
        Assert.Equal(["worse", "worse", "worse", "consistent"], Judge(scores, new ClaimDiscrepancy.Parameters { By = "model" }).Texts("verdict"));
    }

    [Fact]
    public void What_cannot_be_compared_is_said()
    {
        Artifact few = Tables.Of(["score"], [.. Enumerable.Range(0, 10).Select(i => new object?[] { (double)(i % 2) })]);
        Assert.Equal("not comparable", Judge(few, new ClaimDiscrepancy.Parameters { Claimed = 0.5 }).Texts("verdict")[0]);
        Tables.Refused("BW3951", () => Judge(few, new ClaimDiscrepancy.Parameters()));
        Tables.Refused("BW3953", () => Judge(Tables.Of(["score", "count"], [1.0, 1.5]), new ClaimDiscrepancy.Parameters { Claimed = 0.5 }));
        Tables.Refused("BW3952", () => Judge(Tables.Of(["score", "claimed"], [1.0, 0.5], [1.0, 0.6]), new ClaimDiscrepancy.Parameters()));
    }

    [Fact]
    public void Binomial_draws_have_mean_and_variance_of_a_binomial()
    {
        var random = new RandomStream(3, "binomial");
        foreach ((long n, double p) in ((long, double)[])[(10, 0.3), (500, 0.02), (50_000, 0.8)])
        {
            double[] drawn = [.. Enumerable.Range(0, 4000).Select(_ => (double)ScoreInterval.Binomial(n, p, random))];
            double mean = drawn.Average(), variance = drawn.Average(d => (d - mean) * (d - mean)), expected = n * p * (1 - p);
            Assert.Equal(n * p, mean, 4 * Math.Sqrt(expected / 4000));
            Assert.InRange(variance / expected, 0.88, 1.12);
            Assert.All(drawn, d => Assert.InRange(d, 0, n));
        }
    }

    [Fact]
    public void Low_bits_tell_what_they_can_and_say_where_they_cannot()
    {
        double Auc(PayloadTrial.Origin origin, double share) => TestDesk.Run(new PayloadTrial(), new PayloadTrial.Parameters { Weights = origin, Share = share }, 0)["auc"].Table.Numbers("auc")[0];
        Assert.Equal(1, Auc(PayloadTrial.Origin.Bfloat16, 0.1));
        Assert.Equal(1, Auc(PayloadTrial.Origin.Grid, 0.1));
        Assert.Equal(0.5, Auc(PayloadTrial.Origin.Bfloat16, 0));
        Assert.InRange(Auc(PayloadTrial.Origin.Float32, 0.1), 0.1, 0.9);
        var plain = LowBits.Of(PayloadTrial.Drawn(new PayloadTrial.Parameters { Weights = PayloadTrial.Origin.Float32 }, new RandomStream(1, "x")));
        Assert.False(plain.CanTell);
        Assert.InRange(plain.EntropyBits, 7.9, 8);
        // Few elements make the emptier half of the bins look emptier than it is: random bits stay random.
        for (int i = 0; i < 50; i++)
            Assert.False(LowBits.Of(PayloadTrial.Drawn(new PayloadTrial.Parameters { Weights = PayloadTrial.Origin.Float32, Elements = 2048 }, new RandomStream(i, "small"))).CanTell);
    }

    [Fact]
    public void Candidates_stand_side_by_side()
    {
        TinyCheckpoint.Llama(_folder["good"]);
        _folder.Write("good/README.md", "---\nlicense: mit\npipeline_tag: text-generation\nmodel-index:\n- name: good\n  results:\n  - task: {type: text-generation}\n    dataset: {name: wiki, type: wiki, split: test}\n    metrics:\n    - {type: accuracy, value: 81.5, verified: true}\n    - type: perplexity\n      value: low\n---\n# Good\n");
        TinyCheckpoint.Llama(_folder["bad"], DType.BF16);
        _folder.Write("bad/pytorch_model.bin", [0x80, 0x02, .. "cos\nsystem\n."u8]);
        var found = TestDesk.Run(new ReuseDecision(), new ReuseDecision.Parameters(), 0, ("candidates.0", Artifact.Of(ModelFolder.Open(_folder["good"]))), ("candidates.1", Artifact.Of(ModelFolder.Open(_folder["bad"]))));
        Table t = found["comparison"].Table;
        Assert.Equal([0, 1], t.Numbers("critical"));
        Assert.Equal(["float32", "bfloat16"], t.Texts("dtypes"));
        Assert.Equal("accuracy 81.5 on wiki", t.Texts("first_claim")[0]);
        Table claims = found["claims"].Table;
        Assert.Equal((81.5, "README.md:10"), (Table.Number(claims.Rows[0][2]), (string)claims.Rows[0][8]!));
        Assert.Null(claims.Rows[1][2]);
        Assert.Equal("contradicted", found["checklist"].Table.Rows.Single(r => (string)r[2]! == "safe to load" && ((string)r[0]!).EndsWith("bad", StringComparison.Ordinal))[3]);
        Assert.Equal(4, found["checklist"].Table.Texts("stage").Distinct().Count());
    }

    // Every byte of a folder is part of the step's key, and where it lies is not.
    [Fact]
    public void A_recipe_scans_a_folder_again_when_a_file_of_it_changes()
    {
        TinyCheckpoint.Llama(_folder["model"]);
        string text = $"recipe: 1\nsteps:\n  look: {{run: risk_scan, folder: {_folder["model"]}}}\n";
        (int Made, int Hits) Run()
        {
            var means = new WorkMeans { Store = new Store(_folder["store"], 1_000_000_000), Find = RecipeReaderTests.Find };
            Recipe recipe = RecipeReader.Read(text, _folder.Write("look.yml", text), RecipeReaderTests.Find, []);
            RecipeOutcome outcome = new RecipeRunner(recipe, new RecipeOptions { Means = means }).Run(TestContext.Current.CancellationToken);
            return (outcome.Made, outcome.Hits);
        }
        Assert.Equal((1, 0), Run());
        Assert.Equal((0, 1), Run());
        _folder.Write("model/notes.txt", "a");
        Assert.Equal((1, 0), Run());
        _folder.Write("model/notes.txt", "b");
        Assert.Equal((1, 0), Run());
        Assert.Equal((0, 1), Run());
    }

    [Fact]
    public void A_published_model_is_reported_with_what_it_states()
    {
        var factors = Factors(Shared.Path("real/models/all-MiniLM-L6-v2"));
        Assert.Equal("claimed", factors["data_set"].Status);
        Assert.Equal("verified", factors["architecture"].Status);
        Assert.Equal("claimed", factors["licence"].Status);
    }
}
