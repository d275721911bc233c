namespace Budwood.Methods;

/// <summary>What the Gram matrix is taken of.</summary>
public enum Of
{
    /// <summary>The inputs as they are.</summary>
    Values,
    /// <summary>The inputs minus the base.</summary>
    Deltas,
}

internal enum MeasureKind { Keep, KeepShare, Band, Sum, L1, Squares, Largest, NonZero, Ordered, Gram, Remember }

internal sealed record MeasureRequest(MeasureKind Kind, int Quantity, long A = 0, long B = 0, IReadOnlyList<long>? Positions = null, Of Of = Of.Values, double Share = 0)
{
    /// <summary>Answered by a <see cref="Selection"/>.</summary>
    public bool Selects => Kind is MeasureKind.Keep or MeasureKind.KeepShare or MeasureKind.Band;
}

/// <summary>What a rule wants to know of a whole tensor before its formula runs: one round of passes over the data answers all.</summary>
public sealed class Measures
{
    internal List<MeasureRequest> Requests { get; } = [];

    /// <summary>The <paramref name="count"/> elements of largest magnitude; of equal ones those with the lowest flat index.</summary>
    public Measures Keep(int quantity, long count) => Add(new(MeasureKind.Keep, quantity, count));

    /// <summary>Of the elements that are not zero the <paramref name="share"/> of largest magnitude, rounded down; of equal ones those with the lowest flat index.</summary>
    public Measures KeepShare(int quantity, double share) => Add(new(MeasureKind.KeepShare, quantity, Share: share));

    /// <summary>All but the <paramref name="bottom"/> elements of smallest and the <paramref name="top"/> of largest magnitude; of equal ones
    /// the lowest indices count as smaller.</summary>
    public Measures Band(int quantity, long bottom, long top) => Add(new(MeasureKind.Band, quantity, bottom, top));

    /// <summary>Sum of the values.</summary>
    public Measures Sum(int quantity) => Add(new(MeasureKind.Sum, quantity));

    /// <summary>Sum of the magnitudes.</summary>
    public Measures L1(int quantity) => Add(new(MeasureKind.L1, quantity));

    /// <summary>Sum of the squares.</summary>
    public Measures Squares(int quantity) => Add(new(MeasureKind.Squares, quantity));

    /// <summary>The largest magnitude.</summary>
    public Measures Largest(int quantity) => Add(new(MeasureKind.Largest, quantity));

    /// <summary>Number of values that are not zero.</summary>
    public Measures NonZero(int quantity) => Add(new(MeasureKind.NonZero, quantity));

    /// <summary>The values that stand at the given positions when all are sorted ascending (exact quantiles).</summary>
    public Measures Ordered(int quantity, params IReadOnlyList<long> positions) => Add(new(MeasureKind.Ordered, quantity, Positions: positions));

    /// <summary>Inner products of all pairs of inputs (of their deltas), in float64.</summary>
    public Measures Gram(Of of) => Add(new(MeasureKind.Gram, 0, Of: of));

    /// <summary>Keep one bit an element of <paramref name="quantity"/> for later passes, where memory allows (<see cref="Measured.Mask"/>); only beside another measure of it.</summary>
    public Measures Remember(int quantity) => Add(new(MeasureKind.Remember, quantity));

    private Measures Add(MeasureRequest request)
    {
        Requests.Add(request);
        return this;
    }
}
