using System.Collections.Concurrent;
using Budwood.Tests.Fixtures;

namespace Budwood.Cli.Tests;

/// <summary>Cases from practice: inputs that gave trouble with other tools, and what the program does with them.</summary>
public class CasesTests
{
    private static readonly string[] s_verbs = ["merge", "run", "inspect", "diff", "check", "methods",
        .. Catalogue.All.Select(m => m.Card.Verb).OfType<string>()];

    // The runs are independent processes. All of them start with the first test, as many at a time as there are processors; each test then reads its own.
    private static readonly Lazy<ConcurrentDictionary<(string Id, int Number), IReadOnlyList<string>>> s_results = new(RunAll);

    private static string? Root => Shared.Find("cases");

    public static TheoryData<string, int, string> Data()
    {
        var data = new TheoryData<string, int, string>();
        foreach (CaseRun run in Root is { } root ? Cases.Runs(root) : [])
            data.Add(run.Id, run.Number, run.Asked.TryGetProperty("argv", out _) ? run.Line : "encode");
        if (data.Count == 0) data.Add("", 0, "");
        return data;
    }

    [Theory]
    [MemberData(nameof(Data))]
    public void A_case_from_practice_ends_as_it_should(string id, int number, string line)
    {
        CaseRun run = Cases.Runs(Shared.Path("cases")).Single(r => r.Id == id && r.Number == number);
        Assert.SkipWhen(Missing(run) is not null, Missing(run) ?? "");
        Assert.True(s_results.Value[(id, number)] is [], $"{id}, {line}:\n{string.Join('\n', s_results.Value[(id, number)])}");
    }

    [Fact]
    public void What_does_not_hold_is_found()
    {
        using var folder = new TempFolder();
        TinyCheckpoint.Llama(folder["made-up/a"], seed: 1);
        TinyCheckpoint.Llama(folder["made-up/b"], seed: 2);
        folder.Write("made-up/merge.yml", "merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: a}, {model: b}]\n");
        folder.Write("made-up/expected.json", """
            {"id": "made-up", "runs": [{"argv": ["merge", "merge.yml", "{out}"], "exit": [3], "all": ["no such word"], "any": [["nor this", "nor that"]],
            "out": "present", "expect": {"file": "a/model.safetensors", "names": "all", "atol": 0, "rtol": 0}, "config": {"vocab_size": 7},
            "metadata": {"format": "tf"}, "out_dtype": "BF16", "present": ["missing.txt"], "absent": ["config.json"], "dtype_if": {"model.norm.weight": "F16"},
            "unheard_of": 1}]}
            """);
        string found = string.Join('\n', Cases.Check(folder.Path, Cases.Runs(folder.Path).Single()));
        foreach (string word in (string[])["exit 0 for 3", "'no such word'", "none of [\"nor this\"", "lm_head.weight[0] is", "vocab_size is 16 for 7",
            "format is not tf", "not everything is BF16", "missing.txt is missing", "config.json is in the output", "weight became F32", "'unheard_of'"])
            Assert.Contains(word, found, StringComparison.Ordinal);
    }

    // Why a run cannot be made today.
    private static string? Missing(CaseRun run)
    {
        if (!run.Asked.TryGetProperty("argv", out _)) return "there is no verb 'tokenize' yet";
        string[] words = run.Line.Split(' ');
        if (!s_verbs.Contains(words[0])) return $"there is no verb '{words[0]}' yet";
        return words[0] == "run" && Catalogue.Find(words[1]) is null ? $"there is no method '{words[1]}' yet" : null;
    }

    private static ConcurrentDictionary<(string, int), IReadOnlyList<string>> RunAll()
    {
        var results = new ConcurrentDictionary<(string, int), IReadOnlyList<string>>();
        var limit = new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount };
        Parallel.ForEach(Cases.Runs(Root!).Where(r => Missing(r) is null), limit, run =>
        {
            try
            {
                results[(run.Id, run.Number)] = Cases.Check(Root!, run);
            }
            catch (Exception e)
            {
                results[(run.Id, run.Number)] = [e.ToString()];
            }
        });
        return results;
    }
}
