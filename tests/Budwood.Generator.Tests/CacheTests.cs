using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Text;

namespace Budwood.Generator.Tests;

/// <summary>Typing in one file must not regenerate the methods of all others.</summary>
public class CacheTests
{
    private static readonly IncrementalStepRunReason[] s_still = [IncrementalStepRunReason.Cached, IncrementalStepRunReason.Unchanged];

    [Fact]
    public void A_change_elsewhere_changes_no_model()
    {
        (CSharpCompilation compilation, GeneratorDriver driver) = First();
        compilation = compilation.AddSyntaxTrees(CSharpSyntaxTree.ParseText("class Unrelated;", (CSharpParseOptions)compilation.SyntaxTrees[0].Options));
        AssertStill(driver.RunGenerators(compilation).GetRunResult().Results[0]);
    }

    [Fact]
    public void A_line_above_a_method_changes_no_model()
    {
        (CSharpCompilation compilation, GeneratorDriver driver) = First();
        SyntaxTree file = compilation.SyntaxTrees[1];
        compilation = compilation.ReplaceSyntaxTree(file, file.WithChangedText(SourceText.From("// A remark.\n" + file.GetText())));
        AssertStill(driver.RunGenerators(compilation).GetRunResult().Results[0]);
    }

    [Fact]
    public void A_changed_sentence_changes_its_own_model_only()
    {
        (CSharpCompilation compilation, GeneratorDriver driver) = First();
        SyntaxTree file = compilation.SyntaxTrees[1];
        compilation = compilation.ReplaceSyntaxTree(file, file.WithChangedText(SourceText.From(file.GetText().ToString().Replace("Mixes.", "Stirs."))));
        GeneratorRunResult result = driver.RunGenerators(compilation).GetRunResult().Results[0];
        IncrementalStepRunReason[] reasons = [.. result.TrackedSteps[MethodGenerator.ModelStep].SelectMany(s => s.Outputs).Select(o => o.Reason)];
        Assert.Equal(2, reasons.Length);
        Assert.Single(reasons, IncrementalStepRunReason.Modified);
        Assert.Contains("Stirs.", result.GeneratedSources.Single(s => s.HintName == "Acme.Mix.g.cs").SourceText.ToString());
    }

    private static (CSharpCompilation Compilation, GeneratorDriver Driver) First()
    {
        string parameters = "/// <summary>S.</summary>\n    [Unit(\"1\"), Range(0, 1)] public double T { get; init; }";
        CSharpCompilation compilation = Bench.Compile(DocumentationMode.Diagnose, Bench.Good(parameters), Bench.Good(parameters, "other", "Other"));
        return (compilation, Bench.Driver(compilation, tracked: true).RunGenerators(compilation));
    }

    private static void AssertStill(GeneratorRunResult result)
    {
        Assert.Null(result.Exception);
        Assert.Equal(2, result.TrackedSteps[MethodGenerator.ModelStep].Sum(s => s.Outputs.Length));
        Assert.All(result.TrackedSteps[MethodGenerator.ModelStep].Concat(result.TrackedSteps[MethodGenerator.CatalogueStep]).SelectMany(s => s.Outputs),
            o => Assert.Contains(o.Reason, s_still));
        Assert.All(result.TrackedOutputSteps.SelectMany(s => s.Value).SelectMany(s => s.Outputs), o => Assert.Contains(o.Reason, s_still));
    }
}
