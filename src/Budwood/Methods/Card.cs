namespace Budwood.Methods;

/// <summary>The rooms of the house: what a method does to a model that exists.</summary>
public enum Room { Initialize, Grow, Merge, Adapt, Compress, Edit, Update, Inspect, Evaluate, Simulate, Reuse, Data }

/// <summary>What a value of a parameter is.</summary>
public enum ParameterKind { Number, Integer, Flag, Text, Choice, Integers, Numbers, Texts }

/// <summary>One parameter of a method, as the generator read it from the property that holds it.</summary>
/// <param name="Name">snake_case, as YAML and the command line have it.</param>
/// <param name="PerModel">Looked up for every input by the input's tensor name; otherwise once by the output's name.</param>
/// <param name="Required">There is no default: a merge that gives no value for some tensor is refused.</param>
/// <param name="Default">The default as text; null when there is none.</param>
/// <param name="Unit">What the number counts or measures; "1" for a plain ratio.</param>
/// <param name="Minimum">Smallest value; <see cref="MinimumOpen"/> says whether it is excluded.</param>
public sealed record ParameterCard(string Name, ParameterKind Kind, bool PerModel, bool Required, string? Default, string? Unit,
    double Minimum, double Maximum, bool MinimumOpen, bool MaximumOpen, string Doc, IReadOnlyList<string> Choices)
{
    /// <summary>The allowed range as mathematicians write it, such as <c>(0, 1]</c>; null when any value is fine.</summary>
    public string? RangeText => double.IsNegativeInfinity(Minimum) && double.IsPositiveInfinity(Maximum) ? null
        : FormattableString.Invariant($"{(MinimumOpen || double.IsNegativeInfinity(Minimum) ? '(' : '[')}{Side(Minimum)}, {Side(Maximum)}{(MaximumOpen || double.IsPositiveInfinity(Maximum) ? ')' : ']')}");

    /// <summary>Whether a number lies in the range.</summary>
    public bool Allows(double value) => !double.IsNaN(value) && (MinimumOpen ? value > Minimum : value >= Minimum) && (MaximumOpen ? value < Maximum : value <= Maximum);

    private static string Side(double v) => double.IsPositiveInfinity(v) ? "inf" : double.IsNegativeInfinity(v) ? "-inf" : v.ToString("R", System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>Where a method comes from: a paper of the catalogue, or a peer.</summary>
/// <param name="Paper">Slug of the paper (<c>breadcrumbs</c>), or null when a peer is the source.</param>
/// <param name="Peer">Name of the tool that defined the method (<c>mergekit</c>), or null.</param>
/// <param name="Where">Equation, algorithm or section; free text for a peer.</param>
public sealed record MethodSource(string? Paper, string? Peer, string? Where);

/// <summary>What a person should know before using a method; made by the generator from the method's file.</summary>
public sealed record MethodCard(string Name, Room Room, int Revision, bool MayCopy, string? Verb, string Summary, string Use, string NotFor, string Cost, string Differs,
    string? Formula, IReadOnlyList<MethodSource> Sources, IReadOnlyList<ParameterCard> Parameters, IReadOnlyList<string> Inert)
{
    /// <summary>The card of one parameter, or null.</summary>
    public ParameterCard? Parameter(string name) => Parameters.FirstOrDefault(p => p.Name == name);
}
