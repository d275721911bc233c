using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Budwood.Generator;

/// <summary>Reads one method's class into a model, and complains of what is missing.</summary>
internal sealed class Reader
{
    private const string Contract = "Budwood.Methods.";

    /// <summary>Tags that a method must have, and what its author is to write there.</summary>
    private static readonly (string Tag, string Hint)[] s_tags =
    [
        ("summary", "what it does, in one sentence"), ("use", "when to use it"), ("notfor", "when not to use it"),
        ("cost", "passes, memory and time"), ("differs", "how it differs from its nearest neighbours"),
    ];

    private readonly List<Complaint> _complaints = [];
    private readonly INamedTypeSymbol _class;
    private readonly CancellationToken _stop;
    private readonly string _name;
    private readonly Place? _at;

    private Reader(INamedTypeSymbol type, Place? at, string name, CancellationToken stop)
    {
        _class = type;
        _at = at;
        _name = name;
        _stop = stop;
    }

    public static Extracted Read(GeneratorAttributeSyntaxContext context, CancellationToken stop)
    {
        var type = (INamedTypeSymbol)context.TargetSymbol;
        Location at = context.TargetNode is BaseTypeDeclarationSyntax declaration ? declaration.Identifier.GetLocation() : context.TargetNode.GetLocation();
        AttributeData method = context.Attributes[0];
        string name = Given(method, 0) as string ?? "";
        return new Reader(type, Place.Of(at), name, stop).Read(method);
    }

    private Extracted Read(AttributeData attribute)
    {
        if (!Names.IsSnake(_name)) Complain(Rules.BadName, _at, _name, Names.Suggest(_name.Length == 0 ? _class.Name : _name));

        int revision = Named(attribute, "Revision") is int r ? r : 1;
        if (revision < 1) Complain(Rules.BadRevision, _at, _name, Text(revision));

        var tags = new Dictionary<string, string>();
        Documentation doc = Documentation.Of(_class, _stop);
        if (doc.Malformed) Complain(Rules.MalformedDoc, _at, _class.Name);
        foreach ((string tag, string hint) in s_tags)
        {
            string? text = doc.Tag(tag);
            if (text is null && !doc.Malformed) Complain(Rules.MissingTag, _at, _name, tag, hint);
            tags[tag] = text ?? "";
        }

        List<SourceModel> sources = Sources();
        if (sources.Count == 0) Complain(Rules.NoSource, _at, _name);

        bool shaped = _class.IsSealed && _class.ContainingType is null && _class.Arity == 0 && _class.TypeKind == TypeKind.Class && IsPartial();
        if (!shaped) Complain(Rules.NotSealedPartial, _at, _class.Name);

        bool creatable = _class.InstanceConstructors.Any(c => c.Parameters.Length == 0
            && c.DeclaredAccessibility is Accessibility.Public or Accessibility.Internal or Accessibility.ProtectedOrInternal);
        if (shaped && !creatable) Complain(Rules.NoConstructor, _at, _class.Name);

        ITypeSymbol? parameters = ParametersType();
        if (parameters is null) Complain(Rules.NoBase, _at, _class.Name);
        List<ParameterModel> cards = parameters is null ? [] : Parameters(parameters);

        // Without a record there is nothing to read parameters into, and a class that is not partial cannot be completed.
        MethodModel? model = !shaped || parameters is null or { TypeKind: TypeKind.Error } ? null : new MethodModel(
            Namespace(), Names.Escape(_class.Name), Full(_class), Full(parameters), _name, RoomOf(attribute), revision,
            Named(attribute, "MayCopy") is true, Named(attribute, "Verb") as string,
            tags["summary"], tags["use"], tags["notfor"], tags["cost"], tags["differs"], doc.Tag("formula"),
            sources.ToItems(), cards.ToItems(), Inert().ToItems(), creatable);
        return new Extracted(model, new NameModel(_name, _class.ToDisplayString(), _at), _complaints.ToItems());
    }

    private bool IsPartial() => _class.DeclaringSyntaxReferences
        .All(s => s.GetSyntax(_stop) is TypeDeclarationSyntax t && t.Modifiers.Any(SyntaxKind.PartialKeyword));

    private string Namespace()
    {
        string full = _class.ContainingNamespace.IsGlobalNamespace ? "" : Full(_class.ContainingNamespace);
        return full.StartsWith("global::", StringComparison.Ordinal) ? full.Substring("global::".Length) : full;
    }

