using System.CommandLine;
using Budwood.Recipes;

namespace Budwood.Cli.Verbs;

/// <summary><c>schema merge</c>: the JSON schema of merge files, for editors.</summary>
internal static class SchemaVerb
{
    public static Command Command()
    {
        var what = new Argument<string>("WHAT") { Description = "merge" }.AcceptOnlyFromAmong("merge");
        var command = new Command("schema", "Print the JSON schema of merge files, for editors: '# yaml-language-server: $schema=FILE' in a file's first line.") { what };
        SharedOptions.AddTalking(command);
        command.SetAction(p => CommandLine.Guard(p, (_, _) =>
        {
            System.Console.Out.WriteLine(MergeSchema.Of(Catalogue.Rules).ToJsonString(Terminal.Indented));
            return ExitCode.Done;
        }));
        return command;
    }
}
