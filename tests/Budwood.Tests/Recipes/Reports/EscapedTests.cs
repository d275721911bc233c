using System.Xml.Linq;
using Budwood.Recipes.Reports;
using Budwood.Recipes.Reports.Plots;
using CsCheck;

namespace Budwood.Tests.Recipes.Reports;

public class EscapedTests
{
    [Theory]
    [InlineData("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;")]
    [InlineData("\" onload='x' &amp;", "&quot; onload=&#39;x&#39; &amp;amp;")]
    [InlineData("a\u0000b\u001fc", "a\uFFFDb\uFFFDc")]
    [InlineData(null, "")]
    public void Markup_becomes_text(string? text, string expected) => Assert.Equal(expected, Escaped.Text(text));

    [Fact]
    public void Any_text_is_well_formed_as_content_and_as_attribute() => Gen.String[Gen.Char, 0, 40].Sample(text =>
    {
        XElement back = XElement.Parse($"<a b=\"{Escaped.Text(text)}\">{Escaped.Text(text)}</a>", LoadOptions.PreserveWhitespace);
        Assert.DoesNotContain(back.DescendantNodes(), n => n is XElement);
    });

    [Fact]
    public void Ids_of_different_names_differ_and_need_no_escaping()
    {
        string[] names = ["a b", "a_b", "a.b", "a\"b", "ä", "a"];
        Assert.Equal(names.Length, names.Select(Escaped.Id).Distinct().Count());
        Assert.All(names, n => Assert.Equal(Escaped.Id(n), Escaped.Text(Escaped.Id(n))));
    }

    [Fact]
    public void A_picture_escapes_its_texts()
    {
        string svg = new Svg(10, "<says> \"it\"", "chart").Text(1, 2, "</text><script>", "tick", tip: "a & b").End(10);
        Assert.DoesNotContain("<script", svg, StringComparison.Ordinal);
        Assert.Equal("<says> \"it\"", XDocument.Parse(svg).Root!.Attribute("aria-label")!.Value);
    }

    [Fact]
    public void Cut_text_fits_its_width() => Gen.Select(Gen.String[Gen.Char['a', 'z'], 0, 60], Gen.Double[20, 200]).Sample((text, width) => Assert.True(Svg.WidthOf(Svg.Cut(text, width)) <= width + 1e-9 + 24));
}
