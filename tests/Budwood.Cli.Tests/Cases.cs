using System.Security.Cryptography;
using System.Text.Json;
using System.Text.RegularExpressions;
using Budwood.Tests.Fixtures;

namespace Budwood.Cli.Tests;

/// <summary>One run of a case from practice: what the program is given, and what is asked of it.</summary>
internal sealed record CaseRun(string Id, int Number, JsonElement Asked)
{
    public string Line => string.Join(' ', Asked.GetProperty("argv").EnumerateArray().Select(a => a.GetString()));
}

/// <summary>The cases from practice, run as their own checker does: in a copy of the case's folder, one process a run.</summary>
internal static partial class Cases
{
    // Reloading in transformers needs Python: the checker beside the cases does that.
    private static readonly string[] s_known =
    [
        "argv", "exit", "all", "any", "all_if", "no_file", "out", "env", "reload", .. CaseOutput.Known,
    ];

    /// <summary>Every run in which the program is given arguments; none where the cases are not at hand.</summary>
    public static IEnumerable<CaseRun> Runs(string root)
    {
        foreach (string file in Directory.EnumerateFiles(root, "expected.json", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            JsonElement all = JsonDocument.Parse(File.ReadAllBytes(file)).RootElement;
            int number = 0;
            foreach (JsonElement run in all.GetProperty("runs").EnumerateArray())
                yield return new CaseRun(all.GetProperty("id").GetString()!, ++number, run);
        }
    }

    /// <summary>What does not hold, a line each.</summary>
    public static List<string> Check(string root, CaseRun run)
    {
        var bad = new List<string>();
        JsonElement asked = run.Asked;
        foreach (JsonProperty p in asked.EnumerateObject())
            if (!s_known.Contains(p.Name)) bad.Add($"this test does not know how to ask for '{p.Name}'");
        using var work = new TempFolder();
        string home = work["case"], output = work["place/out"];
        Copy(Path.Combine(root, run.Id), home);
        Directory.CreateDirectory(work["place"]);
        Dictionary<string, string> before = Tree(home);
        string[] argv = [.. asked.GetProperty("argv").EnumerateArray().Select(a => a.GetString()!.Replace("{out}", output, StringComparison.Ordinal))];
        Ran ran = Program.Run(home, Environment(asked, work, home), argv);
        string text = ran.Out + "\n" + ran.Err;

        int[] exits = [.. asked.GetProperty("exit").EnumerateArray().Select(e => e.GetInt32())];
        if (!exits.Contains(ran.Exit)) bad.Add($"exit {ran.Exit} for {string.Join(" or ", exits)}: {ran.Err}{ran.Out}");
        if (ran.Exit is < 0 or > 6) bad.Add($"exit code {ran.Exit} is none of ours");
        if (StackTrace().IsMatch(text)) bad.Add($"a stack trace: {text}");
        foreach (string word in Strings(asked, "all").Concat(asked.TryGetProperty("all_if", out JsonElement iff) ? Strings(iff, $"{ran.Exit}") : []))
            if (!Says(text, word)) bad.Add($"does not say '{word}': {text}");
        if (asked.TryGetProperty("any", out JsonElement any))
        {
            foreach (JsonElement group in any.EnumerateArray())
                if (!group.EnumerateArray().Any(w => Says(text, w.GetString()!))) bad.Add($"says none of {group}: {text}");
        }

        Dictionary<string, string> after = Tree(home);
        foreach (string name in before.Keys.Where(n => after.GetValueOrDefault(n) != before[n])) bad.Add($"the input {name} changed");
        foreach (string name in after.Keys.Except(before.Keys)) bad.Add($"{name} was left in the folder");
        foreach (string name in Strings(asked, "no_file"))
            if (Path.Exists(Path.Combine(home, name))) bad.Add($"{name} exists: code from the checkpoint ran");

        bool there = Path.Exists(output);
        string wanted = asked.TryGetProperty("out", out JsonElement o) ? o.GetString()! : "any";
        if (ran.Exit == 0 && wanted != "absent" && argv.Contains(output))
            bad.AddRange(there ? CaseOutput.Check(asked, Path.Combine(root, run.Id), output) : ["there is no output folder"]);
        if (ran.Exit == 0 && wanted == "absent" && there) bad.Add("wrote an output that should not exist");
        if (ran.Exit != 0)
            bad.AddRange(Directory.EnumerateFileSystemEntries(work["place"]).Select(left => $"failed, and left {Path.GetFileName(left)}"));
        return bad;
    }

    private static Dictionary<string, string> Environment(JsonElement asked, TempFolder work, string home)
    {
        // Nothing of the machine's: neither its hub cache nor our store.
        var set = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["BUDWOOD_HOME"] = work["store"], ["NO_COLOR"] = "1", ["HF_HOME"] = work["hf"], ["HF_HUB_CACHE"] = "",
        };
        if (!asked.TryGetProperty("env", out JsonElement env)) return set;
        foreach (JsonProperty p in env.EnumerateObject())
        {
            string value = p.Value.GetString()!;
            set[p.Name] = p.Name == "HF_HUB_CACHE" ? value.Replace("hub", Path.Combine(home, "hub"), StringComparison.Ordinal) : value;
        }
        return set;
    }

    private static bool Says(string text, string word) => text.Contains(word, StringComparison.OrdinalIgnoreCase);

    internal static IEnumerable<string> Strings(JsonElement from, string name) =>
        from.TryGetProperty(name, out JsonElement list) ? list.EnumerateArray().Select(e => e.GetString()!) : [];

    private static void Copy(string from, string to)
    {
        foreach (string file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }

    private static Dictionary<string, string> Tree(string folder) =>
        Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).ToDictionary(
            f => Path.GetRelativePath(folder, f), f => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(f))), StringComparer.Ordinal);

    [GeneratedRegex(@"unhandled exception|traceback|\n\s+at [\w.]+\.[\w.]+\(", RegexOptions.IgnoreCase)]
    private static partial Regex StackTrace();
}
