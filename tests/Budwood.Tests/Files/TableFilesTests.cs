using System.Text;
using Budwood.Files;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Files;

public sealed class TableFilesTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static Table Sample()
    {
        var table = new Table("sample", new Column("name"), new Column("value", true, "nats"), new Column("count", true), new Column("ok"));
        table.Add("plain", 0.1, 3L, true);
        table.Add("with, comma and \"quotes\"\nand a line", 2.0, -1L, false);
        table.Add(null, double.NaN, null, true);
        table.Add("inf", double.NegativeInfinity, 0L, null);
        table.Notes.Add("a note");
        return table;
    }

    [Fact]
    public void The_json_form_loses_nothing()
    {
        Table back = TableFiles.Parse(Encoding.UTF8.GetString(TableFiles.Json(Sample())), "x");
        Assert.Equal(Sample().Columns, back.Columns);
        Assert.Equal(Sample().Notes, back.Notes);
        Assert.Equal(Sample().Rows.SelectMany(r => r), back.Rows.SelectMany(r => r));
        Assert.IsType<double>(back.Rows[1][1]);
    }

    [Theory]
    [InlineData("t.csv")]
    [InlineData("t.tsv")]
    public void Separated_text_comes_back(string name)
    {
        File.WriteAllBytes(_folder[name], TableFiles.Bytes(Sample(), name));
        Table back = TableFiles.Read(_folder[name]);
        Assert.Equal(Sample().Texts("name"), back.Texts("name"));
        Assert.Equal([0.1, 2.0, double.NaN, double.NegativeInfinity], back.Numbers("value"));
        Assert.Equal(4, back.Rows.Count);
    }

    [Fact]
    public void Lines_of_json_are_rows()
    {
        Table table = TableFiles.Read(_folder.Write("t.jsonl", "{\"a\":1,\"b\":\"x\"}\n\n{\"b\":\"y\",\"c\":[1,2]}\n"));
        Assert.Equal(["a", "b", "c"], table.Columns.Select(c => c.Name));
        Assert.Equal<object?>([1L, "x", null, null, "y", "[1,2]"], table.Rows.SelectMany(r => r));
    }

    [Theory]
    [InlineData("a,b\n1\n", "1 fields under 2 columns")]
    [InlineData("", "it is empty")]
    [InlineData("a\n\"x", "a quote that is not closed")]
    [InlineData("a,a\n1,2\n", "two columns of one name")]
    public void What_is_no_table_is_refused(string text, string why)
    {
        Fault fault = Assert.Throws<Fault>(() => TableFiles.Read(_folder.Write("t.csv", text)));
        Assert.Equal("BW2315", fault.Code);
        Assert.Contains(why, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_last_line_needs_no_end_and_empty_fields_count()
    {
        Table table = TableFiles.Read(_folder.Write("t.csv", "a,b\r\n1,\r\n,2"));
        Assert.Equal<object?>([1L, null, null, 2L], table.Rows.SelectMany(r => r));
    }

    [Fact]
    public void A_missing_column_names_the_nearest()
    {
        Fault fault = Assert.Throws<Fault>(() => Sample().Numbers("valeu"));
        Assert.Contains("value", fault.Next, StringComparison.Ordinal);
        Assert.Equal("BW2312", Assert.Throws<Fault>(() => Sample().Numbers("name")).Code);
    }
}
