namespace Budwood.Methods;

/// <summary>Names a method and puts it into a room. The class must be <c>sealed partial</c> and derive from <c>Rule</c> or <c>Job</c>.</summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class MethodAttribute(string name, Room room) : Attribute
{
    /// <summary>snake_case, as in merge files (<c>dare_ties</c>).</summary>
    public string Name { get; } = name;
    public Room Room { get; } = room;

    /// <summary>Raised with every change that can change a bit of the output; a golden digest is locked to it.</summary>
    public int Revision { get; init; } = 1;

    /// <summary>The output may equal the base without being an error (passthrough, convert, stack by one).</summary>
    public bool MayCopy { get; init; }

    /// <summary>The verb that stands for <c>run NAME</c> on the command line, if the method is used daily.</summary>
    public string? Verb { get; init; }
}

/// <summary>The paper that a method comes from, by its slug in the catalogue, and the equation, algorithm or section.</summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false, AllowMultiple = true)]
public sealed class PaperAttribute(string slug, string where) : Attribute
{
    public string Slug { get; } = slug;
    public string Where { get; } = where;
}

/// <summary>The peer tool that defined a method, where no paper of the catalogue did.</summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false, AllowMultiple = true)]
public sealed class SourceAttribute(string peer) : Attribute
{
    public string Peer { get; } = peer;
    public string? Where { get; init; }
}

/// <summary>Parameters that a peer accepts for this method without effect; a file that has them is told so and runs.</summary>
[AttributeUsage(AttributeTargets.Class, Inherited = true)]
public sealed class InertAttribute(params string[] names) : Attribute
{
    public IReadOnlyList<string> Names { get; } = names;
}

/// <summary>The value is looked up for every input, by the name of the input's tensor.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class PerModelAttribute : Attribute;

/// <summary>The parameter has no default.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class RequiredAttribute : Attribute;

/// <summary>Unit of a number: "1" for a ratio, "layers", "elements", "rad" ... Required on every number.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class UnitAttribute(string unit) : Attribute
{
    public string Unit { get; } = unit;
}

/// <summary>Allowed values of a number, ends included unless said otherwise. Required on every number; infinities mean that any number is fine.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class RangeAttribute(double minimum, double maximum) : Attribute
{
    public double Minimum { get; } = minimum;
    public double Maximum { get; } = maximum;
    public bool MinimumOpen { get; init; }
    public bool MaximumOpen { get; init; }
}
