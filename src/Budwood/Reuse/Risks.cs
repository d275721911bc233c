using System.Text.Json;
using Budwood.Checkpoints;
using Budwood.Checkpoints.Audit;
using Budwood.Numbers;

namespace Budwood.Reuse;

/// <summary>The findings of a folder, in the order in which they are looked for.</summary>
internal sealed class Risks
{
    private const int Notable = 1024;

    private readonly List<(string File, string Check, int Weight, string What, string Where)> _all = [];

    public long Critical => _all.LongCount(f => f.Weight == 0);
    public long Warnings => _all.LongCount(f => f.Weight == 1);
    public long Noted => _all.LongCount(f => f.Weight == 2);

    private void Warn(string file, string check, string what, string where = "") => _all.Add((file, check, 1, what, where));

    private void Note(string file, string check, string what, string where = "") => _all.Add((file, check, 2, what, where));

    /// <summary>The table, critical findings first.</summary>
    public Table Findings(ModelFolder folder)
    {
        var table = new Table("findings", new Column("file"), new Column("check"), new Column("severity"), new Column("what"), new Column("where"));
        foreach (var f in _all.OrderBy(f => f.Weight)) table.Add(f.File, f.Check, f.Weight switch { 0 => "critical", 1 => "warning", _ => "note" }, f.What, f.Where);
        table.Notes.Add($"{Counts.Of(folder.Names.Count, "file")}: {Critical} critical, {Counts.Of(Warnings, "warning")}, {Counts.Of(Noted, "note")}; nothing was run");
        foreach (string left in folder.Scan.LeftOut) table.Notes.Add($"not looked into: {left}");
        return table;
    }

    /// <summary>Pickles, archives, code and headers.</summary>
    public void Formats(ModelFolder folder, CancellationToken stop)
    {
        foreach (string name in folder.Names)
        {
            stop.ThrowIfCancellationRequested();
            foreach (var f in folder.Formats(name)) _all.Add((name, f.Check, (int)f.Severity, f.What, f.Where));
        }
    }

    /// <summary>Configuration, card, licence and names.</summary>
    public void Texts(ModelFolder folder, IReadOnlyList<string> trusted)
    {
        foreach (string name in folder.Names.Where(n => n.EndsWith("config.json", StringComparison.Ordinal)))
        {
            if (folder.Parsed(name) is not { } config) continue;
            if (config.TryGet("auto_map", out JsonElement map)) Code(name, config, map);
            if (config.TryText("base_model_name_or_path", out string? start) && !config.Has("revision"))
                Note(name, "mutable_revision", $"the base '{start}' is named without a revision: what it is may change", "base_model_name_or_path");
        }
        CardText card = folder.Card();
        if (!folder.Has("README.md")) Note("", "no_card", "there is no model card (README.md)");
        else if (card.Trouble is { } trouble) Warn("README.md", "card_form", $"the front matter cannot be read: {trouble}");
        foreach ((string model, long line) in card.Field("base_model"))
            if (!model.Contains('@', StringComparison.Ordinal)) Note("README.md", "mutable_revision", $"the base '{model}' is named without a revision: what it is may change", $"line {line}");
        Licences licence = Licences.Of(folder, card);
        if (licence.Declared is null && licence.File is null) Warn("", "licence_missing", "no licence: neither in the card nor as a file");
        else if (licence.Conflict) Warn(licence.File!, "licence_conflict", $"the card says {licence.Declared}, the text reads like {licence.OfFile}", $"README.md line {licence.Line}");
        else if (licence.Declared is "other" or "unknown") Note("README.md", "licence_unclear", $"the licence is '{licence.Declared}'", $"line {licence.Line}");
        Names(folder, trusted);
    }

    private void Code(string name, ModelConfig config, JsonElement map)
    {
        Warn(name, "custom_code", "auto_map: loaders run Python code of the folder where remote code is trusted", "auto_map");
        bool remote = map.ValueKind == JsonValueKind.Object && map.EnumerateObject().Any(p => p.Value.ToString().Contains("--", StringComparison.Ordinal));
        if (remote && !config.Has("code_revision")) Warn(name, "mutable_revision", "auto_map takes code from another repository, whatever stands there on that day", "auto_map");
    }

