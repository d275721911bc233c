using System.Xml.Linq;
using Budwood.Recipes;
using Budwood.Recipes.Reports;
using Budwood.Recipes.Reports.Plots;
using Budwood.Recipes.Steps;

namespace Budwood.Tests.Recipes.Reports;

public class FigurePlotsTests
{
    private static readonly YamlNode s_node = Yaml.Read("a: 1", "x")[0];

    private static Figure Figure(string kind, string x = "size", string? by = "arm", string? log = null) => new("Loss", kind, "step", null, [], x, "loss", by, log, null, s_node);

    private static Table Rows(int arms = 2, int points = 4)
    {
        var table = new Table("t", new Column("seed", true), new Column("size", true, "MB"), new Column("arm"), new Column("loss", true, "nats"));
        for (int seed = 0; seed < 2; seed++)
            for (int arm = 0; arm < arms; arm++)
                for (int i = 0; i < points; i++) table.Add((long)seed, Math.Pow(10, i), $"arm {arm}", (double)(arm + (seed * 2)));
        return table;
    }

    [Fact]
    public void Rows_of_equal_x_and_group_become_a_mean_with_its_spread()
    {
        (Chart? chart, IReadOnlyList<string> notes) = FigurePlots.Of(Figure("line"), Rows());
        Assert.Equal(["arm 0", "arm 1"], chart!.Series.Select(s => s.Name));
        Assert.All(chart.Series[0].Points, p => Assert.Equal((1.0, Math.Sqrt(2), 2), (p.Y, p.Spread!.Value, p.Count)));
        Assert.Equal(("size (MB)", "loss (nats)"), (chart.X, chart.Y));
        Assert.Contains("Means of 2 rows each, with their standard deviation.", notes);
    }

    [Theory]
    [InlineData("line", null)]
    [InlineData("line", "xy")]
    [InlineData("scatter", "x")]
    [InlineData("bar", "y")]
    [InlineData("bar", null)]
    public void Every_kind_draws_a_well_formed_picture_with_its_series_told_apart(string kind, string? log)
    {
        foreach (int points in (int[])[1, 4, 30])
        {
            (Chart? chart, _) = FigurePlots.Of(Figure(kind, log: log), Rows(9, points));
            XDocument svg = XDocument.Parse(ChartDrawing.Draw(chart!));
            XNamespace ns = "http://www.w3.org/2000/svg";
            string[] texts = [.. svg.Descendants(ns + "text").Select(t => t.Value)];
            Assert.All(Enumerable.Range(0, 9), i => Assert.Contains($"arm {i}", texts));
            Assert.All(svg.Descendants().SelectMany(e => e.Attributes()), a => Assert.DoesNotContain("NaN", a.Value, StringComparison.Ordinal));
            foreach (XElement e in svg.Descendants(ns + "line"))
                foreach (string place in (string[])["x1", "x2"]) Assert.InRange((double)e.Attribute(place)!, 0, 500);
        }
    }

    [Fact]
    public void No_two_of_many_series_look_alike() => Assert.Equal(56, Enumerable.Range(0, 56).Select(i => (SeriesStyle.Colour(i), SeriesStyle.Dash(i), SeriesStyle.Marker(i, 0, 0))).Distinct().Count());

    [Fact]
    public void Words_along_the_figure_stand_in_the_order_of_the_table()
    {
        (Chart? chart, _) = FigurePlots.Of(Figure("bar", x: "arm", by: null), Rows());
        Assert.Equal(["arm 0", "arm 1"], chart!.Categories!);
        Assert.Null(chart.By);
    }

    [Fact]
    public void What_cannot_be_drawn_is_said()
    {
        Assert.Contains("no column 'nothing'", FigurePlots.Of(Figure("line", x: "nothing"), Rows()).Notes[0], StringComparison.Ordinal);
        Assert.Contains("gave no table", FigurePlots.Of(Figure("line"), null).Notes[0], StringComparison.Ordinal);
        (Chart? chart, IReadOnlyList<string> notes) = FigurePlots.Of(Figure("line", log: "y"), Rows());
        Assert.NotNull(chart);
        Assert.Contains("4 of 16 rows have no positive number to draw", notes);
    }
}
