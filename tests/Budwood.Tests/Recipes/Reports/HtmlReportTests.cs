using System.Text.RegularExpressions;
using System.Xml.Linq;
using Budwood.Recipes.Claims;
using Budwood.Recipes.Reports;
using Budwood.Recipes.Steps;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Recipes.Reports;

public sealed partial class HtmlReportTests : IDisposable
{
    private static readonly DateTimeOffset s_now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [GeneratedRegex("<svg.*?</svg>", RegexOptions.Singleline)]
    private static partial Regex Pictures();

    [GeneratedRegex("(?:src|href|action|poster|data|srcset)=\"(?!#|data:)|url\\(|@import|<script|<img|<iframe|<object")]
    private static partial Regex Requests();

    [GeneratedRegex("\\sid=\"([^\"]*)\"")]
    private static partial Regex Ids();

    private static string Page(RecipeOutcome outcome, string? title = "A paper & its <title>") => HtmlReport.Page(outcome, "9.8.7", title, s_now);

    private static int Count(string page, string what) => page.Split(what).Length - 1;

    [Fact]
    public void It_shows_every_claim_figure_table_and_step_once()
    {
        RecipeOutcome outcome = ExampleRecipe.Run(_folder);
        string page = Page(outcome);
        foreach (Judged j in outcome.Claims) Assert.Equal(1, Count(page, $"id=\"claim-{j.Claim.Id}\""));
        for (int i = 1; i <= outcome.Recipe.Figures.Count; i++) Assert.Equal(1, Count(page, $"id=\"figure-{i}\""));
        foreach (Step step in outcome.Recipe.Steps)
        {
            Assert.Equal(1, Count(page, $"id=\"step-{step.Name}\""));
            Assert.Equal(1, Count(page, $"id=\"table-{step.Name}-table\""));
        }
        string[] ids = [.. Ids().Matches(page).Select(m => m.Groups[1].Value)];
        Assert.Equal(ids.Length, ids.Distinct().Count());
        Assert.All(Regex.Matches(page, "href=\"#([^\"]*)\"").Select(m => m.Groups[1].Value), target => Assert.Contains(target, ids));
    }

