using System.CommandLine;
using Budwood.Methods;

namespace Budwood.Cli.Verbs;

internal static class RunVerb
{
    public static Command Command() => new("run", "to come");
    public static Command Alias(Method method) => new(method.Card.Verb!, method.Card.Summary);
}
