using System.Globalization;
using System.Text;
using Budwood.Engine;
using Budwood.Recipes.Steps;

namespace Budwood.Recipes.Reports;

/// <summary>The steps of a report: the picture of what reads what, and for each step what it did, with which values, from which files.</summary>
internal static class StepSection
{
    public static string Of(RecipeOutcome outcome)
    {
        var html = new StringBuilder("<div class=\"card\"><div class=\"wide map-frame\">").Append(StepMap.Draw(outcome)).Append("</div></div>\n<div class=\"card\">");
        var table = new StringBuilder("<div class=\"wide\"><table class=\"steps\"><thead><tr><th scope=\"col\">step</th><th scope=\"col\">method</th><th scope=\"col\" class=\"n\">revision</th><th scope=\"col\">parameters and inputs</th><th scope=\"col\" class=\"n\">runs</th><th scope=\"col\" class=\"n\">time <span class=\"unit\">s</span></th></tr></thead><tbody>\n");
        foreach (Step step in RecipeCheck.InOrder(outcome.Recipe))
        {
            (StepInstance Instance, StoreEntry Entry)[] runs = [.. outcome.Steps.Where(s => s.Instance.Step == step)];
            table.Append(CultureInfo.InvariantCulture, $"<tr><th scope=\"row\">{Escaped.Text(step.Name)}</th><td>{Escaped.Text(step.Method.Card.Name)}<br><span class=\"quiet\">{Escaped.Text(step.Method.Card.Summary)}</span></td><td class=\"n\">{step.Method.Card.Revision}</td><td>{Given(step, runs)}</td><td class=\"n\">{runs.Length}</td><td class=\"n\">{runs.Sum(r => r.Entry.Seconds):0.00}</td></tr>\n");
        }
        return html.Append(table).Append("</tbody></table></div></div>").ToString();
    }

    private static string Given(Step step, (StepInstance Instance, StoreEntry Entry)[] runs)
    {
        // Values as they were in the runs, not as the file has them: a profile may have put others in their place.
        var lines = new List<string>();
        foreach (string key in step.Inputs.Keys.Concat(step.Matrix.Select(m => m.Key)).Concat(runs.SelectMany(r => r.Instance.Parameters.Keys)).Distinct(StringComparer.Ordinal))
        {
            string[] values = [.. runs.Select(r => r.Instance.Parameters.TryGetValue(key, out YamlNode? node) ? Words(node) : r.Instance.Inputs.TryGetValue(key, out var inputs) ? string.Join(", ", inputs.Select(i => i.Input.Text).Distinct()) : "").Where(v => v.Length > 0).Distinct(StringComparer.Ordinal)];
            if (values.Length > 0) lines.Add($"<code>{Escaped.Text(key)}: {Escaped.Text(values.Length == 1 ? values[0] : string.Join(" | ", values))}</code>");
        }
        return lines.Count == 0 ? "<span class=\"quiet\">defaults</span>" : string.Join("<br>", lines);
    }

    private static string Words(YamlNode node) => node switch
    {
        YamlScalar s => s.Text,
        YamlList l => "[" + string.Join(", ", l.Items.Select(Words)) + "]",
        YamlMap m => "{" + string.Join(", ", m.Entries.Select(e => $"{e.Key.Text}: {Words(e.Value)}")) + "}",
        _ => "",
    };
}
