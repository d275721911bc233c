using Budwood.Checkpoints;
using Budwood.Engine;
using Budwood.Methods;
using Budwood.Methods.Generated;
using Budwood.Numbers;
using Budwood.Recipes;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Methods;

/// <summary>The pages of <c>docs/reference/methods</c> say what the methods say, and their examples run.</summary>
public sealed class ReferencePageTests : IDisposable
{
    private const string Folder = "docs/reference/methods";

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Names() => [.. BudwoodCoreCatalogue.All.Select(m => m.Card.Name).Order(StringComparer.Ordinal)];

    private static Method Find(string name) => BudwoodCoreCatalogue.All.Single(m => m.Card.Name == name);

    [Theory]
    [MemberData(nameof(Names))]
    public void The_page_says_what_the_method_says(string name) => Committed.Check($"{Folder}/{name}.md", ReferencePage.Of(Find(name)));

    [Fact]
    public void The_catalogue_lists_every_method()
    {
        Committed.Check($"{Folder}/README.md", ReferencePage.Catalogue(BudwoodCoreCatalogue.All));
        string[] known = ["README", .. BudwoodCoreCatalogue.All.Select(m => m.Card.Name)];
        foreach (string page in Directory.EnumerateFiles(Committed.Path(Folder), "*.md"))
        {
            if (known.Contains(Path.GetFileNameWithoutExtension(page))) continue;
            if (Committed.Rewrites) File.Delete(page);
            else Assert.Fail($"{Folder}/{Path.GetFileName(page)}: there is no such method; delete the page");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_example_runs(string name)
    {
        Method method = Find(name);
        Models();
        if (ReferencePage.Example(method) is { } text)
            Goldens.Merge(_folder.Write("merge.yml", text), _folder["out"]);
        Assert.SkipWhen(method is Job && method.Ports.Output.Kind == ArtifactKind.Checkpoint, "its example needs a program that scores a model; GreedySoupTests run it with one");
        string[] words = [.. ReferencePage.CommandLine(method).Split(' ').Skip(method.Card.Verb is null ? 3 : 2)];
        if (words.AsSpan().IndexOf("-o") is var at and >= 0) words = words[..at];
        RunLine line = RunLine.Parse(method, words);
        if (method is Job job)
        {
            Assert.SkipUnless(method.Ports.Inputs is [{ Kind: ArtifactKind.Checkpoint or ArtifactKind.Folder }, ..], "takes tables or arrays; its own tests run it");
            using var model = Checkpoint.Open(_folder["models/base"], "models/base");
            using var other = Checkpoint.Open(_folder["models/chat"], "models/chat");
            var inputs = method.Ports.Inputs.Where(i => !i.Optional).Select((port, n) => (port, n)).ToDictionary(i => i.port.Name, i => (IReadOnlyList<Artifact>)
                [i.port.Kind == ArtifactKind.Folder ? Artifact.Of(ModelFolder.Open(_folder["models/base"], "models/base")) : Artifact.Of(i.n == 0 ? model : other)]);
            var options = new JobOptions { Run = new RunOptions { Out = _folder["job"], Configuration = "" }, Plan = (_, _, _) => throw new NotSupportedException("a probe calls no rule") };
            Assert.NotEmpty(Runner.Run(job, line.ReadParameters(), inputs, options, CancellationToken.None).Table!.Rows);
            return;
        }
        RunOutcome outcome = Goldens.Merge(_folder.Write("line.yml", line.ToMergeFile()), _folder["again"]);
        string first = _folder["out/model.safetensors"];
        if (File.Exists(first)) Assert.Equal(File.ReadAllBytes(first), File.ReadAllBytes(_folder["again/model.safetensors"]));
        Assert.Equal(0, outcome.Receipt.NotFinite);
    }

    // Every text of a card stands on its page once, and no line of prose is too wide.
    [Theory]
    [MemberData(nameof(Names))]
    public void Nothing_of_the_card_is_missing(string name)
    {
        MethodCard card = Find(name).Card;
        string page = ReferencePage.Of(Find(name));
        string flat = string.Join(' ', page.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries));
        flat = flat.Replace("&lt;", "<", StringComparison.Ordinal).Replace("\\|", "|", StringComparison.Ordinal);
        foreach (string text in (string[])[card.Summary, card.Use, card.NotFor, card.Cost, card.Differs, .. card.Parameters.Select(p => p.Doc)])
            Assert.Contains(text, flat, StringComparison.Ordinal);
        foreach (ParameterCard p in card.Parameters) Assert.Contains($"| `{p.Name}` |", page, StringComparison.Ordinal);
        string formula = card.Formula ?? "";
        Assert.DoesNotContain(page.Split('\n'), line => line.Length > 160 && line[0] is not '|' && !formula.Contains(line, StringComparison.Ordinal));
    }

    private void Models()
    {
        TinyModel start = TinyCheckpoint.Llama(DType.BF16, seed: 1);
        start.Write(_folder["models/base"]);
        foreach ((string name, int seed) in ((string, int)[])[("chat", 2), ("code", 3)])
        {
            TinyModel tuned = TinyCheckpoint.Llama(DType.BF16, seed: 1), noise = TinyCheckpoint.Llama(DType.F32, seed);
            TinyModel fisher = TinyCheckpoint.Llama(DType.F32, seed + 10);
            for (int i = 0; i < fisher.Tensors.Count; i++) fisher.Tensors[i] = fisher.Tensors[i].With(v =>
            {
                for (int k = 0; k < v.Length; k++) v[k] *= v[k];
            });
            fisher.Write(_folder[$"models/{name}-fisher"]);
            for (int i = 0; i < tuned.Tensors.Count; i++)
            {
                float[] by = noise.Tensors[i].Values();
                tuned.Edit(tuned.Tensors[i].Name, v =>
                {
                    for (int k = 0; k < v.Length; k++) v[k] += 0.05f * by[k];
                });
            }
            tuned.Write(_folder[$"models/{name}"]);
        }
    }
}
