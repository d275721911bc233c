using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Budwood.Methods;
using Budwood.Numbers;

namespace Budwood.Merge;

/// <summary>The weighted sum of the inputs that linear, karcher and their kin end in.</summary>
internal static class Combination
{
    /// <summary><c>y = sum_k w_k x_k / divisor</c>, added up in the order of the inputs.</summary>
    public static void Of<Q>(in Operands x, ReadOnlySpan<float> w, float divisor, Span<float> y) where Q : struct, IRounding
    {
        if (w.Length == 2) OfTwo<Q>(x, w, divisor, y);
        else if (w.Length == 3) OfThree<Q>(x, w, divisor, y);
        else OfAny<Q>(x, w, divisor, y);
    }

    private static void OfTwo<Q>(in Operands x, ReadOnlySpan<float> w, float divisor, Span<float> y) where Q : struct, IRounding
    {
        ref float a = ref MemoryMarshal.GetReference(x[0]), b = ref MemoryMarshal.GetReference(x[1]), to = ref MemoryMarshal.GetReference(y);
        Vector256<float> w0 = Vector256.Create(w[0]), w1 = Vector256.Create(w[1]), by = Vector256.Create(divisor);
        for (int i = 0; i < y.Length; i += Operands.Step)
        {
            Vector256<float> sum = Q.MultiplyAdd(Vector256.LoadUnsafe(ref a, (nuint)i), w0, Vector256<float>.Zero);
            sum = Q.Round(Q.MultiplyAdd(Vector256.LoadUnsafe(ref b, (nuint)i), w1, sum));
            (divisor == 1 ? sum : Q.Round(sum / by)).StoreUnsafe(ref to, (nuint)i);
        }
    }

    private static void OfThree<Q>(in Operands x, ReadOnlySpan<float> w, float divisor, Span<float> y) where Q : struct, IRounding
    {
        ref float a = ref MemoryMarshal.GetReference(x[0]), b = ref MemoryMarshal.GetReference(x[1]), c = ref MemoryMarshal.GetReference(x[2]), to = ref MemoryMarshal.GetReference(y);
        Vector256<float> w0 = Vector256.Create(w[0]), w1 = Vector256.Create(w[1]), w2 = Vector256.Create(w[2]), by = Vector256.Create(divisor);
        for (int i = 0; i < y.Length; i += Operands.Step)
        {
            Vector256<float> sum = Q.MultiplyAdd(Vector256.LoadUnsafe(ref a, (nuint)i), w0, Vector256<float>.Zero);
            sum = Q.MultiplyAdd(Vector256.LoadUnsafe(ref b, (nuint)i), w1, sum);
            sum = Q.Round(Q.MultiplyAdd(Vector256.LoadUnsafe(ref c, (nuint)i), w2, sum));
            (divisor == 1 ? sum : Q.Round(sum / by)).StoreUnsafe(ref to, (nuint)i);
        }
    }

    private static void OfAny<Q>(in Operands x, ReadOnlySpan<float> w, float divisor, Span<float> y) where Q : struct, IRounding
    {
        Vector256<float> by = Vector256.Create(divisor);
        for (int i = 0; i < y.Length; i += Operands.Step)
        {
            Vector256<float> sum = Vector256<float>.Zero;
            for (int k = 0; k < w.Length; k++) sum = Q.MultiplyAdd(x.At(k, i), Vector256.Create(w[k]), sum);
            sum = Q.Round(sum);
            Operands.Put(y, i, divisor == 1 ? sum : Q.Round(sum / by));
        }
    }
}
