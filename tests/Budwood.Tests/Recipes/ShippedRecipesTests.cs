using System.Globalization;
using System.IO.Hashing;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Budwood.Engine;
using Budwood.Recipes;
using Budwood.Recipes.Claims;
using Budwood.Recipes.Reports;
using Budwood.Recipes.Steps;
using Budwood.Tests.Fixtures;
using Budwood.Tests.Recipes.Steps;

namespace Budwood.Tests.Recipes;

/// <summary>The recipes of <c>recipes/</c>: read, run at smoke scale, thresholds locked to their protocol number, reports that fit.</summary>
public sealed class ShippedRecipesTests : IDisposable
{
    private const string Locks = "recipes/protocols.json";

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Names() => [.. Directory.EnumerateFiles(Committed.Path("recipes"), "*-*.yml").Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal)];

    private static Recipe Read(string name) => RecipeReader.Read(File.ReadAllText(Committed.Path($"recipes/{name}.yml")), Committed.Path($"recipes/{name}.yml"), RecipeReaderTests.Find, []);

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_step_runs_at_smoke_scale(string name)
    {
        var means = new WorkMeans { Store = new Store(_folder["store"], 1_000_000_000), Find = RecipeReaderTests.Find };
        RecipeOutcome outcome = new RecipeRunner(Read(name), new RecipeOptions { Profile = "smoke", Means = means }).Run(TestContext.Current.CancellationToken);
        Assert.All(outcome.Claims, c => Assert.True(c.Verdict is Verdict.NotJudged or Verdict.NotTestable, c.Claim.Id));
        Assert.NotEmpty(RecipeReport.Bytes(RecipeReport.Json(outcome, "test")));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_head_is_as_editors_and_the_book_need_it(string name)
    {
        Recipe recipe = Read(name);
        Assert.StartsWith("# yaml-language-server: $schema=", recipe.Text, StringComparison.Ordinal);
        Assert.Equal(name[3..], recipe.Paper);
        Assert.NotNull(recipe.About);
    }

    // Thresholds, bands and constants may not move under a protocol number: a change takes a new number, with a reason.
    [Theory]
    [MemberData(nameof(Names))]
    public void Thresholds_stand_while_the_protocol_number_stands(string name)
    {
        Recipe recipe = Read(name);
        string path = Committed.Path(Locks), number = recipe.Protocol.ToString(CultureInfo.InvariantCulture), digest = Protocol(recipe);
        JsonObject locks = File.Exists(path) ? JsonNode.Parse(File.ReadAllText(path))!.AsObject() : [];
        if (locks[name]?[number] is not { } locked)
        {
            Assert.True(Committed.Rewrites, $"protocol {number} of {name} is not locked: BUDWOOD_REWRITE=1 dotnet test --project tests/Budwood.Tests --filter-class '*{nameof(ShippedRecipesTests)}'");
            (locks[name] ??= new JsonObject())[number] = digest;
            File.WriteAllText(path, locks.ToJsonString(new JsonSerializerOptions { WriteIndented = true }) + "\n");
            return;
        }
        Assert.True((string)locked! == digest, $"{name}: steps, constants or thresholds changed under protocol number {number}: raise 'protocol.number' and add a reason");
    }

    private static string Protocol(Recipe recipe)
    {
        var map = (YamlMap)Yaml.Read(recipe.Text, recipe.File)[0];
        var text = new StringBuilder();
        foreach (string key in (string[])["seeds", "null_worlds", "sweep", "steps", "claims"]) Dump(text, key, map[key]);
        return XxHash128.HashToUInt128(Encoding.UTF8.GetBytes(text.ToString())).ToString("x32", CultureInfo.InvariantCulture);
    }

    // What is only said (texts, reasons, where a sentence stands) is not part of the protocol.
    private static readonly string[] s_said = ["says", "why", "paper", "beside", "not_testable"];

    private static void Dump(StringBuilder to, string name, YamlNode? node)
    {
        to.Append(name).Append('=');
        switch (node)
        {
            case YamlScalar s: to.Append(s.Text); break;
            case YamlList l:
                foreach (YamlNode i in l.Items) Dump(to, "-", i);
                break;
            case YamlMap m:
                foreach ((YamlScalar k, YamlNode v) in m.Entries.Where(e => !s_said.Contains(e.Key.Text)).OrderBy(e => e.Key.Text, StringComparer.Ordinal)) Dump(to, k.Text, v);
                break;
        }
        to.Append(';');
    }

    // A committed report was made from the recipe as it is, or says the key of the one that it was made from and is out of date.
    [Theory]
    [MemberData(nameof(Names))]
    public void A_committed_report_is_of_this_recipe(string name)
    {
        string path = Committed.Path($"recipes/reports/{name}.json");
        Assert.SkipUnless(File.Exists(path), "no report is committed yet");
        Assert.True((string)JsonNode.Parse(File.ReadAllText(path))!["key"]! == RecipeReport.Key(Read(name)),
            $"{name} or a revision of its methods changed: run 'budwood reproduce {name[3..]} -o out' and commit out/report.json as recipes/reports/{name}.json");
    }
}
