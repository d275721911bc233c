using System.CommandLine;
using System.CommandLine.Parsing;
using Budwood.Methods;
using Budwood.Recipes;

namespace Budwood.Cli;

/// <summary>Options that mean the same with every verb.</summary>
internal static class SharedOptions
{
    public static readonly Option<bool> Quiet = new("--quiet", "-q") { Description = "Print results and errors only." };
    public static readonly Option<bool> Verbose = new("--verbose", "-v") { Description = "Print details." };
    public static readonly Option<bool> Json = new("--json") { Description = "Print the result as one JSON document." };
    public static readonly Option<FileInfo?> LogFile = new("--log-file") { Description = "Append everything that is said to a file.", HelpName = "FILE" };
    public static readonly Option<int> Threads = new("--threads") { Description = "Threads to use. The result does not depend on it.", DefaultValueFactory = _ => Environment.ProcessorCount, HelpName = "N" };
    public static readonly Option<long?> Memory = new("--memory")
    {
        Description = "Memory that the process may take, such as 500MB or 4GB [default: a quarter of the machine].", HelpName = "SIZE", CustomParser = Size,
    };
    public static readonly Option<long?> ShardSize = new("--shard-size")
    {
        Description = "Bytes of tensors in one output file; a bare number is bytes, 5GB is 5e9 [default: 5GB].", HelpName = "SIZE", CustomParser = Size,
    };

    /// <summary>Bytes of one output file when nothing is said.</summary>
    public const long DefaultShardBytes = 5_000_000_000;
    public static readonly Option<long> Seed = new("--seed") { Description = "Seed of everything random.", DefaultValueFactory = _ => 0, HelpName = "N" };
    public static readonly Option<bool> Force = new("--force") { Description = "Replace what stands at OUT (the finished folder is swapped in)." };
    public static readonly Option<bool> DryRun = new("--dry-run") { Description = "Check, plan, print the plan, and end." };
    public static readonly Option<bool> CopyCode = new("--copy-code") { Description = "Copy the donor's *.py files too. They are never run." };
    public static readonly Option<string[]> Allow = new("--allow")
    {
        Description = $"Turn errors into warnings: {string.Join(", ", MergeResolver.AllowWords)} (comma-separated).", HelpName = "WORDS", AllowMultipleArgumentsPerToken = false,
    };
    public static readonly Option<string?> Compat = new("--compat") { Description = "Compute as a peer does, number by number: mergekit (0.1.4) or mergekit@0.1.5.", HelpName = "PEER" };
    public static readonly Option<DirectoryInfo?> Out = new("--out", "-o") { Description = "Output folder.", HelpName = "OUT" };

    /// <summary>Options of verbs that print.</summary>
    public static void AddTalking(Command command)
    {
        foreach (Option option in new Option[] { Json, Quiet, Verbose, LogFile }) command.Options.Add(option);
    }

    /// <summary>Options of verbs that write a checkpoint.</summary>
    public static void AddWriting(Command command)
    {
        foreach (Option option in new Option[] { Threads, Memory, ShardSize, Seed, Force, DryRun, CopyCode, Allow, Compat }) command.Options.Add(option);
    }

    public static Terminal Terminal(ParseResult parsed) => new(
        parsed.GetValue(Quiet) ? Loudness.Quiet : parsed.GetValue(Verbose) ? Loudness.Verbose : Loudness.Normal, parsed.GetValue(LogFile)?.FullName, parsed.GetValue(Json));

    public static IReadOnlyList<string> Allowed(ParseResult parsed)
    {
        string[] words = [.. (parsed.GetValue(Allow) ?? []).SelectMany(w => w.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))];
        foreach (string word in words)
            if (!MergeResolver.AllowWords.Contains(word)) throw new Fault("BW1003", ExitCode.Usage, $"--allow does not know '{word}'", null, null, Nearest.Hint(word, MergeResolver.AllowWords));
        return words;
    }

    /// <summary>The arithmetic that the command line, or else the file, asks for.</summary>
    public static Arithmetic Arithmetic(ParseResult parsed, (string Text, YamlNode Node)? file)
    {
        string? word = parsed.GetValue(Compat) ?? file?.Text;
        return word switch
        {
            null => Methods.Arithmetic.Ours,
            "mergekit" or "mergekit@0.1.4" => Methods.Arithmetic.Mergekit014,
            "mergekit@0.1.5" => Methods.Arithmetic.Mergekit015,
            _ => throw new Fault("BW1004", ExitCode.Usage, $"compat does not know '{word}'", parsed.GetValue(Compat) is null ? file?.Node.Where : null, null,
                Nearest.Hint(word, ["mergekit", "mergekit@0.1.4", "mergekit@0.1.5"])),
        };
    }

    public static int ThreadCount(ParseResult parsed) => parsed.GetValue(Threads) is var n and > 0 and <= 1024 ? n : throw new Fault("BW1005", ExitCode.Usage, "--threads must lie between 1 and 1024", null, $"found {parsed.GetValue(Threads)}");

    private static long? Size(ArgumentResult result)
    {
        string text = result.Tokens.Count > 0 ? result.Tokens[0].Value : "";
        if (Sizes.TryParse(text, out long bytes) && bytes > 0) return bytes;
        result.AddError($"'{text}' is not a size: write bytes, or a number with KB, MB, GB, KiB, MiB or GiB");
        return null;
    }
}
