using System.Globalization;
using System.Text;
using Budwood.Recipes.Claims;
using Budwood.Recipes.Reports.Plots;
using Budwood.Recipes.Steps;

namespace Budwood.Recipes.Reports;

/// <summary>The report as one self-contained page: it asks for nothing from outside and needs no script.</summary>
public static class HtmlReport
{
    /// <summary>The bytes of <c>report.html</c>.</summary>
    /// <param name="version">Version of the program that made it.</param>
    /// <param name="title">Title of the paper, where it is known.</param>
    public static byte[] Bytes(RecipeOutcome outcome, string version, string? title = null) => Encoding.UTF8.GetBytes(Page(outcome, version, title, DateTimeOffset.UtcNow));

    internal static string Page(RecipeOutcome outcome, string version, string? title, DateTimeOffset now)
    {
        Recipe recipe = outcome.Recipe;
        (string Id, string Name, string Body)[] sections =
        [
            ("claims", "Claims", ClaimSection.Of(outcome)),
            ("figures", "Figures", Figures(outcome)),
            ("tables", "Tables", TableSection.Of(outcome)),
            ("steps", "Where it comes from", StepSection.Of(outcome)),
            ("receipts", "Receipts", ReceiptSection.Of(outcome)),
            ("environment", "Environment", Environment(outcome, version)),
            ("recipe", "The recipe", $"<details open><summary>{Escaped.Text(Path.GetFileName(recipe.File))} <span class=\"quiet\">{Escaped.Text(RecipeReport.Key(recipe))}</span></summary><pre><code>{Escaped.Text(recipe.Text.TrimEnd())}</code></pre></details>"),
            ("repeat", "To repeat", $"<pre class=\"command\"><code>{Escaped.Text(RecipeReport.Command(outcome))}</code></pre>"),
        ];
        sections = [.. sections.Where(s => s.Body.Length > 0)];
        var page = new StringBuilder();
        page.Append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n");
        // The browser itself holds the page to its promise: nothing is loaded, whatever a recipe's text says.
        page.Append("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n<link rel=\"icon\" href=\"data:,\">\n");
        page.Append(CultureInfo.InvariantCulture, $"<title>{Escaped.Text(recipe.Name)}{(outcome.Claims.Count > 0 ? $": {Judge.Text(outcome.Word)}" : "")}</title>\n<style>\n{ReportStyle.Text}</style>\n</head>\n<body>\n");
        page.Append(Nav(sections.Select(s => (s.Id, s.Name)), outcome)).Append("<main>\n").Append(Head(outcome, title));
        foreach ((string id, string name, string body) in sections) page.Append(CultureInfo.InvariantCulture, $"<section id=\"{id}\">\n<h2>{name}</h2>\n{body}\n</section>\n");
        page.Append(CultureInfo.InvariantCulture, $"<footer>Made by Budwood {Escaped.Text(version)} on <time datetime=\"{now:yyyy-MM-ddTHH:mm:ssZ}\">{now:d MMMM yyyy, HH:mm} UTC</time>.</footer>\n</main>\n</body>\n</html>\n");
        return page.ToString();
    }

    private static string Nav(IEnumerable<(string Id, string Name)> sections, RecipeOutcome outcome)
    {
        var nav = new StringBuilder("<nav aria-label=\"Contents\"><ul>\n");
        foreach ((string id, string name) in sections)
        {
            nav.Append(CultureInfo.InvariantCulture, $"<li><a href=\"#{id}\">{name}</a>");
            if (id == "claims")
            {
                nav.Append("<ul>");
                foreach (Judged j in outcome.Claims) nav.Append(CultureInfo.InvariantCulture, $"<li><a href=\"#claim-{Escaped.Id(j.Claim.Id)}\">{VerdictIcon.Of(j.Verdict)}<span>{Escaped.Text(j.Claim.Id)}</span></a></li>");
                nav.Append("</ul>");
            }
            nav.Append("</li>\n");
        }
        return nav.Append("</ul></nav>\n").ToString();
    }

    private static string Head(RecipeOutcome outcome, string? title)
    {
        Recipe recipe = outcome.Recipe;
        var head = new StringBuilder("<header>\n");
        head.Append(CultureInfo.InvariantCulture, $"<p class=\"over\">{(recipe.Paper is null ? "Recipe" : "Paper")}{(title is null ? "" : $" · {Escaped.Text(recipe.Name)}")}</p>\n<h1>{Escaped.Text(title ?? recipe.Name)}</h1>\n");
        if (recipe.About is { } about) head.Append(CultureInfo.InvariantCulture, $"<p class=\"about\">{Escaped.Text(about)}</p>\n");
        if (outcome.Claims.Count > 0)
        {
            Verdict standing = VerdictIcon.Standing(outcome.Word);
            head.Append(CultureInfo.InvariantCulture, $"<div class=\"word {VerdictIcon.Style(standing)}\">{VerdictIcon.Of(outcome.Word)}<div><strong>{Judge.Text(outcome.Word)}</strong><span>{Meaning(outcome.Word)}</span></div></div>\n<ul class=\"counts\">");
            foreach (IGrouping<Verdict, Judged> group in outcome.Claims.GroupBy(c => c.Verdict).OrderBy(g => g.Key))
                head.Append(CultureInfo.InvariantCulture, $"<li>{VerdictIcon.Of(group.Key)} {group.Count()} {Judge.Text(group.Key)}</li>");
            head.Append("</ul>\n");
        }
        return head.Append(CultureInfo.InvariantCulture, $"<p class=\"summary\">{Summary(outcome)}</p>\n</header>\n").ToString();
    }

