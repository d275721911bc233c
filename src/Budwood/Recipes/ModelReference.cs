namespace Budwood.Recipes;

/// <summary>A model as a merge file names it: <c>path@revision+adapter@revision</c>.</summary>
/// <param name="Text">As written.</param>
/// <param name="Path">Folder, or a hub name.</param>
/// <param name="Revision">Hub revision, or null.</param>
/// <param name="Adapter">Adapter folder or hub name, or null.</param>
/// <param name="AdapterRevision">Hub revision of the adapter, or null.</param>
public sealed record ModelReference(string Text, string Path, string? Revision, string? Adapter, string? AdapterRevision = null)
{
    /// <summary>Splits the text; a path that exists as it stands is taken whole, whatever characters it has.</summary>
    public static ModelReference Parse(string text, Func<string, bool> exists)
    {
        if (exists(text)) return new(text, text, null, null);
        int plus = Plus(text, exists);
        (string path, string? revision) = Revise(plus > 0 ? text[..plus] : text, exists);
        if (plus <= 0) return new(text, path, revision, null);
        (string adapter, string? adapterRevision) = Revise(text[(plus + 1)..], exists);
        if (adapter.Length == 0) throw RecipeFaults.NoAdapter(text);
        if (adapter.Contains('+', StringComparison.Ordinal) && !exists(adapter)) throw RecipeFaults.SeveralAdapters(text);
        return new(text, path, revision, adapter, adapterRevision);
    }

    // The first sign, unless a folder of a longer name is there.
    private static int Plus(string text, Func<string, bool> exists)
    {
        int first = text.IndexOf('+', StringComparison.Ordinal);
        for (int at = first; at > 0; at = text.IndexOf('+', at + 1)) if (exists(text[..at])) return at;
        return first;
    }

    private static (string Path, string? Revision) Revise(string path, Func<string, bool> exists)
    {
        int at = path.LastIndexOf('@');
        return at > 0 && !exists(path) ? (path[..at], path[(at + 1)..]) : (path, null);
    }

    public override string ToString() => Text;
}
