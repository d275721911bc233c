using System.CommandLine;

namespace Budwood.Cli.Verbs;

internal static class InspectVerb
{
    public static Command Command() => new("inspect", "to come");
}
