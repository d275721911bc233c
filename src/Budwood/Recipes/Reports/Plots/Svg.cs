using System.Globalization;
using System.Text;

namespace Budwood.Recipes.Reports.Plots;

/// <summary>Where a text stands relative to its place.</summary>
internal enum Anchor { Start, Middle, End }

/// <summary>Writes one SVG picture; colours come from the page's classes, so that it follows light and dark.</summary>
internal sealed class Svg
{
    private readonly StringBuilder _text = new();
    private readonly double _width;
    private readonly string _head;

    /// <summary>Begins a picture.</summary>
    /// <param name="says">What it shows, for those who do not see it.</param>
    public Svg(double width, string says, string style)
    {
        _width = width;
        _head = $"role=\"img\" aria-label=\"{Escaped.Text(says)}\" class=\"{style}\"";
    }

    /// <summary>Width of a text, near enough for a layout: nobody here knows the reader's font.</summary>
    public static double WidthOf(string text, double size = 12) => text.Sum(c => c is 'i' or 'l' or 'j' or '.' or ',' or '\'' or '|' or ' ' or ':' ? 0.3 : c is 'm' or 'w' or 'M' or 'W' ? 0.85 : char.IsUpper(c) ? 0.66 : c > 0x2E80 ? 1 : 0.54) * size;

    /// <summary>The text cut to a width, with an ellipsis where something is missing.</summary>
    public static string Cut(string text, double width, double size = 12)
    {
        if (WidthOf(text, size) <= width) return text;
        int keep = text.Length;
        while (keep > 1 && WidthOf(text[..keep], size) + size > width) keep--;
        if (keep < text.Length && char.IsHighSurrogate(text[keep - 1])) keep--;
        return text[..Math.Max(keep, 0)].TrimEnd() + "…";
    }

    /// <summary>A number as SVG has it, to a hundredth.</summary>
    public static string At(double v) => Math.Round(v, 2).ToString("0.##", CultureInfo.InvariantCulture);

    public Svg Open(string attributes = "", string? tip = null)
    {
        _text.Append(CultureInfo.InvariantCulture, $"<g{(attributes.Length > 0 ? " " + attributes : "")}>{Tip(tip)}");
        return this;
    }

    public Svg Close()
    {
        _text.Append("</g>");
        return this;
    }

    public Svg Line(double x1, double y1, double x2, double y2, string style, string? dash = null)
    {
        _text.Append(CultureInfo.InvariantCulture, $"<line x1=\"{At(x1)}\" y1=\"{At(y1)}\" x2=\"{At(x2)}\" y2=\"{At(y2)}\" class=\"{style}\"{Dash(dash)}/>");
        return this;
    }

    public Svg Rect(double x, double y, double width, double height, string style, double round = 0, string? tip = null)
    {
        string corners = round > 0 ? $" rx=\"{At(round)}\"" : "";
        string body = $"<rect x=\"{At(x)}\" y=\"{At(y)}\" width=\"{At(Math.Max(0, width))}\" height=\"{At(Math.Max(0, height))}\"{corners} class=\"{style}\"";
        _text.Append(tip is null ? body + "/>" : $"{body}>{Tip(tip)}</rect>");
        return this;
    }

    /// <summary>A path; its data are written by us and need no escaping.</summary>
    public Svg Path(string data, string style, string? dash = null, string? tip = null)
    {
        string body = $"<path d=\"{data}\" class=\"{style}\"{Dash(dash)}";
        _text.Append(tip is null ? body + "/>" : $"{body}>{Tip(tip)}</path>");
        return this;
    }

    public Svg Text(double x, double y, string text, string style, Anchor anchor = Anchor.Start, double turn = 0, string? tip = null)
    {
        string place = anchor switch { Anchor.Middle => " text-anchor=\"middle\"", Anchor.End => " text-anchor=\"end\"", _ => "" };
        string turned = turn == 0 ? "" : $" transform=\"rotate({At(turn)} {At(x)} {At(y)})\"";
        _text.Append(CultureInfo.InvariantCulture, $"<text x=\"{At(x)}\" y=\"{At(y)}\" class=\"{style}\"{place}{turned}>{Tip(tip)}{Escaped.Text(text)}</text>");
        return this;
    }

    /// <summary>The whole picture.</summary>
    /// <param name="natural">Shown in its own size and never enlarged.</param>
    public string End(double height, bool natural = false)
    {
        string size = natural ? $" width=\"{At(_width)}\" height=\"{At(height)}\"" : "";
        return $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {At(_width)} {At(height)}\"{size} {_head}>{_text}</svg>";
    }

    private static string Tip(string? tip) => tip is null ? "" : $"<title>{Escaped.Text(tip)}</title>";

    private static string Dash(string? dash) => dash is null ? "" : $" stroke-dasharray=\"{dash}\"";
}
