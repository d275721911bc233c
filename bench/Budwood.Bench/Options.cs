using System.Globalization;
using System.Runtime.Intrinsics.X86;

namespace Budwood.Bench;

/// <summary>The words of the bench's command line, and where its tables go.</summary>
internal sealed class Options
{
    private readonly Dictionary<string, string> _named = new(StringComparer.Ordinal);
    private readonly List<string> _bare = [];

    public Options(string[] args)
    {
        for (int i = 0; i < args.Length; i++)
        {
            if (args[i].StartsWith("--", StringComparison.Ordinal) && i + 1 < args.Length) _named[args[i][2..]] = args[++i];
            else _bare.Add(args[i]);
        }
        Line = string.Join(' ', args.Select((a, i) => a == Bare(0) ? "DIR" : i > 0 && args[i - 1] is "--program" or "--results" ? "..." : a));
    }

    /// <summary>The arguments as the table shows them: folders are left out.</summary>
    public string Line { get; }

    public string Folder => Path.GetFullPath(Bare(0) ?? throw new ArgumentException("a folder is missing"));
    private string? Bare(int i) => i < _bare.Count ? _bare[i] : null;
    public int Number(string name, int other) => _named.TryGetValue(name, out string? text) ? int.Parse(text, CultureInfo.InvariantCulture) : other;
    public string[] Words(string name, string other) => _named.GetValueOrDefault(name, other).Split(',');
    public string Text(string name, string other) => _named.GetValueOrDefault(name, other);

    /// <summary>The program that is measured: by default the release build beside the bench's own.</summary>
    public string Program => _named.GetValueOrDefault("program") ?? Path.GetFullPath(Path.Join(Root(), "artifacts/bin/Budwood.Cli/release_linux-x64/budwood"));

    /// <summary>Where the tables of this machine's processor go; virtual machines call processors with and without 512-bit vectors by one name.</summary>
    public string Results => _named.GetValueOrDefault("results") ?? Path.Join(Root(), "bench/results", Slug(Machine.Processor) + (Avx2.IsSupported && !Avx512F.IsSupported ? "-without-avx512" : ""));

    private static string Root()
    {
        string? at = AppContext.BaseDirectory;
        while (at is not null && !File.Exists(Path.Join(at, "Budwood.slnx"))) at = Path.GetDirectoryName(at);
        return at ?? Environment.CurrentDirectory;
    }

    private static string Slug(string name) => string.Join('-', name.ToLowerInvariant().Split([' ', '(', ')', '@', '/', '.'], StringSplitOptions.RemoveEmptyEntries));
}
