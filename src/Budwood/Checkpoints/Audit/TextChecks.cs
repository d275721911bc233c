using System.Globalization;
using System.Text;
using System.Text.Json;
using Budwood.Numbers;

namespace Budwood.Checkpoints.Audit;

/// <summary>The files for text against each other and against the embedding: token ids, special tokens, chat templates.</summary>
internal static class TextChecks
{
    private static readonly string[] s_special = ["bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id"];

    public static void Run(Checkpoint checkpoint, List<Finding> findings)
    {
        string folder = checkpoint.Folder;
        var names = SideFiles.Names(folder).ToHashSet(StringComparer.Ordinal);
        JsonElement? Open(string name)
        {
            if (!names.Contains(name)) return null;
            string path = Path.Join(folder, name);
            try
            {
                using JsonDocument document = JsonDocument.Parse(SideFiles.Bytes(path), new JsonDocumentOptions { MaxDepth = 256 });
                return document.RootElement.Clone();
            }
            catch (JsonException e)
            {
                findings.Add(new(Severity.Error, "BW3510", $"{name} is not valid JSON", $"{path}:{(e.LineNumber ?? 0) + 1}", SideFiles.Kind(path),
                    "Download the file again."));
                return null;
            }
            catch (IOException e)
            {
                findings.Add(new(Severity.Warning, "BW3511", $"{name} was not read", path, e.Message));
                return null;
            }
        }

        JsonElement? settings = Open("tokenizer_config.json"), generation = Open("generation_config.json");
        if (Embedding(checkpoint) is { } embedding)
        {
            Tokens(folder, names, Open, settings, embedding, findings);
            Specials(checkpoint, generation, Path.Join(folder, "generation_config.json"), embedding, findings);
        }
        Templates(folder, names, settings, Open("chat_template.json"), findings);
    }

    /// <summary>The token embedding; where a family is not known and names are guessed, the longest.</summary>
    private static CheckpointTensor? Embedding(Checkpoint checkpoint) => checkpoint.Tensors
        .Where(t => t.Role == Role.Embed && t.Shape.Rank == 2 && t.DType.IsFloat() && t.InFamily == (checkpoint.Family is not null)).MaxBy(t => t.Shape[0]);

