using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Budwood.Merge;

/// <summary>The election of signs that ties, sce and their kin share.</summary>
internal static class Signs
{
    /// <summary>All bits of the lanes whose value has the elected sign (<paramref name="plus"/>: all bits where plus is elected); zero and NaN have none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Agree(Vector256<float> v, Vector256<float> plus) =>
        // Where minus is elected, the sign is turned: what agrees is positive then.
        Vector256.GreaterThan(v ^ Vector256.AndNot(Vector256.Create(-0f), plus), Vector256<float>.Zero);
}
