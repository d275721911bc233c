using Budwood.Checkpoints;
using Budwood.Engine;
using Budwood.Methods;
using Budwood.Methods.Generated;
using Budwood.Numbers;
using Budwood.Recipes;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Recipes;

public sealed class TokenizerChoiceTests : IDisposable
{
    private const string Linear = "merge_method: linear\nmodels:\n  - {model: a, parameters: {weight: 0.5}}\n  - {model: b, parameters: {weight: 0.5}}\n";
    private const string A = "{{ '[A] a template of the first' }}", B = "{{ '[B] a template of the second' }}";

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private void Model(string name, int rows, params string[] tokens)
    {
        TinyCheckpoint.Llama(_folder[name], DType.F32, seed: name[0], vocabulary: rows);
        if (tokens.Length > 0) _folder.Write($"{name}/tokenizer.json", TinyCheckpoint.Tokenizer(tokens));
    }

    private static string[] Tokens(int count) => [.. Enumerable.Range(0, count).Select(i => $"t{i}")];

    private IReadOnlyList<string> Merge(string yaml)
    {
        string path = _folder.Write("merge.yml", yaml);
        var opened = new List<Checkpoint>();
        try
        {
            MergeFile file = MergeFile.Read(path);
            ResolvedMerge resolved = MergeChain.Resolve(file, d => d.Find(BudwoodCoreCatalogue.All.OfType<Rule>()), _ => new MergeSettings
            {
                Open = n =>
                {
                    Checkpoint c = ModelOpener.Open(n, path);
                    opened.Add(c);
                    return c;
                },
            });
            Runner.Run(resolved.Plan, new RunOptions { Out = _folder["out"], Force = true, Threads = 2, Configuration = file.Text }, CancellationToken.None);
            return resolved.Notes;
        }
        finally
        {
            foreach (Checkpoint c in opened) c.Dispose();
        }
    }

    private string Written(string file) => File.ReadAllText(Path.Combine(_folder["out"], file));

