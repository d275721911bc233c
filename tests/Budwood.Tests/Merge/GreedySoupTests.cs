using System.Globalization;
using Budwood.Checkpoints;
using Budwood.Engine;
using Budwood.Merge;
using Budwood.Methods;
using Budwood.Methods.Generated;
using Budwood.Numbers;
using Budwood.Recipes;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Merge;

public sealed class GreedySoupTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>Scores in memory, by the value that a model has everywhere in its last norm; the real desk's commands are tested below.</summary>
    private sealed class ScoredDesk(IReadOnlyList<Checkpoint> models, Func<IReadOnlyList<string>, double> score) : TestDesk
    {
        private readonly Dictionary<Checkpoint, IReadOnlyList<string>> _made = [];

        public List<string> Asked { get; } = [];
        public IReadOnlyList<string> Result { get; private set; } = [];
        public Table Shown { get; private set; } = new("");
        public override Checkpoint Checkpoint(string port) => models[0];
        public override IReadOnlyList<Checkpoint> Checkpoints(string port) => models;
        public override void Show(Table table) => Shown = table;
        public override void Emit(string port, Checkpoint made) => Result = _made[made];

        public override Checkpoint Call(string rule, IReadOnlyList<Checkpoint> models, params IReadOnlyList<(string Name, string Value)> parameters)
        {
            Assert.Equal("linear", rule);
            Checkpoint made = Budwood.Checkpoints.Checkpoint.Unwritten("mean", models[0], models[0].Config, [], models);
            _made[made] = [.. models.Select(m => m.Label)];
            return made;
        }

        public override double Score(string command, Checkpoint model)
        {
            IReadOnlyList<string> of = _made.GetValueOrDefault(model) ?? [model.Label];
            Asked.Add(string.Concat(of));
            return score(of);
        }
    }

    private ScoredDesk Soup(Dictionary<string, double> scores, bool maximize = true, params string[] labels)
    {
        string folder = TinyCheckpoint.Llama(_folder["m"]);
        Checkpoint[] models = [.. labels.Select(l => Checkpoint.Open(folder, l))];
        var desk = new ScoredDesk(models, of => scores[string.Concat(of)]);
        new GreedySoup().RunAny(desk, new GreedySoup.Parameters { Score = "x {model}", Maximize = maximize });
        foreach (Checkpoint model in models) model.Dispose();
        return desk;
    }

    [Fact]
    public void Models_are_tried_from_the_best_down_and_stay_when_the_average_is_no_worse()
    {
        ScoredDesk desk = Soup(new() { ["a"] = 0.2, ["b"] = 0.5, ["c"] = 0.4, ["d"] = 0.3, ["bc"] = 0.5, ["bcd"] = 0.49, ["bca"] = 0.6 }, true,
            "a", "b", "c", "d");
        Assert.Equal(["a", "b", "c", "d", "bc", "bcd", "bca"], desk.Asked);
        Assert.Equal(["b", "c", "a"], desk.Result);
        Assert.Equal(["b", "c", "d", "a"], desk.Shown.Rows.Select(r => (string)r[0]!));
        Assert.Equal([true, true, false, true], desk.Shown.Rows.Select(r => (bool)r[3]!));
    }

    [Fact]
    public void A_loss_is_made_small()
    {
        ScoredDesk desk = Soup(new() { ["a"] = 2, ["b"] = 1, ["c"] = 3, ["ba"] = 1.5, ["bc"] = 0.5 }, false, "a", "b", "c");
        Assert.Equal(["b", "c"], desk.Result);
    }

    [Fact]
    public void Of_equal_scores_the_first_listed_comes_first()
    {
        ScoredDesk desk = Soup(new() { ["a"] = 1, ["b"] = 2, ["c"] = 2, ["bc"] = 1, ["ba"] = 1 }, true, "a", "b", "c");
        Assert.Equal(["b"], desk.Result);
        Assert.Equal(["b", "c", "a"], desk.Shown.Rows.Select(r => (string)r[0]!));
    }

    [Fact]
    public void One_model_is_no_soup() => Assert.Equal("BW1204", Assert.Throws<Fault>(() => Soup([], true, "a")).Code);

    // From here on: the desk of the engine, with commands of a POSIX shell.

    private static void NeedsShell() => Assert.SkipWhen(OperatingSystem.IsWindows(), "the commands of these tests are for a POSIX shell");

    private JobOutcome Run(string command, long memory = 4_000_000_000, bool force = false, string names = "m0,m1,m2", CancellationToken stop = default)
    {
        var opened = new List<Checkpoint>();
        try
        {
            foreach (string name in names.Split(',')) opened.Add(Checkpoint.Open(_folder[name], name));
            var inputs = new Dictionary<string, IReadOnlyList<Artifact>> { ["models"] = [.. opened.Select(Artifact.Of)] };
            return Runner.Run(new GreedySoup(), new GreedySoup.Parameters { Score = command }, inputs, new JobOptions
            {
                Run = new RunOptions { Out = _folder["out"], Configuration = "", Threads = 2, MemoryBytes = memory, Force = force },
                Plan = (rule, models, values) =>
                    RunLine.Plan(BudwoodCoreCatalogue.All.OfType<Rule>().Single(r => r.Card.Name == rule), models, values, Arithmetic.Ours, ["unchanged"]),
            }, stop);
        }
        finally
        {
            foreach (Checkpoint model in opened) model.Dispose();
        }
    }

    // Every model's config.json says how good it is alone; an average has the first one's configuration, and its card lists what it is made of.
    private void Three(params double[] scores)
    {
        for (int i = 0; i < scores.Length; i++)
        {
            TinyModel model = TinyCheckpoint.Llama(DType.BF16, seed: i + 1);
            model.Config["alone"] = scores[i].ToString(CultureInfo.InvariantCulture);
            model.Write(_folder[$"m{i}"]);
        }
    }

    private const string Alone = "sed -n 's/.*\"alone\": *\"\\([^\"]*\\)\".*/\\1/p' {model}/config.json";

    // The path of each scored folder goes to a file, so that a test can see that nothing of it is left.
    private string Seen => $"echo {{model}} >> '{_folder["seen"]}'; ";

    private void NothingIsLeft()
    {
        if (File.Exists(_folder["seen"]))
            Assert.All(File.ReadAllLines(_folder["seen"]).Where(p => !p.StartsWith(_folder.Path, StringComparison.Ordinal)),
                p => Assert.False(Directory.Exists(Path.GetDirectoryName(p))));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path, ".out*"));
    }

    [Fact]
    public void The_soup_is_the_linear_merge_of_what_was_kept()
    {
        NeedsShell();
        Three(0.1, 0.3, 0.2);
        // m1 first; with m2 it counts two models (kept), with m0 too it would have three, which scores zero.
        string command = Seen + "n=$(grep -c '^  - model' {model}/mergekit_config.yml 2>/dev/null); "
            + "case \"$n\" in 2) echo 0.9;; 3) echo 0;; *) " + Alone + ";; esac";
        JobOutcome outcome = Run(command);
        Assert.Equal(["m1", "m2", "m0"], outcome.Table!.Rows.Select(r => (string)r[0]!));
        Assert.Equal([true, true, false], outcome.Table.Rows.Select(r => (bool)r[3]!));
        Assert.Equal([0.3, 0.9, 0.0], outcome.Table.Rows.Select(r => (double)r[2]!));
        _folder.Write("merge.yml", "merge_method: linear\nmodels:\n  - {model: m1, parameters: {weight: 1}}\n  - {model: m2, parameters: {weight: 1}}\n");
        Assert.Equal(Goldens.Merge(_folder["merge.yml"], _folder["apart"]).Receipt.Digest, outcome.Written!.Receipt.Digest);
        Assert.Contains("merge_method: linear", File.ReadAllText(_folder["out/mergekit_config.yml"]), StringComparison.Ordinal);
        Assert.Equal(5, File.ReadAllLines(_folder["seen"]).Length);
        NothingIsLeft();
    }

    [Fact]
    public void Where_the_best_model_alone_wins_the_output_is_that_model()
    {
        NeedsShell();
        Three(0.1, 0.3, 0.2);
        JobOutcome outcome = Run("if [ -e {model}/run.json ]; then echo 0; else " + Alone + "; fi");
        Assert.Contains("identical to m1", outcome.Written!.Receipt.Lines()[0], StringComparison.Ordinal);
        Assert.Equal("no average scores as well as 'm1' alone", outcome.Table!.Notes[0]);
    }

    [Theory]
    [InlineData("echo good {model}", "BW1343", "'good ")]
    [InlineData("true {model}", "BW1343", "nothing")]
    [InlineData("echo nan {model} >/dev/null; echo NaN", "BW1343", "'NaN'")]
    [InlineData("echo 0.5 {model} >/dev/null; echo 0.5; exit 7", "BW1342", "exit code 7")]
    [InlineData("echo 0.5", "BW1341", "{model}")]
    public void A_command_that_gives_no_score_is_refused(string command, string code, string words)
    {
        NeedsShell();
        Three(0.1, 0.2);
        var fault = Assert.Throws<Fault>(() => Run(command, names: "m0,m1"));
        Assert.Equal((code, ExitCode.Usage), (fault.Code, fault.Exit));
        Assert.Contains(words, fault.Message, StringComparison.Ordinal);
        Assert.NotNull(fault.Next);
        Assert.False(Directory.Exists(_folder["out"]));
    }

    [Fact]
    public void The_last_line_that_is_not_empty_counts_and_paths_are_quoted()
    {
        NeedsShell();
        Three(0.1, 0.2);
        Directory.Move(_folder["m1"], _folder["it's $HOME; false"]);
        JobOutcome outcome = Run("test -e {model}/config.json || exit 1; echo loading; " + Alone + " | grep . || echo 0; echo", names: "m0,it's $HOME; false");
        Assert.Equal(0.2, outcome.Table!.Rows[0][1]);
    }

    [Fact]
    public void Temporary_folders_go_after_a_failure_too()
    {
        NeedsShell();
        Three(0.1, 0.3, 0.2);
        Assert.Equal("BW1342", Assert.Throws<Fault>(() => Run(Seen + "if [ -e {model}/run.json ]; then exit 1; fi; " + Alone)).Code);
        Assert.Equal(4, File.ReadAllLines(_folder["seen"]).Length);
        NothingIsLeft();
    }

    [Fact]
    public void A_stop_ends_the_command_with_all_it_started()
    {
        NeedsShell();
        Three(0.1, 0.3, 0.2);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        string command = Seen + $"if [ -e {{model}}/run.json ]; then (sleep 60; echo late > '{_folder["late"]}') & echo $! > '{_folder["pid"]}.part'; "
            + $"mv '{_folder["pid"]}.part' '{_folder["pid"]}'; wait; fi; " + Alone;
        Task run = Task.Run(() => Run(command, stop: stop.Token), TestContext.Current.CancellationToken);
        Assert.True(SpinWait.SpinUntil(() => File.Exists(_folder["pid"]) || run.IsCompleted, TimeSpan.FromSeconds(30)));
        stop.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => run.GetAwaiter().GetResult());
        int pid = int.Parse(File.ReadAllText(_folder["pid"]), CultureInfo.InvariantCulture);
        Assert.True(SpinWait.SpinUntil(() => IsGone(pid), TimeSpan.FromSeconds(10)));
        Assert.False(Directory.Exists(_folder["out"]));
        NothingIsLeft();
    }

    // A process that nobody has reaped yet counts as gone.
    private static bool IsGone(int pid)
    {
        if (!OperatingSystem.IsLinux()) return true;
        try
        {
            return File.ReadAllText($"/proc/{pid}/stat").Contains(") Z", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return true;
        }
    }

    [Fact]
    public void What_cannot_work_is_said_before_the_first_score()
    {
        NeedsShell();
        Three(0.1, 0.3, 0.2);
        Assert.Equal("BW6001", Assert.Throws<Fault>(() => Run(Seen + "echo 1", memory: 1_000_000)).Code);
        _folder.Write("out/keep.txt", "mine");
        Assert.Equal(ExitCode.Usage, Assert.Throws<Fault>(() => Run(Seen + "echo 1")).Exit);
        TinyCheckpoint.Llama(_folder["m2"], DType.BF16, layers: 3);
        Assert.Equal(ExitCode.Input, Assert.Throws<Fault>(() => Run(Seen + "echo 1", force: true)).Exit);
        Assert.False(File.Exists(_folder["seen"]));
    }

    [Fact]
    public void A_model_is_listed_once()
    {
        Three(0.1, 0.2);
        Assert.Equal("BW1017", Assert.Throws<Fault>(() => Run("echo 1 {model}", names: "m0,m1,m0")).Code);
    }
}
