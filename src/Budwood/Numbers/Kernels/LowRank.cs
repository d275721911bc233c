using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Budwood.Numbers.Kernels;

/// <summary>Products of two thin matrices, a tile at a time: what a low-rank adapter adds to a weight.</summary>
public static unsafe class LowRank
{
    /// <summary>Rows that share one reading of the right factor.</summary>
    public const int TileRows = 4;

    /// <summary><c>to[i, j] = scale * sum over k of left[i, k] * right[k, j]</c>: a float32 fused chain in the order of k, then one product with the scale.</summary>
    /// <param name="left">First of <paramref name="rows"/> rows of <paramref name="rank"/> values.</param>
    /// <param name="right">First of the wanted columns; <paramref name="stride"/> values lie between its rows.</param>
    /// <param name="to">Rows of <paramref name="width"/> values.</param>
    public static void Product(float* left, int rows, int rank, float* right, long stride, int width, float scale, float* to)
    {
        int i = 0;
        for (; i <= rows - TileRows; i += TileRows) Four(left + ((long)i * rank), rank, right, stride, width, scale, to + ((long)i * width));
        for (; i < rows; i++) One(left + ((long)i * rank), rank, right, stride, width, scale, to + ((long)i * width));
    }

    private static void Four(float* left, int rank, float* right, long stride, int width, float scale, float* to)
    {
        Vector256<float> s = Vector256.Create(scale);
        int j = 0;
        for (; j <= width - 16; j += 16)
        {
            Vector256<float> a0 = default, a1 = default, b0 = default, b1 = default, c0 = default, c1 = default, d0 = default, d1 = default;
            float* r = right + j;
            for (int k = 0; k < rank; k++, r += stride)
            {
                Vector256<float> x = Vector256.Load(r), y = Vector256.Load(r + 8);
                Vector256<float> l = Vector256.Create(left[k]);
                (a0, a1) = (Rounding.FusedMultiplyAdd(l, x, a0), Rounding.FusedMultiplyAdd(l, y, a1));
                l = Vector256.Create(left[rank + k]);
                (b0, b1) = (Rounding.FusedMultiplyAdd(l, x, b0), Rounding.FusedMultiplyAdd(l, y, b1));
                l = Vector256.Create(left[(2 * rank) + k]);
                (c0, c1) = (Rounding.FusedMultiplyAdd(l, x, c0), Rounding.FusedMultiplyAdd(l, y, c1));
                l = Vector256.Create(left[(3 * rank) + k]);
                (d0, d1) = (Rounding.FusedMultiplyAdd(l, x, d0), Rounding.FusedMultiplyAdd(l, y, d1));
            }
            Store(to + j, a0 * s, a1 * s);
            Store(to + width + j, b0 * s, b1 * s);
            Store(to + (2L * width) + j, c0 * s, c1 * s);
            Store(to + (3L * width) + j, d0 * s, d1 * s);
        }
        if (j < width) for (int i = 0; i < TileRows; i++) Tail(left + ((long)i * rank), rank, right, stride, j, width, scale, to + ((long)i * width));
    }

    private static void One(float* left, int rank, float* right, long stride, int width, float scale, float* to)
    {
        Vector256<float> s = Vector256.Create(scale);
        int j = 0;
        for (; j <= width - 16; j += 16)
        {
            Vector256<float> a0 = default, a1 = default;
            float* r = right + j;
            for (int k = 0; k < rank; k++, r += stride)
            {
                Vector256<float> l = Vector256.Create(left[k]);
                (a0, a1) = (Rounding.FusedMultiplyAdd(l, Vector256.Load(r), a0), Rounding.FusedMultiplyAdd(l, Vector256.Load(r + 8), a1));
            }
            Store(to + j, a0 * s, a1 * s);
        }
        Tail(left, rank, right, stride, j, width, scale, to);
    }

    private static void Tail(float* left, int rank, float* right, long stride, int from, int width, float scale, float* to)
    {
        for (int j = from; j < width; j++)
        {
            float sum = 0;
            for (int k = 0; k < rank; k++) sum = MathF.FusedMultiplyAdd(left[k], right[(k * stride) + j], sum);
            to[j] = sum * scale;
        }
    }

    private static void Store(float* to, Vector256<float> low, Vector256<float> high)
    {
        low.Store(to);
        high.Store(to + 8);
    }

    /// <summary>Adds a tile to values; where it is zero the value stays as it is, sign of zero included.</summary>
    public static void Add(ReadOnlySpan<float> delta, Span<float> values)
    {
        ref float d = ref MemoryMarshal.GetReference(delta), v = ref MemoryMarshal.GetReference(values);
        int i = 0;
        for (; i <= values.Length - 8; i += 8)
        {
            Vector256<float> x = Vector256.LoadUnsafe(ref d, (nuint)i), y = Vector256.LoadUnsafe(ref v, (nuint)i);
            Vector256.ConditionalSelect(Vector256.Equals(x, Vector256<float>.Zero), y, y + x).StoreUnsafe(ref v, (nuint)i);
        }
        for (; i < values.Length; i++) if (delta[i] != 0) values[i] += delta[i];
    }
}
