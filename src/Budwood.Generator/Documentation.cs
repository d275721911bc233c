using System.Text;
using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;
using Microsoft.CodeAnalysis;

namespace Budwood.Generator;

/// <summary>The documentation comment of a symbol as plain sentences by tag.</summary>
internal sealed class Documentation
{
    // Type arguments ({T} in a file, `1 in a compiled reference), then everything from the parameter list on.
    private static readonly Regex s_arguments = new(@"\{[^()]*\}|<[^()]*>|`+[0-9]+|[(~].*", RegexOptions.CultureInvariant);
    private readonly XElement? _root;

    private Documentation(XElement? root, bool malformed)
    {
        _root = root;
        Malformed = malformed;
    }

    /// <summary>There is a comment, and it is no XML; nothing can be read from it.</summary>
    public bool Malformed { get; }

    public static Documentation Of(ISymbol symbol, CancellationToken stop)
    {
        string xml = symbol.GetDocumentationCommentXml(cancellationToken: stop) ?? "";
        // The compiler puts a remark where it could not parse; the trivia tells this apart from a comment that is merely absent.
        if (xml.Trim().Length == 0 || xml.TrimStart().StartsWith("<!--", StringComparison.Ordinal)) xml = FromTrivia(symbol, stop);
        if (xml.Length == 0) return new Documentation(null, false);
        try
        {
            return new Documentation(XElement.Parse(xml, LoadOptions.PreserveWhitespace), false);
        }
        catch (XmlException)
        {
            return new Documentation(null, true);
        }
    }

    /// <summary>Text of a tag on one line, or null when the tag is absent or empty.</summary>
    public string? Tag(string name)
    {
        if (_root is null) return null;
        var text = new StringBuilder();
        // A partial class with comments in two files has two members under one root.
        foreach (XElement tag in _root.Elements(name).Concat(_root.Elements("member").Elements(name)))
        {
            text.Append(' ');
            Flatten(tag, text);
        }
        string line = string.Join(" ", text.ToString().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return line.Length == 0 ? null : line;
    }

    private static void Flatten(XElement from, StringBuilder to)
    {
        foreach (XNode node in from.Nodes())
        {
            if (node is XText text) to.Append(text.Value);
            else if (node is XElement element) Flatten(element, element.Name.LocalName, to);
        }
    }

    private static void Flatten(XElement element, string name, StringBuilder to)
    {
        switch (name)
        {
            case "c":
                to.Append('`');
                Flatten(element, to);
                to.Append('`');
                break;
            case "paramref" or "typeparamref":
                to.Append(element.Attribute("name")?.Value);
                break;
            case "see" or "seealso" when element.IsEmpty || element.Value.Trim().Length == 0:
                if (element.Attribute("cref") is { } cref) to.Append(NameOf(cref.Value));
                else to.Append(element.Attribute("langword")?.Value ?? element.Attribute("href")?.Value);
                break;
            case "see" or "seealso" or "b" or "i" or "em" or "strong" or "sub" or "sup" or "a" or "u":
                Flatten(element, to);
                break;
            default:
                // Blocks: paragraphs, lists, code, line breaks.
                to.Append(' ');
                Flatten(element, to);
                to.Append(' ');
                break;
        }
    }

    /// <summary>Last name of a reference: <c>M:A.B`1.Run``1(System.Int32)</c> is Run.</summary>
    private static string NameOf(string cref)
    {
        string path = cref.Length > 1 && cref[1] == ':' ? cref.Substring(2) : cref;
        path = s_arguments.Replace(path, "").Replace(".#ctor", "");
        return path.Substring(path.LastIndexOf('.') + 1);
    }

    /// <summary>The comment as it stands in the file, for compilations that do not parse documentation.</summary>
    private static string FromTrivia(ISymbol symbol, CancellationToken stop)
    {
        var text = new StringBuilder();
        foreach (SyntaxReference reference in symbol.DeclaringSyntaxReferences)
        {
            foreach (SyntaxTrivia trivia in reference.GetSyntax(stop).GetLeadingTrivia())
            {
                foreach (string line in trivia.ToFullString().Split('\n'))
                {
                    string bare = line.Trim();
                    if (bare.StartsWith("///", StringComparison.Ordinal)) text.Append(bare, 3, bare.Length - 3).Append('\n');
                }
            }
        }
        return text.Length == 0 ? "" : "<member>" + text + "</member>";
    }
}
