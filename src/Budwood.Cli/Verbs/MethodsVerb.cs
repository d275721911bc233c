using System.CommandLine;
using System.Text.Json.Nodes;
using Budwood.Methods;

namespace Budwood.Cli.Verbs;

/// <summary><c>methods [NAME or words]</c>: the catalogue, or the card of one method.</summary>
internal static class MethodsVerb
{
    public static Command Command()
    {
        var words = new Argument<string[]>("WORDS") { HelpName = "WORDS", Description = "A method's name for its card, or words to search for.", Arity = ArgumentArity.ZeroOrMore };
        words.CompletionSources.Add(_ => Catalogue.All.Select(m => new System.CommandLine.Completions.CompletionItem(m.Card.Name, detail: m.Card.Summary)));
        var room = new Option<string?>("--room") { Description = "Only one room: merge, grow, inspect ...", HelpName = "ROOM" };
        var command = new Command("methods") { words, room };
        SharedOptions.AddTalking(command);
        command.SetAction(p => CommandLine.Guard(p, (terminal, _) => Show(p.GetValue(words) ?? [], p.GetValue(room), terminal)));
        return command;
    }

    private static ExitCode Show(string[] words, string? room, Terminal terminal)
    {
        if (words is [var name] && Catalogue.Find(name) is { } method)
        {
            PrintCard(method, terminal);
            terminal.Json(Json(method.Card));
            return ExitCode.Done;
        }
        if (room is not null && !Enum.TryParse(room, ignoreCase: true, out Room _))
            throw new Fault("BW1006", ExitCode.Usage, $"there is no room '{room}'", null, null, Nearest.Hint(room, Enum.GetNames<Room>().Select(r => r.ToLowerInvariant())));
        MethodCard[] cards = [.. Catalogue.All.Select(m => m.Card).Where(c => room is null || c.Room.ToString().Equals(room, StringComparison.OrdinalIgnoreCase))
            .Where(c => words.All(w => $"{c.Name} {c.Room} {c.Summary} {c.Use}".Contains(w, StringComparison.OrdinalIgnoreCase))).OrderBy(c => c.Room).ThenBy(c => c.Name, StringComparer.Ordinal)];
        if (cards.Length == 0)
            throw new Fault("BW1007", ExitCode.Usage, $"no method fits '{string.Join(' ', words)}'", null, null, Nearest.Hint(words.FirstOrDefault() ?? "", Catalogue.All.Select(m => m.Card.Name)));
        var table = new Table("methods", new Column("method"), new Column("room"), new Column("what it does"));
        foreach (MethodCard c in cards) table.Add(c.Name, c.Room.ToString().ToLowerInvariant(), c.Summary);
        terminal.Show(table);
        terminal.Json(new JsonArray([.. cards.Select(c => (JsonNode)Json(c))]));
        return ExitCode.Done;
    }

    public static void PrintCard(Method method, Terminal terminal)
    {
        MethodCard card = method.Card;
        terminal.Result($"{card.Name} (room {card.Room.ToString().ToLowerInvariant()}, revision {card.Revision})");
        terminal.Result($"  {card.Summary}");
        terminal.Result("");
        terminal.Result($"  use      {card.Use}");
        terminal.Result($"  not for  {card.NotFor}");
        terminal.Result($"  cost     {card.Cost}");
        terminal.Result($"  differs  {card.Differs}");
        if (card.Formula is not null) terminal.Result($"  formula  {card.Formula}");
        terminal.Result($"  source   {string.Join("; ", card.Sources.Select(s => $"{(s.Paper is null ? s.Peer : "paper " + s.Paper)}{(s.Where is null ? "" : ", " + s.Where)}"))}");
        terminal.Result("");
        terminal.Result($"  inputs   {string.Join("; ", method.Ports.Inputs.Select(i => $"{i.Name}{(i.Many ? " (several)" : "")}{(i.Optional ? " (optional)" : "")}: {i.Doc}"))}");
        terminal.Result($"  output   {method.Ports.Output.Doc}");
        var table = new Table("parameters", new Column("parameter"), new Column("default"), new Column("allowed"), new Column("per model"), new Column("meaning"));
        foreach (ParameterCard p in card.Parameters)
        {
            string allowed = p.Kind switch
            {
                ParameterKind.Choice => string.Join(" | ", p.Choices),
                ParameterKind.Flag => "true | false",
                ParameterKind.Number or ParameterKind.Integer => $"{p.RangeText ?? "any number"}{(p.Unit is null or "1" ? "" : " " + p.Unit)}",
                ParameterKind.Integers => "list of whole numbers",
                _ => "text",
            };
            table.Add(p.Name, p.Required ? "required" : p.Default ?? "", allowed, p.PerModel ? "yes" : "", p.Doc);
        }
        if (card.Parameters.Count > 0) terminal.Show(table);
        if (card.Inert.Count > 0) terminal.Result($"  read past without effect: {string.Join(", ", card.Inert)}");
    }

    private static JsonObject Json(MethodCard card) => new()
    {
        ["name"] = card.Name,
        ["room"] = card.Room.ToString().ToLowerInvariant(),
        ["revision"] = card.Revision,
        ["summary"] = card.Summary,
        ["use"] = card.Use,
        ["not_for"] = card.NotFor,
        ["cost"] = card.Cost,
        ["differs"] = card.Differs,
        ["formula"] = card.Formula,
        ["parameters"] = new JsonArray([.. card.Parameters.Select(p => (JsonNode)new JsonObject
        {
            ["name"] = p.Name, ["kind"] = p.Kind.ToString().ToLowerInvariant(), ["per_model"] = p.PerModel, ["required"] = p.Required, ["default"] = p.Default, ["unit"] = p.Unit, ["range"] = p.RangeText, ["doc"] = p.Doc,
        })]),
    };
}
