using System.CommandLine;
using System.Diagnostics;
using Budwood.Recipes.Steps;

namespace Budwood.Cli;

/// <summary>Local processes that share a work list; each takes what no other makes.</summary>
internal static class LocalJobs
{
    public static void Run(WorkList list, int jobs, ParseResult parsed, Terminal terminal, CancellationToken stop)
    {
        string folder = Directory.CreateTempSubdirectory("budwood-work-").FullName;
        var running = new List<Process>();
        try
        {
            string plan = Path.Join(folder, "plan.json");
            list.Write(plan, replace: true);
            int threads = Math.Max(1, SharedOptions.ThreadCount(parsed) / jobs);
            for (int k = 0; k < jobs; k++)
            {
                ProcessStartInfo start = Own(["work", plan, "--from", $"{(long)k * list.Items.Count / jobs}", "--threads", $"{threads}", "-q"]);
                if (parsed.GetValue(SharedOptions.Memory) is { } bytes)
                {
                    start.ArgumentList.Add("--memory");
                    start.ArgumentList.Add($"{bytes / jobs}");
                }
                running.Add(Process.Start(start)!);
            }
            terminal.Detail($"{jobs} processes work on {list.Items.Count} items");
            using CancellationTokenRegistration end = stop.Register(() =>
            {
                foreach (Process one in running) Kill(one);
            });
            foreach (Process one in running) one.WaitForExit();
            stop.ThrowIfCancellationRequested();
            // A failed process has said why; running on alone would say it again, or finish what it left.
            if (running.FirstOrDefault(p => p.ExitCode is not 0) is { } failed)
                throw new Fault("BW3522", (ExitCode)failed.ExitCode, $"a worker ended with exit code {failed.ExitCode}", null, null, "Its message stands above; what is finished is kept.");
        }
        finally
        {
            foreach (Process one in running)
            {
                Kill(one);
                one.Dispose();
            }
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Kill(Process one)
    {
        try
        {
            if (!one.HasExited) one.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It has just ended.
        }
    }

    // This program again: its own file, or the host with the assembly.
    private static ProcessStartInfo Own(IReadOnlyList<string> words)
    {
        string own = Environment.ProcessPath!;
        bool host = Path.GetFileNameWithoutExtension(own) == "dotnet";
        var start = new ProcessStartInfo(own) { UseShellExecute = false };
        if (host) start.ArgumentList.Add(Path.Join(AppContext.BaseDirectory, "budwood.dll"));
        foreach (string word in words) start.ArgumentList.Add(word);
        return start;
    }
}
