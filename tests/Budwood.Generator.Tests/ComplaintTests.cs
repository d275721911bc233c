using Microsoft.CodeAnalysis;

namespace Budwood.Generator.Tests;

/// <summary>One test for every refusal: its id, and that its message names the culprit and the remedy.</summary>
public class ComplaintTests
{
    private const string Summary = "/// <summary>S.</summary>\n    ";

    [Theory]
    [InlineData("sealed partial class", "sealed class")]
    [InlineData("sealed partial class", "partial class")]
    [InlineData("sealed partial class Mix ", "sealed partial class Mix<T> ")]
    public void BWG001_not_sealed_partial(string was, string isNow)
    {
        (string id, string message, _) = Bench.Complaint(Bench.Good().Replace(was, isNow));
        Assert.Equal("BWG001", id);
        Assert.Contains("public sealed partial class Mix", message);
    }

    [Theory]
    [InlineData("Method")]
    [InlineData("Rule")]
    public void BWG002_no_base(string type)
    {
        (string id, string message, _) = Bench.Complaint(Bench.Good().Replace("Rule<MixParameters>", type));
        Assert.Equal("BWG002", id);
        Assert.Contains("Rule<MixParameters>", message);
    }

    [Theory]
    [InlineData("summary")]
    [InlineData("use")]
    [InlineData("notfor")]
    [InlineData("cost")]
    [InlineData("differs")]
    public void BWG003_missing_tag(string tag)
    {
        (string id, string message, Diagnostic d) = Bench.Complaint(Bench.Good().Replace($"<{tag}>", "<other>").Replace($"</{tag}>", "</other>"));
        Assert.Equal("BWG003", id);
        Assert.Contains("'mix'", message);
        Assert.Contains($"/// <{tag}>", message);
        Assert.Equal("File0.cs", d.Location.GetLineSpan().Path);
    }

    [Fact]
    public void BWG003_for_each_tag_when_there_is_no_comment()
    {
        Diagnostic[] all = Bench.Run(Bench.Good().Replace(Bench.Tags, "")).Complaints;
        Assert.Equal(5, all.Count(d => d.Id == "BWG003"));
        Assert.Equal(5, all.Length);
    }

    [Fact]
    public void BWG004_no_source()
    {
        (string id, string message, _) = Bench.Complaint(Bench.Good().Replace(", Paper(\"mixing\", \"Eq. 1\")", ""));
        Assert.Equal("BWG004", id);
        Assert.Contains("[Paper(\"slug\"", message);
    }

    [Fact]
    public void BWG005_parameter_without_summary()
    {
        (string id, string message, Diagnostic d) = Bench.Complaint(Bench.Good("public bool IsOn { get; init; }"));
        Assert.Equal("BWG005", id);
        Assert.Contains("'is_on' (IsOn)", message);
        Assert.Contains("/// <summary>", message);
        Assert.Equal("    public bool IsOn".Length - 4, d.Location.GetLineSpan().StartLinePosition.Character);
    }

    [Fact]
    public void BWG006_number_without_unit()
    {
        (string id, string message, _) = Bench.Complaint(Bench.Good(Summary + "[Range(0, 1)] public double T { get; init; }"));
        Assert.Equal("BWG006", id);
        Assert.Contains("[Unit(\"1\")]", message);
    }

    [Theory]
    [InlineData("double")]
    [InlineData("long?")]
    [InlineData("int")]
    public void BWG007_number_without_range(string type)
    {
        (string id, string message, _) = Bench.Complaint(Bench.Good(Summary + $"[Unit(\"1\")] public {type} T {{ get; init; }}"));
        Assert.Equal("BWG007", id);
        Assert.Contains("[Range(0, 1)]", message);
    }

    [Theory]
    [InlineData("float")]
    [InlineData("int[]")]
    [InlineData("List<long>")]
    [InlineData("IReadOnlyList<int>")]
    [InlineData("Empty")]
    public void BWG008_unsupported_type(string type)
    {
        (string id, string message, _) = Bench.Complaint(Bench.Good(Summary + $"public {type} T {{ get; init; }} = default!;") + "\npublic enum Empty;");
        Assert.Equal("BWG008", id);
        Assert.Contains($"'{type}'", message);
    }

