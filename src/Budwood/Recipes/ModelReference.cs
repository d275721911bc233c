namespace Budwood.Recipes;

/// <summary>A model as a merge file names it: <c>path@revision+adapter</c>.</summary>
/// <param name="Text">As written.</param>
/// <param name="Path">Folder, or a hub name.</param>
/// <param name="Revision">Hub revision, or null.</param>
/// <param name="Adapter">Adapter folder, or null.</param>
public sealed record ModelReference(string Text, string Path, string? Revision, string? Adapter)
{
    /// <summary>Splits the text; a path that exists as it stands is taken whole, whatever characters it has.</summary>
    public static ModelReference Parse(string text, Func<string, bool> exists)
    {
        if (exists(text)) return new(text, text, null, null);
        string path = text;
        string? adapter = null, revision = null;
        int plus = text.IndexOf('+', StringComparison.Ordinal);
        if (plus > 0)
        {
            adapter = text[(plus + 1)..];
            path = text[..plus];
        }
        int at = path.LastIndexOf('@');
        if (at > 0 && !exists(path))
        {
            revision = path[(at + 1)..];
            path = path[..at];
        }
        return new(text, path, revision, adapter);
    }

    public override string ToString() => Text;
}