    private static string Meaning(PaperWord word) => word switch
    {
        PaperWord.Holds => "A theorem or a claim on real weights holds, and nothing is refuted.",
        PaperWord.ShownInABuiltWorld => "Claims hold in worlds built for them; none was tested on real weights or proven.",
        PaperWord.Refuted => "At least one claim is refuted.",
        PaperWord.Void => "A claim also holds where its mechanism was taken out, so that it says nothing.",
        PaperWord.Inconclusive => "No claim is decided either way.",
        PaperWord.NotJudged => "This profile shows that the steps run, and judges nothing.",
        _ => "Only claims about our own code were judged.",
    };

    private static string Summary(RecipeOutcome outcome)
    {
        Recipe recipe = outcome.Recipe;
        int seeds = outcome.Seeds.Count;
        string run = $"Profile <b>{Escaped.Text(outcome.Profile)}</b>, {(seeds == 1 ? $"seed {outcome.Seeds[0]}" : $"{seeds} seeds ({outcome.Seeds[0]} to {outcome.Seeds[^1]})")}: {Count(outcome.Hits + outcome.Made, "run")} of {Count(recipe.Steps.Count, "step")} in all worlds, "
            + string.Create(CultureInfo.InvariantCulture, $"{outcome.Made} made and {outcome.Hits} found in the store, in {outcome.Elapsed.TotalSeconds:0.0} s.");
        string protocol = $"Thresholds and constants stand at protocol {recipe.Protocol}"
            + (recipe.ProtocolReasons.Count == 0 ? "." : $": {string.Join("; ", recipe.ProtocolReasons.Select(Escaped.Text))}.");
        string rebuilt = recipe.Reconstructed ? " <b>Reconstructed:</b> the text of the paper was not at hand when the recipe was written." : "";
        return $"{run} {protocol}{rebuilt}";
    }

    internal static string Count(int n, string what) => $"{n.ToString("#,0", CultureInfo.InvariantCulture)} {what}{(n == 1 ? "" : "s")}";

    private static string Figures(RecipeOutcome outcome)
    {
        if (outcome.Recipe.Figures.Count == 0) return "";
        var figures = new StringBuilder("<div class=\"figures\">\n");
        for (int i = 0; i < outcome.Recipe.Figures.Count; i++)
        {
            Figure figure = outcome.Recipe.Figures[i];
            (Chart? chart, IReadOnlyList<string> notes) = FigurePlots.Of(figure, TableOf(outcome, figure.Step, figure.Port));
            string[] below = [.. figure.Note is { } note ? [note] : (string[])[], .. notes];
            figures.Append(CultureInfo.InvariantCulture, $"<figure id=\"figure-{i + 1}\" class=\"card\"><h3>{Escaped.Text(figure.Title)}</h3>\n{(chart is null ? "<p class=\"quiet\">Nothing to draw.</p>" : ChartDrawing.Draw(chart))}\n");
            if (below.Length > 0) figures.Append(CultureInfo.InvariantCulture, $"<figcaption>{string.Join(" ", below.Select(n => Escaped.Text(n.EndsWith('.') ? n : n + ".")))}</figcaption>");
            figures.Append("</figure>\n");
        }
        return figures.Append("</div>").ToString();
    }

    private static Table? TableOf(RecipeOutcome outcome, string step, string? port) =>
        outcome.Tables.TryGetValue((step, port), out Table? table) ? table : port is null ? outcome.Tables.FirstOrDefault(t => t.Key.Step == step).Value : null;

    private static string Environment(RecipeOutcome outcome, string version)
    {
        var list = new StringBuilder("<dl class=\"facts\">");
        foreach ((string name, System.Text.Json.Nodes.JsonNode? value) in RecipeReport.Environment(version))
            list.Append(CultureInfo.InvariantCulture, $"<div><dt>{Escaped.Text(name)}</dt><dd>{Escaped.Text(value?.ToString())}</dd></div>");
        return list.Append(CultureInfo.InvariantCulture, $"<div><dt>time</dt><dd>{outcome.Elapsed.TotalSeconds:0.00} s</dd></div></dl>").ToString();
    }
}
