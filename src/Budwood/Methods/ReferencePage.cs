using System.Text;
using System.Text.RegularExpressions;

namespace Budwood.Methods;

/// <summary>The page of a method in <c>docs/reference/methods</c>, in Markdown, made from its card, ports and parameters.</summary>
public static class ReferencePage
{
    private const int Width = 160;

    // What a reader may try first, by parameter; one value for all models, or one each. Parameters that are not here keep their defaults in an example.
    private static readonly Dictionary<string, string[]> s_values = new(StringComparer.Ordinal)
    {
        ["weight"] = ["0.6", "0.4"],
        ["density"] = ["0.5"],
        ["select_topk"] = ["0.5"],
        ["scale"] = ["0.9"],
        ["factor"] = ["2"],
        ["by"] = ["role"],
        ["fisher"] = ["models/chat-fisher", "models/code-fisher"],
        ["score"] = ["'./score {model}'"],
        ["period"] = ["100"],
        ["step"] = ["0.005"],
        ["steps"] = ["1000"],
        ["noise"] = ["0.1"],
        ["labels"] = ["60"],
        ["target"] = ["y"],
        ["targets"] = ["0.1,0.05"],
    };

    // Symbols that formulas share; a page explains those that its formula has and does not define.
    private static readonly (string Sign, string Meaning)[] s_symbols =
    [
        (@"\by =", "`y`: the output"),
        (@"\bx_i\b", "`x_i`: model i"),
        (@"\bx\b(?! are)", "`x`: the model"),
        (@"\bx_base\b", "`x_base`, `x_other`: the base, the other model"),
        (@"(?<![\w|])b(?!\w)", "`b`: the base"),
        (@"\bd_i\b(?! =)", "`d_i`: what model i adds to the base, its task vector"),
        (@"\bw_[i0]\b", "`w_i`: the `weight` of model i"),
        (@"\bsum w\b", "`w`: the weights"),
        (@"\bn\b", "`n`: the number of elements"),
        (@"\bN\b", "`N`: the number of models"),
        (@"\bu <", "`u`: a random number, uniform from 0 to 1"),
        (@"\|x_i\|", "`|v|`: the length of a tensor taken as a vector"),
        (@"\|_1\b", "`|v|_1`: the sum of magnitudes"),
    ];

    /// <summary>The page.</summary>
    /// <param name="example">What stands under "Example"; without it <see cref="Example"/> is shown.</param>
    public static string Of(Method method, string? example = null)
    {
        MethodCard card = method.Card;
        var page = new StringBuilder();
        page.Append($"# {card.Name}\n\n");
        Paragraph(page, "", card.Summary);
        Paragraph(page, "- ", $"**Use**: {card.Use}", false);
        Paragraph(page, "- ", $"**Not for**: {card.NotFor}", false);
        Paragraph(page, "- ", $"**Cost**: {card.Cost}", false);
        Paragraph(page, "- ", $"**Differs from its source**: {card.Differs}");
        if (card.Formula is not null) AppendFormula(page, card.Formula, explained: method is Rule);
        page.Append("## Takes and gives\n\n");
        if (method is Rule rule) Paragraph(page, "", Takes(rule));
        page.Append("| port | what |\n|---|---|\n");
        foreach (Port port in method.Ports.Inputs)
        {
            string optional = port.Optional && method is not Rule { Arity.NeedsBase: true } ? ", optional" : "";
            page.Append($"| `{port.Name}`{(port.Many ? ", several" : "")}{optional} | {Cell(port.Doc)} |\n");
        }
        foreach (Port output in method.Ports.Outputs)
        {
            string kind = output.Kind switch { ArtifactKind.Table => " (a table)", ArtifactKind.Arrays => " (arrays)", _ => "" };
            page.Append($"| output `{output.Name}`{(output.Optional ? ", optional" : "")} | {Cell(output.Doc)}{kind} |\n");
        }
        page.Append('\n');
        AppendParameters(page, card);
        page.Append("## Example\n\n");
        page.Append((example ?? ExampleText(method)).TrimEnd('\n')).Append("\n\n");
        page.Append("## Source\n\n");
        foreach (MethodSource source in card.Sources) page.Append($"- {SourceText(source)}\n");
        page.Append($"\nRoom {RoomName(card.Room)}, revision {card.Revision}: bits change only with the revision.\n[All methods](README.md)\n");
        return page.ToString();
    }

