using Budwood.Recipes;

namespace Budwood.Tests.Recipes;

public class MergeFileTests
{
    private static Fault Refused(string yaml) => Assert.Throws<Fault>(() => MergeFile.Parse(yaml, "/some/where/merge.yml"));

    private const string Plain = "merge_method: linear\nmodels:\n  - model: a\n  - model: b\n";

    [Fact]
    public void Models_are_one_slice_that_covers_everything()
    {
        MergeDocument d = MergeFile.Parse(Plain, "merge.yml").Documents[0];
        MergeSlice slice = Assert.Single(d.Modules[0].Slices);
        Assert.True(slice.IsWhole);
        Assert.Equal(["a", "b"], slice.Sources.Select(s => s.Model.Text));
        Assert.Equal("linear", d.Method);
    }

    [Theory]
    [InlineData("merge_methd: linear\nmodels: [{model: a}]\n", "BW1110", "merge_method")]
    [InlineData(Plain + "modles: 1\n", "BW1109", "'models'")]
    [InlineData(Plain + "normalize: false\n", "BW1111", "parameters")]
    [InlineData(Plain + "dtype: bfloat\n", "BW1112", "bfloat16")]
    [InlineData(Plain + "slices: [{sources: [{model: a, layer_range: [0, 1]}]}]\n", "BW1116", "exactly one")]
    [InlineData("merge_method: linear\n", "BW1116", "models")]
    [InlineData("merge_method: linear\nmodels: [{model: a, wieght: 1}]\n", "BW1109", "wieght")]
    [InlineData("merge_method: linear\nmodels: [{model: a}, {model: a}]\n", "BW1120", "twice")]
    [InlineData("merge_method: linear\nslices: [{sources: [{model: a, layer_range: [0, 0]}]}]\n", "BW1117", "[0, 1] is layer 0")]
    [InlineData("merge_method: linear\nslices: [{sources: [{model: a}]}]\n", "BW1110", "layer_range")]
    [InlineData("merge_method: linear\nmodels: a\n", "BW1106", "list")]
    [InlineData("- 1\n", "BW1105", "mapping")]
    [InlineData("", "BW1113", "no merge")]
    public void A_file_that_is_wrong_by_itself_is_refused_with_line_and_next_step(string yaml, string code, string words)
    {
        Fault fault = Refused(yaml);
        Assert.Equal((code, ExitCode.Usage), (fault.Code, fault.Exit));
        Assert.StartsWith("merge.yml", fault.Where, StringComparison.Ordinal);
        Assert.Contains(words, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_that_only_holds_an_anchor_is_no_typo() =>
        Assert.Single(MergeFile.Parse("helper: &h {parameters: {weight: 1}}\nhelper: &i 3\nmerge_method: linear\nmodels:\n  - model: a\n    <<: *h\n", "m.yml").Documents);

    [Fact]
    public void A_file_that_is_not_there_is_named_with_its_neighbours()
    {
        using var folder = new Fixtures.TempFolder();
        File.WriteAllText(folder["config.yml"], Plain);
        var fault = Assert.Throws<Fault>(() => MergeFile.Read(folder["confg.yml"]));
        Assert.Equal(("BW1114", ExitCode.Usage), (fault.Code, fault.Exit));
        Assert.Contains("config.yml", fault.Message, StringComparison.Ordinal);
    }
}
