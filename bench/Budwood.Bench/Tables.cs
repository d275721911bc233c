using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Budwood.Bench;

/// <summary>A Markdown table with what it took to make it.</summary>
internal sealed class ResultTable(Options options, string name, string title)
{
    private readonly StringBuilder _text = new();

    public void Head(params string[] columns)
    {
        _text.AppendLine("| " + string.Join(" | ", columns) + " |");
        _text.AppendLine("| " + string.Join(" | ", columns.Select((_, i) => i == 0 ? "---" : "---:")) + " |");
    }

    public void Row(params object[] cells)
    {
        string line = "| " + string.Join(" | ", cells.Select(c => c is double d ? double.IsNaN(d) ? "" : d.ToString(d < 10 ? "0.00" : "0.0", CultureInfo.InvariantCulture) : c.ToString())) + " |";
        _text.AppendLine(line);
        Console.WriteLine(line);
    }

    public void Save(string note)
    {
        Directory.CreateDirectory(options.Results);
        string command = $"dotnet run -c Release --project bench/Budwood.Bench -- {name} {options.Line}".TrimEnd();
        string text = $"# {title}\n\n    {command}\n\n{Machine.Processor}, {Environment.ProcessorCount} cores, .NET {Environment.Version}; load average at the end {Machine.Load}. {note}\n\n{_text}";
        File.WriteAllText(Path.Join(options.Results, options.Text("as", name) + ".md"), text);
        Console.WriteLine(command);
    }

    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }
}

/// <summary>Runs the measured program.</summary>
internal sealed class Subject(Options options)
{
    private string Home => Path.Join(options.Folder, "home");
    private string Out => Path.Join(options.Folder, "out");

    public Taken Merge(string folder, string method, params string[] more)
    {
        if (Directory.Exists(Out)) Directory.Delete(Out, recursive: true);
        Directory.CreateDirectory(Home);
        Taken taken = Machine.Run(options.Program, ["merge", MergeFiles.Write(folder, method), Out, "-q", "--json", .. more], new Dictionary<string, string> { ["BUDWOOD_HOME"] = Home });
        return taken;
    }

    /// <summary>Digests of the inputs are made anew by the next run.</summary>
    public void Forget()
    {
        if (Directory.Exists(Home)) Directory.Delete(Home, recursive: true);
    }

    /// <summary>Reads every input once and writes one of them anew, with direct writes and a sync: what no merge can beat by much.</summary>
    public double CopyLimit(IReadOnlyList<string> models)
    {
        if (Directory.Exists(Out)) Directory.Delete(Out, recursive: true);
        Directory.CreateDirectory(Out);
        double seconds = 0;
        foreach (string file in models.Skip(1).SelectMany(m => Directory.GetFiles(Path.Join(options.Folder, m), "*.safetensors")).Order(StringComparer.Ordinal))
            seconds += Machine.Run("dd", [$"if={file}", "of=/dev/null", "bs=1M"]).Seconds;
        foreach (string file in Directory.GetFiles(Path.Join(options.Folder, models[0]), "*.safetensors").Order(StringComparer.Ordinal))
            seconds += Machine.Run("dd", [$"if={file}", $"of={Path.Join(Out, Path.GetFileName(file))}", "bs=4M", "oflag=direct", "conv=fsync"]).Seconds;
        return seconds;
    }

    public static string Phases(string json)
    {
        if (JsonNode.Parse(json)?["profile"]?["phases"] is not JsonArray phases) return "";
        return string.Join(", ", phases.Select(p => $"{p!["phase"]} {p["thread_seconds"]!.GetValue<double>():0.0}"));
    }
}

/// <summary>Each method beside the copy limit, in turn.</summary>
internal sealed class MergeTable(Options options)
{
    public void Run()
    {
        var subject = new Subject(options);
        var table = new ResultTable(options, "merge", "Merges beside the copy limit");
        int pairs = options.Number("pairs", 5);
        table.Head("method", "inputs", "ratio (median)", "at most", "seconds min / median / max", "copy limit s", "first run s (digests inputs)", "CPU s", "peak MB");
        foreach (string method in options.Words("methods", MergeFiles.All))
        {
            IReadOnlyList<string> models = MergeFiles.Models(method);
            subject.Forget();
            Taken first = subject.Merge(options.Folder, method);
            var runs = new List<Taken>();
            var limits = new List<double>();
            for (int i = 0; i < pairs; i++)
            {
                limits.Add(subject.CopyLimit(models));
                runs.Add(subject.Merge(options.Folder, method));
            }
            table.Row(method, models.Count, ResultTable.Median(runs.Select((r, i) => r.Seconds / limits[i])), MergeFiles.Target(method),
                string.Create(CultureInfo.InvariantCulture, $"{runs.Min(r => r.Seconds):0.00} / {ResultTable.Median(runs.Select(r => r.Seconds)):0.00} / {runs.Max(r => r.Seconds):0.00}"),
                ResultTable.Median(limits), first.Seconds, ResultTable.Median(runs.Select(r => r.CpuSeconds)), runs.Max(r => r.PeakMegabytes));
            Console.WriteLine("    " + Subject.Phases(runs[^1].Output));
        }
        table.Save($"{pairs} pairs each, copy limit and method in turn; digests, receipt and sync on; digests of inputs known, but for the column that says otherwise.");
    }
}