    /// <summary>The catalogue: a table of all methods for each room.</summary>
    public static string Catalogue(IEnumerable<Method> methods)
    {
        var page = new StringBuilder("# Methods\n\n");
        Paragraph(page, "", "Every method of this version. The pages are written from the methods' own files; `budwood methods NAME` prints the same.");
        Paragraph(page, "", "Where the arithmetic differs from mergekit's, the page says how, and [default arithmetic](../default-arithmetic.md) by how much.");
        foreach (IGrouping<Room, Method> room in methods.GroupBy(m => m.Card.Room).OrderBy(g => g.Key))
        {
            page.Append($"## Room {RoomName(room.Key)}\n\n| method | what it does | takes | source |\n|---|---|---|---|\n");
            foreach (MethodCard card in room.Select(m => m.Card).OrderBy(c => c.Name, StringComparer.Ordinal))
            {
                Method method = room.First(m => m.Card == card);
                string takes = method is Rule rule ? ShortTakes(rule) : ShortTakes(method.Ports);
                string sources = string.Join(", ", card.Sources.Select(s => s.Paper ?? s.Peer));
                page.Append($"| [{card.Name}]({card.Name}.md) | {Cell(card.Summary)} | {takes} | {sources} |\n");
            }
            page.Append('\n');
        }
        return page.ToString().TrimEnd('\n') + "\n";
    }

    /// <summary>A merge file that runs, for rules that take several models; null for others.</summary>
    public static string? Example(Method method)
    {
        if (method is not Rule rule || method.Ports != Ports.Merge) return null;
        var text = new StringBuilder();
        text.Append($"merge_method: {method.Card.Name}\n");
        if (rule.Arity.NeedsBase) text.Append("base_model: models/base\n");
        string[] models = Models(rule);
        (ParameterCard Card, string[] Values)[] given = Given(method.Card);
        text.Append("models:\n");
        for (int i = 0; i < models.Length; i++)
        {
            text.Append($"  - model: {models[i]}\n");
            if (!given.Any(g => g.Values.Length > 1)) continue;
            text.Append("    parameters:\n");
            foreach (var (card, values) in given.Where(g => g.Values.Length > 1))
                text.Append($"      {card.Name}: {values[i]}\n");
        }
        if (given.Any(g => g.Values.Length == 1)) text.Append("parameters:\n");
        foreach (var (card, values) in given.Where(g => g.Values.Length == 1)) text.Append($"  {card.Name}: {values[0]}\n");
        return text.ToString();
    }

    /// <summary>The command that does what <see cref="Example"/> does, in one line.</summary>
    public static string CommandLine(Method method)
    {
        var line = new StringBuilder("budwood ").Append(method.Card.Verb ?? "run " + method.Card.Name);
        if (method is Rule rule && method.Ports == Ports.Merge)
        {
            line.Append($" models={string.Join(',', Models(rule))}");
            if (rule.Arity.NeedsBase) line.Append(" base=models/base");
        }
        else if (!method.Ports.Inputs.Any(i => i.Kind is ArtifactKind.Checkpoint or ArtifactKind.Folder))
        {
            foreach (Port input in method.Ports.Inputs.Where(i => !i.Optional)) line.Append($" {input.Name}={input.Name}{(input.Kind == ArtifactKind.Table ? ".csv" : ".safetensors")}");
        }
        else
        {
            line.Append(method.Ports.Inputs[0].Many ? $" {method.Ports.Inputs[0].Name}=models/chat,models/code" : " models/base");
            foreach (Port other in method.Ports.Inputs.Skip(1).Where(i => !i.Optional && i.Kind == ArtifactKind.Checkpoint)) line.Append($" {other.Name}=models/chat");
        }
        foreach (var (card, values) in Given(method.Card)) line.Append($" {card.Name}={string.Join(',', values)}");
        return line.Append(method.Ports.Output.Kind switch
        {
            ArtifactKind.Table => "",
            ArtifactKind.Arrays when method.Ports.Outputs.Count == 1 => " -o out.safetensors",
            _ => " -o out",
        }).ToString();
    }

    private static string ExampleText(Method method)
    {
        string line = $"```\n{CommandLine(method)}\n```\n";
        return Example(method) is { } file ? $"`budwood merge merge.yml out` with\n\n```yaml\n# merge.yml\n{file}```\n\nor in one line\n\n{line}" : line;
    }

    private static string[] Models(Rule rule) => rule.Arity.Maximum == 1 ? ["models/chat"] : ["models/chat", "models/code"];

    private static (ParameterCard Card, string[] Values)[] Given(MethodCard card)
    {
        var given = new List<(ParameterCard, string[])>();
        foreach (ParameterCard p in card.Parameters)
        {
            // Two methods call their parameter t: a position, and a distance between weights.
            if (p.Name == "t") given.Add((p, [p.Unit == "weight difference" ? "0.0005" : "0.5"]));
            else if (s_values.TryGetValue(p.Name, out string[]? values)) given.Add((p, values));
            else if (p.Required) throw new InvalidOperationException($"'{card.Name}' requires '{p.Name}': give it a value in {nameof(ReferencePage)}.");
        }
        return [.. given];
    }

    private static void AppendFormula(StringBuilder page, string formula, bool explained)
    {
        page.Append("## Formula\n\n```\n");
        foreach (string line in formula.Split("; ")) page.Append(line).Append('\n');
        page.Append("```\n\n");
        // The symbols are those of merging.
        if (!explained) return;
        IEnumerable<string> found = s_symbols.Where(s => Regex.IsMatch(formula, s.Sign) && !Defines(formula, s.Meaning)).Select(s => s.Meaning);
        if (found.Any()) Paragraph(page, "", string.Join("; ", found) + ".");
    }

