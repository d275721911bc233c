using Budwood.Recipes;

namespace Budwood.Tests.Recipes;

public class YamlTests
{
    private static YamlMap Map(string text) => Assert.IsType<YamlMap>(Yaml.Read(text, "x.yml")[0]);

    [Fact]
    public void A_duplicate_key_names_both_lines()
    {
        var fault = Assert.Throws<Fault>(() => Map("a: 1\nb: 2\na: 3\n"));
        Assert.Equal(("BW1108", ExitCode.Usage, "x.yml:3"), (fault.Code, fault.Exit, fault.Where));
        Assert.Contains("line 1", fault.Message, StringComparison.Ordinal);
        Assert.Contains("---", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Merge_keys_and_aliases_bring_values_in_and_own_keys_win()
    {
        YamlMap map = Map("d: &d {x: 1, y: 2}\nm:\n  <<: *d\n  y: 3\n");
        var m = Assert.IsType<YamlMap>(map["m"]);
        Assert.Equal(1, Assert.IsType<YamlScalar>(m["x"]).Number);
        Assert.Equal(3, Assert.IsType<YamlScalar>(m["y"]).Number);
    }

    [Theory]
    [InlineData("1e-5", 1e-5)]
    [InlineData("'1e-5'", 1e-5)]
    [InlineData("-.inf", double.NegativeInfinity)]
    [InlineData("1_000", 1000)]
    public void Numbers_are_read_as_people_write_them(string text, double value) => Assert.Equal(value, Assert.IsType<YamlScalar>(Map($"a: {text}\n")["a"]).Number);

    [Theory]
    [InlineData("yes", true)]
    [InlineData("Off", false)]
    [InlineData("true", true)]
    public void Flags_have_the_words_of_yaml(string text, bool value) => Assert.Equal(value, Assert.IsType<YamlScalar>(Map($"a: {text}\n")["a"]).Flag);

    [Theory]
    [InlineData("a: [1, 2\n")]
    [InlineData("a: *nothing\n")]
    [InlineData("a: b: c\n")]
    [InlineData("? [1, 2]\n: x\n")]
    public void What_is_not_yaml_is_a_fault_with_a_line(string text)
    {
        var fault = Assert.Throws<Fault>(() => Yaml.Read(text, "x.yml"));
        Assert.Equal(ExitCode.Usage, fault.Exit);
        Assert.StartsWith("x.yml:", fault.Where, StringComparison.Ordinal);
    }

    [Fact]
    public void Deep_nesting_is_refused_before_it_hurts()
    {
        var fault = Assert.Throws<Fault>(() => Yaml.Read(new string('[', 5000) + new string(']', 5000), "x.yml"));
        Assert.Equal("BW1102", fault.Code);
    }
}
