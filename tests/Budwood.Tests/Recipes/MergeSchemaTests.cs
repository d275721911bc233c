using System.Text.Json.Nodes;
using Budwood.Methods;
using Budwood.Methods.Generated;
using Budwood.Recipes;

namespace Budwood.Tests.Recipes;

public class MergeSchemaTests
{
    private static readonly Rule[] s_rules = [.. BudwoodCoreCatalogue.All.OfType<Rule>()];

    [Fact]
    public void It_names_every_method_and_every_parameter()
    {
        JsonObject schema = MergeSchema.Of(s_rules);
        string[] methods = [.. schema["properties"]!["merge_method"]!["oneOf"]!.AsArray().Select(m => m!["const"]!.GetValue<string>())];
        Assert.Equal(s_rules.Select(r => r.Card.Name).Order(StringComparer.Ordinal), methods);
        JsonObject parameters = schema["$defs"]!["parameters"]!["properties"]!.AsObject();
        Assert.All(s_rules.SelectMany(r => r.Card.Parameters), p => Assert.Contains(p.Doc, parameters[p.Name]!["description"]!.GetValue<string>(), StringComparison.Ordinal));
    }

    [Fact]
    public void Its_keys_are_those_that_the_reader_knows()
    {
        foreach ((string key, _) in MergeSchema.Of(s_rules)["properties"]!.AsObject()) Assert.True(MergeFile.IsKey(key), key);
    }

    [Fact]
    public void A_method_that_needs_a_base_asks_for_one() =>
        Assert.Contains(MergeSchema.Of(s_rules)["allOf"]!.AsArray(), c => c!["if"]!["properties"]!["merge_method"]!["const"]!.GetValue<string>() == "ties");
}
