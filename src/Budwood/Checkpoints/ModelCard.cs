using System.Text;

namespace Budwood.Checkpoints;

/// <summary>The README.md of a model made from others: front matter that the hub builds its model tree from, and the configuration.</summary>
public static class ModelCard
{
    /// <summary>Text of a merge's card.</summary>
    /// <param name="title">Name of the model: the output folder's.</param>
    /// <param name="method">Name of the method.</param>
    /// <param name="summary">One sentence on the method.</param>
    /// <param name="baseModel">The base, as the configuration names it; null when there is none.</param>
    /// <param name="models">All models, as the configuration names them.</param>
    /// <param name="license">License of the result; null when the parents do not say or disagree.</param>
    /// <param name="configuration">The configuration, verbatim.</param>
    /// <param name="parents">Models with their names on the hub, where they come from there, and the digests of their weights.</param>
    /// <param name="receipt">Lines of the effect receipt.</param>
    public static string OfMerge(string title, string method, string summary, string? baseModel, IReadOnlyList<string> models, string? license, string configuration,
        IReadOnlyList<(string Model, string? Hub, string Digest)> parents, IReadOnlyList<string> receipt)
    {
        var text = new StringBuilder();
        text.Append("---\n");
        // A model under an adapter and the adapter stand there each by itself.
        string[] hub = [.. parents.Select(p => p.Hub).OfType<string>().Distinct(StringComparer.Ordinal)];
        if (hub.Length > 0) text.Append("base_model:\n").AppendJoin("", hub.Select(m => $"- {m}\n"));
        text.Append("base_model_relation: merge\nlibrary_name: transformers\n");
        if (license is not null) text.Append($"license: {license}\n");
        text.Append("tags:\n- mergekit\n- merge\n---\n");
        text.Append($"# {title}\n\nThis model was merged with Budwood by the method `{method}`: {summary}\n\n");
        text.Append("## Models\n\n");
        foreach (string model in models) text.Append($"- {model}{(model == baseModel ? " (base)" : "")}\n");
        text.Append("\n## Configuration\n\n```yaml\n").Append(configuration);
        if (!configuration.EndsWith('\n')) text.Append('\n');
        text.Append("```\n\n## What changed\n\n");
        foreach (string line in receipt) text.Append($"- {line}\n");
        text.Append("\n## Parents by content\n\n| model | digest of the weights |\n|---|---|\n");
        foreach ((string model, _, string digest) in parents) text.Append($"| {model} | `{digest}` |\n");
        return text.ToString();
    }

    /// <summary>The license that a model folder's README.md names in its front matter; null when it names none.</summary>
    public static string? LicenseOf(string folder)
    {
        string readme = Path.Combine(folder, "README.md");
        if (!File.Exists(readme)) return null;
        using var reader = new StreamReader(readme);
        return LicenseIn(reader);
    }

    /// <summary>The license that a card's front matter names.</summary>
    internal static string? LicenseIn(TextReader reader)
    {
        if (reader.ReadLine()?.Trim() != "---") return null;
        for (int i = 0; i < 500 && reader.ReadLine() is { } line && line.Trim() != "---"; i++)
            if (line.StartsWith("license:", StringComparison.Ordinal)) return line["license:".Length..].Trim().Trim('"', '\'');
        return null;
    }
}
