using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Budwood.Engine;
using Budwood.Recipes.Claims;
using Budwood.Recipes.Steps;

namespace Budwood.Recipes.Reports;

/// <summary>The report of a recipe as data: verdicts with all that they rest on, tables, steps, environment, and the command to repeat.</summary>
public static class RecipeReport
{
    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, NewLine = "\n" };

    /// <summary>Rows of a table that the report shows; the store has all.</summary>
    public const int MostRows = 200;

    /// <summary>Identity of a recipe: its text, and the revisions of its methods. A committed report that has it need not be made again.</summary>
    public static string Key(Recipe recipe)
    {
        // Comments and line ends do not change what a recipe does, but telling them apart is not worth a parser.
        string text = recipe.Text.Replace("\r\n", "\n", StringComparison.Ordinal)
            + string.Concat(recipe.Steps.Select(s => $"\n{s.Method.Card.Name} {s.Method.Card.Revision.ToString(CultureInfo.InvariantCulture)}"));
        return Files.Digest.Of(Encoding.UTF8.GetBytes(text)).ToString();
    }

    /// <summary>The command that makes the same report.</summary>
    public static string Command(RecipeOutcome outcome)
    {
        var line = new StringBuilder(outcome.Recipe.Paper is { } paper ? $"budwood reproduce {paper}" : $"budwood run {outcome.Recipe.File}");
        if (outcome.Profile != "default") line.Append(CultureInfo.InvariantCulture, $" --profile {outcome.Profile}");
        if (outcome.Seeds[0] != 0) line.Append(CultureInfo.InvariantCulture, $" --seed {outcome.Seeds[0]}");
        return line.ToString();
    }

    /// <summary>The verdicts as a table for a terminal.</summary>
    /// <param name="width">Characters that a line has; columns that matter less are left out until the rest fits.</param>
    public static Table Verdicts(RecipeOutcome outcome, int width = int.MaxValue)
    {
        (string Name, int Worth, Func<Judged, string> Cell)[] columns =
        [
            ("claim", 9, j => j.Claim.Id),
            ("verdict", 9, j => $"{Mark(j.Verdict)} {Judge.Text(j.Verdict)}"),
            ("measured", 5, j => Value(j.Measured)),
            ("holds where", 4, j => j.Claim.Value is null ? "" : Thresholds.Plain(j.Claim.Holds)),
            ("refuted where", 2, j => j.Claim.Value is null ? "" : Thresholds.Plain(j.Claim.Refuted)),
            ("paper", 3, j => j.Claim.Paper?.Figure ?? ""),
            ("kind", 1, j => j.Claim.Kind.ToString().ToLowerInvariant()),
        ];
        // Three characters stand between two columns, two before the first and two after the last.
        int Wide() => 1 + columns.Sum(c => 3 + outcome.Claims.Select(c.Cell).Append(c.Name).Max(t => t.Length));
        while (columns.Length > 2 && Wide() > width) columns = [.. columns.Where(c => c.Worth > columns.Min(o => o.Worth))];
        var table = new Table("claims", [.. columns.Select(c => new Column(c.Name))]);
        foreach (Judged j in outcome.Claims) table.Add([.. columns.Select(c => c.Cell(j))]);
        foreach (Judged j in outcome.Claims.Where(j => j.Note is not null)) table.Notes.Add($"{j.Claim.Id}: {j.Note}");
        return table;
    }

    /// <summary>A mark that needs no colour to be told apart.</summary>
    public static string Mark(Verdict verdict) => verdict switch { Verdict.Holds => "+", Verdict.Refuted => "x", Verdict.Void => "0", Verdict.Inconclusive => "~", _ => "-" };

    /// <summary>A measured value with its spread over seeds.</summary>
    public static string Value(Measured? m)
    {
        if (m is null) return "";
        if (m.Spread is not { } s) return Number(m.Value);
        // A spread is known to two digits at best, and the value is not known better than its spread.
        int decimals = s > 0 ? 1 - (int)Math.Floor(Math.Log10(s)) : -1;
        if (decimals is < 0 or > 6) return $"{Number(m.Value)} ± {Number(s)}";
        string format = "F" + decimals.ToString(CultureInfo.InvariantCulture);
        return $"{m.Value.ToString(format, CultureInfo.InvariantCulture)} ± {s.ToString(format, CultureInfo.InvariantCulture)}";
    }

    internal static string Number(double v) => v == Math.Floor(v) && Math.Abs(v) < 1e7 ? v.ToString("0", CultureInfo.InvariantCulture) : v.ToString("G4", CultureInfo.InvariantCulture);

    /// <summary>The whole report.</summary>
    /// <param name="version">Version of the program that made it.</param>
    public static JsonObject Json(RecipeOutcome outcome, string version) => new()
    {
        ["budwood_report"] = 1,
        ["recipe"] = outcome.Recipe.Name,
        ["paper"] = outcome.Recipe.Paper,
        ["key"] = Key(outcome.Recipe),
        ["protocol"] = outcome.Recipe.Protocol,
        ["reconstructed"] = outcome.Recipe.Reconstructed,
        ["word"] = Judge.Text(outcome.Word),
        ["profile"] = outcome.Profile,
        ["seeds"] = new JsonArray([.. outcome.Seeds.Select(s => (JsonNode)JsonValue.Create(s))]),
        ["date"] = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        ["command"] = Command(outcome),
        ["claims"] = new JsonArray([.. outcome.Claims.Select(j => (JsonNode)ClaimJson(j))]),
        ["tables"] = new JsonObject(outcome.Tables.Select(t => KeyValuePair.Create($"{t.Key.Step}.{t.Key.Port}", (JsonNode?)TableJson(t.Value)))),
        ["steps"] = new JsonArray([.. outcome.Steps.Select(s => (JsonNode)StepJson(s.Instance, s.Entry))]),
        ["run"] = new JsonObject { ["found_in_store"] = outcome.Hits, ["made"] = outcome.Made, ["seconds"] = Math.Round(outcome.Elapsed.TotalSeconds, 2) },
        ["environment"] = Environment(version),
        ["text"] = outcome.Recipe.Text,
    };

    /// <summary>The report as the bytes of <c>report.json</c>.</summary>
    public static byte[] Bytes(JsonObject report) => Encoding.UTF8.GetBytes(report.ToJsonString(s_json) + "\n");

    internal static JsonObject Environment(string version) => new()
    {
        ["budwood"] = version,
        ["runtime"] = RuntimeInformation.FrameworkDescription,
        ["system"] = RuntimeInformation.OSDescription,
        ["architecture"] = RuntimeInformation.ProcessArchitecture.ToString(),
        ["processors"] = System.Environment.ProcessorCount,
    };

    private static JsonObject ClaimJson(Judged j) => new()
    {
        ["id"] = j.Claim.Id,
        ["kind"] = j.Claim.Kind.ToString().ToLowerInvariant(),
        ["verdict"] = Judge.Text(j.Verdict),
        ["says"] = j.Claim.Says,
        ["value"] = j.Claim.Value?.Text,
        ["over"] = j.Claim.Value is null ? null : j.Claim.Over,
        ["measured"] = MeasuredJson(j.Measured),
        ["holds"] = j.Claim.Value is null ? null : j.Claim.Holds.Text,
        ["refuted"] = j.Claim.Value is null ? null : j.Claim.Refuted.Text,
        ["why"] = j.Claim.Why,
        ["paper"] = j.Claim.Paper is { } p ? new JsonObject { ["text"] = p.Text, ["where"] = p.Where, ["figure"] = p.Figure } : null,
        ["null_world"] = j.Claim.NullWorld is { } w ? new JsonObject { ["name"] = w, ["measured"] = MeasuredJson(j.InNullWorld) } : null,
        ["grid"] = j.Grid is { } g ? new JsonObject { ["holds"] = g.Holds, ["points"] = g.Points } : null,
        ["beside"] = new JsonObject(j.Beside.Select(b => KeyValuePair.Create(b.Label, (JsonNode?)MeasuredJson(b.Measured)))),
        ["note"] = j.Note,
    };

    private static JsonObject? MeasuredJson(Measured? m) => m is null ? null : new JsonObject
    {
        ["value"] = m.Value, ["spread"] = m.Spread, ["seeds"] = new JsonArray([.. m.BySeed.Select(v => (JsonNode)JsonValue.Create(v))]),
    };

    private static JsonObject TableJson(Table table) => new()
    {
        ["rows"] = table.Rows.Count,
        ["shown"] = Runner.Rows(Short(table, MostRows)),
        ["units"] = new JsonObject(table.Columns.Where(c => c.Unit is not null).Select(c => KeyValuePair.Create(c.Name, (JsonNode?)JsonValue.Create(c.Unit)))),
    };

    /// <summary>The first rows of a table, with a note of what is left out.</summary>
    public static Table Short(Table table, int rows = 30)
    {
        if (table.Rows.Count <= rows) return table;
        var head = new Table(table.Name, table.Columns);
        foreach (object?[] row in table.Rows.Take(rows)) head.Add(row);
        head.Notes.Add($"{table.Rows.Count - rows} more rows");
        return head;
    }

    private static JsonObject StepJson(StepInstance instance, StoreEntry entry) => new()
    {
        ["step"] = instance.Step.Name,
        ["method"] = instance.Step.Method.Card.Name,
        ["revision"] = instance.Step.Method.Card.Revision,
        ["seed"] = instance.Seed,
        ["at"] = new JsonObject(instance.At.Select(a => KeyValuePair.Create(a.Key, (JsonNode?)JsonValue.Create(a.Value)))),
        ["reads"] = new JsonArray([.. instance.Inputs.Values.SelectMany(v => v).Select(v => (JsonNode)JsonValue.Create(v.Instance?.Label ?? v.Input.Text)).Take(20)]),
        ["outputs"] = new JsonObject(entry.Outputs.Select(o => KeyValuePair.Create(o.Port, (JsonNode?)JsonValue.Create(o.Digest)))),
        ["seconds"] = Math.Round(entry.Seconds, 3),
    };
}
