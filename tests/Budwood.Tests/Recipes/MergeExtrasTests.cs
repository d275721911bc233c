using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Budwood.Checkpoints;
using Budwood.Numbers;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Recipes;

/// <summary>What stands around the arithmetic of a merge, against the peer's outputs: configuration, files, templates, documents, architectures,
/// refusals.</summary>
public sealed class MergeExtrasTests
{
    private static readonly string[] s_groups = ["arch-", "auto-", "bin-", "chat-", "dtype-", "err-", "files-", "legacy-", "lora-", "multi-", "v015-"];

    /// <summary>Cases of other groups: what they ask for is no part of a merge file.</summary>
    private static readonly Dictionary<string, string> s_elsewhere = new()
    {
        ["err-flag"] = "an option of the command line",
        ["files-bin"] = "an option of the command line, which does not exist",
        ["multi-no-out"] = "an argument of the command line",
    };

    /// <summary>Cases that wait for the alignment of vocabularies; till then they are refused with exit 3.</summary>
    private static readonly string[] s_unaligned = ["chat-auto", "chat-auto-tie"];

    /// <summary>Cases that do not agree yet, with what is missing; the test holds them to disagreeing, so that the list stays true.</summary>
    private static readonly Dictionary<string, string> s_open = new()
    {
        ["dtype-float64-none"] = "sums are kept in float32 whatever 'dtype' says; the peer computes in float64",
    };

    /// <summary>Files that we write and the peer does not, where the donor has them.</summary>
    private static readonly string[] s_alsoOurs = ["run.json", "README.md", "mergekit_config.yml", "LICENSE", "preprocessor_config.json"];

