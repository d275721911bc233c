using System.Text.Json;
using Budwood.Checkpoints.Audit;
using Budwood.Files;
using Budwood.Inspect;

namespace Budwood.Tests.Checkpoints.Audit;

/// <summary>Cases from practice: every run of <c>check</c> and <c>inspect</c> that is written down there.</summary>
public class CasesTests
{
    // Pickles are read elsewhere.
    private static readonly string[] s_pickles = ["file-bin-only", "file-pickle-code"];

    public static TheoryData<string, string, string> Runs()
    {
        var data = new TheoryData<string, string, string>();
        if (SharedFolders.Root is { } root && Directory.Exists(Path.Join(root, "cases")))
        {
            foreach (string file in Directory.EnumerateFiles(Path.Join(root, "cases"), "expected.json", SearchOption.AllDirectories)
                .Order(StringComparer.Ordinal))
            {
                using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
                string id = document.RootElement.GetProperty("id").GetString()!;
                if (s_pickles.Contains(id)) continue;
                foreach (JsonElement run in document.RootElement.GetProperty("runs").EnumerateArray())
                {
                    if (!run.TryGetProperty("argv", out JsonElement argv) || argv[0].GetString() is not ("check" or "inspect")) continue;
                    data.Add(id, argv[0].GetString()!, argv[1].GetString()!);
                }
            }
        }
        if (data.Count == 0) data.Add("", "", "");
        return data;
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void A_case_from_practice_ends_as_it_should(string id, string verb, string folder)
    {
        SharedFolders.Require("cases");
        string home = Path.Join(SharedFolders.Root!, "cases", id);
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(Path.Join(home, "expected.json")));
        JsonElement run = document.RootElement.GetProperty("runs").EnumerateArray()
            .First(r => r.TryGetProperty("argv", out JsonElement a) && a[0].GetString() == verb && a[1].GetString() == folder);
        (int exit, string text) = Do(verb, Path.Join(home, folder));

        int[] exits = [.. run.GetProperty("exit").EnumerateArray().Select(e => e.GetInt32())];
        Assert.True(exits.Contains(exit), $"exit {exit}, expected one of {string.Join(", ", exits)}:\n{text}");
        foreach (string word in Words(run, "all")) Assert.Contains(word, text, StringComparison.OrdinalIgnoreCase);
        if (run.TryGetProperty("all_if", out JsonElement conditional) && conditional.TryGetProperty($"{exit}", out JsonElement then))
            foreach (JsonElement word in then.EnumerateArray()) Assert.Contains(word.GetString()!, text, StringComparison.OrdinalIgnoreCase);
        if (!run.TryGetProperty("any", out JsonElement any)) return;
        foreach (JsonElement group in any.EnumerateArray())
            Assert.True(group.EnumerateArray().Any(w => text.Contains(w.GetString()!, StringComparison.OrdinalIgnoreCase)), $"none of {group} in:\n{text}");
    }

    // What the command line prints, and the code that it ends with.
    private static (int Exit, string Text) Do(string verb, string folder)
    {
        if (verb == "check")
        {
            CheckReport report = CheckpointCheck.Run(folder, new CheckOptions(Threads: 2, Cache: new DigestCache(null)), TestContext.Current.CancellationToken);
            return (report.Passed ? 0 : (int)ExitCode.Input, string.Join('\n', report.Findings));
        }
        try
        {
            Table table = Inspection.Of(folder, new InspectCheckpoint.Parameters());
            return (0, string.Join('\n', table.Notes) + "\n" + string.Join('\n', table.Rows.Select(r => string.Join(' ', r.Select(Table.Show)))));
        }
        catch (Fault fault)
        {
            return ((int)fault.Exit, fault.Message);
        }
    }

    private static IEnumerable<string> Words(JsonElement run, string key) =>
        run.TryGetProperty(key, out JsonElement words) ? words.EnumerateArray().Select(w => w.GetString()!) : [];
}
