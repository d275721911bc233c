using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Budwood.Generator;

/// <summary>Makes of every class with <c>[Method]</c> its card and its reading of parameters, and of all of them a catalogue, as code.</summary>
[Generator(LanguageNames.CSharp)]
public sealed class MethodGenerator : IIncrementalGenerator
{
    /// <summary>Name of the step that a change elsewhere leaves untouched; tests ask for it.</summary>
    internal const string ModelStep = "Budwood.Method";

    /// <summary>Name of the step before the catalogue.</summary>
    internal const string CatalogueStep = "Budwood.Catalogue";

    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        IncrementalValuesProvider<Extracted> read = context.SyntaxProvider.ForAttributeWithMetadataName(
            "Budwood.Methods.MethodAttribute", static (node, _) => node is TypeDeclarationSyntax, Reader.Read);

        // Code, complaints and names part ways here: complaints and names hold places, which move with every line that is typed above them.
        IncrementalValuesProvider<MethodModel> methods = read
            .Where(static e => e.Method is not null).Select(static (e, _) => e.Method!).WithTrackingName(ModelStep);
        context.RegisterSourceOutput(methods, static (to, m) => to.AddSource(Hint(m.FullClass), Writer.Method(m)));

        context.RegisterSourceOutput(read.SelectMany(static (e, _) => e.Complaints), static (to, c) => to.ReportDiagnostic(c.ToDiagnostic()));
        context.RegisterSourceOutput(read.Select(static (e, _) => e.Name).Collect(), static (to, names) => Duplicates(to, names));

        IncrementalValueProvider<Items<MethodModel>> all = methods
            .Where(static m => m.Creatable).Collect().Select(static (m, _) => m.ToItems()).WithTrackingName(CatalogueStep);
        IncrementalValueProvider<string?> assembly = context.CompilationProvider.Select(static (c, _) => c.AssemblyName);
        context.RegisterSourceOutput(all.Combine(assembly), static (to, pair) =>
        {
            if (pair.Left.Count > 0) to.AddSource("Catalogue.g.cs", Writer.Catalogue(pair.Right, pair.Left));
        });
    }

    private static string Hint(string fullClass) => fullClass.Replace("global::", "").Replace("@", "") + ".g.cs";

    private static void Duplicates(SourceProductionContext to, ImmutableArray<NameModel> names)
    {
        foreach (IGrouping<string, NameModel> same in names.GroupBy(n => n.Name))
        {
            NameModel[] classes = [.. same.OrderBy(n => n.FullClass, StringComparer.Ordinal)];
            foreach (NameModel later in classes.Skip(1))
            {
                Items<string> arguments = new[] { later.Name, later.FullClass, classes[0].FullClass }.ToItems();
                to.ReportDiagnostic(new Complaint(Rules.DuplicateName.Id, later.At, arguments).ToDiagnostic());
            }
        }
    }
}
