using Budwood.Recipes.Claims;
using Budwood.Recipes.Reports;
using Budwood.Recipes.Steps;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Recipes.Reports;

public sealed class VerdictTableTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Columns_that_matter_less_go_first_where_the_line_is_short()
    {
        RecipeOutcome outcome = ExampleRecipe.Run(_folder);
        string[] Columns(int width) => [.. RecipeReport.Verdicts(outcome, width).Columns.Select(c => c.Name)];
        Assert.Equal(["claim", "verdict", "measured", "holds where", "refuted where", "paper", "kind"], Columns(int.MaxValue));
        Assert.Equal(["claim", "verdict", "measured", "holds where", "paper"], Columns(80));
        Assert.Equal(["claim", "verdict"], Columns(10));
        for (int width = 60; width < 140; width++)
        {
            Table table = RecipeReport.Verdicts(outcome, width);
            Assert.True(1 + table.Columns.Select((c, i) => 3 + table.Rows.Select(r => ((string)r[i]!).Length).Append(c.Name.Length).Max()).Sum() <= width);
        }
    }

    [Fact]
    public void A_condition_that_the_recipe_left_out_is_said_in_signs()
    {
        Table table = RecipeReport.Verdicts(ExampleRecipe.Run(_folder));
        Assert.Equal("< 0.8 or > 1.2", table.Rows[3][table.IndexOf("refuted where")]);
    }

    [Theory]
    [InlineData(1.0296, 0.06511, "1.030 ± 0.065")]
    [InlineData(1234.5678, 12.3, "1235 ± 12")]
    [InlineData(12, 0, "12 ± 0")]
    [InlineData(0.5, 1e-9, "0.5 ± 1E-09")]
    [InlineData(5, 1234, "5 ± 1234")]
    public void A_value_is_as_precise_as_its_spread(double value, double spread, string expected) => Assert.Equal(expected, RecipeReport.Value(new Measured(value, spread, [])));

    [Theory]
    [InlineData(">= 0.5", "≥ 0.5")]
    [InlineData("in (-1, 2]", "in (−1, 2]")]
    [InlineData("outside [0, 1]", "< 0 or > 1")]
    [InlineData("== 3", "= 3")]
    public void Conditions_read_in_the_signs_that_people_know(string condition, string expected) => Assert.Equal(expected, Thresholds.Words(Condition.Parse(condition)!));
}
