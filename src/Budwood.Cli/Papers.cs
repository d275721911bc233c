using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;

namespace Budwood.Cli;

/// <summary>A paper of the catalogue.</summary>
/// <param name="Methods">Names of its methods, variants and baselines.</param>
/// <param name="Waits">What a recipe waits for; null when it has one.</param>
/// <param name="Reconstructed">Its text was not at hand.</param>
/// <param name="Recipe">Full name of its recipe; null when there is none.</param>
/// <param name="Word">Word of the last committed report; null when there is none.</param>
/// <param name="Date">Day of that report.</param>
internal sealed record Paper(int Number, string Slug, string Title, string Room, string Kind, IReadOnlyList<string> Methods, string? Waits, bool Reconstructed, string? Recipe, string? Word, string? Date, string? Key)
{
    /// <summary>Why it has no recipe.</summary>
    public string WhyNoRecipe => Waits is null ? "it is not written yet" : $"it waits for: {Waits}";

    /// <summary>Those of its methods that this version has.</summary>
    public IEnumerable<string> Available => Methods.Where(m => Catalogue.Find(m) is not null);

    /// <summary>The word of its last verdict; nothing is done that has none.</summary>
    public string Status => Word ?? (Recipe is null ? "no recipe" : "no verdict yet");
}

/// <summary>The 83 papers: each with its methods, its recipe or the reason why it has none, and the word of the last verdict.</summary>
internal static class Papers
{
    /// <summary>In the order of their numbers.</summary>
    public static IReadOnlyList<Paper> All { get; } = Read();

    /// <summary>A paper by slug or number.</summary>
    public static Paper? Find(string word) => All.FirstOrDefault(p => p.Slug == word || (int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out int n) && p.Number == n));

    private static Paper[] Read()
    {
        JsonArray list = Resource("papers.json")!.AsArray();
        return [.. list.Select(p =>
        {
            int number = (int)p!["number"]!;
            string slug = (string)p["slug"]!;
            string? recipe = RecipeBook.Find(slug);
            JsonNode? report = recipe is null ? null : Resource($"report/{recipe}.json");
            return new Paper(number, slug, (string)p["title"]!, (string)p["room"]!, (string)p["kind"]!, [.. p["methods"]!.AsArray().Select(m => (string)m!)], (string?)p["waits"],
                (bool?)p["reconstructed"] ?? false, recipe, (string?)report?["word"], (string?)report?["date"], (string?)report?["key"]);
        })];
    }

    private static JsonNode? Resource(string name)
    {
        using Stream? stream = typeof(Papers).Assembly.GetManifestResourceStream(name);
        return stream is null ? null : JsonNode.Parse(stream);
    }

    /// <summary>Papers that fit all words, best first: full text over slug, title, room, kind, methods and their cards.</summary>
    public static IReadOnlyList<Paper> Search(IReadOnlyList<string> words)
    {
        using var index = new SqliteConnection("Data Source=:memory:");
        index.Open();
        Execute(index, "CREATE VIRTUAL TABLE papers USING fts5(slug, title, room, kind, methods, cards, tokenize = 'porter unicode61 remove_diacritics 2')");
        foreach (Paper p in All)
        {
            string cards = string.Join(' ', p.Available.Select(m => Catalogue.Find(m)!.Card).Select(c => $"{c.Summary} {c.Use}"));
            Execute(index, "INSERT INTO papers (rowid, slug, title, room, kind, methods, cards) VALUES (@n, @slug, @title, @room, @kind, @methods, @cards)",
                ("@n", p.Number), ("@slug", p.Slug.Replace('-', ' ')), ("@title", p.Title), ("@room", p.Room), ("@kind", p.Kind), ("@methods", string.Join(' ', p.Methods).Replace('_', ' ')), ("@cards", cards));
        }
        // Each word as a quoted prefix: whatever a user types is text and no syntax.
        string query = string.Join(' ', words.SelectMany(w => w.Split((char[])['-', '_', ' '], StringSplitOptions.RemoveEmptyEntries)).Select(w => $"\"{w.Replace("\"", "\"\"", StringComparison.Ordinal)}\"*"));
        if (query.Length == 0) return [];
        using SqliteCommand ask = index.CreateCommand();
        ask.CommandText = "SELECT rowid FROM papers WHERE papers MATCH @q ORDER BY bm25(papers, 10, 8, 2, 1, 5, 1), rowid";
        ask.Parameters.AddWithValue("@q", query);
        using SqliteDataReader rows = ask.ExecuteReader();
        var found = new List<Paper>();
        while (rows.Read()) found.Add(All.Single(p => p.Number == rows.GetInt32(0)));
        return found;
    }

    private static void Execute(SqliteConnection index, string text, params (string Name, object Value)[] values)
    {
        using SqliteCommand command = index.CreateCommand();
        command.CommandText = text;
        foreach ((string name, object value) in values) command.Parameters.AddWithValue(name, value);
        command.ExecuteNonQuery();
    }

    /// <summary>The page <c>docs/reference/papers.md</c>.</summary>
    public static string Page()
    {
        int verdicts = All.Count(p => p.Word is not null);
        var page = new StringBuilder("# Papers\n\n");
        page.Append(CultureInfo.InvariantCulture, $"The {All.Count} papers of the catalogue; {All.Count(p => p.Recipe is not null)} have a recipe, {verdicts} a verdict. `budwood papers [words]` searches them, `budwood reproduce SLUG`\nruns a recipe. A word stands only where a committed report (`recipes/reports/`) bears it out.\n\n");
        page.Append("| no | paper | room | kind | methods here | recipe | last verdict |\n|---:|---|---|---|---|---|---|\n");
        foreach (Paper p in All)
        {
            string methods = string.Join(", ", p.Available.Select(m => $"[{m}](methods/{m}.md)"));
            string recipe = p.Recipe is null ? p.WhyNoRecipe : $"[{p.Recipe}](../../recipes/{p.Recipe}.yml)";
            page.Append(CultureInfo.InvariantCulture, $"| {p.Number} | **{p.Slug}** {p.Title.Replace("|", "\\|", StringComparison.Ordinal)}{(p.Reconstructed ? " (reconstructed)" : "")} | {p.Room} | {p.Kind} | {methods} | {recipe} | {(p.Word is null ? "" : $"{p.Word}, {p.Date}")} |\n");
        }
        return page.ToString();
    }
}
