using Budwood.Recipes;
using Budwood.Recipes.Claims;

namespace Budwood.Tests.Recipes.Claims;

public class ExpressionTests
{
    private static readonly YamlNode s_node = Yaml.Read("a: 1", "claims.yml")[0];

    private static double Value(string text, params (string Column, double[] Values)[] columns) => new Evaluation(c =>
    {
        double[] values = columns.Single(x => x.Column == c.Column).Values;
        return new Rows(values, [.. values.Select((_, i) => $"{i}")]);
    }, s_node).Value(Expression.Parse(text));

    [Theory]
    [InlineData("1 + 2 * 3 - 4 / 2", 5)]
    [InlineData("-2 ^ 2", -4)]
    [InlineData("2 ^ 3 ^ 2", 512)]
    [InlineData("(1 + 2) * -3", -9)]
    [InlineData("2 > 1", 1)]
    [InlineData("1 == 2", 0)]
    [InlineData("1e-3 * 1E+3", 1)]
    [InlineData("mean(s.x)", 2.5)]
    [InlineData("sum(s.x) / count(s.x)", 2.5)]
    [InlineData("mean(s.x > 2)", 0.5)]
    [InlineData("mean(s.x - s.y)", 0)]
    [InlineData("median(s.x)", 2.5)]
    [InlineData("quantile(s.x, 0.25)", 1.75)]
    [InlineData("max(abs(s.x - 3))", 2)]
    [InlineData("rank_corr(s.x, exp(s.x))", 1)]
    [InlineData("corr(s.x, s.y)", -1)]
    [InlineData("slope(s.x, 2 * s.x + 1)", 2)]
    [InlineData("win_rate(s.x, s.y)", 0.5)]
    [InlineData("sqrt(first(s.x)) + last(s.x)", 5)]
    [InlineData("log(exp(3))", 3)]
    public void Values_are_as_mathematics_has_them(string text, double expected) =>
        Assert.Equal(expected, Value(text, ("x", [1, 2, 3, 4]), ("y", [4, 3, 2, 1])), 1e-12);

    // n = 4, standard deviation sqrt(5/3), t(0.975, 3) = 3.182446305284263.
    [Fact]
    public void Intervals_are_students()
    {
        double half = 3.182446305284263 * Math.Sqrt(5.0 / 3) / 2;
        Assert.Equal(2.5 - half, Value("ci_low(s.x)", ("x", [1, 2, 3, 4])), 1e-9);
        Assert.Equal(2 * half, Value("ci_high(s.x) - ci_low(s.x)", ("x", [1, 2, 3, 4])), 1e-9);
    }

    [Fact]
    public void Columns_know_step_port_filter_and_name()
    {
        Expression.ColumnOf[] columns = [.. Expression.Parse("mean(world.train[task=1, lambda = 0.3].gain) - scores.gain").Columns];
        Assert.Equal(("world", "train", "gain"), (columns[0].Step, columns[0].Port, columns[0].Column));
        Assert.Equal([("task", "1"), ("lambda", "0.3")], columns[0].Filters);
        Assert.Equal(("scores", null, "gain"), (columns[1].Step, columns[1].Port, columns[1].Column));
    }

    [Theory]
    [InlineData("mean(s.x", "expected ',' or ')'")]
    [InlineData("mena(s.x)", "mean")]
    [InlineData("mean(s.x, s.y)", "takes 1 argument")]
    [InlineData("s", "write step.column")]
    [InlineData("1 +", "ends too early")]
    [InlineData("1 2", "expected an operator")]
    [InlineData("a.b.c.d", "write step.column")]
    [InlineData("s[x].y", "key=value")]
    public void What_is_no_formula_says_where(string text, string why) =>
        Assert.Contains(why, Assert.Throws<FormatException>(() => Expression.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Deep_nesting_ends_in_a_message() =>
        Assert.Contains("nested", Assert.Throws<FormatException>(() => Expression.Parse(new string('(', 5000) + "1" + new string(')', 5000))).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("mean(s.x) / mean(s.z)", "BW3515")]
    [InlineData("mean(s.e)", "BW3514")]
    [InlineData("s.x", "BW3518")]
    [InlineData("mean(s.x - s.e)", "BW3514")]
    [InlineData("std(s.one)", "BW3517")]
    [InlineData("log(mean(s.z))", "BW3517")]
    [InlineData("corr(s.x, s.z)", "BW3517")]
    [InlineData("mean(s.x * s.three)", "BW3516")]
    public void What_cannot_be_computed_is_an_error(string text, string code) =>
        Assert.Equal(code, Assert.Throws<Fault>(() => Value(text, ("x", [1, 2, 3, 4]), ("z", [0, 0, 0, 0]), ("e", []), ("one", [1]), ("three", [1, 2, 3]))).Code);

    [Fact]
    public void Rows_are_paired_by_what_they_are()
    {
        double Of(string[] left, string[] right) => new Evaluation(c => c.Column == "a" ? new Rows([1, 2], left) : new Rows([10, 20], right), s_node).Value(Expression.Parse("sum(s.a * s.b)"));
        Assert.Equal(50, Of(["p", "q"], ["p", "q"]));
        Assert.Equal(40, Of(["p", "q"], ["q", "p"]));
        Assert.Equal("BW3516", Assert.Throws<Fault>(() => Of(["p", "q"], ["p", "r"])).Code);
    }

    [Theory]
    [InlineData("mean(abs(s.x))", 0, double.PositiveInfinity)]
    [InlineData("mean(s.x > 2)", 0, 1)]
    [InlineData("1 - mean(s.x > 2)", 0, 1)]
    [InlineData("corr(s.x, s.y) * 2", -2, 2)]
    [InlineData("count(s.x)", 1, double.PositiveInfinity)]
    [InlineData("mean(s.x)", double.NegativeInfinity, double.PositiveInfinity)]
    [InlineData("mean(s.x) ^ 2", 0, double.PositiveInfinity)]
    [InlineData("exp(corr(s.x, s.y))", 0.36787944117144233, 2.718281828459045)]
    public void The_range_of_a_formula_is_known_beforehand(string text, double low, double high) => Assert.Equal((low, high), Evaluation.Range(Expression.Parse(text)));
}
