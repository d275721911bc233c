using System.Text.Json;
using System.Text.RegularExpressions;
using Budwood.Checkpoints;
using Budwood.Engine;
using Budwood.Methods;
using Budwood.Methods.Generated;
using Budwood.Numbers;
using Budwood.Recipes;

namespace Budwood.Tests.Fixtures;

/// <summary>A case of <c>goldens/merge-extras</c>, run as the program runs it: the command's options, the models' names, the folder it starts in.</summary>
internal sealed partial class ExtrasCase : IDisposable
{
    public const string Pack = "goldens/merge-extras";

    private readonly TempFolder _work = new();
    private readonly JsonDocument _json;

    public ExtrasCase(string name)
    {
        Name = name;
        Folder = Path.Combine(Shared.Path(Pack), name);
        _json = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, "case.json")));
        Command = [.. Root.GetProperty("command").EnumerateArray().Select(c => c.GetString()!)];
        Directory.CreateDirectory(_work["case"]);
        if (Root.TryGetProperty("setup", out JsonElement setup))
            foreach (JsonElement step in setup.EnumerateArray())
                CopyFolder(Path.Combine(Folder, step[1].GetString()!), Path.Combine(_work["case"], step[2].GetString()!));
    }

    public string Name { get; }
    public string Folder { get; }
    public JsonElement Root => _json.RootElement;
    public IReadOnlyList<string> Command { get; }
    public string Expected => Path.Combine(Folder, "expected");
    public string Output => Path.Combine(_work["case"], "out");
    public IReadOnlyList<string> Notes { get; private set; } = [];
    public string? Strict => Root.TryGetProperty("strict", out JsonElement s) ? s.GetString() : null;
    public IReadOnlyList<string> Dropped => Texts("dropped");

    /// <summary>The exit code that is wanted of us; null where any refusal is right.</summary>
    public int? Exit => Strict is { } strict && ExitWord().Match(strict) is { Success: true } m ? m.Groups[1].ValueSpan[0] - '0'
        : Root.GetProperty("exit").GetInt32() == 0 ? 0 : null;

    public IReadOnlyList<string> Texts(string field) => Root.TryGetProperty(field, out JsonElement v) ? [.. v.EnumerateArray().Select(t => t.GetString()!)]
        : [];

    /// <summary>Runs the case; faults come out as they are.</summary>
    public RunOutcome Run()
    {
        string config = Path.Combine(Folder, Command.FirstOrDefault(c => c.EndsWith(".yaml", StringComparison.Ordinal)) ?? "config.yaml");
        MergeFile file = Root.TryGetProperty("stdout", out JsonElement printed) && !File.Exists(config) ? MergeFile.Parse(printed.GetString()!, config)
            : MergeFile.Read(config);
        List<string> allow = [];
        if (Command.Contains("--unsafe-truncate-embeddings")) allow.Add("common_rows");
        if (Command.Contains("--allow-crimes")) allow.Add("architectures");
        DType? adapterType = Word("--lora-merge-dtype") is { } word && DTypes.TryParseTorch(word, out DType type) ? type : null;
        var opened = new List<Checkpoint>();
        try
        {
            ResolvedMerge resolved = MergeChain.Resolve(file, d => d.Find(BudwoodCoreCatalogue.All.OfType<Rule>()), _ => new MergeSettings
            {
                Arithmetic = Arithmetic.Mergekit015,
                Seed = Option("--random-seed") ?? 0,
                Allow = allow,
                Open = n =>
                {
                    Checkpoint c = ModelOpener.Open(n, config, _work["case"], adapterType);
                    opened.Add(c);
                    return c;
                },
            });
            Notes = resolved.Notes;
            return Runner.Run(resolved.Plan,
                new RunOptions { Out = Output, ShardBytes = Option("--out-shard-size") ?? 5_000_000_000, Threads = 2, Configuration = file.Text },
                CancellationToken.None)!;
        }
        finally
        {
            foreach (Checkpoint c in opened) c.Dispose();
        }
    }

    private long? Option(string name) => Word(name) is { } word ? long.Parse(word, System.Globalization.CultureInfo.InvariantCulture) : null;

    private string? Word(string name)
    {
        int at = Command.ToList().IndexOf(name);
        return at < 0 ? null : Command[at + 1];
    }

    private static void CopyFolder(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string file in Directory.EnumerateFiles(from)) File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
    }

    public void Dispose()
    {
        _json.Dispose();
        _work.Dispose();
    }

    [GeneratedRegex(@"exit (\d)")]
    private static partial Regex ExitWord();
}
