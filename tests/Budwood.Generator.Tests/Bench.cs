using System.Reflection;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Budwood.Generator.Tests;

/// <summary>Compiles method files in memory and runs the generator on them.</summary>
internal static class Bench
{
    private static readonly MetadataReference[] s_references =
        [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(p => Path.GetFileName(p).StartsWith("System.", StringComparison.Ordinal))
            .Select(p => MetadataReference.CreateFromFile(p))];

    public const string Usings = "using System.Collections.Generic;\nusing Budwood.Methods;\n\nnamespace Acme;\n\n";

    public const string Tags = """
        /// <summary>Mixes.</summary>
        /// <use>Often.</use>
        /// <notfor>Never.</notfor>
        /// <cost>One pass.</cost>
        /// <differs>It does not.</differs>

        """;

    /// <summary>A method that is complete, with the given members in its parameters record.</summary>
    public static string Good(string parameters = "", string name = "mix", string type = "Mix") => Usings + Tags + $$"""
        [Method("{{name}}", Room.Merge), Paper("mixing", "Eq. 1")]
        public sealed partial class {{type}} : Rule<{{type}}Parameters>;

        public sealed record {{type}}Parameters
        {
            {{parameters}}
        }
        """;

    public static CSharpCompilation Compile(DocumentationMode mode, params string[] sources)
    {
        var options = new CSharpParseOptions(LanguageVersion.CSharp14, mode);
        return CSharpCompilation.Create("Acme.Merging",
            [CSharpSyntaxTree.ParseText(Contract.Source, options, "Contract.cs"),
                .. sources.Select((s, i) => CSharpSyntaxTree.ParseText(s, options, $"File{i}.cs"))],
            s_references, new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable,
                // As the product's build: every warning an error, public members without a sentence let through.
                generalDiagnosticOption: ReportDiagnostic.Error,
                specificDiagnosticOptions: [KeyValuePair.Create("CS1591", ReportDiagnostic.Suppress)]));
    }

    public static GeneratorDriver Driver(CSharpCompilation compilation, bool tracked = false) => CSharpGeneratorDriver.Create(
        [new MethodGenerator().AsSourceGenerator()], parseOptions: (CSharpParseOptions)compilation.SyntaxTrees[0].Options,
        driverOptions: new GeneratorDriverOptions(IncrementalGeneratorOutputKind.None, trackIncrementalGeneratorSteps: tracked));

    public static (Compilation Output, Diagnostic[] Complaints, string[] Files) Run(params string[] sources) => Run(DocumentationMode.Diagnose, sources);

    public static (Compilation Output, Diagnostic[] Complaints, string[] Files) Run(DocumentationMode mode, params string[] sources)
    {
        CSharpCompilation compilation = Compile(mode, sources);
        GeneratorDriver driver = Driver(compilation);
        driver = driver.RunGeneratorsAndUpdateCompilation(compilation, out Compilation output, out _);
        GeneratorDriverRunResult result = driver.GetRunResult();
        Assert.Null(result.Results[0].Exception);
        return (output, [.. result.Diagnostics], [.. result.GeneratedTrees.Select(t => t.ToString())]);
    }

    /// <summary>Runs, wants neither complaints nor warnings, and loads the result.</summary>
    public static Assembly Load(params string[] sources) => Load(DocumentationMode.Diagnose, sources);

    public static Assembly Load(DocumentationMode mode, params string[] sources)
    {
        (Compilation output, Diagnostic[] complaints, _) = Run(mode, sources);
        Assert.Empty(complaints);
        Assert.Empty(output.GetDiagnostics().Where(d => d.Severity >= DiagnosticSeverity.Warning));
        using var file = new MemoryStream();
        Assert.True(output.Emit(file).Success);
        file.Position = 0;
        return new AssemblyLoadContext(null, isCollectible: true).LoadFromStream(file);
    }

    /// <summary>The one complaint of a run, with its message.</summary>
    public static (string Id, string Message, Diagnostic Diagnostic) Complaint(params string[] sources)
    {
        Diagnostic d = Assert.Single(Run(sources).Complaints);
        Assert.Equal(DiagnosticSeverity.Error, d.Severity);
        Assert.True(d.Location.GetLineSpan().IsValid);
        return (d.Id, d.GetMessage(), d);
    }

    /// <summary>All methods of the catalogue.</summary>
    public static dynamic[] Methods(Assembly assembly) =>
        [.. (IEnumerable<object>)assembly.GetType("Budwood.Methods.Generated.AcmeMergingCatalogue", true)!.GetProperty("All")!.GetValue(null)!];

    /// <summary>Parameter values for a card, by position.</summary>
    public static dynamic Values(dynamic method, params object?[] values)
    {
        object made = Activator.CreateInstance(((object)method).GetType().Assembly.GetType("Budwood.Methods.ParameterValues", true)!, (object)method.Card)!;
        for (int i = 0; i < values.Length; i++) made.GetType().GetProperty("Item")!.SetValue(made, values[i], [i]);
        return made;
    }
}
