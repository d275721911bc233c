using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Budwood.Files;

/// <summary>Reads and writes tables: CSV and TSV with a header line, JSON lines, and a JSON form that loses nothing.</summary>
public static class TableFiles
{
    private static readonly JsonWriterOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Reads a table by the file's extension.</summary>
    public static Table Read(string path)
    {
        if (!File.Exists(path)) throw FileFaults.Missing(path, "file", FileFaults.Siblings(path));
        string name = Path.GetFileNameWithoutExtension(path), text = File.ReadAllText(path);
        return Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".csv" => Separated(name, text, ',', path),
            ".tsv" => Separated(name, text, '\t', path),
            ".jsonl" => Lines(name, text, path),
            ".json" => Parse(text, path),
            _ => throw new Fault("BW2313", ExitCode.Input, "tables are read from .csv, .tsv, .jsonl and .json", path, $"found '{Path.GetExtension(path)}'", "Convert the file."),
        };
    }

    /// <summary>A table as the bytes of a file of that extension.</summary>
    public static byte[] Bytes(Table table, string path) => Path.GetExtension(path).ToLowerInvariant() switch
    {
        ".csv" => Encoding.UTF8.GetBytes(Separated(table, ',')),
        ".tsv" => Encoding.UTF8.GetBytes(Separated(table, '\t')),
        ".jsonl" => Encoding.UTF8.GetBytes(string.Concat(table.Rows.Select(r => Row(table, r) + "\n"))),
        ".json" => Json(table),
        _ => throw new Fault("BW2314", ExitCode.Usage, "tables are written as .csv, .tsv, .jsonl and .json", path, $"found '{Path.GetExtension(path)}'", "Choose one of these endings."),
    };

    /// <summary>The form that loses nothing: types of cells, units and notes come back as they were.</summary>
    public static byte[] Json(Table table)
    {
        var to = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(to, s_json))
        {
            json.WriteStartObject();
            json.WriteString("table", table.Name);
            json.WriteStartArray("columns");
            foreach (Column c in table.Columns)
            {
                json.WriteStartObject();
                json.WriteString("name", c.Name);
                if (c.Numeric) json.WriteBoolean("numeric", true);
                if (c.Unit is not null) json.WriteString("unit", c.Unit);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteStartArray("notes");
            foreach (string note in table.Notes) json.WriteStringValue(note);
            json.WriteEndArray();
            json.WriteStartArray("rows");
            foreach (object?[] row in table.Rows)
            {
                json.WriteStartArray();
                foreach (object? cell in row) Cell(json, cell);
                json.WriteEndArray();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return to.WrittenSpan.ToArray();
    }

    // A double always has a point or an exponent, so that it does not come back as a whole number; what JSON has no number for is {"number": "nan"}.
    private static void Cell(Utf8JsonWriter json, object? cell)
    {
        switch (cell)
        {
            case null: json.WriteNullValue(); break;
            case string s: json.WriteStringValue(s); break;
            case bool b: json.WriteBooleanValue(b); break;
            case double d when double.IsFinite(d):
                string text = d.ToString("R", CultureInfo.InvariantCulture);
                json.WriteRawValue(text.AsSpan().IndexOfAny(".eE") >= 0 ? text : text + ".0");
                break;
            case double d:
                json.WriteStartObject();
                json.WriteString("number", double.IsNaN(d) ? "nan" : d > 0 ? "inf" : "-inf");
                json.WriteEndObject();
                break;
            case float f: Cell(json, (double)f); break;
            case IConvertible n: json.WriteNumberValue(n.ToInt64(CultureInfo.InvariantCulture)); break;
            default: json.WriteStringValue(cell.ToString()); break;
        }
    }

    /// <summary>Reads the form that <see cref="Json"/> writes.</summary>
    public static Table Parse(string text, string where)
    {
        try
        {
            JsonObject root = JsonNode.Parse(text)!.AsObject();
            Column[] columns = [.. root["columns"]!.AsArray().Select(c => new Column((string)c!["name"]!, (bool?)c["numeric"] ?? false, (string?)c["unit"]))];
            var table = new Table((string)root["table"]!, columns);
            foreach (JsonNode? note in root["notes"]?.AsArray() ?? []) table.Notes.Add((string)note!);
            foreach (JsonNode? row in root["rows"]!.AsArray())
            {
                object?[] cells = [.. row!.AsArray().Select(Cell)];
                if (cells.Length != columns.Length) throw NotATable(where, $"a row of {cells.Length} cells under {columns.Length} columns");
                table.Add(cells);
            }
            return table;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or NullReferenceException or OverflowException)
        {
            throw NotATable(where, e.Message);
        }
    }

    private static object? Cell(JsonNode? node) => node switch
    {
        null => null,
        JsonObject o => (string)o["number"]! switch { "nan" => double.NaN, "inf" => double.PositiveInfinity, _ => double.NegativeInfinity },
        JsonValue v => v.GetValueKind() switch
        {
            JsonValueKind.String => (string)v!,
            JsonValueKind.True or JsonValueKind.False => (bool)v,
            _ => v.ToJsonString() is var raw && raw.AsSpan().IndexOfAny(".eE") >= 0 ? (object)double.Parse(raw, CultureInfo.InvariantCulture) : long.Parse(raw, CultureInfo.InvariantCulture),
        },
        _ => throw new FormatException("a list stands where a value should"),
    };

    private static string Row(Table table, object?[] row)
    {
        var to = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(to, s_json))
        {
            json.WriteStartObject();
            for (int c = 0; c < row.Length; c++)
            {
                json.WritePropertyName(table.Columns[c].Name);
                if (row[c] is double d && !double.IsFinite(d)) json.WriteNullValue();
                else Cell(json, row[c]);
            }
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(to.WrittenSpan);
    }

    private static Table Lines(string name, string text, string where)
    {
        var rows = new List<(int Line, JsonObject Row)>();
        string[] lines = text.Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            if (string.IsNullOrWhiteSpace(lines[i])) continue;
            try
            {
                rows.Add((i + 1, JsonNode.Parse(lines[i]) as JsonObject ?? throw NotATable($"{where}:{i + 1}", "a line that is no object")));
            }
            catch (JsonException e)
            {
                throw NotATable($"{where}:{i + 1}", e.Message);
            }
        }
        string[] names = [.. rows.SelectMany(r => r.Row.Select(p => p.Key)).Distinct()];
        object?[][] cells = [.. rows.Select(r => names.Select(n => r.Row[n] switch { JsonArray or JsonObject => r.Row[n]!.ToJsonString(), var value => Cell(value) }).ToArray())];
        return Of(name, names, cells);
    }

    private static Table Of(string name, string[] names, object?[][] rows)
    {
        if (names.Distinct(StringComparer.Ordinal).Count() != names.Length) throw NotATable(name, $"two columns of one name: {names.GroupBy(n => n).First(g => g.Count() > 1).Key}");
        var table = new Table(name, [.. names.Select((n, c) => new Column(n, rows.All(r => r[c] is null or double or long) && rows.Any(r => r[c] is not null)))]);
        foreach (object?[] row in rows) table.Add(row);
        return table;
    }

    // RFC 4180: quotes double inside quotes, and a quoted field may hold line ends.
    private static Table Separated(string name, string text, char by, string where)
    {
        var rows = new List<List<string?>>();
        var row = new List<string?>();
        int i = text.Length > 0 && text[0] == '\uFEFF' ? 1 : 0, line = 1;
        while (i < text.Length)
        {
            var field = new StringBuilder();
            bool quoted = text[i] == '"';
            if (quoted)
            {
                int start = line;
                for (i++; ; i++)
                {
                    if (i >= text.Length) throw NotATable($"{where}:{start}", "a quote that is not closed");
                    if (text[i] == '\n') line++;
                    if (text[i] != '"') field.Append(text[i]);
                    else if (i + 1 < text.Length && text[i + 1] == '"') field.Append(text[++i]);
                    else break;
                }
                i++;
            }
            while (i < text.Length && text[i] != by && text[i] != '\n') field.Append(text[i++]);
            string value = quoted ? field.ToString().TrimEnd('\r') : field.ToString().Trim();
            row.Add(value.Length == 0 && !quoted ? null : value);
            bool ends = i >= text.Length || text[i] == '\n';
            // A separator at the very end of the text opens one more, empty field.
            if (!ends && i + 1 >= text.Length) row.Add(null);
            if (ends || i + 1 >= text.Length)
            {
                if (row.Count > 1 || row[0] is not null) rows.Add(row);
                if (rows.Count > 0 && rows[^1].Count != rows[0].Count) throw NotATable($"{where}:{line}", $"{rows[^1].Count} fields under {rows[0].Count} columns");
                row = [];
                line++;
            }
            i++;
        }
        if (rows.Count == 0) throw NotATable(where, "it is empty");
        string[] names = [.. rows[0].Select((n, c) => n ?? $"column {c + 1}")];
        return Of(name, names, [.. rows.Skip(1).Select(r => r.Select(Value).ToArray())]);
    }

    private static object? Value(string? text) => text switch
    {
        null => null,
        _ when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long whole) => whole,
        _ when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) => number,
        _ => text.ToLowerInvariant() switch { "nan" => double.NaN, "inf" or "+inf" => double.PositiveInfinity, "-inf" => double.NegativeInfinity, _ => text },
    };

    private static string Separated(Table table, char by)
    {
        string Field(string text) => text.AsSpan().IndexOfAny([by, '"', '\n', '\r']) >= 0 ? "\"" + text.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"" : text;
        var to = new StringBuilder();
        to.AppendJoin(by, table.Columns.Select(c => Field(c.Name))).Append('\n');
        foreach (object?[] row in table.Rows) to.AppendJoin(by, row.Select(c => Field(Table.Exact(c)))).Append('\n');
        return to.ToString();
    }

    private static Fault NotATable(string where, string found) => new("BW2315", ExitCode.Input, "this is no table", where, found, "A table has a line of column names and one line a row.");
}
