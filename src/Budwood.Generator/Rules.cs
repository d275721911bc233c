using Microsoft.CodeAnalysis;

namespace Budwood.Generator;

/// <summary>What the generator refuses. Every message says what is wrong and what to write.</summary>
internal static class Rules
{
    public static readonly DiagnosticDescriptor NotSealedPartial = new("BWG001", "A method is a top-level sealed partial class",
        "The method class '{0}' must be a top-level class without type parameters; write 'public sealed partial class {0}' directly in its namespace",
        "Budwood", DiagnosticSeverity.Error, true);

    public static readonly DiagnosticDescriptor NoBase = new("BWG002", "A method derives from Rule or Job",
        "The method class '{0}' must derive from Rule<P> or Job<P>; write 'sealed partial class {0} : Rule<{0}Parameters>', "
        + "where the parameters are a record with defaults",
        "Budwood", DiagnosticSeverity.Error, true);

    public static readonly DiagnosticDescriptor MissingTag = new("BWG003", "A tag of the documentation is missing",
        "The method '{0}' has no <{1}> in its documentation; write '/// <{1}>{2}</{1}>' above the class",
        "Budwood", DiagnosticSeverity.Error, true);

    public static readonly DiagnosticDescriptor NoSource = new("BWG004", "A method names its paper or peer",
        "The method '{0}' does not say where it comes from; write '[Paper(\"slug\", \"equation 3\")]' or '[Source(\"mergekit\")]' on the class",
        "Budwood", DiagnosticSeverity.Error, true);

    public static readonly DiagnosticDescriptor NoParameterSummary = new("BWG005", "A parameter has a summary",
        "The parameter '{0}' ({1}) of the method '{2}' has no summary; write '/// <summary>what it does</summary>' above the property "
        + "(a property inherited from another assembly has to be overridden here with its documentation)",
        "Budwood", DiagnosticSeverity.Error, true);

    public static readonly DiagnosticDescriptor NoUnit = new("BWG006", "A number has a unit",
        "The parameter '{0}' ({1}) of the method '{2}' is a number without a unit; "
        + "write '[Unit(\"1\")]' for a ratio, or what it counts, such as '[Unit(\"layers\")]'",
        "Budwood", DiagnosticSeverity.Error, true);

    public static readonly DiagnosticDescriptor NoRange = new("BWG007", "A number has a range",
        "The parameter '{0}' ({1}) of the method '{2}' is a number without a range; write '[Range(0, 1)]', "
        + "or '[Range(double.NegativeInfinity, double.PositiveInfinity)]' if any number is fine",
        "Budwood", DiagnosticSeverity.Error, true);

    public static readonly DiagnosticDescriptor UnsupportedType = new("BWG008", "The type of a parameter is supported",
        "The parameter '{0}' ({1}) of the method '{2}' has the unsupported type '{3}'; "
        + "write double, long, int, bool, string, an enum with members, or IReadOnlyList<long>",
        "Budwood", DiagnosticSeverity.Error, true);

    public static readonly DiagnosticDescriptor BadName = new("BWG009", "The name of a method is snake_case",
        "The method name '{0}' is not snake_case; write lower-case letters and digits with single underscores, such as '{1}'",
        "Budwood", DiagnosticSeverity.Error, true);

    public static readonly DiagnosticDescriptor DuplicateName = new("BWG010", "Method names are unique",
        "The method name '{0}' of {1} is taken by {2}; write another name in one of the two",
        "Budwood", DiagnosticSeverity.Error, true);

    public static readonly DiagnosticDescriptor EmptyRange = new("BWG011", "A range allows some value",
        "The range of the parameter '{0}' ({1}) of the method '{2}' allows no value, from {3} to {4}; write the smaller end first",
        "Budwood", DiagnosticSeverity.Error, true);

    public static readonly DiagnosticDescriptor BadRevision = new("BWG012", "Revisions count from 1",
        "The revision {1} of the method '{0}' is below 1; write 'Revision = 1' or leave it out",
        "Budwood", DiagnosticSeverity.Error, true);

    public static readonly DiagnosticDescriptor MalformedDoc = new("BWG013", "Documentation is well-formed XML",
        "The documentation of '{0}' is not well-formed XML; close every tag, and write '&lt;' for '<' and '&amp;' for '&'",
        "Budwood", DiagnosticSeverity.Error, true);

    public static readonly DiagnosticDescriptor DuplicateWord = new("BWG014", "Words of a card are unique",
        "{0} and {1} are both written '{2}' on the card of the method '{3}'; rename one of them",
        "Budwood", DiagnosticSeverity.Error, true);

    public static readonly DiagnosticDescriptor NoConstructor = new("BWG015", "The catalogue can create a method",
        "The method class '{0}' has no constructor without parameters that the catalogue can call; write a public or internal one, or none at all",
        "Budwood", DiagnosticSeverity.Error, true);

    public static readonly IReadOnlyDictionary<string, DiagnosticDescriptor> ById = new[]
    {
        NotSealedPartial, NoBase, MissingTag, NoSource, NoParameterSummary, NoUnit, NoRange, UnsupportedType, BadName, DuplicateName, EmptyRange, BadRevision,
        MalformedDoc, DuplicateWord, NoConstructor,
    }.ToDictionary(r => r.Id);
}
