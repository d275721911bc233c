using Budwood.Lab.Worlds;
using Budwood.Methods;
using Budwood.Methods.Generated;
using Budwood.Recipes.Steps;

namespace Budwood.Tests.Recipes.Steps;

public class RecipeReaderTests
{
    internal static Method? Find(string name) => BudwoodCoreCatalogue.All.Concat(BudwoodLabCatalogue.All).FirstOrDefault(m => m.Card.Name == name);

    internal static Recipe Read(string text) => RecipeReader.Read(text, "r.yml", Find, ["two_groups", "linear"]);

    private const string Good = """
        recipe: 1
        seeds: 3
        null_worlds: {none: {world.effect: 0}}
        steps:
          world: {run: two_groups, effect: 1}
        claims:
          - id: up
            kind: toy
            value: mean(world[group=treated].value)
            holds: ">= 0.5"
            refuted: "<= 0"
            why: an argument
            paper: {text: it goes up, where: Fig. 1}
        """;

    [Fact]
    public void A_recipe_is_read()
    {
        Recipe recipe = Read(Good);
        Assert.IsType<TwoGroups>(recipe.Steps[0].Method);
        Assert.Equal(3, recipe.Seeds);
        Assert.Equal("none", recipe.Claims[0].NullWorld);
    }

    [Theory]
    [InlineData("recipe: 1", "recipe: 2", "BW1110")]
    [InlineData("seeds: 3", "seds: 3", "BW1109")]
    [InlineData("seeds: 3", "seeds: 0", "BW1112")]
    [InlineData("seeds: 3", "seeds: 2", "BW1217")]
    [InlineData("run: two_groups", "run: two_grups", "BW1202")]
    [InlineData("effect: 1}", "efect: 1}", "BW1223")]
    [InlineData("effect: 1}", "effect: [1, 2]}", "BW1107")]
    [InlineData("effect: 1}", "count: 0}", "BW1123")]
    [InlineData("effect: 1}", "matrix: {effect: []}}", "BW1229")]
    [InlineData("effect: 1}", "matrix: {efect: [1]}}", "BW1223")]
    [InlineData("world.effect: 0", "wrld.effect: 0", "BW1222")]
    [InlineData("world.effect: 0", "world.efect: 0", "BW1223")]
    [InlineData("kind: toy", "kind: toi", "BW1112")]
    [InlineData("why: an argument", "wy: an argument", "BW1109")]
    [InlineData("why: an argument", "says: nothing", "BW1218")]
    [InlineData("paper: {text: it goes up, where: Fig. 1}", "paper: {text: it goes up}", "BW1110")]
    [InlineData("mean(world[group=treated].value)", "mean(wrld.value)", "BW1222")]
    [InlineData("mean(world[group=treated].value)", "mean(world.tabel.value)", "BW1204")]
    [InlineData("mean(world[group=treated].value)", "1 + 1", "BW1213")]
    [InlineData("mean(world[group=treated].value)", "mena(world.value)", "BW1211")]
    [InlineData("mean(world[group=treated].value)", "std(world.value)", "BW1214")]
    [InlineData("\">= 0.5\"", "about 1", "BW1212")]
    [InlineData("\"<= 0\"", "\"<= 0.7\"", "BW1215")]
    [InlineData("null_worlds: {none: {world.effect: 0}}", "about: no null world", "BW1216")]
    [InlineData("id: up", "id: up\n    null: nowhere", "BW1112")]
    [InlineData("steps:", "steps:\n  idle: {run: two_groups}", "BW1207")]
    [InlineData("steps:", "steps:\n  fit: {run: power_law_fit, curve: nowhere.csv}", "BW1203")]
    [InlineData("steps:", "steps:\n  fit: {run: power_law_fit, curve: \"\"}", "BW1203")]
    [InlineData("steps:", "steps:\n  fit: {run: power_law_fit, curve: \"a\\0\"}", "BW1203")]
    public void Each_mistake_has_its_message_and_line(string right, string wrong, string code)
    {
        Assert.Contains(right, Good, StringComparison.Ordinal);
        Fault fault = Assert.Throws<Fault>(() => Read(Good.Replace(right, wrong, StringComparison.Ordinal).Replace("std(world.value)\n    holds: \">= 0.5\"\n    refuted: \"<= 0\"", "std(world.value)\n    holds: \">= 0\"", StringComparison.Ordinal)));
        Assert.Equal((code, ExitCode.Usage), (fault.Code, fault.Exit));
        Assert.Contains("r.yml:", fault.Where, StringComparison.Ordinal);
    }

    [Fact]
    public void Circles_are_named()
    {
        Fault fault = Assert.Throws<Fault>(() => Read("recipe: 1\nsteps:\n  a: {run: linear, models: [b, b], weight: 1}\n  b: {run: linear, models: [a, a], weight: 1}\n"));
        Assert.Equal("BW1206", fault.Code);
        Assert.Contains("a -> b -> a", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a: {run: linear, models: world, weight: 1}", "BW1205")]
    [InlineData("a: {run: linear, models: 'world[*', weight: 1}", "BW1201")]
    [InlineData("a: {run: linear, models: world.nothing, weight: 1}", "BW1204")]
    [InlineData("a: {run: linear, models: 'world[task=1]', weight: 1}", "BW1205")]
    [InlineData("a: {run: linear, weight: 1}", "BW1209")]
    [InlineData("a: {run: linear, models: [x, y]}", "BW1221")]
    public void Ports_are_checked_before_anything_runs(string step, string code) =>
        Assert.Equal(code, Assert.Throws<Fault>(() => Read($"recipe: 1\nsteps:\n  world: {{run: two_groups}}\n  {step}\n")).Code);
}
