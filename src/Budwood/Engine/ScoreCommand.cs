using System.Diagnostics;
using System.Globalization;

namespace Budwood.Engine;

/// <summary>A command line of the user's that prints a number for a model: run in the system's shell, ended with all it started when the run is stopped.</summary>
internal static class ScoreCommand
{
    public const string Placeholder = "{model}";

    /// <summary>Runs the command on a model and reads the last line of what it prints; what it writes to standard error is seen as it comes.</summary>
    /// <param name="label">The model in messages.</param>
    public static double Run(string command, string model, string label, CancellationToken stop)
    {
        if (!command.Contains(Placeholder, StringComparison.Ordinal)) throw EngineFaults.ScoreWithoutModel(command);
        stop.ThrowIfCancellationRequested();
        using Process process = Start(command.Replace(Placeholder, Quote(model), StringComparison.Ordinal));
        string last;
        using (stop.Register(() => Kill(process)))
        {
            process.StandardInput.Close();
            last = LastLine(process.StandardOutput, stop);
            process.WaitForExit();
        }
        // Ctrl-C reaches the command as well as us, and may end it before we are told.
        if (process.ExitCode != 0) stop.WaitHandle.WaitOne(200);
        stop.ThrowIfCancellationRequested();
        if (process.ExitCode != 0) throw EngineFaults.ScoreFailed(command, label, process.ExitCode, last);
        return double.TryParse(last, NumberStyles.Float, CultureInfo.InvariantCulture, out double score) && double.IsFinite(score) ? score
            : throw EngineFaults.ScoreIsNoNumber(command, label, last);
    }

    private static Process Start(string line)
    {
        var start = new ProcessStartInfo { RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false };
        if (OperatingSystem.IsWindows())
        {
            start.FileName = "cmd";
            start.Arguments = $"/d /s /c \"{line}\""; // cmd takes the outer quotes off and reads the rest as it stands
        }
        else
        {
            start.FileName = "/bin/sh";
            start.ArgumentList.Add("-c");
            start.ArgumentList.Add(line);
        }
        return Process.Start(start)!;
    }

    private static string Quote(string path) => OperatingSystem.IsWindows() ? $"\"{path}\"" : $"'{path.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    private static string LastLine(StreamReader output, CancellationToken stop)
    {
        string last = "";
        while (output.ReadLineAsync(stop).AsTask().GetAwaiter().GetResult() is { } line)
            if (line.Trim() is { Length: > 0 } text) last = text;
        return last;
    }

    private static void Kill(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception or AggregateException)
        {
            // It had ended by itself.
        }
    }
}