    // The folder's own name, its maker's, and the name that the configuration remembers.
    private void Names(ModelFolder folder, IReadOnlyList<string> trusted)
    {
        string[] parts = folder.Label.Split('/', '\\', StringSplitOptions.RemoveEmptyEntries);
        var names = new List<string>(parts.TakeLast(2));
        if (parts.Length > 1) names.Add(string.Join('/', parts.TakeLast(2)));
        if (folder.Config() is { } config && config.TryText("_name_or_path", out string? remembered)) names.Add(remembered);
        foreach (string name in names.Distinct(StringComparer.Ordinal))
            foreach (string known in trusted)
                if (NameLikeness.Mistakable(name, known) is { } why) Warn("", "name_squatting", $"'{name}': {why}");
    }

    /// <summary>Values: not finite, all zero, twice the same, foreign low bits.</summary>
    public Table Weights(ModelFolder folder, bool read, CancellationToken stop)
    {
        var table = new Table("tensors", new Column("file"), new Column("tensor"), new Column("dtype"), new Column("elements", true), new Column("nan", true), new Column("infinite", true),
            new Column("all_zero", true), new Column("low_bits_entropy", true, "bits"), new Column("foreign_share", true));
        if (!read) return table;
        var surveys = new List<TensorSurvey>();
        var twins = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (FolderTensor t in folder.Tensors())
        {
            TensorSurvey s = TensorSurvey.Of(t, stop);
            surveys.Add(s);
            table.Add(t.File, t.Name, t.DType.TorchName(), t.Shape.Count, s.NaN, s.Infinite, s.AllZero, s.LowBits?.EntropyBits, s.LowBits is { Elements: >= LowBits.Fewest } b ? b.ForeignShare : null);
            if (s.NaN + s.Infinite > 0) Warn(t.File, "not_finite", $"{s.NaN} NaN and {s.Infinite} infinities", t.Name);
            if (s.AllZero && t.Shape.Rank >= 2) Warn(t.File, "all_zero", "every element is zero", t.Name);
            if (s.Constant || t.Shape.Count < Notable) continue;
            string digest = t.Digest(stop);
            if (twins.TryGetValue(digest, out string? first)) Note(t.File, "twin_tensors", $"the same content as {first}", t.Name);
            else twins[digest] = $"{t.File}: {t.Name}";
        }
        Hidden(surveys);
        return table;
    }

    private void Hidden(List<TensorSurvey> surveys)
    {
        TensorSurvey[] told = [.. surveys.Where(s => s.LowBits is { Elements: >= LowBits.Fewest })];
        TensorSurvey[] patterned = [.. told.Where(s => s.LowBits!.CanTell)];
        foreach (TensorSurvey s in patterned.Where(s => s.LowBits!.Suspicious))
            Warn(s.Tensor.File, "hidden_payload", FormattableString.Invariant($"the lowest 8 mantissa bits are a pattern, but for about {100 * s.LowBits!.ForeignShare:F1} % of the elements, whose bits look random: hidden data, or a part that was trained on in float32 while the rest stayed as it came"), s.Tensor.Name);
        // Neighbours: where most tensors have a pattern, one without is the odd one.
        TensorSurvey[] flat = [.. told.Where(s => !s.LowBits!.CanTell)];
        if (patterned.Length > 2 * flat.Length)
        {
            foreach (TensorSurvey s in flat) Warn(s.Tensor.File, "hidden_payload", "the lowest 8 mantissa bits look random, and those of its neighbours do not", s.Tensor.Name);
        }
        else if (flat.Length > 0)
        {
            Note("", "hidden_payload", $"low bits cannot tell anything of {flat.Length} of {told.Length} float32 tensors: trained in float32 they are random by themselves");
        }
        if (told.Length < surveys.Count) Note("", "hidden_payload", $"not tested for hidden bits: {surveys.Count - told.Length} tensors that are small or not float32, whose low bits carry value");
    }
}
