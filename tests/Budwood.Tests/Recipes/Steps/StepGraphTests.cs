using Budwood.Methods;
using Budwood.Recipes.Steps;

namespace Budwood.Tests.Recipes.Steps;

/// <summary>How matrices travel along references; a method that takes and gives tables stands in for real ones.</summary>
public class StepGraphTests
{
    private sealed class Pass : Job<Pass.None>
    {
        public sealed record None;

        private static ParameterCard Parameter(string name) => new(name, ParameterKind.Number, false, false, "0", "1", double.NegativeInfinity, double.PositiveInfinity, false, false, name, []);

        public override MethodCard Card { get; } = new("pass", Room.Evaluate, 1, false, null, "", "", "", "", "", null, [], [Parameter("p"), Parameter("q"), Parameter("r")], []);
        public override Ports Ports { get; } = new([new Port("one", ArtifactKind.Table, "", Optional: true), new Port("two", ArtifactKind.Table, "", Optional: true), new Port("many", ArtifactKind.Table, "", Many: true, Optional: true)],
            new Port("out", ArtifactKind.Table, ""), new Port("side", ArtifactKind.Table, "", Optional: true));
        public override object ReadParameters(ParameterValues values) => new None();
        protected internal override void Run(Desk desk, None p) => throw new NotSupportedException();
    }

    private static StepGraph Graph(string steps, long[]? seeds = null) =>
        StepGraph.Of(RecipeReader.Read("recipe: 1\nsteps:\n" + string.Concat(steps.Split(" | ").Select(s => $"  {s.Trim()}\n")), "r.yml", n => n == "pass" ? new Pass() : null, ["pass"]), seeds ?? [0], "");

    private static string[] Of(StepGraph graph, string step) => [.. graph.Of(step).Select(i =>
    {
        string at = string.Join(" ", i.At.Select(a => $"{a.Key}={a.Value}"));
        string[] reads = [.. i.Inputs.SelectMany(p => p.Value.Select(v => p.Key + "<" + string.Join(",", v.Instance!.At.Select(a => a.Value))))];
        return reads.Length == 0 ? at : $"{at}: {string.Join(" ", reads)}";
    })];

    [Fact]
    public void A_matrix_repeats_a_step_and_all_that_read_it()
    {
        StepGraph graph = Graph("a: {run: pass, matrix: {p: [1, 2]}} | b: {run: pass, one: a, matrix: {q: [7, 8]}}");
        Assert.Equal(["p=1 q=7: one<1", "p=1 q=8: one<1", "p=2 q=7: one<2", "p=2 q=8: one<2"], Of(graph, "b"));
    }

    [Fact]
    public void Two_inputs_of_one_matrix_stay_together()
    {
        StepGraph graph = Graph("a: {run: pass, matrix: {p: [1, 2]}} | b: {run: pass, one: a} | c: {run: pass, one: a, two: b}");
        Assert.Equal(["p=1: one<1 two<1", "p=2: one<2 two<2"], Of(graph, "c"));
    }

    [Fact]
    public void Gathering_takes_all_or_all_of_one_key()
    {
        StepGraph graph = Graph("a: {run: pass, matrix: {p: [1, 2], q: [7, 8]}} | b: {run: pass, many: 'a[*]'} | c: {run: pass, many: 'a[p=*]'} | d: {run: pass, many: 'a[p=2]'} | e: {run: pass, many: 'a[p=1|2, q=8]'}");
        Assert.Equal([": many<1,7 many<1,8 many<2,7 many<2,8"], Of(graph, "b"));
        Assert.Equal(["q=7: many<1,7 many<2,7", "q=8: many<1,8 many<2,8"], Of(graph, "c"));
        Assert.Equal(["q=7: many<2,7", "q=8: many<2,8"], Of(graph, "d"));
        Assert.Equal([": many<1,8 many<2,8"], Of(graph, "e"));
    }

    [Fact]
    public void Gathered_instances_agree_with_the_keys_that_are_mapped()
    {
        StepGraph graph = Graph("a: {run: pass, matrix: {p: [1, 2]}} | b: {run: pass, one: a, matrix: {q: [7, 8]}} | c: {run: pass, one: a, many: 'b[q=*]'}");
        Assert.Equal(["p=1: one<1 many<1,7 many<1,8", "p=2: one<2 many<2,7 many<2,8"], Of(graph, "c"));
    }

    [Fact]
    public void A_port_may_stand_in_the_matrix()
    {
        StepGraph graph = Graph("a: {run: pass} | b: {run: pass} | c: {run: pass, matrix: {one: [a, b]}}");
        Assert.Equal(["a", "b"], graph.Of("c").Select(i => i.Inputs["one"][0].Instance!.Step.Name));
    }

    [Fact]
    public void Seeds_run_apart()
    {
        StepGraph graph = Graph("a: {run: pass} | b: {run: pass, one: a}", [4, 5]);
        Assert.Equal([4L, 5], graph.Of("b").Select(i => i.Inputs["one"][0].Instance!.Seed));
        Assert.Equal(["a seed 4", "b seed 4", "a seed 5", "b seed 5"], graph.Instances.Select(i => i.Label));
    }

    [Theory]
    [InlineData("a: {run: pass, matrix: {p: [1, 2]}} | b: {run: pass, one: a, matrix: {p: [3]}}", "BW1224")]
    [InlineData("a: {run: pass, matrix: {p: [1]}} | b: {run: pass, matrix: {p: [1]}} | c: {run: pass, one: a, two: b}", "BW1224")]
    [InlineData("a: {run: pass, matrix: {p: [1, 2]}} | b: {run: pass, one: 'a[p=3]'}", "BW1225")]
    [InlineData("a: {run: pass, matrix: {p: [1, 2]}} | b: {run: pass, one: 'a[*]'}", "BW1208")]
    [InlineData("a: {run: pass, matrix: {p: [1, 2]}} | b: {run: pass, one: 'a[q=1]'}", "BW1223")]
    public void What_is_ambiguous_or_empty_is_refused(string steps, string code) => Assert.Equal(code, Assert.Throws<Fault>(() => Graph(steps)).Code);
}
