using System.CommandLine;
using System.Text.Json.Nodes;
using Budwood.Checkpoints;
using Budwood.Engine;
using Budwood.Methods;
using Budwood.Numbers;
using Budwood.Recipes;

namespace Budwood.Cli.Verbs;

/// <summary><c>merge CONFIG OUT</c>: a mergekit file as it is.</summary>
internal static class MergeVerb
{
    public static Command Command()
    {
        var config = new Argument<string>("CONFIG") { Description = "A merge in mergekit's YAML." };
        var output = new Argument<string>("OUT") { Description = "Output folder; appears whole or not at all." };
        var adapterType = new Option<string?>("--lora-merge-dtype") { Description = "Apply adapters in this type, and not in that of the model they stand on.", HelpName = "DTYPE" };
        var command = new Command("merge") { config, output };
        SharedOptions.AddWriting(command);
        command.Options.Add(adapterType);
        SharedOptions.AddTalking(command);
        command.SetAction(p => CommandLine.Guard(p, (terminal, stop) => Merge(MergeFile.Read(p.GetValue(config)!), p.GetValue(output)!, p, terminal, stop, Type(p.GetValue(adapterType)))));
        return command;
    }

    /// <summary>Resolves, plans, runs, and shows the receipt.</summary>
    public static ExitCode Merge(MergeFile file, string output, ParseResult parsed, Terminal terminal, CancellationToken stop, DType? adapterType = null)
    {
        var opened = new List<Checkpoint>();
        var profile = new Profile();
        try
        {
            if (SharedOptions.ThreadCount(parsed) > 1 && !parsed.GetValue(SharedOptions.DryRun)) Rehearsal.Begin(file.Text, Catalogue.Rules, d => SharedOptions.Arithmetic(parsed, d.Compat));
            ResolvedMerge resolved = MergeChain.Resolve(file, document => document.Find(Catalogue.Rules), document => new MergeSettings
            {
                Arithmetic = SharedOptions.Arithmetic(parsed, document.Compat),
                Seed = parsed.GetValue(SharedOptions.Seed),
                Allow = SharedOptions.Allowed(parsed),
                Open = name =>
                {
                    Checkpoint checkpoint = ModelOpener.Open(name, file.Path, Environment.CurrentDirectory, adapterType);
                    opened.Add(checkpoint);
                    return checkpoint;
                },
            });
            foreach (string note in resolved.Notes) terminal.Say($"note: {note}");
            using var progress = new ProgressLine(terminal, resolved.Plan.Request.Rule.Card.Name);
            RunOutcome? outcome = Runner.Run(resolved.Plan, Options(parsed, output, file.Text, terminal) with
            {
                Planned = figures => ShowPlan(resolved.Plan, figures, parsed.GetValue(SharedOptions.DryRun), terminal),
                Progress = progress.Report,
                Profile = profile,
            }, stop);
            progress.Dispose();
            if (outcome is not null) ShowReceipt(outcome, output, terminal, profile: profile);
            return ExitCode.Done;
        }
        finally
        {
            foreach (Checkpoint checkpoint in opened) checkpoint.Dispose();
        }
    }

    private static DType? Type(string? word)
    {
        string[] known = ["float32", "float16", "bfloat16", "float64"];
        return word is null ? null : DTypes.TryParseTorch(word, out DType type) && type.IsArithmetic() ? type
            : throw new Fault("BW1020", ExitCode.Usage, $"--lora-merge-dtype does not know '{word}'", null, $"expected one of {string.Join(", ", known)}", Nearest.Hint(word, known));
    }

    /// <summary>The options of verbs that write a checkpoint.</summary>
    public static RunOptions Options(ParseResult parsed, string output, string configuration, Terminal terminal) => new()
    {
        Out = output,
        Force = parsed.GetValue(SharedOptions.Force),
        Threads = SharedOptions.ThreadCount(parsed),
        MemoryBytes = parsed.GetValue(SharedOptions.Memory) ?? (GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4),
        ShardBytes = parsed.GetValue(SharedOptions.ShardSize) ?? SharedOptions.DefaultShardBytes,
        DryRun = parsed.GetValue(SharedOptions.DryRun),
        CopyCode = parsed.GetValue(SharedOptions.CopyCode),
        Configuration = configuration,
        Say = terminal.Say,
    };

    private static void ShowPlan(Plan plan, PlanFigures f, bool isResult, Terminal terminal)
    {
        PlanRequest request = plan.Request;
        var lines = new List<string>
        {
            $"plan: {request.Rule.Card.Name} of {request.Models.Count} models, {f.Tensors} tensors{(f.Copies > 0 ? $" ({f.Copies} copied)" : "")}, {(request.Arithmetic == Arithmetic.Ours ? "float32 arithmetic" : "mergekit arithmetic")}",
            $"      donor of configuration and tokenizer: {plan.Donor.Label}{(request.Base is null ? " (first model; no base_model)" : " (base_model)")}",
            $"      reads {Sizes.Show(f.ReadBytes)} a pass, writes {Sizes.Show(f.WriteBytes)} in {f.Files} file{(f.Files == 1 ? "" : "s")}; {Sizes.Show(f.FreeDiskBytes)} free on disk",
            $"      memory at most {Sizes.Show(f.PeakBytes)} of {Sizes.Show(f.MemoryBytes)} allowed, {f.Threads} thread{(f.Threads == 1 ? "" : "s")}",
        };
        foreach (string line in lines)
        {
            if (isResult) terminal.Result(line);
            else terminal.Say(line);
        }
        if (isResult)
        {
            terminal.Json(new JsonObject
            {
                ["method"] = request.Rule.Card.Name, ["donor"] = plan.Donor.Label, ["tensors"] = f.Tensors, ["copies"] = f.Copies, ["read_bytes"] = f.ReadBytes,
                ["write_bytes"] = f.WriteBytes, ["files"] = f.Files, ["peak_bytes"] = f.PeakBytes, ["memory_bytes"] = f.MemoryBytes, ["threads"] = f.Threads,
            });
        }
    }

    /// <summary>What a person wants to know of a written model; with the table of the job that chose it, if one did.</summary>
    public static void ShowReceipt(RunOutcome outcome, string output, Terminal terminal, Table? table = null, Profile? profile = null)
    {
        foreach (string line in outcome.Receipt.Lines()) terminal.Result($"receipt: {line}");
        terminal.Show(outcome.Receipt.Roles);
        terminal.Result($"digest:  {outcome.Receipt.Digest}");
        terminal.Result($"written: {output} ({outcome.Files.Count} weight file{(outcome.Files.Count == 1 ? "" : "s")}, {outcome.Elapsed.TotalSeconds:0.00} s)");
        JsonObject json = Runner.ReceiptJson(outcome.Receipt);
        json["digest"] = outcome.Receipt.Digest.ToString();
        json["out"] = output;
        json["files"] = new JsonArray([.. outcome.Files.Select(f => (JsonNode)JsonValue.Create(f))]);
        json["resumed"] = new JsonObject { ["shards"] = outcome.Resumed.Shards, ["of"] = outcome.Resumed.Of };
        json["parents"] = Runner.ParentsJson(outcome.Parents);
        json["seconds"] = outcome.Elapsed.TotalSeconds;
        if (profile is not null) json["profile"] = profile.ToJson();
        if (table is not null) json[table.Name] = TableJson.Of(table);
        terminal.Json(json);
    }
}
