using System.Globalization;
using System.Text;
using Budwood.Recipes.Claims;
using Budwood.Recipes.Reports.Plots;
using Budwood.Recipes.Steps;

namespace Budwood.Recipes.Reports;

/// <summary>The claims of a report: a card each, with the verdict and all that it rests on.</summary>
internal static class ClaimSection
{
    public static string Of(RecipeOutcome outcome) => string.Concat(outcome.Claims.Select(j => Card(j, outcome)));

    private static string Card(Judged j, RecipeOutcome outcome)
    {
        Claim claim = j.Claim;
        var card = new StringBuilder();
        card.Append(CultureInfo.InvariantCulture, $"<article class=\"card claim {VerdictIcon.Style(j.Verdict)}\" id=\"claim-{Escaped.Id(claim.Id)}\">\n");
        card.Append(CultureInfo.InvariantCulture, $"<h3>{VerdictIcon.Of(j.Verdict)}<span class=\"id\">{Escaped.Text(claim.Id)}</span><span class=\"verdict\">{Judge.Text(j.Verdict)}</span><span class=\"kind\">{Kind(claim.Kind)}</span></h3>\n");
        card.Append("<div class=\"sides\"><div class=\"words\">\n");
        if (claim.Paper is { } paper)
        {
            card.Append(CultureInfo.InvariantCulture, $"<blockquote><p>{Escaped.Text(paper.Text)}</p><footer>{Escaped.Text(paper.Where)}</footer></blockquote>\n");
        }
        card.Append("<dl>\n");
        if (claim.Says is { } says) Fact(card, "Measured is", Escaped.Text(says));
        if (claim.Value is { } value) Fact(card, "As a formula", $"<code>{Escaped.Text(value.Text)}</code>{Over(claim, outcome)}");
        if (claim.Why is { } why) Fact(card, "Why this threshold", Escaped.Text(why));
        if (claim.Value is not null) Fact(card, "What would refute it", Refutes(claim));
        if (j.Note is { } note) Fact(card, j.Verdict == Verdict.NotTestable ? "Why it cannot be tested here" : "Note", Escaped.Text(note), "note");
        card.Append("</dl>\n</div>\n");
        if (j.Measured is { } measured) card.Append("<div class=\"numbers\">\n").Append(Numbers(j, measured, outcome)).Append("</div>\n");
        return card.Append("</div>\n</article>\n").ToString();
    }

    private static void Fact(StringBuilder card, string name, string html, string? style = null) => card.Append(CultureInfo.InvariantCulture, $"<div{(style is null ? "" : $" class=\"{style}\"")}><dt>{name}</dt><dd>{html}</dd></div>\n");

    private static string Kind(ClaimKind kind) => kind switch
    {
        ClaimKind.Theorem => "theorem, checked exactly",
        ClaimKind.Implementation => "about our code, not the paper",
        ClaimKind.Toy => "in a built world",
        _ => "on real weights or data",
    };

    private static string Over(Claim claim, RecipeOutcome outcome) => outcome.Seeds.Count == 1 ? "" : claim.Over switch
    {
        "pooled" => ", once over the rows of all seeds",
        "mean" => ", mean over seeds",
        "ci_low" => ", lower end of the 95 % confidence interval over seeds",
        "ci_high" => ", upper end of the 95 % confidence interval over seeds",
        _ => $", {Escaped.Text(claim.Over)} over seeds",
    };

    private static string Refutes(Claim claim)
    {
        string text = $"A value {Escaped.Text(Thresholds.Words(claim.Refuted))}.";
        if (claim.NullWorld is { } world)
            text += $" It would be void if the value in the null world <code>{Escaped.Text(world)}</code>, the same generator with the mechanism removed, were {Escaped.Text(Thresholds.Words(claim.Holds))} too.";
        return text;
    }

    private static string Numbers(Judged j, Measured measured, RecipeOutcome outcome)
    {
        Claim claim = j.Claim;
        var side = new StringBuilder("<div class=\"figuresrow\">");
        Figure(side, "measured", Big(measured), measured.Spread is null ? null : "± standard deviation over seeds");
        if (claim.Paper is { } paper) Figure(side, "the paper’s figure", paper.Figure is { } own ? Escaped.Text(own) : "<span class=\"quiet\">none given</span>", null);
        side.Append("</div>\n").Append(NumberLine.Draw(j, measured)).Append("\n<table class=\"values\"><tbody>\n");
        Row(side, "holds where", Escaped.Text(Thresholds.Words(claim.Holds)));
        Row(side, "refuted where", Escaped.Text(Thresholds.Words(claim.Refuted)));
        if (measured.BySeed.Count > 1) Row(side, outcome.Seeds.Count == measured.BySeed.Count ? $"seeds {outcome.Seeds[0]} to {outcome.Seeds[^1]}" : "seeds", string.Join(", ", measured.BySeed.Select(Ticks.Plain)));
        if (j.InNullWorld is { } without) Row(side, $"null world <code>{Escaped.Text(claim.NullWorld)}</code>", With(without));
        foreach ((string label, Measured beside) in j.Beside) Row(side, $"beside: {Escaped.Text(label)}", With(beside));
        if (j.Grid is { } grid) Row(side, "swept grid", Grid(grid));
        return side.Append("</tbody></table>\n").ToString();
    }

    private static void Figure(StringBuilder side, string name, string html, string? below) =>
        side.Append(CultureInfo.InvariantCulture, $"<div><span class=\"label\">{name}</span><span class=\"big\">{html}</span>{(below is null ? "" : $"<span class=\"label\">{below}</span>")}</div>");

    private static void Row(StringBuilder side, string name, string html) => side.Append(CultureInfo.InvariantCulture, $"<tr><th scope=\"row\">{name}</th><td>{html}</td></tr>\n");

    private static string Big(Measured m) => Ticks.Pretty(RecipeReport.Value(m)).Split(" ± ") is [var value, var spread] ? $"{value} <small>± {spread}</small>" : Ticks.Plain(m.Value);

    private static string With(Measured m) => $"{Ticks.Pretty(RecipeReport.Value(m))}{(m.BySeed.Count > 1 ? $" <span class=\"quiet\">({string.Join(", ", m.BySeed.Select(Ticks.Plain))})</span>" : "")}";

    private static string Grid((int Holds, int Points) grid)
    {
        // Full squares are points where it holds; the line stands where the share begins to suffice.
        const double Wide = 150;
        var svg = new Svg(Wide + 2, $"holds in {grid.Holds} of {grid.Points} points", "grid-share");
        double enough = 1 + (Math.Ceiling(Judge.GridShare * grid.Points) / grid.Points * Wide);
        if (grid.Points <= 30)
            for (int i = 0; i < grid.Points; i++) svg.Rect(1 + (i * Wide / grid.Points), 3, (Wide / grid.Points) - 2, 10, i < grid.Holds ? "full" : "empty", 1.5);
        else svg.Rect(1, 3, Wide, 10, "empty", 1.5).Rect(1, 3, Wide * grid.Holds / grid.Points, 10, "full", 1.5);
        svg.Line(enough, 0, enough, 16, "threshold holds");
        return string.Create(CultureInfo.InvariantCulture, $"holds in {grid.Holds} of {grid.Points} points ({100.0 * grid.Holds / grid.Points:0} %; {100 * Judge.GridShare:0} % needed) {svg.End(16, natural: true)}");
    }
}