    public static IEnumerable<TheoryDataRow<string>> Cases()
    {
        string? root = null;
        try
        {
            root = Shared.Path(ExtrasCase.Pack);
        }
        catch (Exception e) when (e.GetType().Name.Contains("Skip", StringComparison.Ordinal))
        {
            // Not at hand: one case stands for all, and is skipped with the reason.
        }
        return root is null ? [new TheoryDataRow<string>("arch-bert-linear")]
            : [.. Directory.EnumerateDirectories(root).Select(d => Path.GetFileName(d)!)
                .Where(n => s_groups.Any(g => n.StartsWith(g, StringComparison.Ordinal))).Order(StringComparer.Ordinal)
                .Select(n => new TheoryDataRow<string>(n) { Skip = s_elsewhere.GetValueOrDefault(n) })];
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_case_comes_out_as_the_peers_or_as_is_wanted(string name)
    {
        using var at = new ExtrasCase(name);
        int? wanted = at.Exit;
        if (name == "err-out-exists") wanted = 2;
        if (s_unaligned.Contains(name)) wanted = 3;
        if (at.Strict is { } strict && (strict.StartsWith("works", StringComparison.Ordinal) || strict.StartsWith("never asks", StringComparison.Ordinal)
            || strict.StartsWith("needs no cache", StringComparison.Ordinal))) wanted = 0;
        Fault? fault = null;
        try
        {
            at.Run();
        }
        catch (Fault f)
        {
            fault = f;
        }
        int exit = fault is null ? 0 : (int)fault.Exit;
        Assert.True(wanted is { } w ? exit == w : exit is 2 or 3, $"exit {exit} for {wanted?.ToString() ?? "2 or 3"}: {fault?.Message}");
        if (fault is not null)
        {
            Assert.True(fault.What.Length > 0 && (fault.Where ?? fault.Found) is not null
                && !Directory.Exists(at.Output) | name == "err-out-exists", fault.Message);
            return;
        }
        var wrong = new List<string>();
        if (Directory.Exists(at.Expected) && Directory.EnumerateFiles(at.Expected, "*.safetensors").Any())
        {
            Tensors(at, wrong);
            Config(at, wrong);
            Files(at, wrong);
        }
        if (at.Root.TryGetProperty("chat", out JsonElement chat)) Chat(at, chat, wrong);
        if (s_open.TryGetValue(name, out string? missing)) Assert.True(wrong.Count > 0, $"agrees now, take it off the list: {missing}");
        else Assert.True(wrong.Count == 0, string.Join("\n", wrong.Take(12)));
    }

    private static void Tensors(ExtrasCase at, List<string> wrong)
    {
        TensorTable ours = TensorTable.Of(at.Output), theirs = TensorTable.Of(at.Expected);
        string[] split = [.. Directory.EnumerateFiles(at.Expected, "*.safetensors").Select(f => Path.GetFileName(f)!).Order()];
        if (!split.SequenceEqual(Directory.EnumerateFiles(at.Output, "*.safetensors").Select(f => Path.GetFileName(f)!).Order()))
            wrong.Add("the split into files differs");
        string[] lost = [.. theirs.Names.Except(ours.Names)], more = [.. ours.Names.Except(theirs.Names)];
        if (lost.Length > 0) wrong.Add($"lost: {string.Join(", ", lost)}");
        // What the peer drops is kept where that is wanted.
        string[] strange = at.Strict is null && at.Name != "auto-vit-ties" ? more
            : [.. more.Except(at.Dropped)
            .Where(m => !at.Dropped.Contains(m.Replace("LayerNorm.weight", "LayerNorm.gamma").Replace("LayerNorm.bias", "LayerNorm.beta")))];
        if (strange.Length > 0) wrong.Add($"not in the peer's: {string.Join(", ", strange)}");
        string[] common = [.. theirs.Names.Intersect(ours.Names)];
        if (at.Name == "auto-planted-slices")
        {
            // Wanted of us: what follows the layers is the last slice's.
            string[] after = ["model.norm.weight", "lm_head.weight"];
            TensorTable last = TensorTable.Of(Path.Combine(at.Folder, "../inputs/ar-planted-ft1"));
            if (ours.Judge(last, after, at.Root.GetProperty("check")) is { } tail) wrong.Add(tail);
            common = [.. common.Except(after)];
        }
        if (ours.Judge(theirs, common, at.Root.GetProperty("check")) is { } how) wrong.Add(how);
    }

    private static void Config(ExtrasCase at, List<string> wrong)
    {
        var ours = ModelConfig.Read(Path.Combine(at.Output, "config.json"));
        TensorTable stored = TensorTable.Of(at.Output);
        // The fields follow the weights, also where the peer leaves the donor's.
        DType[] types = [.. stored.Names.Select(n => stored[n].Type).Where(t => t.IsFloat()).GroupBy(t => t).OrderByDescending(g => g.Count())
            .Select(g => g.Key)];
        foreach (JsonProperty field in at.Root.GetProperty("config").EnumerateObject())
        {
            string want = field.Value.GetRawText(), got = field.Name == "dtype" ? $"\"{ours.DTypeText}\"" : ours.TryGet(field.Name, out JsonElement v)
                ? v.GetRawText() : "absent";
            if (field.Name == "dtype") want = $"\"{types[0].TorchName()}\"";
            if (field.Name == "vocab_size" && stored.Names.Contains("model.embed_tokens.weight"))
                want = $"{stored["model.embed_tokens.weight"].Shape[0]}";
            if (at.Name == "auto-planted-slices" && field.Name == "num_hidden_layers") want = "3";
            if (field.Name == "tie_word_embeddings" && got == "absent") got = ours.TiesEmbeddings ? "true" : "false";
            if (Plain(want) != Plain(got)) wrong.Add($"config.json: {field.Name} is {got}, to be {want}");
        }
    }

    private static string Plain(string json) => json.Replace(" ", "", StringComparison.Ordinal).Replace("\n", "", StringComparison.Ordinal);

    private static void Files(ExtrasCase at, List<string> wrong)
    {
        string[] ours = [.. Directory.EnumerateFiles(at.Output).Select(f => Path.GetFileName(f)!)];
        bool invented = at.Root.TryGetProperty("invented_tokenizer", out JsonElement i) && i.GetBoolean();
        string[] theirs = [.. at.Texts("files").Where(f => !(invented && f.StartsWith("tokenizer", StringComparison.Ordinal)))];
        bool copied = at.Name == "chat-copied";
        // One template: of several the first, in the file that wins everywhere.
        string[] lost = [.. theirs.Except(ours).Where(f => f != "chat_template.json")];
        if (lost.Length > 0) wrong.Add($"files that are not there: {string.Join(", ", lost)}");
        string[] more = [.. ours.Except(theirs).Except(s_alsoOurs)];
        if (at.Name == "files-nobase") more = [.. more.Except(Directory.EnumerateFiles(Path.Combine(at.Folder, "../inputs/full-base"))
            .Select(f => Path.GetFileName(f)!))];
        if (more.Length > 0) wrong.Add($"files that the peer has not: {string.Join(", ", more)}");
        foreach (string file in ours.Where(f => File.Exists(Path.Combine(at.Expected, f))))
        {
            bool plain = at.Name.StartsWith("files-", StringComparison.Ordinal) || copied;
            if (!plain || file.EndsWith(".safetensors", StringComparison.Ordinal)
                || file is "config.json" or "README.md" or "model.safetensors.index.json") continue;
            if (!File.ReadAllBytes(Path.Combine(at.Expected, file)).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(at.Output, file))))
                wrong.Add($"{file} differs byte for byte");
        }
        string card = File.ReadAllText(Path.Combine(at.Output, "README.md"));
        foreach (string line in (string[])["base_model_relation: merge\n", "library_name: transformers\n", "tags:\n- mergekit\n- merge\n", "# out\n",
            File.ReadAllText(Path.Combine(at.Output, "mergekit_config.yml"))])
            if (!card.Contains(line, StringComparison.Ordinal)) wrong.Add($"README.md lacks: {line.Trim()}");
        if (card.Split("---\n")[1].Contains("base_model:", StringComparison.Ordinal)) wrong.Add("README.md names local folders as models of the hub");
    }

    private static void Chat(ExtrasCase at, JsonElement chat, List<string> wrong)
    {
        (string File, string Text)[] found = [.. ChatTemplates.Of(at.Output)];
        string? sha = chat.GetProperty("sha256").GetString();
        if (sha is null)
        {
            if (found.Length > 0) wrong.Add($"a template in {found[0].File}, to be none");
            return;
        }
        if (found.Length != 1)
        {
            wrong.Add($"{found.Length} templates, to be one");
            return;
        }
        string? builtIn = ChatTemplates.Names.FirstOrDefault(n => at.Name == $"chat-{n}");
        if (builtIn is not null)
        {
            // Our wording is our own; that it renders as the peer's is locked by the digests below.
            if (found[0].Text != ChatTemplates.BuiltIn(builtIn) || found[0].File != ChatTemplates.FileName) wrong.Add("the built-in template is not written");
        }
        else if (Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(found[0].Text))) != sha) wrong.Add("the template is another");
    }
}