    private ITypeSymbol? ParametersType()
    {
        for (INamedTypeSymbol? t = _class.BaseType; t is not null; t = t.BaseType)
        {
            if (t.Arity == 1 && t.Name is "Rule" or "Job" && t.ContainingType is null && t.ContainingNamespace.ToDisplayString() == "Budwood.Methods")
                return t.TypeArguments.Length == 1 ? t.TypeArguments[0] : null;
        }
        return null;
    }

    private List<SourceModel> Sources()
    {
        var sources = new List<SourceModel>();
        foreach (AttributeData a in _class.GetAttributes())
        {
            if (Is(a, "PaperAttribute")) sources.Add(new SourceModel(Given(a, 0) as string, null, Given(a, 1) as string));
            else if (Is(a, "SourceAttribute")) sources.Add(new SourceModel(null, Given(a, 0) as string, Named(a, "Where") as string));
        }
        return sources;
    }

    private IEnumerable<string> Inert() => BaseFirst(_class).SelectMany(t => t.GetAttributes()).Where(a => Is(a, "InertAttribute"))
        .SelectMany(a => a.ConstructorArguments).Where(c => c.Kind == TypedConstantKind.Array && !c.IsNull)
        .SelectMany(c => c.Values).Select(v => v.Value).OfType<string>().Distinct();

    private static string RoomOf(AttributeData attribute)
    {
        object? room = Given(attribute, 1);
        IFieldSymbol? member = room is null ? null
            : Members((INamedTypeSymbol)attribute.ConstructorArguments[1].Type!).FirstOrDefault(f => Equals(f.ConstantValue, room));
        return member is not null ? "global::Budwood.Methods.Room." + member.Name : "default";
    }

    private List<ParameterModel> Parameters(ITypeSymbol type)
    {
        var properties = new List<IPropertySymbol>();
        foreach (IPropertySymbol p in BaseFirst(type).SelectMany(t => t.GetMembers()).OfType<IPropertySymbol>())
        {
            if (p.IsStatic || p.IsIndexer || p.DeclaredAccessibility != Accessibility.Public) continue;
            // An override or a hiding property takes the place of the first one: the order of a base is the same for all that build on it.
            int before = properties.FindIndex(q => q.Name == p.Name);
            if (before >= 0) properties[before] = p;
            else properties.Add(p);
        }

        var cards = new List<ParameterModel>();
        foreach (IPropertySymbol p in properties)
        {
            if (SetterOf(p)?.DeclaredAccessibility == Accessibility.Public && Parameter(p) is { } card)
            {
                if (cards.Find(c => c.Name == card.Name) is { } twin)
                    Complain(Rules.DuplicateWord, PlaceOf(p), $"The properties {twin.Property}", p.Name, card.Name, _name);
                cards.Add(card);
            }
        }
        return cards;
    }

    private ParameterModel? Parameter(IPropertySymbol p)
    {
        string name = Names.Snake(p.Name);
        Place? at = PlaceOf(p);
        string? doc = null;
        bool malformed = false;
        for (IPropertySymbol? q = p; q is not null && doc is null && !malformed; q = q.OverriddenProperty)
        {
            Documentation from = Documentation.Of(q, _stop);
            doc = from.Tag("summary");
            malformed = from.Malformed;
        }
        if (malformed) Complain(Rules.MalformedDoc, at, p.Name);
        else if (doc is null) Complain(Rules.NoParameterSummary, at, name, p.Name, _name);

        if (ShapeOf(p.Type, out bool nullable, out INamedTypeSymbol? choice) is not { } shape)
        {
            Complain(Rules.UnsupportedType, at, name, p.Name, _name, p.Type.ToDisplayString(SymbolDisplayFormat.MinimallyQualifiedFormat));
            return null;
        }

        List<AttributeData> attributes = [];
        for (IPropertySymbol? q = p; q is not null; q = q.OverriddenProperty) attributes.AddRange(q.GetAttributes());
        bool number = shape is Shape.Number or Shape.Long or Shape.Int;
        string? unit = attributes.Find(a => Is(a, "UnitAttribute")) is { } u ? Given(u, 0) as string : null;
        if (number && string.IsNullOrWhiteSpace(unit)) Complain(Rules.NoUnit, at, name, p.Name, _name);

        double minimum = double.NegativeInfinity, maximum = double.PositiveInfinity;
        bool minimumOpen = false, maximumOpen = false;
        AttributeData? range = attributes.Find(a => Is(a, "RangeAttribute"));
        if (range is not null && Given(range, 0) is double low && Given(range, 1) is double high)
        {
            minimum = low;
            maximum = high;
            minimumOpen = Named(range, "MinimumOpen") is true;
            maximumOpen = Named(range, "MaximumOpen") is true;
            bool some = minimum < maximum || (minimum == maximum && !minimumOpen && !maximumOpen);
            if (!some) Complain(Rules.EmptyRange, at, name, p.Name, _name, Text(minimum), Text(maximum));
        }
        else if (number && range is null)
        {
            Complain(Rules.NoRange, at, name, p.Name, _name);
        }
        if (shape == Shape.Int)
        {
            // What an int cannot hold has to be outside the range, so that a user meets a sentence and not an overflow.
            if (minimum < int.MinValue) (minimum, minimumOpen) = (int.MinValue, false);
            if (maximum > int.MaxValue) (maximum, maximumOpen) = (int.MaxValue, false);
        }

        List<ChoiceModel> choices = [];
        foreach (IFieldSymbol member in choice is null ? [] : Members(choice))
        {
            string word = Names.Snake(member.Name);
            if (choices.Find(c => c.Word == word) is { } twin)
                Complain(Rules.DuplicateWord, at, $"The choices {twin.Member} of '{name}'", member.Name, word, _name);
            choices.Add(new ChoiceModel(member.Name, word));
        }
        return new ParameterModel(p.Name, name, shape, nullable,
            attributes.Exists(a => Is(a, "PerModelAttribute")), attributes.Exists(a => Is(a, "RequiredAttribute")), unit,
            minimum, maximum, minimumOpen, maximumOpen, doc ?? "", choice is null ? null : Full(choice), choices.ToItems());
    }

