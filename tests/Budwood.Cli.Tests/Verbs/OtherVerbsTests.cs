using System.Text.Json;
using Budwood.Numbers;
using Budwood.Tests.Adapters;
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
        foreach (string verb in VerbTable.All.Concat(VerbTable.Methods).Select(v => v.Name)) Assert.Contains($"\n  {verb} ", ran.Out, StringComparison.Ordinal);
        // A page, not a wall: nothing in it grows with the catalogue.
        Assert.All(ran.Out.Split('\n'), l => Assert.InRange(l.Length, 0, 130));
        Assert.Equal(ran.Out, Run("--help", "merge").Out);
    }

    [Theory]
    [InlineData("there is no verb 'mrege'", "'merge'", "mrege")]
    [InlineData("'colour' is not known to --by", "tensor", "inspect", "model", "--by", "colour")]
    [InlineData("'recipee' is not known here", "'recipe'", "schema", "recipee")]
    [InlineData("'tcsh' is not known here", "bash", "completion", "tcsh")]
    [InlineData("'two' is no whole number, which --threads takes", "--help", "check", "model", "--threads", "two")]
    public void A_word_that_is_not_known_is_named_beside_those_that_are(string what, string known, params string[] line)
    {
        Ran ran = Run(line);
        Assert.Equal(2, ran.Exit);
        Assert.Contains(what, ran.Err, StringComparison.Ordinal);
        Assert.Contains(known, ran.Err, StringComparison.Ordinal);
        Assert.DoesNotMatch(@"Budwood\.|System\.", ran.Err);
    }

    [Fact]
    public void A_table_in_a_pipe_is_a_heading_and_rows()
    {
        TinyCheckpoint.Llama(DType.BF16).Write(_folder["model"]);
        string[] lines = Run("inspect", "model", "--by", "dtype").Out.TrimEnd('\n').Split('\n');
        int heading = Array.FindIndex(lines, l => l.StartsWith("dtype ", StringComparison.Ordinal));
        Assert.True(heading > 0, string.Join('\n', lines));
        Assert.Equal(heading + 2, lines.Length);
        Assert.StartsWith("BF16 ", lines[^1], StringComparison.Ordinal);
        // Numbers end where their heading ends.
        Assert.Equal(lines[heading].Length, lines[^1].Length);
        Assert.DoesNotContain(lines, l => l != l.TrimEnd() || l.Contains('─', StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("merge")]
    [InlineData("run")]
    [InlineData("inspect")]
    [InlineData("diff")]
    [InlineData("check")]
    [InlineData("methods")]
    [InlineData("demo")]
    [InlineData("papers")]
    [InlineData("reproduce")]
    [InlineData("plan")]
    [InlineData("work")]
    [InlineData("gather")]
    [InlineData("schema")]
    [InlineData("completion")]
    [InlineData("stack")]
    public void Every_verb_has_help(string verb)
    {
        Ran ran = Run(verb, "--help");
        Assert.Equal(0, ran.Exit);
        Assert.Contains("Usage:", ran.Out, StringComparison.Ordinal);
        if (VerbTable.All.FirstOrDefault(v => v.Name == verb) is { } known) Assert.Contains(known.Summary, ran.Out, StringComparison.Ordinal);
        Assert.Empty(ran.Err);
    }

    [Fact]
    public void A_model_with_an_adapter_is_looked_at_and_compared_like_the_merged_one()
    {
        TinyCheckpoint.Llama(DType.BF16).Write(_folder["base"]);
        TinyAdapter.Llama().Write(_folder["adapter"]);
        File.WriteAllText(_folder["merge.yml"], "merge_method: passthrough\nmodels:\n  - model: base+adapter\n");
        Assert.Equal(0, Run("merge", "merge.yml", "merged").Exit);
        string at = _folder["merged"];

        Ran look = Run("inspect", "base+adapter");
        Assert.True(look.Exit == 0, look.All);
        Assert.Contains("adapter: adapter: ", look.Out, StringComparison.Ordinal);

        using JsonDocument same = JsonDocument.Parse(Run("diff", "base+adapter", at, "--json").Out);
        Assert.Equal((0, 0), (same.RootElement.GetProperty("changed").GetInt32(), same.RootElement.GetProperty("added").GetInt32()));
        Assert.Equal(same.RootElement.GetProperty("digest_a").GetString(), same.RootElement.GetProperty("digest_b").GetString());
        using JsonDocument other = JsonDocument.Parse(Run("diff", "base", "base+adapter", "--json").Out);
        Assert.Equal(4, other.RootElement.GetProperty("changed").GetInt32());
        Assert.All(other.RootElement.GetProperty("tensors").EnumerateArray(), t => Assert.Matches("[qv]_proj", t.GetProperty("name").GetString()));
        // What the cache has learned of the base is the base's.
        using JsonDocument again = JsonDocument.Parse(Run("diff", "base", "base", "--json").Out);
        Assert.Equal(other.RootElement.GetProperty("digest_a").GetString(), again.RootElement.GetProperty("digest_a").GetString());

        Assert.Equal(2, Run("check", "base+adapter").Exit);
        Ran wide = Run("merge", "merge.yml", "wide", "--lora-merge-dtype", "float32");
        Assert.True(wide.Exit == 0, wide.All);
        Assert.Contains("F32", Run("inspect", "wide").Out, StringComparison.Ordinal);
        Ran wrong = Run("merge", "merge.yml", "wrong", "--lora-merge-dtype", "flaot32");
        Assert.Equal(2, wrong.Exit);
        Assert.Contains("'float32'", wrong.Err, StringComparison.Ordinal);
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

    private string[] Soup(string score, params string[] more)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the score commands are for a POSIX shell");
        for (int i = 0; i < 3; i++)
        {
            TinyModel model = TinyCheckpoint.Llama(DType.BF16, seed: i + 1);
            model.Config["vocab_note"] = new string('x', i);
            model.Write(_folder[$"m{i}"]);
        }
        return ["run", "greedy_soup", "models=m0,m1,m2", $"score={score}", .. more];
    }

    [Fact]
    public void A_greedy_soup_prints_what_was_tried_and_the_receipt()
    {
        Ran ran = Run(Soup("wc -c < {model}/config.json", "-o", "out"));
        Assert.Equal(0, ran.Exit);
        foreach (string word in new[] { "score with it", "receipt: against m2", "written: out" }) Assert.Contains(word, ran.Out, StringComparison.Ordinal);
        Assert.Contains("greedy_soup: m1: ", ran.Err, StringComparison.Ordinal);
        using JsonDocument json = JsonDocument.Parse(Run(Soup("wc -c < {model}/config.json", "-o", "again", "--json")).Out);
        Assert.Equal(3, json.RootElement.GetProperty("tried").GetProperty("rows").GetArrayLength());
        Assert.Equal(0, Run("check", "out").Exit);
    }

    [Fact]
    public void A_greedy_soup_of_one_model_alone_is_identical_to_it_and_no_error()
    {
        Ran ran = Run(Soup("test -e {model}/run.json && echo 0 || echo 1", "-o", "out"));
        Assert.Equal(0, ran.Exit);
        Assert.Contains("identical to m0", ran.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("echo 1 # {model}", 2, "BW1009")]
    [InlineData("echo much {model}", 2, "BW1343", "-o", "out")]
    [InlineData("exit 3 # {model}", 2, "BW1342", "-o", "out")]
    [InlineData("echo 1 # {model}", 2, "BW1018", "--dry-run")]
    [InlineData("echo 1 # {model}", 6, "BW6001", "-o", "out", "--memory", "1MB")]
    public void A_greedy_soup_that_cannot_be_made_says_why(string score, int exit, string code, params string[] more)
    {
        Ran ran = Run(Soup(score, more));
        Assert.Equal(exit, ran.Exit);
        Assert.Contains($"error[{code}]", ran.Err, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["out"]));
    }

    [Fact]
    public void An_interrupted_greedy_soup_leaves_nothing()
    {
        Directory.CreateDirectory(_folder["tmp"]);
        string[] line = Soup("if [ -e {model}/run.json ]; then touch started; sleep 60; fi; echo 1", "-o", "out");
        using System.Diagnostics.Process process = Program.Start(_folder.Path, new Dictionary<string, string> { ["TMPDIR"] = _folder["tmp"] }, line);
        Assert.True(SpinWait.SpinUntil(() => File.Exists(_folder["started"]) || process.HasExited, TimeSpan.FromSeconds(60)));
        Assert.NotEmpty(Directory.EnumerateDirectories(_folder["tmp"], "budwood-*"));
        using (var kill = System.Diagnostics.Process.Start("kill", ["-INT", $"{process.Id}"])) kill.WaitForExit();
        Assert.True(process.WaitForExit(30_000));
        Assert.Equal(130, process.ExitCode);
        Assert.Empty(Directory.EnumerateDirectories(_folder["tmp"], "budwood-*"));
        Assert.False(Directory.Exists(_folder["out"]));
    }
}
