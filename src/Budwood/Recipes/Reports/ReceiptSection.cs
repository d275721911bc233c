using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Budwood.Engine;
using Budwood.Methods;
using Budwood.Recipes.Steps;

namespace Budwood.Recipes.Reports;

/// <summary>The receipts of steps that wrote a checkpoint: what changed in the weights, counted.</summary>
internal static class ReceiptSection
{
    private const int MostRuns = 30;

    public static string Of(RecipeOutcome outcome)
    {
        var html = new StringBuilder();
        foreach (IGrouping<Step, (StepInstance Instance, StoreEntry Entry)> step in outcome.Steps.GroupBy(s => s.Instance.Step))
        {
            (StepInstance Instance, string Digest, JsonObject? Receipt)[] written = [.. step.SelectMany(s => s.Entry.Outputs.Where(o => o.Kind == ArtifactKind.Checkpoint).Select(o => (s.Instance, o.Digest, Read(s.Entry, o))))];
            if (written.Length == 0) continue;
            html.Append(CultureInfo.InvariantCulture, $"<div class=\"card\" id=\"receipt-{Escaped.Id(step.Key.Name)}\"><h3><span class=\"id\">{Escaped.Text(step.Key.Name)}</span><span class=\"kind\">{HtmlReport.Count(written.Length, "checkpoint")}; tensors changed, same, added, removed</span></h3>\n{TableSection.Html(Runs(written), MostRuns)}");
            if (written.FirstOrDefault(w => w.Receipt is not null) is { Receipt: { } first } shown && Roles(first) is { } roles)
                html.Append(CultureInfo.InvariantCulture, $"<details><summary>By role: {Escaped.Text(shown.Instance.Label)}, against {Escaped.Text((string?)first["reference"] ?? "its reference")}</summary>{TableSection.Html(roles)}</details>");
            html.Append("</div>\n");
        }
        return html.ToString();
    }

    private static Table Runs((StepInstance Instance, string Digest, JsonObject? Receipt)[] written)
    {
        var table = new Table("receipts", new Column("run"), new Column("changed", true), new Column("same", true), new Column("added", true), new Column("removed", true),
            new Column("elements changed", true), new Column("NaN or infinite", true), new Column("digest", Unit: "xxh128"));
        foreach ((StepInstance instance, string digest, JsonObject? receipt) in written)
        {
            object? Number(string key) => receipt?[key] is JsonValue v && v.TryGetValue(out long n) ? n : null;
            table.Add(instance.Label, Number("changed"), Number("same"), Number("added"), Number("removed"), Number("elements_changed"), Number("not_finite"), digest[(digest.IndexOf(':', StringComparison.Ordinal) + 1)..]);
        }
        return table;
    }

    private static Table? Roles(JsonObject receipt)
    {
        if (receipt["roles"] is not JsonArray { Count: > 0 } rows || rows[0] is not JsonObject head) return null;
        string[] names = [.. head.Select(c => c.Key)];
        var table = new Table("roles", [.. names.Select(n => new Column(n, rows.All(r => r?[n] is null || r[n]!.GetValueKind() == JsonValueKind.Number)))]);
        foreach (JsonNode? row in rows)
            table.Add([.. names.Select(n => row?[n] is JsonValue v ? v.TryGetValue(out long whole) ? whole : v.TryGetValue(out double number) ? number : (object?)v.ToString() : null)]);
        return table;
    }

    // A receipt that cannot be read does not keep a report from being written: the digest still says what it is.
    private static JsonObject? Read(StoreEntry entry, StoredOutput output)
    {
        try
        {
            string path = Path.Join(entry.Folder, output.Place, "run.json");
            return File.Exists(path) ? JsonNode.Parse(File.ReadAllText(path))?["receipt"] as JsonObject : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
