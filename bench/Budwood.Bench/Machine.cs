using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Budwood.Bench;

/// <summary>What a process took.</summary>
internal readonly record struct Taken(double Seconds, double CpuSeconds, double PeakMegabytes, string Output);

/// <summary>Runs processes and measures them from outside.</summary>
internal static partial class Machine
{
    public static string Processor { get; } = File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim() ?? "unknown";

    public static string Load => string.Join(' ', File.ReadAllText("/proc/loadavg").Split(' ')[..3]);

    /// <summary>Runs a program to its end. The peak is the kernel's own high-water mark, read every few milliseconds while it lives.</summary>
    public static Taken Run(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        double before = ChildrenCpu();
        var clock = Stopwatch.StartNew();
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        double peak = 0;
        using var watch = new Timer(_ => peak = Math.Max(peak, HighWater(process.Id)), null, 0, 5);
        process.WaitForExit();
        double seconds = clock.Elapsed.TotalSeconds;
        watch.Change(Timeout.Infinite, Timeout.Infinite);
        if (process.ExitCode != 0) throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}: {error.Result}{output.Result}");
        return new(seconds, ChildrenCpu() - before, peak, output.Result);
    }

    private static double HighWater(int process)
    {
        try
        {
            string? line = File.ReadLines($"/proc/{process}/status").FirstOrDefault(l => l.StartsWith("VmHWM", StringComparison.Ordinal));
            return line is null ? 0 : double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024 / 1e6;
        }
        catch (IOException)
        {
            return 0; // it has ended
        }
    }

    private static double ChildrenCpu()
    {
        Span<long> usage = stackalloc long[18];
        getrusage(-1, ref usage[0]);
        return usage[0] + usage[2] + ((usage[1] + usage[3]) / 1e6);
    }

    [LibraryImport("libc")]
    private static partial int getrusage(int who, ref long usage);
}
