using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace Budwood.Cli;

/// <summary>How loud the program is.</summary>
internal enum Loudness { Quiet, Normal, Verbose }

/// <summary>Where words go: results to standard output, everything else to standard error and, if asked for, to a log file.</summary>
internal sealed class Terminal : IDisposable
{
    /// <summary>How JSON is printed.</summary>
    public static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private readonly StreamWriter? _log;
    private readonly Lock _lock = new();
    private string _progress = "";

    public Terminal(Loudness loudness, string? logFile, bool json)
    {
        Loudness = loudness;
        IsJson = json;
        if (logFile is not null) _log = new StreamWriter(logFile, append: true) { AutoFlush = true };
    }

    public Loudness Loudness { get; }

    /// <summary>Results are one JSON document; nothing else goes to standard output.</summary>
    public bool IsJson { get; }

    public static bool ErrorIsInteractive => !System.Console.IsErrorRedirected && Environment.GetEnvironmentVariable("TERM") != "dumb";

    private static bool Colours(bool redirected) => !redirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));

    /// <summary>A line of result.</summary>
    public void Result(string line)
    {
        if (IsJson) return;
        lock (_lock)
        {
            Clear();
            System.Console.Out.WriteLine(line);
        }
    }

    /// <summary>The result as JSON, when it was asked for.</summary>
    public void Json(JsonNode node)
    {
        if (IsJson) System.Console.Out.WriteLine(node.ToJsonString(Indented));
    }

    /// <summary>A line about what is going on.</summary>
    public void Say(string line) => Error(line, Loudness.Normal);

    /// <summary>A line for those who asked for detail.</summary>
    public void Detail(string line) => Error(line, Loudness.Verbose);

    /// <summary>A line that even a quiet run prints.</summary>
    public void Complain(string line) => Error(line, Loudness.Quiet);

    private void Error(string line, Loudness at)
    {
        lock (_lock)
        {
            _log?.WriteLine($"{DateTimeOffset.UtcNow.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture)} {line}");
            if (Loudness < at) return;
            Clear();
            System.Console.Error.WriteLine(line);
        }
    }

    /// <summary>The four parts of a fault, one a line.</summary>
    public void Complain(Fault fault)
    {
        foreach (Fault one in fault.All.Count > 0 ? fault.All : [fault])
        {
            bool colour = Colours(System.Console.IsErrorRedirected);
            Complain($"{(colour ? "\e[1;31merror\e[0m" : "error")}[{one.Code}]: {(one.Where is null ? "" : one.Where + ": ")}{one.What}");
            if (one.Found is not null) Complain($"  found: {(one.Found.StartsWith("found ", StringComparison.Ordinal) ? one.Found["found ".Length..] : one.Found)}");
            if (one.Next is not null) Complain($"  next:  {one.Next}");
        }
        if (fault.All.Count > 1) Complain($"{fault.All.Count} problems; nothing was written.");
    }

    /// <summary>Replaces the line of progress; empty takes it away. Only on a terminal.</summary>
    public void Progress(string line)
    {
        if (Loudness == Loudness.Quiet) return;
        lock (_lock)
        {
            if (line == _progress) return;
            Clear();
            System.Console.Error.Write(line);
            _progress = line;
        }
    }

    private void Clear()
    {
        if (_progress.Length == 0) return;
        System.Console.Error.Write("\r\e[K");
        _progress = "";
    }

    /// <summary>Characters that a line of results has: as many as the terminal shows, any number in a pipe.</summary>
    public static int Width
    {
        get
        {
            try
            {
                return System.Console.IsOutputRedirected || System.Console.WindowWidth <= 0 ? int.MaxValue : System.Console.WindowWidth;
            }
            catch (Exception e) when (e is IOException or PlatformNotSupportedException)
            {
                return int.MaxValue;
            }
        }
    }

    /// <summary>An aligned table on standard output: numbers to the right. A pipe gets a heading and rows, without rules, colours or wrapping.</summary>
    /// <param name="colour">Colour of a cell, on terminals that have colours; null for none.</param>
    public void Show(Table table, Func<string, string?>? colour = null)
    {
        if (IsJson) return;
        lock (_lock)
        {
            Clear();
            if (System.Console.IsOutputRedirected)
            {
                Plain(table);
                return;
            }
            IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
            {
                Ansi = Colours(redirected: false) ? AnsiSupport.Detect : AnsiSupport.No,
                ColorSystem = Colours(redirected: false) ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
                Out = new AnsiConsoleOutput(System.Console.Out),
            });
            var grid = new Spectre.Console.Table { Border = TableBorder.Simple, UseSafeBorder = false, ShowRowSeparators = false };
            foreach (Column column in table.Columns)
            {
                string head = Markup.Escape(Head(column));
                grid.AddColumn(new TableColumn($"[bold]{head}[/]") { Alignment = column.Numeric ? Justify.Right : Justify.Left, NoWrap = column.Numeric });
            }
            foreach (object?[] row in table.Rows) grid.AddRow(row.Select(c => Table.Show(c) is var text && colour?.Invoke(text) is { } own ? new Text(text, new Style(Color.FromHex(own))) : new Text(text)));
            console.Write(grid);
        }
    }

    private static void Plain(Table table)
    {
        string[][] rows = [[.. table.Columns.Select(Head)], .. table.Rows.Select(r => Array.ConvertAll(r, c => Table.Show(c).ReplaceLineEndings(" ")))];
        int[] widths = [.. table.Columns.Select((_, i) => rows.Max(r => r[i].Length))];
        var text = new StringBuilder();
        foreach (string[] row in rows)
        {
            for (int i = 0; i < row.Length; i++) text.Append(table.Columns[i].Numeric ? row[i].PadLeft(widths[i]) : row[i].PadRight(widths[i])).Append("  ");
            while (text.Length > 0 && text[^1] == ' ') text.Length--;
            text.Append('\n');
        }
        System.Console.Out.Write(text);
    }

    private static string Head(Column column) => column.Unit is null ? column.Name : $"{column.Name} ({column.Unit})";

    public void Dispose()
    {
        lock (_lock) Clear();
        _log?.Dispose();
    }
}
