using Budwood.Numbers;

namespace Budwood.Checkpoints.Audit;

/// <summary>The bytes of a tensor as they are stored, or would be stored once an adapter is merged into it.</summary>
internal static class TensorBytes
{
    /// <summary>What names the tensor among those at hand: its place in a file, or the sum of a file and an adapter.</summary>
    public static object Key(TensorSource source) => source is StoredTensor stored ? stored.Weight : source;

    /// <summary>How many there are.</summary>
    public static long Count(TensorSource source) => source is StoredTensor stored ? stored.Weight.Bytes : source.DType.Bytes(source.Shape.Count);

    /// <summary>Reads bytes from a position on; of a sum whole elements.</summary>
    public static void Read(TensorSource source, long start, Span<byte> into, BufferPool pool)
    {
        if (source is StoredTensor stored)
        {
            stored.Weight.Read(start, into);
            return;
        }
        long width = source.DType.Bytes(1);
        using TensorReader reader = source.Open(pool);
        reader.Fetch(start / width, checked((int)(into.Length / width)));
        reader.Bytes.CopyTo(into);
    }
}
