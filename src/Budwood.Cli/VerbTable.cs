using System.CommandLine;
using Budwood.Cli.Verbs;

namespace Budwood.Cli;

/// <summary>A verb: what <c>--help</c> says of it, and its command line, which is only made when it is asked for.</summary>
/// <param name="Group">Heading it stands under.</param>
/// <param name="Name">The word itself.</param>
/// <param name="Words">What follows it, as help prints it.</param>
/// <param name="Summary">One sentence.</param>
/// <param name="Make">Makes the command.</param>
internal sealed record Verb(string Group, string Name, string Words, string Summary, Func<Command> Make)
{
    public Command Command()
    {
        Command made = Make();
        made.Description = Summary;
        return made;
    }
}

/// <summary>The verbs in the order of the help, and the help of the program itself.</summary>
internal static class VerbTable
{
    private const string Change = "Work on models", Look = "Look at models", Papers = "Reproduce papers", About = "About Budwood";

    public const string Summary = "Work from models that already exist: merge, grow, inspect and compare Hugging Face checkpoints. Streamed, in bounded memory, with a receipt of what changed.";

    public static readonly Verb[] All =
    [
        new(Change, "demo", "", "Make small checkpoints, merge them, show plan, receipt and diff.", DemoVerb.Command),
        new(Change, "merge", "CONFIG OUT", "Merge models by a mergekit YAML file.", MergeVerb.Command),
        new(Change, "run", "METHOD ...", "Run a recipe, or one method on inputs: port=PATH key=value, or --key value.", RunVerb.Command),
        new(Look, "inspect", "MODEL", "Show what is in a checkpoint: tensors, roles, types, sizes. Reads headers only.", InspectVerb.Command),
        new(Look, "diff", "A B", "Compare two checkpoints: tensors changed, added, removed; norms by role; configuration.", DiffVerb.Command),
        new(Look, "check", "MODEL", "Check a folder: files, shapes against config.json, tokenizer, NaN. Exit 3 when something is wrong.", CheckVerb.Command),
        new(Papers, "papers", "[WORDS]", "List or search the papers: methods, recipe, word of the last verdict.", PapersVerb.Command),
        new(Papers, "reproduce", "PAPER", "Run a paper's recipe and judge its claims; exit code 5 when one is refuted or void.", ReproduceVerb.Command),
        new(Papers, "plan", "RECIPE", "Lay a recipe out as a work list that any number of 'budwood work' share.", WorkVerbs.Plan),
        new(Papers, "work", "PLAN", "Work on a list until it is done, beside any number of others.", WorkVerbs.Work),
        new(Papers, "gather", "PLAN", "Judge the claims of a work list that is done, and write the report.", WorkVerbs.Gather),
        new(About, "methods", "[WORDS]", "List the methods, or show the card of one.", MethodsVerb.Command),
        new(About, "schema", "merge|recipe", "Print the JSON schema of merge files or recipes, for editors.", SchemaVerb.Command),
        new(About, "completion", "SHELL", "Print a completion script for bash, zsh, fish or pwsh.", CompletionVerb.Command),
    ];

    /// <summary>Methods that are verbs of their own.</summary>
    public static IEnumerable<Verb> Methods => Catalogue.All.Where(m => m.Card.Verb is not null).Select(m => new Verb(Change, m.Card.Verb!, "...", Title(m.Card.Summary), () => RunVerb.Alias(m)));

    // A summary of the form 'Name: what it does' is long for one line of help; its card says the rest.
    private static string Title(string summary) => summary.IndexOf(": ", StringComparison.Ordinal) is > 0 and var end ? summary[..end] + "." : summary;

    /// <summary>The command line. A line that begins with a verb needs that verb only.</summary>
    public static RootCommand Root(string[] args)
    {
        var root = new RootCommand(Summary);
        if (args.Length > 0 && All.FirstOrDefault(v => v.Name == args[0]) is { } one) root.Subcommands.Add(one.Command());
        else if (args is not ["--version"])
            foreach (Verb verb in All.Concat(Methods)) root.Subcommands.Add(verb.Command());
        return root;
    }

    /// <summary>What <c>budwood --help</c> prints.</summary>
    public static string Help()
    {
        Verb[] verbs = [.. All, .. Methods];
        int width = verbs.Max(v => v.Name.Length + v.Words.Length + 1);
        var text = new System.Text.StringBuilder();
        text.AppendLine(Summary.Replace(". ", ".\n", StringComparison.Ordinal)).AppendLine();
        text.AppendLine("Usage: budwood VERB ... [options]").AppendLine();
        foreach (string group in (string[])[Change, Look, Papers, About])
        {
            text.AppendLine(group);
            foreach (Verb verb in verbs)
                if (verb.Group == group) text.Append("  ").Append($"{verb.Name} {verb.Words}".PadRight(width)).Append("  ").AppendLine(verb.Summary);
            text.AppendLine();
        }
        text.AppendLine("Options");
        text.Append("  ").Append("-h, --help".PadRight(width)).AppendLine("  Show this page, or after a verb its options; 'budwood run METHOD --help' shows a method's card.");
        text.Append("  ").Append("--version".PadRight(width)).AppendLine("  Show the version.");
        return text.ToString();
    }
}
