using Budwood.Engine;
using Budwood.Methods;
using Budwood.Methods.Generated;
using Budwood.Recipes;

namespace Budwood.Tests.Recipes;

public sealed class RehearsalTests
{
    private static IEnumerable<Rule> Rules => BudwoodCoreCatalogue.All.OfType<Rule>();

    private static SlotResult? Rehearse(string yaml, Arithmetic arithmetic = Arithmetic.Ours) => Rehearsal.Run(MergeFile.Parse(yaml, "merge.yml").Documents[^1], Rules, arithmetic);

    [Theory]
    [InlineData("linear", "", "weight: 0.5")]
    [InlineData("slerp", "parameters: {t: 0.3}", "weight: 1")]
    [InlineData("task_arithmetic", "", "weight: 0.5")]
    [InlineData("ties", "", "{weight: 0.5, density: 0.4}")]
    [InlineData("dare_linear", "", "{weight: 0.5, density: 0.4}")]
    [InlineData("della", "", "{weight: 0.5, density: 0.5, epsilon: 0.2}")]
    [InlineData("breadcrumbs_ties", "", "{weight: 0.5, density: 0.5, gamma: 0.02}")]
    [InlineData("sce", "parameters: {select_topk: 0.4}", "weight: 1")]
    [InlineData("model_stock", "", "weight: 1")]
    [InlineData("nuslerp", "", "weight: 0.5")]
    public void The_formula_of_the_file_runs(string method, string parameters, string own)
    {
        string weights = own[0] == '{' ? own : $"{{{own}}}";
        string[] names = method is "slerp" ? ["a"] : method is "nuslerp" ? ["a", "b"] : ["a", "b", "c"];
        string models = string.Concat(names.Select(m => $"  - {{model: {m}, parameters: {weights}}}\n"));
        foreach (Arithmetic arithmetic in (Arithmetic[])[Arithmetic.Ours, Arithmetic.Mergekit014])
        {
            SlotResult? result = Rehearse($"merge_method: {method}\nbase_model: z\nmodels:\n{models}{parameters}\ndtype: bfloat16\n", arithmetic);
            Assert.NotNull(result);
            Assert.InRange(result.Changed, 1, result.Planned.Slot.Shape.Count);
            Assert.Equal(0, result.NotFinite);
        }
    }

    [Fact]
    public void A_base_among_the_models_is_one_input()
    {
        SlotResult? result = Rehearse("merge_method: task_arithmetic\nbase_model: a\nmodels:\n  - {model: a}\n  - {model: b, parameters: {weight: 0.5}}\n");
        Assert.Equal(2, result!.Planned.Slot.Inputs.Count);
        Assert.Equal(0, result.Planned.Slot.Base);
    }

    [Fact]
    public void What_is_copied_is_not_rehearsed() => Assert.Null(Rehearse("merge_method: passthrough\nmodels:\n  - {model: a}\n"));

    [Theory]
    [InlineData("merge_method: no_such\nmodels:\n  - {model: a}\n")]
    [InlineData("merge_method: ties\nbase_model: z\nmodels:\n  - {model: a, parameters: {weight: x}}\n")]
    [InlineData(": : :")]
    public void What_goes_wrong_beside_the_run_stays_there(string text)
    {
        Assert.ThrowsAny<Exception>(() => Rehearse(text));
        Rehearsal.Begin(text, Rules, _ => Arithmetic.Ours).Join();
    }
}