    private static Shape? ShapeOf(ITypeSymbol type, out bool nullable, out INamedTypeSymbol? choice)
    {
        nullable = type.NullableAnnotation == NullableAnnotation.Annotated;
        choice = null;
        if (type is INamedTypeSymbol { OriginalDefinition.SpecialType: SpecialType.System_Nullable_T } wrapped) type = wrapped.TypeArguments[0];
        switch (type.SpecialType)
        {
            case SpecialType.System_Double: return Shape.Number;
            case SpecialType.System_Int64: return Shape.Long;
            case SpecialType.System_Int32: return Shape.Int;
            case SpecialType.System_Boolean: return Shape.Flag;
            case SpecialType.System_String: return Shape.Text;
        }
        if (type is not INamedTypeSymbol named) return null;
        if (named.TypeKind == TypeKind.Enum && Members(named).Any())
        {
            choice = named;
            return Shape.Choice;
        }
        if (named.OriginalDefinition.SpecialType != SpecialType.System_Collections_Generic_IReadOnlyList_T) return null;
        return named.TypeArguments[0].SpecialType switch
        {
            SpecialType.System_Int64 => Shape.Integers,
            SpecialType.System_Double => Shape.Numbers,
            SpecialType.System_String => Shape.Texts,
            _ => null,
        };
    }

    private static IEnumerable<IFieldSymbol> Members(INamedTypeSymbol type) => type.GetMembers().OfType<IFieldSymbol>().Where(f => f.HasConstantValue);

    /// <summary>The setter, which an override of the getter alone leaves to its base.</summary>
    private static IMethodSymbol? SetterOf(IPropertySymbol p) => p.SetMethod ?? (p.OverriddenProperty is { } q ? SetterOf(q) : null);

    private static List<ITypeSymbol> BaseFirst(ITypeSymbol type)
    {
        var chain = new List<ITypeSymbol>();
        for (ITypeSymbol? t = type; t is not null && t.SpecialType != SpecialType.System_Object; t = t.BaseType) chain.Insert(0, t);
        return chain;
    }

    private static bool Is(AttributeData a, string name) => a.AttributeClass is { } type && type.Name == name && type.ToDisplayString() == Contract + name;

    /// <summary>An argument by position; null also where the compiler will complain of the attribute itself.</summary>
    private static object? Given(AttributeData a, int index) =>
        index < a.ConstructorArguments.Length && a.ConstructorArguments[index] is { Kind: not TypedConstantKind.Array } v ? v.Value : null;

    private static object? Named(AttributeData a, string name) =>
        a.NamedArguments.FirstOrDefault(n => n.Key == name).Value is { Kind: not TypedConstantKind.Array } v ? v.Value : null;

    private static string Full(ISymbol symbol) => symbol.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat);

    private static string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);

    /// <summary>The property's own place, or the method's when the property was compiled elsewhere.</summary>
    private Place? PlaceOf(IPropertySymbol p) => Place.Of(p.Locations.FirstOrDefault(l => l.IsInSource)) ?? _at;

    private void Complain(DiagnosticDescriptor rule, Place? at, params string[] arguments) => _complaints.Add(new Complaint(rule.Id, at, arguments.ToItems()));
}