    // Whether the formula itself says what the symbol is: 'd_i = ...'.
    private static bool Defines(string formula, string meaning)
    {
        string name = meaning.Split('`')[1];
        return name is not "y" && Regex.IsMatch(formula, $@"(?<![\w|]){Regex.Escape(name)} = ");
    }

    private static void AppendParameters(StringBuilder page, MethodCard card)
    {
        page.Append("## Parameters\n\n");
        if (card.Parameters.Count == 0) page.Append("None.\n\n");
        else
        {
            page.Append("| name | kind | per model | default | allowed | unit | meaning |\n|---|---|---|---|---|---|---|\n");
            foreach (ParameterCard p in card.Parameters)
            {
                string allowed = p.Kind switch
                {
                    ParameterKind.Choice => string.Join(", ", p.Choices.Select(c => $"`{c}`")),
                    ParameterKind.Flag => "`true`, `false`",
                    ParameterKind.Number or ParameterKind.Integer => p.RangeText ?? "any",
                    _ => "any",
                };
                string otherwise = p.Required ? "required" : p.Default is { } d ? $"`{d}`" : "none";
                (string kind, string perModel, string? unit) = (p.Kind.ToString().ToLowerInvariant(), p.PerModel ? "yes" : "", p.Unit == "1" ? "" : p.Unit);
                page.Append($"| `{p.Name}` | {kind} | {perModel} | {otherwise} | {allowed} | {unit} | {Cell(p.Doc)} |\n");
            }
            page.Append('\n');
        }
        string inert = string.Join(", ", card.Inert.Select(i => $"`{i}`"));
        if (inert.Length > 0) Paragraph(page, "", $"Read past without effect, being parameters of other methods: {inert}.");
    }

    private static string Takes(Rule rule)
    {
        string text = char.ToUpperInvariant(ShortTakes(rule)[0]) + ShortTakes(rule)[1..];
        text += rule.Arity switch
        {
            { NeedsBase: true, Maximum: 1 } => ".",
            { NeedsBase: true } => ": what each of them adds to the base is merged.",
            { BaseCounts: true, Maximum: 1 } => rule.Ports == Ports.Merge ? " (in a merge file one a slice)." : ".",
            { BaseCounts: true } => "; a `base_model` that is listed is one more of them.",
            _ => "; with a `base_model`, their task vectors are merged instead of the models themselves.",
        };
        if (rule.Arity.NeedsBase) text += " Listing the base among the models does no harm.";
        if (rule.Ports != Ports.Merge || rule.Arity is { BaseCounts: true, Maximum: 1 }) return text;
        return text + rule.Rows switch
        {
            RowMismatch.Common => " Embeddings of unequal length are refused; `--allow common_rows` cuts them to the rows that all have.",
            RowMismatch.CutToBase => " Embeddings of unequal length are refused; `--allow common_rows` cuts longer ones to the base's rows.",
            _ => " Embeddings of unequal length are refused.",
        };
    }

    private static string ShortTakes(Ports ports)
    {
        string[] needed = [.. ports.Inputs.Where(i => !i.Optional).Select(i => i.Kind switch { ArtifactKind.Checkpoint => i.Many ? "models" : "one model", ArtifactKind.Table => "a table", ArtifactKind.Folder => i.Many ? "folders" : "a folder", _ => "arrays" })];
        return needed.Length == 0 ? "nothing" : string.Join(" and ", needed);
    }

    private static string ShortTakes(Rule rule)
    {
        string few = rule.Arity switch
        {
            { Maximum: 1 } => "one",
            { Minimum: 2, Maximum: 2 } => "two",
            { Minimum: 2 } => "two or more",
            _ => "one or more",
        };
        string models = few == "one" ? "model" : "models";
        if (rule.Arity.NeedsBase) return $"a base and {few} other {models}";
        return rule.Arity.BaseCounts ? $"{few} {models}" : $"{few} {models}, and a base if there is one";
    }

    /// <summary>A source as a reader cites it.</summary>
    private static string SourceText(MethodSource source) =>
        (source.Paper is null ? source.Peer : $"paper `{source.Paper}`") + (source.Where is null ? "" : $", {source.Where}");

    private static string RoomName(Room room) => room.ToString().ToLowerInvariant();

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal);

    // A paragraph or a list item, broken at spaces.
    private static void Paragraph(StringBuilder page, string bullet, string text, bool end = true)
    {
        int at = bullet.Length;
        page.Append(bullet);
        bool first = true;
        foreach (string word in text.Replace("<", "&lt;", StringComparison.Ordinal).Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!first && at + 1 + word.Length > Width)
            {
                page.Append('\n').Append(' ', bullet.Length);
                at = bullet.Length;
            }
            else if (!first)
            {
                page.Append(' ');
                at++;
            }
            page.Append(word);
            at += word.Length;
            first = false;
        }
        page.Append(end ? "\n\n" : "\n");
    }
}