    [Theory]
    [InlineData("DareTies", "dare_ties")]
    [InlineData("dare-ties", "dare_ties")]
    [InlineData("dare__ties", "dare_ties")]
    [InlineData("2mix", "mix")]
    [InlineData("", "mix")]
    public void BWG009_name_not_snake_case(string name, string suggestion)
    {
        (string id, string message, _) = Bench.Complaint(Bench.Good("", name));
        Assert.Equal("BWG009", id);
        Assert.Contains($"'{suggestion}'", message);
    }

    [Fact]
    public void BWG010_duplicate_name()
    {
        (string id, string message, Diagnostic d) = Bench.Complaint(Bench.Good(), Bench.Good("", "mix", "Other"));
        Assert.Equal("BWG010", id);
        Assert.Contains("Acme.Mix", message);
        Assert.Contains("Acme.Other", message);
        Assert.Equal("File1.cs", d.Location.GetLineSpan().Path);
    }

    [Theory]
    [InlineData("Range(2, 1)")]
    [InlineData("Range(1, 1, MinimumOpen = true)")]
    [InlineData("Range(double.NaN, 1)")]
    public void BWG011_empty_range(string range) =>
        Assert.Equal("BWG011", Bench.Complaint(Bench.Good(Summary + $"[Unit(\"1\"), {range}] public double T {{ get; init; }}")).Id);

    [Fact]
    public void BWG012_revision_below_one() => Assert.Equal("BWG012", Bench.Complaint(Bench.Good().Replace("Room.Merge", "Room.Merge, Revision = 0")).Id);

    [Fact]
    public void BWG013_malformed_documentation()
    {
        (string id, string message, _) = Bench.Complaint(Bench.Good().Replace("Often.", "a < b"));
        Assert.Equal("BWG013", id);
        Assert.Contains("&lt;", message);
    }

    [Fact]
    public void BWG013_malformed_documentation_of_a_parameter() =>
        Assert.Equal("BWG013", Bench.Complaint(Bench.Good("/// <summary>a & b</summary>\n    public bool On { get; init; }")).Id);

    [Fact]
    public void BWG014_two_parameters_of_one_name() =>
        Assert.Equal("BWG014", Bench.Complaint(
            Bench.Good(Summary + "public bool IsOn { get; init; }\n    " + Summary + "public bool Is_On { get; init; }")).Id);

    [Fact]
    public void BWG014_two_choices_of_one_name() =>
        Assert.Equal("BWG014", Bench.Complaint(Bench.Good(Summary + "public Way Way { get; init; }") + "\npublic enum Way { IsOn, Is_On }").Id);

    [Fact]
    public void BWG015_no_constructor() =>
        Assert.Equal("BWG015", Bench.Complaint(Bench.Good().Replace("class Mix :", "class Mix(int n) :")).Id);

    [Fact]
    public void Incomplete_methods_still_get_their_code()
    {
        (Compilation output, Diagnostic[] complaints, _) = Bench.Run(Bench.Good("public double T { get; init; }").Replace(Bench.Tags, ""));
        Assert.Equal(["BWG003", "BWG003", "BWG003", "BWG003", "BWG003", "BWG005", "BWG006", "BWG007"], complaints.Select(d => d.Id).Order());
        Assert.Empty(output.GetDiagnostics().Where(d => d.Severity >= DiagnosticSeverity.Warning));
    }

    [Fact]
    public void Every_rule_is_tested()
    {
        string[] tested = [.. typeof(ComplaintTests).GetMethods().Select(m => m.Name)
            .Where(n => n.StartsWith("BWG", StringComparison.Ordinal)).Select(n => n[..6]).Distinct().Order()];
        Assert.Equal(Rules.ById.Keys.Order(), tested);
    }
}
