using System.Text.Json;
using System.Text.Json.Nodes;
using Budwood.Methods;
using Budwood.Recipes;
using Budwood.Recipes.Claims;
using Budwood.Recipes.Steps;
using Budwood.Tests.Recipes.Reports;
using Json.Schema;

namespace Budwood.Tests.Recipes.Steps;

public class RecipeSchemaTests
{
    private static readonly JsonObject s_text = RecipeSchema.Of(ExampleRecipe.Methods);
    private static readonly JsonSchema s_schema = JsonSchema.FromText(s_text.ToJsonString());

    private static bool Accepts(string yaml) => s_schema.Evaluate(JsonSerializer.SerializeToElement(Json(Yaml.Read(yaml, "x.yml")[0]))).IsValid;

    // As an editor reads YAML.
    private static JsonNode? Json(YamlNode node) => node switch
    {
        YamlMap map => new JsonObject(map.Entries.Select(e => KeyValuePair.Create(e.Key.Text, Json(e.Value)))),
        YamlList list => new JsonArray([.. list.Items.Select(Json)]),
        YamlScalar { IsQuoted: false, Text: "true" or "false" } flag => JsonValue.Create(flag.Text == "true"),
        YamlScalar { IsQuoted: false, IsNull: false, Number: { } number } when double.IsFinite(number) => JsonValue.Create(number),
        YamlScalar scalar => JsonValue.Create(scalar.Text),
        _ => null,
    };

    [Fact]
    public void It_accepts_the_example() => Assert.True(Accepts(ExampleRecipe.Text));

    [Theory]
    [InlineData("about:", "abuot:")]
    [InlineData("run: two_groups, count: 400", "run: two_groups, cuont: 400")]
    [InlineData("run: two_groups, count: 400", "run: two_group, count: 400")]
    [InlineData("run: two_groups, count: 400", "count: 400")]
    [InlineData("run: two_groups, count: 400", "run: two_groups, count: 0")]
    [InlineData("run: two_groups, count: 400", "run: two_groups, count: 1.5")]
    [InlineData("matrix: {effect: [0.5, 1, 2]}", "matrix: {efect: [0.5, 1, 2]}")]
    [InlineData("matrix: {effect: [0.5, 1, 2]}", "matrix: {effect: []}")]
    [InlineData("matrix: {effect: [0.5, 1, 2]}", "matrix: {effect: [much]}")]
    [InlineData("kind: real", "kind: reel")]
    [InlineData("holds: \">= 0.5\"", "holds: \"at least 0.5\"")]
    [InlineData("why: a reading of the paper, ", "")]
    [InlineData("over: pooled", "over: polled")]
    [InlineData("kind: bar", "kind: pie")]
    [InlineData("log: x", "log: z")]
    [InlineData("null_worlds: {no_effect: {world.effect: 0}}", "null_worlds: {no_effect: {effect: 0}}")]
    [InlineData("sweep: {world.count: [100, 400]}", "sweep: {world.count: [100]}")]
    [InlineData("seeds: 3\n", "seeds: none\n")]
    [InlineData("not_testable: the data are not public", "not_testable: the data are not public, value: mean(world.value)")]
    [InlineData("recipe: 1", "recipe: 2")]
    public void It_refuses_a_mistake(string right, string wrong)
    {
        Assert.Contains(right, ExampleRecipe.Text, StringComparison.Ordinal);
        int at = ExampleRecipe.Text.IndexOf(right, StringComparison.Ordinal);
        Assert.False(Accepts(ExampleRecipe.Text[..at] + wrong + ExampleRecipe.Text[(at + right.Length)..]));
    }

    [Theory]
    [InlineData("{run: linear, models: [a, b], weight: 1}", true)]
    [InlineData("{run: linear, models: \"tuned[*]\", weight: [1, 2e-1], allow: nan}", true)]
    [InlineData("{run: linear, models: [a, b], matrix: {weight: [1, 2]}}", true)]
    [InlineData("{run: linear, models: [a, b], matrix: {weight: [[1, 2], [2, 1]]}}", true)]
    [InlineData("{run: linear, models: [a, b]}", false)]
    [InlineData("{run: linear, weight: 1}", false)]
    [InlineData("{run: linear, models: [a, b], weight: 1, allow: everything}", false)]
    [InlineData("{run: breadcrumbs, models: [a, b], weight: 1}", false)]
    [InlineData("{run: inspect_checkpoint, model: a, by: role}", true)]
    [InlineData("{run: inspect_checkpoint, model: a, by: roles}", false)]
    [InlineData("{run: inspect_checkpoint, model: [a, b]}", false)]
    public void Steps_are_held_against_the_card_of_their_method(string step, bool accepted) => Assert.Equal(accepted, Accepts($"recipe: 1\nsteps:\n  one: {step}\n"));

    [Fact]
    public void Its_keys_are_those_that_the_reader_knows()
    {
        static string[] Names(JsonNode? of) => [.. of!["properties"]!.AsObject().Select(p => p.Key)];
        Assert.Equal(RecipeReader.Keys.Order(), Names(s_text).Order());
        Assert.Equal(ClaimReader.Keys.Order(), Names(s_text["$defs"]!["claim"]).Order());
        Assert.Equal(RecipeReader.FigureKeys.Order(), Names(s_text["properties"]!["figures"]!["items"]).Order());
        foreach (Method method in ExampleRecipe.Methods)
        {
            string[] known = [.. RecipeReader.StepKeys, .. method.Ports.Inputs.Select(p => p.Name), .. method.Card.Parameters.Select(p => p.Name)];
            Assert.Equal(known.Order(), Names(s_text["$defs"]!["methods"]![method.Card.Name]).Order());
        }
    }

    [Fact]
    public void Every_parameter_has_its_doc_its_range_and_its_default()
    {
        JsonNode count = s_text["$defs"]!["methods"]!["two_groups"]!["properties"]!["count"]!;
        Assert.Equal("Observations in each group. In observations. Range [1, 10000000]. Default 100.", count["description"]!.GetValue<string>());
        Assert.Equal((100, 1, 10_000_000), (count["default"]!.GetValue<double>(), count["minimum"]!.GetValue<double>(), count["maximum"]!.GetValue<double>()));
    }
}