    [Theory]
    [InlineData("tokenizer_source: union\n", Linear)]
    [InlineData("tokenizer: {source: base}\n", Linear)]
    [InlineData("tokenizer_source: b\n", Linear)]
    [InlineData("tokenizer_source: base\n", "merge_method: passthrough\nmodels: [{model: a}]\n")]
    public void Equal_tokenizers_are_accepted_and_rows_without_a_token_go(string setting, string merge)
    {
        Model("a", 16, Tokens(12));
        Model("b", 14, Tokens(12));
        IReadOnlyList<string> notes = Merge(merge + setting);
        Assert.Contains(notes, n => n.Contains("'a': 4 rows of model.embed_tokens.weight belong to no token", StringComparison.Ordinal));
        TensorTable output = TensorTable.Of(_folder["out"]), a = TensorTable.Of(_folder["a"]), b = TensorTable.Of(_folder["b"]);
        Assert.Equal(12, output["model.embed_tokens.weight"].Shape[0]);
        Assert.Equal(12, output["lm_head.weight"].Shape[0]);
        float At(TensorTable t, int k) => BitConverter.ToSingle(t["lm_head.weight"].Bytes, 4 * k);
        bool alone = merge != Linear;
        for (int k = 0; k < output["lm_head.weight"].Shape.Count; k++)
            Assert.Equal(alone ? At(a, k) : (At(a, k) * 0.5f) + (At(b, k) * 0.5f), At(output, k), 1e-6);
        Assert.Contains("\"vocab_size\": 12", Written("config.json"), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_the_setting_padding_stays()
    {
        Model("a", 16, Tokens(12));
        Model("b", 16, Tokens(12));
        Merge(Linear);
        Assert.Equal(16, TensorTable.Of(_folder["out"])["lm_head.weight"].Shape[0]);
    }

    [Fact]
    public void Tokenizers_that_differ_are_refused_by_name()
    {
        Model("a", 16, Tokens(12));
        Model("b", 16, [.. Tokens(11), "other"]);
        Fault fault = Assert.Throws<Fault>(() => Merge(Linear + "tokenizer_source: union\n"));
        Assert.Equal((ExitCode.Input, "BW1131", "merge.yml:5"), (fault.Exit, fault.Code, fault.Where));
        Assert.Contains("'a' and 'b' differ", fault.What);
        Assert.Contains("'t11' (11) is in the first alone", fault.Found);
    }

    [Fact]
    public void Without_the_setting_a_note_says_that_numbers_mean_other_tokens()
    {
        Model("a", 12, Tokens(12));
        Model("b", 12, [.. Tokens(12).Reverse()]);
        Assert.Contains("the tokenizers of 'a' and 'b' differ, and rows are merged by number: 't0' is 0 in the first and 11 in the second", Merge(Linear));
        _folder.Write("b/tokenizer.json", "{");
        Assert.Contains(Merge(Linear), n => n.StartsWith("the tokenizers of 'a' and 'b' cannot be compared", StringComparison.Ordinal));
    }

    [Fact]
    public void A_token_without_a_row_and_no_tokenizer_at_all_are_refused()
    {
        Model("a", 10, Tokens(12));
        Model("b", 10, Tokens(12));
        Assert.Equal("BW1132", Assert.Throws<Fault>(() => Merge(Linear + "tokenizer_source: base\n")).Code);
        Model("c", 10);
        Assert.Equal("BW1130", Assert.Throws<Fault>(() => Merge("merge_method: passthrough\nmodels: [{model: c}]\ntokenizer_source: base\n")).Code);
    }

    [Fact]
    public void The_first_model_with_a_tokenizer_lends_it()
    {
        Model("a", 12);
        Model("b", 12, Tokens(12));
        Assert.Contains("'a' has no tokenizer: that of 'b' is taken", Merge(Linear));
        Assert.Equal(File.ReadAllText(_folder["b/tokenizer.json"]), Written("tokenizer.json"));
    }

    [Fact]
    public void Of_several_templates_the_jinja_files_is_written_alone()
    {
        Model("a", 12, Tokens(12));
        Model("b", 12, Tokens(12));
        _folder.Write("a/tokenizer_config.json", "{\"model_max_length\": 64,\n \"chat_template\": \"old\"}");
        _folder.Write("a/chat_template.jinja", A);
        _folder.Write("a/chat_template.json", "{\"chat_template\": \"older\"}");
        Assert.Contains(Merge(Linear), n =>
            n.Contains("3 chat templates that differ (chat_template.jinja, tokenizer_config.json, chat_template.json)", StringComparison.Ordinal));
        Assert.Equal(A, Written("chat_template.jinja"));
        Assert.Equal("{\"model_max_length\": 64}", Written("tokenizer_config.json"));
        Assert.False(File.Exists(Path.Combine(_folder["out"], "chat_template.json")));
    }

    [Theory]
    [InlineData("chatml", null)]
    [InlineData("auto", B)]
    public void A_template_that_is_asked_for_replaces_the_models(string word, string? text)
    {
        foreach ((string name, string template) in (ReadOnlySpan<(string, string)>)[("a", A), ("b", B), ("c", B)])
        {
            Model(name, 12, Tokens(12));
            _folder.Write($"{name}/tokenizer_config.json", $"{{\"chat_template\": \"{template}\", \"x\": 1}}");
        }
        Merge(Linear.Replace("b,", "c,", StringComparison.Ordinal) + "  - {model: b, parameters: {weight: 1}}\n" + $"chat_template: {word}\n");
        Assert.Equal(text ?? ChatTemplates.BuiltIn("chatml"), Written("chat_template.jinja"));
        Assert.Equal("{\"x\": 1}", Written("tokenizer_config.json"));
    }

    [Fact]
    public void A_template_of_a_step_reaches_the_output()
    {
        Model("a", 12, Tokens(12));
        Model("b", 12, Tokens(12));
        string second = "merge_method: linear\nmodels:\n  - {model: step, parameters: {weight: 1}}\n  - {model: b, parameters: {weight: 1}}\n";
        Merge(Linear + $"name: step\nchat_template: \"{A}\"\n---\n{second}");
        Assert.Equal(A, Written("chat_template.jinja"));
    }

    [Theory]
    [InlineData("chatmll", "Did you mean 'chatml'?")]
    [InlineData("none", "expected alpaca, chatml, exaone, llama3, mistral, auto, or a Jinja text")]
    public void An_unknown_template_is_refused_before_any_model_is_opened(string word, string says)
    {
        Fault fault = Assert.Throws<Fault>(() => Merge(Linear + $"chat_template: {word}\n"));
        Assert.Equal((ExitCode.Usage, "BW1133", "merge.yml:5"), (fault.Exit, fault.Code, fault.Where));
        Assert.Contains(says, fault.Message);
    }
}
