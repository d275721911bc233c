using System.Diagnostics.CodeAnalysis;
using Budwood.Numbers;

namespace Budwood;

/// <summary>A dense array of float64 numbers in row-major order.</summary>
/// <param name="Shape">Its dimensions, outermost first.</param>
/// <param name="Values">As many numbers as the shape has elements.</param>
public sealed record NdArray(Shape Shape, double[] Values)
{
    /// <summary>A vector.</summary>
    public static NdArray Of(double[] values) => new(new Shape(values.Length), values);

    /// <summary>Values of row <paramref name="i"/> along the first axis.</summary>
    public ReadOnlySpan<double> Row(long i)
    {
        long columns = Shape.Count / Math.Max(1, Shape[0]);
        return Values.AsSpan((int)(i * columns), (int)columns);
    }
}

/// <summary>Named float64 arrays that travel between methods: observations, states, coefficients; stored as one safetensors file.</summary>
public sealed class Arrays
{
    private readonly SortedDictionary<string, NdArray> _all = new(StringComparer.Ordinal);

    /// <summary>Where they come from, for messages.</summary>
    public string Label { get; init; } = "arrays";

    /// <summary>The names, in ordinal order.</summary>
    public IReadOnlyCollection<string> Names => _all.Keys;

    /// <summary>Sets an array of one name; reading one that is not there is refused with the nearest name.</summary>
    public NdArray this[string name]
    {
        get => _all.TryGetValue(name, out NdArray? found) ? found
            : throw new Fault("BW2301", ExitCode.Input, $"there is no array '{name}'", Label, $"it has {(_all.Count == 0 ? "none" : string.Join(", ", _all.Keys.Take(8)))}", Nearest.Hint(name, _all.Keys));
        set
        {
            if (value.Values.Length != value.Shape.Count) throw new ArgumentException($"'{name}' has {value.Values.Length} values for shape {value.Shape}.", nameof(value));
            _all[name] = value;
        }
    }

    public bool TryGet(string name, [NotNullWhen(true)] out NdArray? array) => _all.TryGetValue(name, out array);

    /// <summary>The array of a name that must have so many axes.</summary>
    public NdArray Get(string name, int rank)
    {
        NdArray found = this[name];
        return found.Shape.Rank == rank ? found
            : throw new Fault("BW2302", ExitCode.Input, $"array '{name}' has the wrong number of axes", Label, $"found shape {found.Shape}, expected {rank} {(rank == 1 ? "axis" : "axes")}", "Reshape it.");
    }
}
