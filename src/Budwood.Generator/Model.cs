using System.Collections;
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace Budwood.Generator;

/// <summary>A list that equals another with equal items: what the incremental driver compares to know that nothing changed.</summary>
internal readonly struct Items<T>(ImmutableArray<T> items) : IEquatable<Items<T>>, IReadOnlyList<T> where T : IEquatable<T>
{
    private readonly ImmutableArray<T> _items = items;

    private ImmutableArray<T> All => _items.IsDefault ? ImmutableArray<T>.Empty : _items;

    public int Count => All.Length;

    public T this[int index] => All[index];

    public bool Equals(Items<T> other) => All.SequenceEqual(other.All);

    public override bool Equals(object? obj) => obj is Items<T> other && Equals(other);

    public override int GetHashCode()
    {
        int hash = 17;
        foreach (T item in All) hash = unchecked((hash * 31) + item.GetHashCode());
        return hash;
    }

    public IEnumerator<T> GetEnumerator() => ((IEnumerable<T>)All).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

internal static class Items
{
    public static Items<T> ToItems<T>(this IEnumerable<T> items) where T : IEquatable<T> => new([.. items]);
}

/// <summary>Type of a parameter's property; one more than the card knows, because an int has to be cast.</summary>
internal enum Shape { Number, Long, Int, Flag, Text, Choice, Integers, Numbers, Texts }

/// <summary>A choice: the enum's member and its word.</summary>
internal sealed record ChoiceModel(string Member, string Word);

internal sealed record ParameterModel(string Property, string Name, Shape Shape, bool Nullable, bool PerModel, bool Required, string? Unit,
    double Minimum, double Maximum, bool MinimumOpen, bool MaximumOpen, string Doc, string? EnumType, Items<ChoiceModel> Choices);

internal sealed record SourceModel(string? Paper, string? Peer, string? Where);

/// <summary>All that the generated code depends on, without symbols and without places in files: moving a method does not regenerate it.</summary>
internal sealed record MethodModel(string Namespace, string Class, string FullClass, string ParametersType,
    string Name, string Room, int Revision, bool MayCopy, string? Verb, string Summary, string Use, string NotFor, string Cost, string Differs, string? Formula,
    Items<SourceModel> Sources, Items<ParameterModel> Parameters, Items<string> Inert, bool Creatable);

/// <summary>A place in a file that does not keep the syntax tree alive.</summary>
internal sealed record Place(string Path, TextSpan Span, LinePositionSpan Lines)
{
    public static Place? Of(Location? at) => at?.SourceTree is { } tree ? new Place(tree.FilePath, at.SourceSpan, at.GetLineSpan().Span) : null;

    public Location ToLocation() => Location.Create(Path, Span, Lines);
}

/// <summary>A complaint: the rule by its id, because a descriptor has no value equality that is worth having.</summary>
internal sealed record Complaint(string Id, Place? At, Items<string> Arguments)
{
    public Diagnostic ToDiagnostic() => Diagnostic.Create(Rules.ById[Id], At?.ToLocation() ?? Location.None, [.. Arguments]);
}

/// <summary>A name that has been given to a class, and where.</summary>
internal sealed record NameModel(string Name, string FullClass, Place? At);

/// <summary>What one file gave. <see cref="Method"/> is null where no code can be made.</summary>
internal sealed record Extracted(MethodModel? Method, NameModel Name, Items<Complaint> Complaints);
