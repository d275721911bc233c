using System.Globalization;

namespace Budwood.Numbers;

/// <summary>Dimensions of a tensor, outermost first; rank 0 is a scalar of one element.</summary>
public readonly struct Shape : IEquatable<Shape>
{
    private readonly long[]? _sizes;

    public Shape(params ReadOnlySpan<long> sizes) => _sizes = sizes.ToArray();

    public int Rank => _sizes?.Length ?? 0;

    public long this[int axis] => _sizes![axis];

    public ReadOnlySpan<long> Sizes => _sizes;

    /// <summary>Number of elements; throws <see cref="OverflowException"/> beyond 2^63.</summary>
    public long Count
    {
        get
        {
            long n = 1;
            foreach (long size in Sizes) n = checked(n * size);
            return n;
        }
    }

    /// <summary>Length of the last axis; a scalar has one column.</summary>
    public long Columns => Rank == 0 ? 1 : _sizes![^1];

    /// <summary>Number of rows along the last axis: a vector is one row.</summary>
    public long Rows
    {
        get
        {
            long n = 1;
            for (int i = 0; i < Rank - 1; i++) n = checked(n * _sizes![i]);
            return n;
        }
    }

    /// <summary>The same shape with another length along one axis.</summary>
    public Shape With(int axis, long size)
    {
        long[] sizes = Sizes.ToArray();
        sizes[axis] = size;
        return new Shape(sizes);
    }

    public bool Equals(Shape other) => Sizes.SequenceEqual(other.Sizes);
    public override bool Equals(object? obj) => obj is Shape other && Equals(other);
    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (long size in Sizes) hash.Add(size);
        return hash.ToHashCode();
    }

    public static bool operator ==(Shape left, Shape right) => left.Equals(right);
    public static bool operator !=(Shape left, Shape right) => !left.Equals(right);

    public override string ToString() => "[" + string.Join(", ", Sizes.ToArray().Select(s => s.ToString(CultureInfo.InvariantCulture))) + "]";
}
