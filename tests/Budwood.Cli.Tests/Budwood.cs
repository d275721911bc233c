using System.Diagnostics;
using System.Text;

namespace Budwood.Cli.Tests;

/// <summary>What a run of the program gave.</summary>
internal sealed record Ran(int Exit, string Out, string Err)
{
    public string All => Out + Err;
}

/// <summary>Runs the program as its users do: as a process of its own.</summary>
internal static class Program
{
    private static readonly string s_dll = Path.Join(AppContext.BaseDirectory, "budwood.dll");

    public static Ran Run(string folder, params string[] arguments) => Run(folder, null, arguments);

    public static Ran Run(string folder, IReadOnlyDictionary<string, string>? environment, params string[] arguments)
    {
        using Process process = Start(folder, environment, arguments);
        Task<string> error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new Ran(process.ExitCode, output, error.Result);
    }

    public static Process Start(string folder, IReadOnlyDictionary<string, string>? environment, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true, StandardOutputEncoding = Encoding.UTF8, StandardErrorEncoding = Encoding.UTF8 };
        start.ArgumentList.Add(s_dll);
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        // Digests are cached per user; a test's own cache keeps runs apart.
        start.Environment["BUDWOOD_HOME"] = Path.Join(folder, ".budwood-home");
        foreach ((string key, string value) in environment ?? new Dictionary<string, string>()) start.Environment[key] = value;
        return Process.Start(start)!;
    }
}
