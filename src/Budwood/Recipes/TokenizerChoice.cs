using Budwood.Checkpoints;

namespace Budwood.Recipes;

/// <summary>Where the output's tokenizer and chat template come from, and how many rows its vocabulary has.</summary>
/// <param name="Donor">The model that tokenizer files are copied from.</param>
/// <param name="Rows">Rows of embeddings and heads where a tokenizer is asked for; null leaves what is there, padding included.</param>
/// <param name="ChatTemplate">The one template to write; null leaves the donor's files as they are.</param>
internal sealed record TokenizerChoice(Checkpoint Donor, long? Rows, string? ChatTemplate, IReadOnlyList<string> Notes)
{
    /// <summary>Chooses for a document; <paramref name="models"/> in the order of the file.</summary>
    /// <param name="named">The model that 'tokenizer_source' names by its path; null for the words 'base' and 'union', and where it is not set.</param>
    public static TokenizerChoice Of(MergeDocument document, IReadOnlyList<Checkpoint> models, int? atBase, Checkpoint? named)
    {
        var notes = new List<string>();
        Checkpoint[] ordered = atBase is { } b ? [models[b], .. models.Where((_, i) => i != b)] : [.. models];
        Checkpoint donor = ordered[0];
        long? rows = null;
        if (document.Tokenizer is { } setting) (donor, rows) = Aligned(setting.Node, ordered, named, notes);
        else if (ordered.FirstOrDefault(HasTokenizer) is { } first)
        {
            if (first != donor) notes.Add($"'{donor.Label}' has no tokenizer: that of '{first.Label}' is taken");
            donor = first;
            NoteOtherMeanings(donor, ordered, notes);
        }
        return new(donor, rows, Template(document.ChatTemplate, ordered, donor, notes), notes);
    }

    private static readonly string[] s_files = ["tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model", "sentencepiece.bpe.model"];

    private static bool HasTokenizer(Checkpoint model) => s_files.Any(f => File.Exists(Path.Combine(model.TokenizerFolder, f)));

    // Rows mean the same tokens in all models, or the merge is refused.
    private static (Checkpoint Donor, long Rows) Aligned(YamlNode node, Checkpoint[] models, Checkpoint? named, List<string> notes)
    {
        Checkpoint[] all = [.. named is null ? models : [named, .. models.Where(m => m != named)]];
        (Checkpoint Model, Vocabulary Tokens)[] known = [.. all.DistinctBy(m => m.TokenizerFolder).Select(m => (m, Vocabulary.Read(m.TokenizerFolder)))
            .Where(p => p.Item2 is not null).Select(p => (p.m, p.Item2!))];
        if (known.Length == 0) throw RecipeFaults.NoTokenizer(node, string.Join(", ", all.Select(m => $"'{m.Label}'")));
        (Checkpoint donor, Vocabulary tokens) = known[0];
        foreach ((Checkpoint other, Vocabulary theirs) in known[1..])
            if (tokens.Difference(theirs) is { } how) throw RecipeFaults.TokenizersDiffer(node, donor.Label, other.Label, how);
        foreach (Checkpoint model in models)
        {
            CheckpointTensor? embedding = model.Tensors.FirstOrDefault(t => t.Role == Role.Embed && t.Shape.Rank == 2);
            if (embedding is null) continue;
            if (embedding.Shape[0] < tokens.Rows) throw RecipeFaults.TokensWithoutRows(node, model.Label, embedding.Name, embedding.Shape[0], tokens.Rows);
            if (embedding.Shape[0] > tokens.Rows)
                notes.Add($"'{model.Label}': {embedding.Shape[0] - tokens.Rows} rows of {embedding.Name} belong to no token and are left out");
        }
        return (donor, tokens.Rows);
    }

    // Rows are merged by number: where numbers mean other tokens that is said, for the sizes alone do not tell.
    private static void NoteOtherMeanings(Checkpoint donor, Checkpoint[] models, List<string> notes)
    {
        string file = Path.Combine(donor.TokenizerFolder, "tokenizer.json");
        if (!File.Exists(file)) return;
        byte[] bytes = File.ReadAllBytes(file);
        Vocabulary? own = null;
        foreach (Checkpoint model in models.Where(m => m != donor).DistinctBy(m => m.TokenizerFolder))
        {
            string other = Path.Combine(model.TokenizerFolder, "tokenizer.json");
            if (!File.Exists(other) || bytes.AsSpan().SequenceEqual(File.ReadAllBytes(other))) continue;
            try
            {
                own ??= Vocabulary.Read(donor.TokenizerFolder)!;
                if (own.Difference(Vocabulary.Read(model.TokenizerFolder)!) is { } how)
                    notes.Add($"the tokenizers of '{donor.Label}' and '{model.Label}' differ, and rows are merged by number: {how}");
            }
            catch (Fault fault)
            {
                notes.Add($"the tokenizers of '{donor.Label}' and '{model.Label}' cannot be compared: {fault.What}");
            }
        }
    }

    private static string? Template((string Text, YamlNode Node)? wanted, Checkpoint[] models, Checkpoint donor, List<string> notes)
    {
        if (wanted is { Text: not "auto" } named) return ChatTemplates.BuiltIn(named.Text) ?? named.Text;
        if (wanted is { } auto)
        {
            var votes = models.Select(m => (Model: m, Text: m.ChatTemplate?.Trim())).Where(v => !string.IsNullOrEmpty(v.Text))
                .GroupBy(v => v.Text!, StringComparer.Ordinal).ToArray();
            if (votes.Length == 0)
            {
                notes.Add($"{auto.Node.Where}: no model has a chat template, and none is written");
                return null;
            }
            // The order of the sort is stable: ties go to the first model.
            var most = votes.OrderByDescending(v => v.Count()).First();
            string have = $"which {most.Count()} of {votes.Sum(v => v.Count())} models with one have";
            notes.Add($"{auto.Node.Where}: the chat template of '{most.First().Model.Label}' is taken, {have}");
            return most.Key;
        }
        if (donor.OwnChatTemplate is { } own) return own;
        IReadOnlyList<(string File, string Text)> places = ChatTemplates.Of(donor.TokenizerFolder);
        if (places.Count < 2) return null;
        bool same = places.All(p => p.Text.TrimEnd() == places[0].Text.TrimEnd());
        string found = $"{places.Count} {(same ? "equal " : "")}chat templates{(same ? "" : " that differ")} ({string.Join(", ", places.Select(p => p.File))})";
        notes.Add($"'{donor.Label}' has {found}: that of {places[0].File} is written, as {ChatTemplates.FileName} alone");
        return places[0].Text;
    }
}
