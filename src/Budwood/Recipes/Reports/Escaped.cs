using System.Text;

namespace Budwood.Recipes.Reports;

/// <summary>Text of recipes and tables made harmless for HTML and XML: as content, and between double quotes.</summary>
internal static class Escaped
{
    /// <summary>The text with everything escaped that could end a text node or an attribute.</summary>
    public static string Text(string? text)
    {
        if (string.IsNullOrEmpty(text)) return "";
        var safe = new StringBuilder(text.Length + 16);
        foreach (Rune rune in text.EnumerateRunes())
        {
            switch (rune.Value)
            {
                case '&': safe.Append("&amp;"); break;
                case '<': safe.Append("&lt;"); break;
                case '>': safe.Append("&gt;"); break;
                case '"': safe.Append("&quot;"); break;
                case '\'': safe.Append("&#39;"); break;
                // XML has no way to write the other control characters, nor the two that are no characters; lone halves of pairs come as U+FFFD already.
                case < 0x20 and not ('\t' or '\n' or '\r') or 0xFFFE or 0xFFFF: safe.Append('\uFFFD'); break;
                default: safe.Append(rune.ToString()); break;
            }
        }
        return safe.ToString();
    }

    /// <summary>The text as part of an element's id: what is not a letter, digit, dash or underscore becomes its code between dots.</summary>
    public static string Id(string text)
    {
        var id = new StringBuilder(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (rune.IsAscii && (char.IsAsciiLetterOrDigit((char)rune.Value) || rune.Value is '-' or '_')) id.Append((char)rune.Value);
            else id.Append(System.Globalization.CultureInfo.InvariantCulture, $".{rune.Value:x}.");
        }
        return id.ToString();
    }
}
