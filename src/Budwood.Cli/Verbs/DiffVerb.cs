using System.CommandLine;

namespace Budwood.Cli.Verbs;

internal static class DiffVerb
{
    public static Command Command() => new("diff", "to come");
}
