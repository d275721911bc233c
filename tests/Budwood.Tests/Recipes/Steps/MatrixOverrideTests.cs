using Budwood.Recipes;
using Budwood.Recipes.Claims;
using Budwood.Recipes.Steps;
using Budwood.Tests.Fixtures;
using Budwood.Tests.Recipes.Reports;

namespace Budwood.Tests.Recipes.Steps;

public sealed class MatrixOverrideTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void An_override_wins_over_the_matrix_and_the_runs_keep_their_places()
    {
        Recipe recipe = ExampleRecipe.Read();
        StepInstance[] main = [.. StepGraph.Of(recipe, [0], "", []).Of("world")], without = [.. StepGraph.Of(recipe, [0], "null", recipe.NullWorlds["no_effect"]).Of("world")];
        Assert.Equal(["0.5", "1", "2"], main.Select(i => ((YamlScalar)i.Parameters["effect"]).Text));
        Assert.Equal(["0", "0", "0"], without.Select(i => ((YamlScalar)i.Parameters["effect"]).Text));
        Assert.Equal(main.Select(i => i.At.Single()), without.Select(i => i.At.Single()));
    }

    [Fact]
    public void A_null_world_takes_the_effect_away_from_a_step_with_a_matrix()
    {
        Judged shifts = ExampleRecipe.Run(_folder).Claims[0];
        Assert.InRange(shifts.Measured!.Value, 0.8, 1.2);
        Assert.InRange(shifts.InNullWorld!.Value, -0.2, 0.2);
    }

    [Fact]
    public void A_profile_may_put_other_values_into_the_matrix()
    {
        Recipe recipe = ExampleRecipe.Read("recipe: 1\nprofiles: {short: {world.matrix.effect: [3]}}\nsteps:\n  world: {run: two_groups, matrix: {effect: [1, 2]}}\n");
        Assert.Equal(["3"], StepGraph.Of(recipe, [0], "", recipe.Profiles["short"]).Of("world").Select(i => i.At.Single().Value));
    }
}
