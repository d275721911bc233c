using System.CommandLine;
using Budwood.Recipes;
using Budwood.Recipes.Steps;

namespace Budwood.Cli.Verbs;

/// <summary><c>schema merge</c> and <c>schema recipe</c>: the JSON schemas of our YAML files, for editors.</summary>
internal static class SchemaVerb
{
    public static Command Command()
    {
        var what = new Argument<string>("WHAT") { Description = "merge or recipe; a file whose first line is '# yaml-language-server: $schema=FILE' is checked by editors." }.AcceptOnlyFromAmong("merge", "recipe");
        var command = new Command("schema") { what };
        SharedOptions.AddTalking(command);
        command.SetAction(p => CommandLine.Guard(p, (terminal, _) =>
        {
            string word = p.GetValue(what)!;
            System.Console.Out.WriteLine((word == "merge" ? MergeSchema.Of(Catalogue.Rules) : RecipeSchema.Of(Catalogue.All)).ToJsonString(Terminal.Indented));
            terminal.Say($"Save it as {word}.schema.json and begin a file with: # yaml-language-server: $schema={word}.schema.json");
            return ExitCode.Done;
        }));
        return command;
    }
}
