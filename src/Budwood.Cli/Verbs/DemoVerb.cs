using System.CommandLine;

namespace Budwood.Cli.Verbs;

internal static class DemoVerb
{
    public static Command Command() => new("demo", "to come");
}
