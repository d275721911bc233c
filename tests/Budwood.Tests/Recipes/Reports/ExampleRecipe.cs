using Budwood.Engine;
using Budwood.Methods;
using Budwood.Methods.Generated;
using Budwood.Recipes.Steps;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Recipes.Reports;

/// <summary>A recipe over the two groups that has every verdict, matrices, figures of each kind, and texts that would like to be markup.</summary>
internal static class ExampleRecipe
{
    public const string Text = """
        recipe: 1
        about: "two groups of <normal> numbers & their \"effect\""
        reconstructed: true
        protocol: {number: 2, reasons: [the second claim's band was too narrow]}
        seeds: 3
        null_worlds: {no_effect: {world.effect: 0}}
        sweep: {world.count: [100, 400]}
        profiles: {full: {seeds: 3}}
        steps:
          world: {run: two_groups, count: 400, matrix: {effect: [0.5, 1, 2]}}
          few: {run: two_groups, effect: 1, matrix: {count: [10, 100, 1000]}}
        claims:
          - {id: shifts, kind: toy, value: "mean(world[group=treated, effect=1].value) - mean(world[group=control, effect=1].value)", holds: ">= 0.5", refuted: "<= 0.25", why: half the effect that is built in, paper: {text: the treated do better, where: Fig. 1, figure: "0.9"}, beside: {twice <the> effect: "mean(world[group=treated, effect=2].value)"}}
          - {id: doubled, kind: toy, value: "mean(world[group=treated, effect=1].value)", holds: ">= 2", refuted: "< 1.5", why: a reading of the paper, paper: {text: "<script>alert('the treated')</script>", where: Sec. 2}}
          - {id: near, kind: toy, value: "mean(world[group=treated, effect=1].value)", holds: "in [1.3, 1.5]", refuted: "outside [0.5, 2]", why: a band beside the value, paper: {text: a little above one, where: Eq. 3}}
          - {id: spread, kind: toy, value: "std(world[group=control, effect=1].value)", holds: "in [0.8, 1.2]", why: nothing of the mechanism is in it, paper: {text: the spread is one, where: App. B}}
          - {id: patients, kind: real, not_testable: the data are not public, paper: {text: patients too, where: Sec. 6}}
          - {id: rows, kind: implementation, value: count(world.value), over: pooled, holds: "== 7200"}
        figures:
          - {title: "Values <by> \"effect\"", kind: bar, data: world, x: effect, y: value, by: group}
          - {title: Values by count, kind: line, data: few, x: count, y: value, by: group, log: x, note: Means settle}
          - {title: Seeds, kind: scatter, data: "few[count=10]", x: seed, y: value}
        """;

    public static IReadOnlyList<Method> Methods { get; } = [.. BudwoodCoreCatalogue.All, .. BudwoodLabCatalogue.All];

    public static Recipe Read(string text = Text) => RecipeReader.Read(text, "example.yml", name => Methods.FirstOrDefault(m => m.Card.Name == name), Methods.Select(m => m.Card.Name));

    /// <summary>Runs it in a store of its own.</summary>
    public static RecipeOutcome Run(TempFolder folder, string text = Text, string profile = "default", long seed = 7) => new RecipeRunner(Read(text), new RecipeOptions
    {
        Profile = profile, Seed = seed, Means = new WorkMeans { Store = new Store(folder["store"], 1L << 30), Find = _ => null, Threads = 1 },
    }).Run(TestContext.Current.CancellationToken);
}
