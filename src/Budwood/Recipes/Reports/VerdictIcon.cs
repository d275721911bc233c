using Budwood.Recipes.Claims;

namespace Budwood.Recipes.Reports;

/// <summary>Marks of verdicts: each has a shape of its own, so that none needs its colour to be told apart.</summary>
internal static class VerdictIcon
{
    /// <summary>The mark as SVG.</summary>
    public static string Of(Verdict verdict) => Draw(Style(verdict), verdict switch
    {
        Verdict.Holds => "<circle cx=\"12\" cy=\"12\" r=\"11\" class=\"body\"/><path d=\"M6.5 12.5l3.8 3.8 7.2-8\" class=\"sign\"/>",
        Verdict.Refuted => "<path d=\"M7.5 1h9L23 7.5v9L16.5 23h-9L1 16.5v-9z\" class=\"body\"/><path d=\"M8 8l8 8M16 8l-8 8\" class=\"sign\"/>",
        Verdict.Inconclusive => "<path d=\"M12 .8L23.2 12 12 23.2.8 12z\" class=\"body\"/><path d=\"M7 13.4c2-3.6 4-2.4 5-1.4s3 2.2 5-1.4\" class=\"sign\"/>",
        Verdict.Void => "<circle cx=\"12\" cy=\"12\" r=\"9.5\" class=\"ring\"/><path d=\"M5.5 18.500l13-13\" class=\"ring\"/>",
        Verdict.NotTestable => "<rect x=\"2\" y=\"2\" width=\"20\" height=\"20\" rx=\"4\" class=\"ring\"/><path d=\"M7.5 12h9\" class=\"ring\"/>",
        _ => "<circle cx=\"12\" cy=\"12\" r=\"10\" class=\"ring\" stroke-dasharray=\"3.2 3.1\"/>",
    });

    /// <summary>The mark of the word over a paper.</summary>
    public static string Of(PaperWord word) => Of(Standing(word));

    /// <summary>Class that gives the verdict's colour.</summary>
    public static string Style(Verdict verdict) => verdict switch
    {
        Verdict.Holds => "v-holds",
        Verdict.Refuted => "v-refuted",
        Verdict.Inconclusive => "v-inconclusive",
        Verdict.Void => "v-void",
        _ => "v-none",
    };

    /// <summary>The verdict whose mark a word over a paper has.</summary>
    public static Verdict Standing(PaperWord word) => word switch
    {
        PaperWord.Holds or PaperWord.ShownInABuiltWorld => Verdict.Holds,
        PaperWord.Refuted => Verdict.Refuted,
        PaperWord.Void => Verdict.Void,
        PaperWord.Inconclusive => Verdict.Inconclusive,
        PaperWord.NotJudged => Verdict.NotJudged,
        _ => Verdict.NotTestable,
    };

    private static string Draw(string style, string body) => $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 24 24\" class=\"icon {style}\" aria-hidden=\"true\">{body}</svg>";
}
