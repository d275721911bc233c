using System.CommandLine;

namespace Budwood.Cli.Verbs;

internal static class DiffVerb
{
    public static Command Command() => new("diff", "to come");
    public static void Show(string a, string b, int threads, Terminal terminal, CancellationToken stop) => _ = (a, b, threads, terminal, stop);
}
