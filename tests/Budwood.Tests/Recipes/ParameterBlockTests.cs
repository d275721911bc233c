using Budwood.Merge;
using Budwood.Methods;
using Budwood.Recipes;

namespace Budwood.Tests.Recipes;

public class ParameterBlockTests
{
    private static readonly ParameterCard s_weight = new Linear().Card.Parameter("weight")!;

    private static object? Find(string yaml, string tensor, double t = 0) => ParameterBlock.Read(Yaml.Read(yaml, "x.yml")[0]).Find(s_weight, tensor, t)?.Value;

    [Theory]
    [InlineData(0, 0.0)]
    [InlineData(0.25, 0.5)]
    [InlineData(0.5, 1.0)]
    [InlineData(1, 3.0)]
    public void A_list_is_a_gradient_over_the_layers(double t, double value) => Assert.Equal(value, Find("weight: [0, 1, 3]", "x", t));

    [Fact]
    public void The_first_filter_that_matches_wins_and_no_filter_is_the_fallback()
    {
        const string yaml = "weight:\n  - {filter: self_attn, value: [0, 1]}\n  - {filter: q_proj, value: 7}\n  - value: 0.5\n";
        Assert.Equal(1.0, Find(yaml, "layers.1.self_attn.q_proj", 1));
        Assert.Equal(7.0, Find(yaml, "layers.1.mlp.q_proj", 1));
        Assert.Equal(0.5, Find(yaml, "norm"));
        Assert.Null(Find("weight:\n  - {filter: mlp, value: 1}\n", "norm"));
    }

    [Fact]
    public void Flags_count_as_numbers() => Assert.Equal(1.0, Find("weight: true", "x"));

    [Theory]
    [InlineData("weight: heavy", "BW1112")]
    [InlineData("weight: []", "BW1112")]
    [InlineData("weight: {a: 1}", "BW1112")]
    [InlineData("weight:\n  - {filter: x}\n", "BW1110")]
    [InlineData("weight:\n  - {filtr: x, value: 1}\n", "BW1109")]
    public void A_value_that_cannot_be_one_is_a_fault_with_its_line(string yaml, string code)
    {
        var fault = Assert.Throws<Fault>(() => Find(yaml, "x"));
        Assert.Equal((code, ExitCode.Usage), (fault.Code, fault.Exit));
        Assert.StartsWith("x.yml:", fault.Where, StringComparison.Ordinal);
    }

    [Fact]
    public void A_number_out_of_range_is_a_fault_that_names_the_range()
    {
        ParameterCard density = new Ties().Card.Parameter("density")!;
        var fault = Assert.Throws<Fault>(() => ParameterBlock.Read(Yaml.Read("density: -0.1", "x.yml")[0]).Find(density, "x", 0));
        Assert.Equal("BW1123", fault.Code);
        Assert.Contains("[0, inf)", fault.Message, StringComparison.Ordinal);
    }
}
