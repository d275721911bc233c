using System.CommandLine;

namespace Budwood.Cli.Verbs;

internal static class CheckVerb
{
    public static Command Command() => new("check", "to come");
}