    [Fact]
    public void The_example_has_every_verdict_each_with_its_word()
    {
        RecipeOutcome outcome = ExampleRecipe.Run(_folder);
        Assert.Equal([Verdict.Holds, Verdict.Refuted, Verdict.Inconclusive, Verdict.Void, Verdict.NotTestable, Verdict.Holds], outcome.Claims.Select(c => c.Verdict));
        string page = Page(outcome);
        foreach (Judged j in outcome.Claims) Assert.Contains($"<span class=\"id\">{j.Claim.Id}</span><span class=\"verdict\">{Judge.Text(j.Verdict)}</span>", page, StringComparison.Ordinal);
        Assert.Contains("<strong>refuted</strong>", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_picture_is_well_formed()
    {
        string page = Page(ExampleRecipe.Run(_folder));
        MatchCollection pictures = Pictures().Matches(page);
        Assert.True(pictures.Count > 10);
        Assert.All(pictures, p => Assert.Equal("svg", XDocument.Parse(p.Value).Root!.Name.LocalName));
        Assert.DoesNotContain("NaN\"", page, StringComparison.Ordinal);
        Assert.DoesNotContain("∞", string.Concat(pictures.Select(p => p.Value)), StringComparison.Ordinal);
    }

    [Fact]
    public void It_asks_for_nothing_from_outside()
    {
        string page = Page(ExampleRecipe.Run(_folder));
        Assert.DoesNotMatch(Requests(), page);
        Assert.DoesNotContain("http:", page.Replace("xmlns=\"http://www.w3.org/2000/svg\"", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.DoesNotContain("https:", page, StringComparison.Ordinal);
        Assert.Contains("default-src 'none'", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Texts_of_recipe_paper_and_figures_come_out_escaped()
    {
        string page = Page(ExampleRecipe.Run(_folder));
        foreach (string raw in (string[])["<script", "<normal>", "<title>Values", "<by>", "<the>", "its <title>"]) Assert.DoesNotContain(raw, page, StringComparison.Ordinal);
        foreach (string safe in (string[])["&lt;script&gt;alert(&#39;the treated&#39;)&lt;/script&gt;", "<h1>A paper &amp; its &lt;title&gt;</h1>", "<h3>Values &lt;by&gt; &quot;effect&quot;</h3>", "beside: twice &lt;the&gt; effect"])
            Assert.Contains(safe, page, StringComparison.Ordinal);
    }

    [Fact]
    public void Cells_and_heads_of_tables_come_out_escaped_numbers_to_the_right()
    {
        var table = new Table("t", new Column("na<me"), new Column("size", true, "B & \"more\""), new Column("ratio", true, "1"));
        table.Add("\"><img src=x>", -1234L, 0.00001234);
        string html = TableSection.Html(table);
        Assert.Contains("<td>&quot;&gt;&lt;img src=x&gt;</td><td class=\"n\">−1,234</td><td class=\"n\">1.234·10⁻⁵</td>", html, StringComparison.Ordinal);
        Assert.Contains("na&lt;me</th><th scope=\"col\" class=\"n\">size <span class=\"unit\">B &amp; &quot;more&quot;</span></th><th scope=\"col\" class=\"n\">ratio</th>", html, StringComparison.Ordinal);
    }

    [Fact]
    public void It_says_what_the_paper_says_what_was_measured_and_what_would_refute_it()
    {
        RecipeOutcome outcome = ExampleRecipe.Run(_folder, profile: "full");
        string page = Page(outcome);
        Judged shifts = outcome.Claims[0];
        foreach (string part in (string[])["the treated do better", "Fig. 1", ">0.9<", "half the effect that is built in", "A value ≤ 0.25.", "no_effect", "holds in 2 of 2 points (100 %; 80 % needed)", "refuted ≤ 0.25", "holds ≥ 0.5", "in a built world",
            "protocol 2: the second claim&#39;s band was too narrow", "Reconstructed", "3 seeds (7 to 9)", "it also holds in the null world", "the data are not public", "budwood run example.yml --profile full --seed 7", "2 January 2026, 03:04 UTC", "Budwood 9.8.7", "two_groups, revision 1", "9 runs: 3 × 3 seeds"])
            Assert.Contains(part, page, StringComparison.Ordinal);
        foreach (double value in shifts.Measured!.BySeed) Assert.Contains(RecipeReport.Number(value).TrimStart('-'), page, StringComparison.Ordinal);
        // One dot a seed, in the main world and in the null world.
        string card = page[page.IndexOf("id=\"claim-shifts\"", StringComparison.Ordinal)..page.IndexOf("id=\"claim-doubled\"", StringComparison.Ordinal)];
        Assert.Equal(6, Count(card, "class=\"mark seed\""));
        Assert.Equal(1, Count(card, "class=\"mark measured\""));
        Assert.Equal(1, Count(card, "class=\"mark paper\""));
        Assert.Equal(1, Count(card, "class=\"mark beside\""));
    }

    [Fact]
    public void The_same_outcome_gives_the_same_page()
    {
        RecipeOutcome outcome = ExampleRecipe.Run(_folder);
        Assert.Equal(Page(outcome), Page(outcome));
        using var other = new TempFolder();
        RecipeOutcome again = ExampleRecipe.Run(other);
        // Only how long it took may differ.
        static string Timeless(string page) => Regex.Replace(page, "in [0-9.]+ s\\.|[0-9.]+ s</dd>|<td class=\"n\">[0-9]+\\.[0-9]{2}</td></tr>", "");
        Assert.Equal(Timeless(Page(outcome)), Timeless(Page(again)));
    }

    [Fact]
    public void A_recipe_without_claims_and_figures_has_a_page_too()
    {
        string page = Page(ExampleRecipe.Run(_folder, "recipe: 1\nsteps:\n  world: {run: two_groups, count: 3}\n"), null);
        Assert.Contains("<h1>example</h1>", page, StringComparison.Ordinal);
        Assert.DoesNotContain("id=\"claims\"", page, StringComparison.Ordinal);
        Assert.DoesNotContain("id=\"figures\"", page, StringComparison.Ordinal);
        Assert.All(Pictures().Matches(page), p => XDocument.Parse(p.Value));
    }

    [Fact]
    public void A_smoke_run_shows_values_and_judges_nothing()
    {
        string page = Page(ExampleRecipe.Run(_folder, profile: "smoke"));
        Assert.Contains("<strong>not judged</strong>", page, StringComparison.Ordinal);
        Assert.Contains("seed 7:", page, StringComparison.Ordinal);
    }
}
