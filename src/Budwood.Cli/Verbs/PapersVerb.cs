using System.CommandLine;
using System.Text.Json.Nodes;

namespace Budwood.Cli.Verbs;

/// <summary><c>papers [words]</c>: the catalogue of papers, searched.</summary>
internal static class PapersVerb
{
    public static Command Command()
    {
        var words = new Argument<string[]>("WORDS") { HelpName = "WORDS", Description = "A slug or number for one paper, or words to search for.", Arity = ArgumentArity.ZeroOrMore };
        var command = new Command("papers") { words };
        SharedOptions.AddTalking(command);
        command.SetAction(p => CommandLine.Guard(p, (terminal, _) => Show(p.GetValue(words) ?? [], terminal)));
        return command;
    }

    private static ExitCode Show(string[] words, Terminal terminal)
    {
        if (words is [var word] && Papers.Find(word) is { } paper)
        {
            terminal.Result($"{paper.Number} {paper.Slug}: {paper.Title}{(paper.Reconstructed ? " (reconstructed: the text was not at hand)" : "")}");
            terminal.Result($"  room     {paper.Room}, {paper.Kind}");
            terminal.Result($"  methods  {string.Join(", ", paper.Methods.Select(m => Catalogue.Find(m) is null ? $"{m} (not here)" : m))}");
            terminal.Result($"  recipe   {(paper.Recipe is null ? paper.WhyNoRecipe : $"'budwood reproduce {paper.Slug}'")}");
            terminal.Result($"  verdict  {paper.Status}{(paper.Date is null ? "" : $", {paper.Date}")}");
            terminal.Json(Json(paper));
            return ExitCode.Done;
        }
        IReadOnlyList<Paper> found = words.Length == 0 ? Papers.All : Papers.Search(words);
        if (found.Count == 0)
            throw new Fault("BW1239", ExitCode.Usage, $"no paper fits '{string.Join(' ', words)}'", null, null, Nearest.Hint(words[0], Papers.All.Select(p => p.Slug).Concat(Papers.All.SelectMany(p => p.Methods))) ?? "'budwood papers' lists all.");
        var table = new Table("papers", new Column("no", Numeric: true), new Column("paper"), new Column("room"), new Column("title"), new Column("methods here", Numeric: true), new Column("last verdict"));
        foreach (Paper p in found) table.Add((long)p.Number, p.Slug, p.Room, p.Title.Length > 70 ? p.Title[..69] + "…" : p.Title, (long)p.Available.Count(), p.Status);
        terminal.Show(table);
        terminal.Json(new JsonArray([.. found.Select(p => (JsonNode)Json(p))]));
        return ExitCode.Done;
    }

    private static JsonObject Json(Paper p) => new()
    {
        ["number"] = p.Number, ["slug"] = p.Slug, ["title"] = p.Title, ["room"] = p.Room, ["kind"] = p.Kind, ["methods"] = new JsonArray([.. p.Methods.Select(m => (JsonNode)JsonValue.Create(m))]),
        ["available"] = new JsonArray([.. p.Available.Select(m => (JsonNode)JsonValue.Create(m))]), ["recipe"] = p.Recipe, ["waits"] = p.Recipe is null ? p.WhyNoRecipe : null, ["reconstructed"] = p.Reconstructed,
        ["word"] = p.Word, ["date"] = p.Date,
    };
}
