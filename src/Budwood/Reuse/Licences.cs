using Budwood.Checkpoints;

namespace Budwood.Reuse;

/// <summary>What a folder says about its licence: in the card, and in the text that lies beside it.</summary>
internal sealed record Licences(string? Declared, long Line, string? File, string? OfFile)
{
    private static readonly (string Word, string Licence)[] s_texts =
    [
        ("Apache License", "apache-2.0"), ("MIT License", "mit"), ("Permission is hereby granted, free of charge", "mit"), ("GNU AFFERO GENERAL PUBLIC LICENSE", "agpl-3.0"),
        ("GNU LESSER GENERAL PUBLIC LICENSE", "lgpl-3.0"), ("GNU GENERAL PUBLIC LICENSE", "gpl-3.0"), ("Mozilla Public License", "mpl-2.0"),
        ("BSD 3-Clause", "bsd-3-clause"), ("Attribution-NonCommercial", "cc-by-nc-4.0"), ("Attribution-ShareAlike 4.0", "cc-by-sa-4.0"), ("Attribution 4.0", "cc-by-4.0"),
        ("OpenRAIL", "openrail"), ("LLAMA 2 COMMUNITY LICENSE", "llama2"), ("META LLAMA 3 COMMUNITY LICENSE", "llama3"), ("Gemma Terms of Use", "gemma"),
    ];

    /// <summary>Whether card and text name different licences.</summary>
    public bool Conflict => Declared is not null && OfFile is not null && !string.Equals(Family(Declared), Family(OfFile), StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether card and text agree.</summary>
    public bool Agrees => Declared is not null && OfFile is not null && !Conflict;

    public static Licences Of(ModelFolder folder, CardText card)
    {
        (string Value, long Line) declared = card.Field("license") is [var first, ..] ? first : default;
        string? file = folder.Names.FirstOrDefault(n => n.StartsWith("LICENSE", StringComparison.OrdinalIgnoreCase) || n.StartsWith("LICENCE", StringComparison.OrdinalIgnoreCase) || n == "COPYING");
        string text = file is null ? "" : folder.Text(file) ?? "";
        string head = text[..Math.Min(text.Length, 3000)];
        string? known = s_texts.FirstOrDefault(t => head.Contains(t.Word, StringComparison.OrdinalIgnoreCase)).Licence;
        return new Licences(declared.Value, declared.Line, file, known);
    }

    // Versions and the words around them are the lawyers' business: this compares what kind of licence it is.
    private static string Family(string licence) => licence.ToLowerInvariant() is var l && l.StartsWith("openrail", StringComparison.Ordinal) ? "openrail"
        : l.Contains("openrail", StringComparison.Ordinal) ? "openrail" : l.StartsWith("llama3", StringComparison.Ordinal) ? "llama3" : l;
}
