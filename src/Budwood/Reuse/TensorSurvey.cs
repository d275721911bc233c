using System.Runtime.InteropServices;
using Budwood.Checkpoints;
using Budwood.Numbers;
using Budwood.Numbers.Kernels;

namespace Budwood.Reuse;

/// <summary>What one reading of a tensor tells about its values.</summary>
internal sealed record TensorSurvey(FolderTensor Tensor, long NaN, long Infinite, bool AllZero, bool Constant, LowBits? LowBits)
{
    private const int Piece = 1 << 18;

    /// <summary>Reads a tensor once; values of types without arithmetic are not looked at.</summary>
    public static TensorSurvey Of(FolderTensor tensor, CancellationToken stop)
    {
        if (!tensor.DType.IsArithmetic()) return new(tensor, 0, 0, false, false, null);
        int width = tensor.DType.Bits() / 8;
        byte[] bytes = new byte[Math.Min(tensor.Bytes, (long)Piece * width)];
        float[] values = new float[bytes.Length / width];
        long[] counts = new long[256];
        (long nan, long infinite, bool zero, bool constant, float? first) = (0, 0, true, true, null);
        for (long at = 0; at < tensor.Bytes; at += bytes.Length)
        {
            stop.ThrowIfCancellationRequested();
            int n = (int)Math.Min(bytes.Length, tensor.Bytes - at) / width;
            tensor.Read(at, bytes.AsSpan(0, n * width));
            Span<float> piece = values.AsSpan(0, n);
            if (tensor.DType == DType.F32) MemoryMarshal.Cast<byte, float>(bytes.AsSpan(0, n * 4)).CopyTo(piece);
            else Conversion.Widen(tensor.DType, bytes.AsSpan(0, n * width), piece);
            first ??= piece[0];
            foreach (float v in piece)
            {
                if (float.IsNaN(v)) nan++;
                else if (float.IsInfinity(v)) infinite++;
                zero &= v == 0;
                constant &= v == first;
            }
            if (tensor.DType == DType.F32) LowBits.Count(piece, counts);
        }
        return new(tensor, nan, infinite, zero && tensor.Bytes > 0, constant, tensor.DType == DType.F32 ? LowBits.Of(counts) : null);
    }
}
