using System.Text;
using Microsoft.CodeAnalysis.CSharp;

namespace Budwood.Generator;

/// <summary>Spelling: C# on one side, YAML and the command line on the other.</summary>
internal static class Names
{
    /// <summary><c>LambdaScale</c> to <c>lambda_scale</c>, <c>Select1</c> to <c>select1</c>, <c>KVHeads</c> to <c>kv_heads</c>:
    /// a digit belongs to the word before it.</summary>
    public static string Snake(string name)
    {
        var text = new StringBuilder();
        for (int i = 0; i < name.Length; i++)
        {
            char c = name[i];
            bool starts = i > 0 && char.IsUpper(c) && name[i - 1] != '_'
                && (!char.IsUpper(name[i - 1]) || (i + 1 < name.Length && char.IsLower(name[i + 1])));
            if (starts) text.Append('_');
            text.Append(char.ToLowerInvariant(c));
        }
        return text.ToString();
    }

    /// <summary>Lower-case ASCII words and digits, one underscore between them, a letter first.</summary>
    public static bool IsSnake(string name)
    {
        if (name.Length == 0 || name[0] is not (>= 'a' and <= 'z') || name[name.Length - 1] == '_') return false;
        for (int i = 0; i < name.Length; i++)
        {
            if (name[i] is not ((>= 'a' and <= 'z') or (>= '0' and <= '9') or '_') || (name[i] == '_' && name[i - 1] == '_')) return false;
        }
        return true;
    }

    /// <summary>A snake_case name near to what was written, for the message.</summary>
    public static string Suggest(string name)
    {
        string[] words = Snake(name).Split([.. name.Where(c => c >= 128 || !char.IsLetterOrDigit(c)).Distinct()], StringSplitOptions.RemoveEmptyEntries);
        string made = string.Join("_", words.SelectMany(w => w.Split(['_'], StringSplitOptions.RemoveEmptyEntries)));
        made = made.TrimStart('0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '_');
        return IsSnake(made) ? made : "dare_ties";
    }

    /// <summary>The identifier as code may write it.</summary>
    public static string Escape(string name) => SyntaxFacts.GetKeywordKind(name) == SyntaxKind.None ? name : "@" + name;

    /// <summary>Letters and digits of an assembly's name, fit to begin the name of a class.</summary>
    public static string Identifier(string? assembly)
    {
        string text = new([.. (assembly ?? "").Where(c => char.IsLetterOrDigit(c) || c == '_')]);
        return text.Length == 0 || char.IsDigit(text[0]) ? "_" + text : text;
    }
}