    private static void Tokens(string folder, HashSet<string> names, Func<string, JsonElement?> open, JsonElement? settings, CheckpointTensor embedding,
        List<Finding> findings)
    {
        long rows = embedding.Shape[0];
        // Token by id, with the file that says so first.
        var beyond = new SortedDictionary<long, (string Token, string File)>();
        void Take(string token, long id, string file)
        {
            if (id >= rows) beyond.TryAdd(id, (token, file));
        }

        if (open("tokenizer.json") is { ValueKind: JsonValueKind.Object } tokenizer)
        {
            if (tokenizer.TryGetProperty("added_tokens", out JsonElement added) && added.ValueKind == JsonValueKind.Array)
                foreach (JsonElement t in added.EnumerateArray()) if (Added(t) is { } token) Take(token.Text, token.Id, "tokenizer.json");
            if (tokenizer.TryGetProperty("model", out JsonElement model) && model.ValueKind == JsonValueKind.Object
                && model.TryGetProperty("vocab", out JsonElement vocab))
            {
                Vocabulary(vocab, (token, id) => Take(token, id, "tokenizer.json"));
            }
        }
        else if (open("vocab.json") is { } slow)
        {
            Vocabulary(slow, (token, id) => Take(token, id, "vocab.json"));
        }
        else if (names.Contains("vocab.txt"))
        {
            string[] lines = Encoding.UTF8.GetString(SideFiles.Bytes(Path.Join(folder, "vocab.txt")).Span).TrimEnd('\n').Split('\n');
            for (int i = 0; i < lines.Length; i++) Take(lines[i].TrimEnd('\r'), i, "vocab.txt");
        }
        if (open("added_tokens.json") is { } more) Vocabulary(more, (token, id) => Take(token, id, "added_tokens.json"));
        if (settings is { ValueKind: JsonValueKind.Object } s && s.TryGetProperty("added_tokens_decoder", out JsonElement decoder)
            && decoder.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty p in decoder.EnumerateObject())
            {
                if (!long.TryParse(p.Name, NumberStyles.None, CultureInfo.InvariantCulture, out long id) || p.Value.ValueKind != JsonValueKind.Object) continue;
                Take(p.Value.TryGetProperty("content", out JsonElement c) && c.ValueKind == JsonValueKind.String ? c.GetString()! : "", id,
                    "tokenizer_config.json");
            }
        }
        if (beyond.Count == 0) return;
        string[] shown = [.. beyond.Select(b => $"'{b.Value.Token}' has id {b.Key}")];
        findings.Add(new(Severity.Error, "BW3501",
            $"{(beyond.Count == 1 ? "a token lies" : $"{beyond.Count.ToString("#,0", CultureInfo.InvariantCulture)} tokens lie")} beyond the embedding",
            Path.Join(folder, beyond.First().Value.File), $"{Counts.Some(shown, 4)}, {embedding.Name} has {rows} rows (ids 0 to {rows - 1})",
            "Use the tokenizer that belongs to the weights, or the weights that were trained with these tokens."));
    }

    private static (string Text, long Id)? Added(JsonElement token) => token.ValueKind == JsonValueKind.Object
        && token.TryGetProperty("id", out JsonElement id) && id.ValueKind == JsonValueKind.Number && id.TryGetInt64(out long n)
        && token.TryGetProperty("content", out JsonElement text) && text.ValueKind == JsonValueKind.String ? (text.GetString()!, n) : null;

    // An object of token to id; of Unigram, a list of token and score in which the place is the id.
    private static void Vocabulary(JsonElement vocab, Action<string, long> take)
    {
        if (vocab.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty p in vocab.EnumerateObject())
                if (p.Value.ValueKind == JsonValueKind.Number && p.Value.TryGetInt64(out long id)) take(p.Name, id);
        }
        else if (vocab.ValueKind == JsonValueKind.Array)
        {
            long id = 0;
            foreach (JsonElement entry in vocab.EnumerateArray())
            {
                bool named = entry.ValueKind == JsonValueKind.Array && entry.GetArrayLength() > 0 && entry[0].ValueKind == JsonValueKind.String;
                take(named ? entry[0].GetString()! : "", id++);
            }
        }
    }

    private static void Specials(Checkpoint checkpoint, JsonElement? generation, string generationPath, CheckpointTensor embedding, List<Finding> findings)
    {
        long rows = embedding.Shape[0];
        foreach (string field in s_special)
        {
            if (checkpoint.Config is { } config && config.TryGet(field, out JsonElement value)) Check(field, value, config.Where);
            if (generation is { ValueKind: JsonValueKind.Object } g && g.TryGetProperty(field, out value)) Check(field, value, generationPath);
        }

        void Check(string field, JsonElement value, string where)
        {
            foreach (long id in SideFiles.Ids(value))
            {
                if (id >= rows)
                {
                    findings.Add(new(Severity.Error, "BW3502", $"{field} lies beyond the embedding", where,
                        $"{field} is {id}, {embedding.Name} has {rows} rows",
                        "Set it to the id that the tokenizer gives that token."));
                }
                else if (id < 0)
                {
                    findings.Add(new(Severity.Warning, "BW3512", $"{field} is negative", where, $"{id}",
                        "Some loaders take it as a row from the end: write null for none."));
                }
            }
        }
    }

    private static void Templates(string folder, HashSet<string> names, JsonElement? settings, JsonElement? alone, List<Finding> findings)
    {
        var places = new List<(string Name, string Text)>();
        const string jinja = "chat_template.jinja";
        if (names.Contains(jinja)) places.Add((jinja, Encoding.UTF8.GetString(SideFiles.Bytes(Path.Join(folder, jinja)).Span)));
        if (alone is { ValueKind: JsonValueKind.Object } a && Template(a) is { } own) places.Add(("chat_template.json", own));
        if (settings is { ValueKind: JsonValueKind.Object } s && Template(s) is { } inside) places.Add(("tokenizer_config.json", inside));
        if (places.Select(p => p.Text.TrimEnd('\n')).Distinct().Count() < 2) return;
        findings.Add(new(Severity.Warning, "BW3503", $"{places.Count} chat templates that differ: {string.Join(", ", places.Select(p => p.Name))}", folder,
            $"{places[0].Name} wins", "Keep one: which of them a program uses depends on its version."));
    }

    // One text, or a list of named ones of which 'default' is meant.
    private static string? Template(JsonElement root)
    {
        if (!root.TryGetProperty("chat_template", out JsonElement t)) return null;
        if (t.ValueKind == JsonValueKind.String) return t.GetString();
        if (t.ValueKind != JsonValueKind.Array) return null;
        foreach (JsonElement entry in t.EnumerateArray())
        {
            if (entry.ValueKind != JsonValueKind.Object || !entry.TryGetProperty("name", out JsonElement name)) continue;
            if (name.ValueKind != JsonValueKind.String || !name.ValueEquals("default")) continue;
            if (entry.TryGetProperty("template", out JsonElement text) && text.ValueKind == JsonValueKind.String) return text.GetString();
        }
        return null;
    }
}
