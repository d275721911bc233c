using System.Diagnostics;
using System.Text.Json.Nodes;
using Budwood.Tests.Fixtures;

namespace Budwood.Cli.Tests.Verbs;

/// <summary>Recipes as their users run them: verdicts and exit codes, the store, several processes, kills, bad input.</summary>
public sealed class RecipeVerbTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private const string Head = """
        recipe: 1
        seeds: 3
        null_worlds: {no_effect: {world.effect: 0}}
        steps:
          world: {run: two_groups, effect: 1, count: 400}
        claims:

        """;

    private static string Claim(string id, string value, string holds, string refuted, string rest = "") =>
        $"  - {{id: {id}, kind: toy, value: \"{value}\", holds: \"{holds}\", refuted: \"{refuted}\", why: an argument, paper: {{text: a sentence, where: Fig. 1}}{rest}}}\n";

    private const string Difference = "mean(world[group=treated].value) - mean(world[group=control].value)";

    private static string Holds => Claim("shifts", Difference, ">= 0.5", "<= 0.25");
    private static string Refuted => Claim("doubles", Difference, ">= 2", "< 2");
    private static string Void => Claim("spread", "std(world[group=treated].value)", ">= 0.5", "< 0.5");

    private Ran Run(string text, params string[] more)
    {
        _folder.Write("r.yml", text);
        return Program.Run(_folder.Path, ["run", "r.yml", "-o", "report", .. more]);
    }

    private JsonNode Report() => JsonNode.Parse(File.ReadAllText(_folder["report/report.json"]))!;

    private string Verdict(string id) => (string)Report()["claims"]!.AsArray().Single(c => (string)c!["id"]! == id)!["verdict"]!;

    [Fact]
    public void A_claim_holds_one_is_refuted_and_one_is_void()
    {
        Assert.Equal(0, Run(Head + Holds).Exit);
        Assert.Equal("shown in a built world", (string)Report()["word"]!);
        Ran ran = Run(Head + Holds + Refuted + Void);
        Assert.Equal(5, ran.Exit);
        Assert.Equal(("holds", "refuted", "void"), (Verdict("shifts"), Verdict("doubles"), Verdict("spread")));
        Assert.Contains("it also holds in the null world 'no_effect'", ran.Out, StringComparison.Ordinal);
        string page = File.ReadAllText(_folder["report/report.html"]);
        Assert.All(["<svg", "shifts", "void"], part => Assert.Contains(part, page, StringComparison.Ordinal));
        Assert.Equal(5, Run(Head + Void).Exit);
    }

    [Fact]
    public void Between_the_thresholds_is_inconclusive_and_exits_0()
    {
        Assert.Equal(0, Run(Head + Claim("unsure", Difference, ">= 1.5", "<= 0.5")).Exit);
        Assert.Equal("inconclusive", Verdict("unsure"));
    }

    [Fact]
    public void A_null_world_that_does_not_refute_makes_it_inconclusive()
    {
        // In the null world the difference lies near 0: between -1 and 0.5 nothing is decided.
        Assert.Equal(0, Run(Head + Claim("weak", Difference, ">= 0.5", "<= -1")).Exit);
        Assert.Equal("inconclusive", Verdict("weak"));
    }

    [Fact]
    public void The_full_profile_sweeps_the_grid()
    {
        string sweep = Head.Replace("steps:", "sweep: {world.effect: [0.1, 0.2, 0.3, 1, 1.5]}\nsteps:", StringComparison.Ordinal);
        Assert.Equal(0, Run(sweep + Holds, "--profile", "full").Exit);
        JsonNode claim = Report()["claims"]![0]!;
        Assert.Equal((2, 5, "inconclusive"), ((int)claim["grid"]!["holds"]!, (int)claim["grid"]!["points"]!, (string)claim["verdict"]!));
        Assert.Equal(0, Run(sweep + Holds).Exit);
        Assert.Equal("holds", Verdict("shifts"));
    }

    [Fact]
    public void Smoke_judges_nothing()
    {
        Assert.Equal(0, Run(Head + Refuted, "--profile", "smoke").Exit);
        Assert.Equal(("not judged", "not judged"), (Verdict("doubles"), (string)Report()["word"]!));
    }

    [Fact]
    public void A_second_run_finds_all_and_a_change_says_what_changed()
    {
        Run(Head + Holds);
        Assert.Contains("0 made, 6 found in the store", Run(Head + Holds).Out, StringComparison.Ordinal);
        Ran changed = Run((Head + Holds).Replace("count: 400", "count: 401", StringComparison.Ordinal), "-v");
        Assert.Contains("world seed 0: runs because parameter count changed", changed.Err, StringComparison.Ordinal);
        Assert.Contains("6 made, 0 found", Run(Head + Holds, "--fresh").Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_poisoned_entry_is_made_again_and_said()
    {
        Run(Head + Holds);
        string table = Directory.EnumerateFiles(_folder[".budwood-home/store/entries"], "table.json", SearchOption.AllDirectories).First();
        File.WriteAllText(table, File.ReadAllText(table).Replace("treated", "untreat", StringComparison.Ordinal));
        Ran again = Run(Head + Holds);
        Assert.Equal(0, again.Exit);
        Assert.Contains("damaged (table.json)", again.Err, StringComparison.Ordinal);
        Assert.Contains("1 made, 5 found", again.Out, StringComparison.Ordinal);
    }

    private static readonly string s_long = Head.Replace("seeds: 3", "seeds: 150", StringComparison.Ordinal) + Holds;

    [Fact]
    public void A_killed_run_goes_on_where_it_stopped()
    {
        _folder.Write("r.yml", s_long);
        using (Process process = Program.Start(_folder.Path, null, "run", "r.yml", "-q"))
        {
            string entries = _folder[".budwood-home/store/entries"];
            for (int i = 0; i < 1000 && !(Directory.Exists(entries) && Directory.EnumerateFiles(entries, "entry.json", SearchOption.AllDirectories).Count() > 10); i++) Thread.Sleep(10);
            process.Kill();
            process.WaitForExit();
        }
        Ran again = Run(s_long);
        Assert.Equal(0, again.Exit);
        JsonNode run = Report()["run"]!;
        Assert.True((int)run["found_in_store"]! >= 10, run.ToJsonString());
        Assert.Equal(300, (int)run["found_in_store"]! + (int)run["made"]!);
    }

    [Fact]
    public void Two_runs_at_once_share_the_work()
    {
        _folder.Write("r.yml", s_long);
        Process[] both = [.. Enumerable.Range(0, 2).Select(i => Program.Start(_folder.Path, null, "run", "r.yml", "-o", $"report{i}", "-q"))];
        foreach (Process one in both) one.WaitForExit();
        Assert.All(both, p => Assert.Equal(0, p.ExitCode));
        int[] made = [.. Enumerable.Range(0, 2).Select(i => (int)JsonNode.Parse(File.ReadAllText(_folder[$"report{i}/report.json"]))!["run"]!["made"]!)];
        Assert.Equal(300, made.Sum());
        foreach (Process one in both) one.Dispose();
    }

    [Fact]
    public void Plan_work_and_gather_give_what_run_gives()
    {
        Run(Head + Holds);
        string alone = Report()["claims"]!.ToJsonString();
        Dictionary<string, string> home = new() { ["BUDWOOD_HOME"] = _folder["other"] };
        Assert.Equal(0, Program.Run(_folder.Path, home, "plan", "r.yml", "-o", "plan.json").Exit);
        Ran early = Program.Run(_folder.Path, home, "gather", "plan.json", "-o", "report");
        Assert.Equal(3, early.Exit);
        Assert.Contains("is not in the store", early.Err, StringComparison.Ordinal);
        Assert.Equal(0, Program.Run(_folder.Path, home, "work", "plan.json", "--items", "0-1").Exit);
        Assert.Contains("4 items made here", Program.Run(_folder.Path, home, "work", "plan.json").Out, StringComparison.Ordinal);
        Assert.Equal(0, Program.Run(_folder.Path, home, "gather", "plan.json", "-o", "report").Exit);
        Assert.Equal(alone, Report()["claims"]!.ToJsonString());
        Assert.Contains("0 made", Run(Head + Holds, "--jobs", "2").Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_fresh_run_of_several_processes_makes_everything_again()
    {
        Run(Head + Holds);
        DateTime before = DateTime.UtcNow;
        Assert.Equal(0, Run(Head + Holds, "--jobs", "2", "--fresh").Exit);
        string[] made = [.. Directory.EnumerateFiles(_folder[".budwood-home/store/entries"], "entry.json", SearchOption.AllDirectories)
            .Select(f => (string)JsonNode.Parse(File.ReadAllText(f))!["made"]!)];
        Assert.Equal(6, made.Length);
        Assert.All(made, m => Assert.True(DateTimeOffset.Parse(m, System.Globalization.CultureInfo.InvariantCulture) >= before, m));
        Assert.Equal(0, Program.Run(_folder.Path, "plan", "r.yml", "-o", "fresh.json", "--fresh").Exit);
        Assert.Contains("6 items made here", Program.Run(_folder.Path, "work", "fresh.json").Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[suggest:11]", "budwood run", "--dry-run")]
    [InlineData("[suggest:12]", "budwood run ", "ties")]
    [InlineData("[suggest:15]", "budwood run tie", "ties")]
    [InlineData("[suggest:17]", "budwood run ties ", "density=")]
    [InlineData("[suggest:18]", "budwood reproduce ", "medida-ks")]
    public void Words_are_completed(string at, string line, string word)
    {
        Ran ran = Program.Run(_folder.Path, at, line);
        Assert.True(ran.Exit == 0, ran.All);
        Assert.Contains(word, ran.Out.Split('\n').Select(w => w.Trim()));
    }

    [Theory]
    [InlineData("bash")]
    [InlineData("zsh")]
    [InlineData("fish")]
    [InlineData("pwsh")]
    public void Every_shell_has_its_script(string shell) => Assert.Contains("[suggest:", Program.Run(_folder.Path, "completion", shell).Out, StringComparison.Ordinal);

    [Fact]
    public void A_misspelt_word_of_a_list_is_answered_with_the_nearest()
    {
        Ran ran = Program.Run(_folder.Path, "schema", "recip");
        Assert.Equal(2, ran.Exit);
        Assert.Contains("Did you mean 'recipe'?", ran.Err, StringComparison.Ordinal);
    }

    [Fact]
    public void Steps_merge_checkpoints()
    {
        TinyCheckpoint.Llama(Budwood.Numbers.DType.F32, seed: 1).Write(_folder["a"]);
        TinyCheckpoint.Llama(Budwood.Numbers.DType.F32, seed: 2).Write(_folder["b"]);
        const string Text = """
            recipe: 1
            steps:
              merged: {run: linear, models: [a, b], weight: [0.3, 0.9], matrix: {normalize: [true, false]}}
              look: {run: inspect_checkpoint, model: merged, by: dtype}
            claims:
              - {id: same_size, kind: implementation, value: "max(look.elements) - min(look.elements) + count(look.elements)", holds: "== 2", refuted: "!= 2"}
            """;
        Ran ran = Run(Text);
        Assert.True(ran.Exit == 0, ran.All);
        Assert.Contains("4 made, 0 found", ran.Out, StringComparison.Ordinal);
        // The content of an input counts, not its place.
        Directory.Move(_folder["a"], _folder["c"]);
        Assert.Contains("0 made, 4 found", Run(Text.Replace("[a, b]", "[c, b]", StringComparison.Ordinal)).Out, StringComparison.Ordinal);
        TinyCheckpoint.Llama(Budwood.Numbers.DType.F32, seed: 3).Write(_folder["a"]);
        Assert.Contains("runs because input models changed", Run(Text, "-v").Err, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("medida-kz", "medida-ks")]
    [InlineData("rank_controlled", "there is no paper")]
    [InlineData("muscle", "has no recipe")]
    public void A_paper_that_cannot_be_run_says_why(string word, string text)
    {
        Ran ran = Program.Run(_folder.Path, "reproduce", word);
        Assert.Equal(2, ran.Exit);
        Assert.Contains(text, ran.Err, StringComparison.Ordinal);
    }

    [Fact]
    public void A_recipe_that_is_not_there_or_a_merge_file_says_so()
    {
        _folder.Write("r.yml", Head + Holds);
        Ran missing = Program.Run(_folder.Path, "run", "s.yml");
        Assert.Equal(2, missing.Exit);
        Assert.Contains("r.yml", missing.Err, StringComparison.Ordinal);
        _folder.Write("m.yml", "merge_method: linear\nmodels: []\n");
        Assert.Contains("budwood merge", Program.Run(_folder.Path, "run", "m.yml").Err, StringComparison.Ordinal);
    }

    [Fact]
    public void A_full_disk_is_exit_6_and_leaves_nothing()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.UserName == "root", "needs root to mount a small disk");
        string disk = Directory.CreateDirectory(_folder["disk"]).FullName;
        using (Process mount = Process.Start("mount", ["-t", "tmpfs", "-o", "size=200k", "tmpfs", disk]))
        {
            mount.WaitForExit();
            Assert.SkipUnless(mount.ExitCode == 0, "a tmpfs cannot be mounted here");
        }
        try
        {
            _folder.Write("r.yml", (Head + Holds).Replace("count: 400", "count: 20000", StringComparison.Ordinal));
            Ran ran = Program.Run(_folder.Path, new Dictionary<string, string> { ["BUDWOOD_HOME"] = disk }, "run", "r.yml", "-o", "report");
            Assert.True(ran.Exit == 6, ran.All);
            Assert.Contains("disk", ran.Err, StringComparison.Ordinal);
            Assert.Empty(Directory.EnumerateFiles(disk, "entry.json", SearchOption.AllDirectories));
        }
        finally
        {
            using Process unmount = Process.Start("umount", [disk]);
            unmount.WaitForExit();
        }
    }

    [Fact]
    public void Papers_are_listed_and_found()
    {
        Assert.Equal(83, JsonNode.Parse(Program.Run(_folder.Path, "papers", "--json").Out)!.AsArray().Count);
        Assert.Contains("breadcrumbs", Program.Run(_folder.Path, "papers", "sparse", "masks").Out, StringComparison.Ordinal);
        Assert.Equal("s4d", (string)JsonNode.Parse(Program.Run(_folder.Path, "papers", "1", "--json").Out)!["slug"]!);
        Ran none = Program.Run(_folder.Path, "papers", "medidda");
        Assert.Equal(2, none.Exit);
        Assert.Contains("medida", none.Err, StringComparison.Ordinal);
        // Signs of the index's own language are text: no paper has this word, whatever stands around it.
        Assert.Equal(2, Program.Run(_folder.Path, "papers", "\" OR * NEAR(zzyzx").Exit);
    }
}
