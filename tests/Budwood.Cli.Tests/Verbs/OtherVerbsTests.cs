using System.Text.Json;
using Budwood.Numbers;
using Budwood.Tests.Fixtures;

namespace Budwood.Cli.Tests.Verbs;

public sealed class OtherVerbsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private Ran Run(params string[] arguments) => Program.Run(_folder.Path, arguments);

    [Fact]
    public void Help_lists_every_verb()
    {
        Ran ran = Run("--help");
        Assert.Equal(0, ran.Exit);
        foreach (string verb in new[] { "demo", "merge", "run", "inspect", "diff", "check", "methods", "schema", "stack" }) Assert.Contains($"\n  {verb} ", ran.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("merge")]
    [InlineData("run")]
    [InlineData("inspect")]
    [InlineData("diff")]
    [InlineData("check")]
    [InlineData("methods")]
    [InlineData("demo")]
    [InlineData("stack")]
    public void Every_verb_has_help(string verb)
    {
        Ran ran = Run(verb, "--help");
        Assert.Equal(0, ran.Exit);
        Assert.Contains("Usage:", ran.Out, StringComparison.Ordinal);
        Assert.Empty(ran.Err);
    }

    [Fact]
    public void A_misspelt_verb_gets_the_nearest_one()
    {
        Ran ran = Run("mrege");
        Assert.Equal(2, ran.Exit);
        Assert.Contains("'merge'", ran.Err, StringComparison.Ordinal);
    }

    [Fact]
    public void The_help_of_a_method_is_its_card()
    {
        Ran ran = Run("run", "ties", "--help");
        Assert.Equal(0, ran.Exit);
        foreach (string word in new[] { "use", "not for", "cost", "differs", "density", "normalize" }) Assert.Contains(word, ran.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void The_demo_shows_plan_receipt_diff_and_where_the_output_lies()
    {
        Ran ran = Run("demo");
        Assert.Equal(0, ran.Exit);
        foreach (string word in new[] { "plan: ties of 4 models", "receipt: against base: 57 tensors changed", "merge_method: ties", "budwood diff", "budwood-demo/merged" }) Assert.Contains(word, ran.All, StringComparison.Ordinal);
        Assert.True(File.Exists(_folder["budwood-demo/merged/run.json"]));
        Assert.Equal(0, Run("check", "budwood-demo/merged").Exit);
        Assert.Equal(0, Run("demo").Exit);
        Assert.True(Directory.Exists(_folder["budwood-demo-2"]));
    }

    [Fact]
    public void A_method_runs_from_the_command_line_alone()
    {
        TinyCheckpoint.Llama(_folder["a"], DType.BF16, seed: 1);
        TinyCheckpoint.Llama(_folder["b"], DType.BF16, seed: 2);
        Ran ran = Run("run", "linear", "models=a,b", "weight=0.25,0.75", "-o", "out");
        Assert.Equal(0, ran.Exit);
        Assert.Contains("weight: 0.25", File.ReadAllText(_folder["out/mergekit_config.yml"]), StringComparison.Ordinal);
        Assert.Equal(0, Run("run", "slerp", "b", "--base", "a", "--t", "0.5", "-o", "out2").Exit);
        Ran wrong = Run("run", "linear", "models=a,b", "wieght=1", "-o", "out3");
        Assert.Equal(2, wrong.Exit);
        Assert.Contains("'weight'", wrong.Err, StringComparison.Ordinal);
    }

    [Fact]
    public void Stack_is_a_verb()
    {
        TinyCheckpoint.Llama(_folder["a"], DType.F16, seed: 1);
        Ran ran = Run("stack", "a", "factor=3", "-o", "out");
        Assert.Equal(0, ran.Exit);
        Assert.Contains("\"num_hidden_layers\": 6", File.ReadAllText(_folder["out/config.json"]), StringComparison.Ordinal);
        Assert.Equal(0, Run("check", "out").Exit);
    }

    [Fact]
    public void Diff_of_a_model_with_itself_is_identical_and_inspect_prints_its_tensors()
    {
        TinyCheckpoint.Llama(_folder["a"], DType.F16, seed: 1);
        using JsonDocument json = JsonDocument.Parse(Run("diff", "a", "a", "--json").Out);
        Assert.True(json.RootElement.GetProperty("identical").GetBoolean());
        Ran inspect = Run("inspect", "a");
        Assert.Contains("model.layers.1.self_attn.q_proj.weight", inspect.Out, StringComparison.Ordinal);
        Assert.Equal(Run("inspect", "a", "--json").Out, Run("run", "inspect_checkpoint", "a", "--json").Out);
    }

    [Fact]
    public void Check_names_what_is_wrong_and_exits_with_3()
    {
        TinyModel model = TinyCheckpoint.Llama(DType.F16, seed: 1);
        model.Config["num_hidden_layers"] = 3;
        model.Write(_folder["a"]);
        Ran ran = Run("check", "a");
        Assert.Equal(3, ran.Exit);
        Assert.Contains("model.layers.2", ran.Out, StringComparison.Ordinal);
    }
}