/// <summary>One way of running a method beside another, in turn.</summary>
internal sealed class PairTable(Options options, string name, string one, string other, string[] ofOne, string[] ofOther)
{
    public void Run()
    {
        var subject = new Subject(options);
        var table = new ResultTable(options, name, $"{one} beside {other}");
        int pairs = options.Number("pairs", 3);
        table.Head("method", $"{one} / {other} (median ratio)", $"{one} s", $"{other} s", $"{one} CPU s", $"{other} CPU s");
        foreach (string method in options.Words("methods", "linear,slerp,task_arithmetic,ties,dare_ties,della,breadcrumbs,sce,model_stock"))
        {
            subject.Merge(options.Folder, method);
            var ones = new List<Taken>();
            var others = new List<Taken>();
            for (int i = 0; i < pairs; i++)
            {
                ones.Add(subject.Merge(options.Folder, method, ofOne));
                others.Add(subject.Merge(options.Folder, method, ofOther));
            }
            table.Row(method, ResultTable.Median(ones.Select((t, i) => t.Seconds / others[i].Seconds)), ResultTable.Median(ones.Select(t => t.Seconds)),
                ResultTable.Median(others.Select(t => t.Seconds)), ResultTable.Median(ones.Select(t => t.CpuSeconds)), ResultTable.Median(others.Select(t => t.CpuSeconds)));
        }
        table.Save($"{pairs} pairs each, in turn.");
    }
}

/// <summary>Time per byte as models grow.</summary>
internal sealed class GrowthTable(Options options)
{
    public void Run()
    {
        var subject = new Subject(options);
        var table = new ResultTable(options, "growth", "Time per byte as models grow");
        int pairs = options.Number("pairs", 3);
        table.Head("method", "layers", "output GB", "seconds (median)", "s per GB of output", "CPU s per GB", "peak MB");
        foreach (int layers in options.Words("layers", "0,4,22,66").Select(l => int.Parse(l, CultureInfo.InvariantCulture)))
        {
            string folder = Path.Join(options.Folder, $"layers-{layers}");
            Models.Write(folder, layers);
            double gigabytes = Models.Parameters(layers) * 2 / 1e9;
            foreach (string method in options.Words("methods", "linear,ties"))
            {
                subject.Merge(folder, method);
                Taken[] runs = [.. Enumerable.Range(0, pairs).Select(_ => subject.Merge(folder, method))];
                double seconds = ResultTable.Median(runs.Select(r => r.Seconds));
                table.Row(method, layers, gigabytes, seconds, seconds / gigabytes, ResultTable.Median(runs.Select(r => r.CpuSeconds)) / gigabytes, runs.Max(r => r.PeakMegabytes));
            }
            Directory.Delete(folder, recursive: true);
        }
        table.Save($"{pairs} runs each.");
    }
}

/// <summary>How long the program takes to say something.</summary>
internal sealed class StartupTable(Options options)
{
    public void Run()
    {
        var table = new ResultTable(options, "startup", "Start-up");
        int times = options.Number("times", 40);
        table.Head("command", "at most ms", "ms min", "ms median", "ms max", "CPU ms");
        string model = Path.Join(options.Folder, "base");
        foreach ((string name, double most, string[] arguments) in new (string, double, string[])[] { ("budwood --help", 100, ["--help"]), ("budwood inspect MODEL", 300, ["inspect", model]), ("budwood methods", double.NaN, ["methods"]) })
        {
            Taken[] runs = [.. Enumerable.Range(0, times).Select(_ => Machine.Run(options.Program, arguments))];
            table.Row(name, most, 1e3 * runs.Min(r => r.Seconds), 1e3 * ResultTable.Median(runs.Select(r => r.Seconds)), 1e3 * runs.Max(r => r.Seconds), 1e3 * ResultTable.Median(runs.Select(r => r.CpuSeconds)));
        }
        table.Save($"{times} runs each, of {options.Text("what", "the release build")}.");
    }
}
