using System.Buffers;
using System.Runtime.InteropServices;
using Budwood.Files;
using Budwood.Numbers;
using Budwood.Numbers.Kernels;

namespace Budwood.Adapters;

/// <summary>One thin matrix of a low-rank update: a tensor of the adapter's file, as it is stored or transposed; a single one where there is no tensor.</summary>
internal readonly record struct Factor(WeightTensor? Tensor, bool IsTransposed)
{
    public long Count => Tensor?.Shape.Count ?? 1;
}

/// <summary>Both factors of one module as float32, outside the managed heap.</summary>
internal sealed unsafe class LowRankFactors : IDisposable
{
    private const int Chunk = 16384;
    private readonly long _bytes;
    private float* _values;

    /// <summary>Reads both factors; into the memory of <paramref name="spent"/>, which is over then, where it is large enough.</summary>
    public LowRankFactors(LowRankTensor of, LowRankFactors? spent)
    {
        Of = of;
        if (spent is not null && spent._bytes >= of.FactorBytes)
        {
            _bytes = spent._bytes;
            _values = spent.GiveUp();
        }
        else
        {
            spent?.Dispose();
            _bytes = of.FactorBytes;
            _values = (float*)NativeMemory.AlignedAlloc((nuint)Math.Max(1, _bytes), 64);
        }
        Left = _values;
        Right = _values + of.Left.Count;
        Read(of.Left, Left);
        Read(of.Right, Right);
    }

    ~LowRankFactors() => Free();

    public LowRankTensor Of { get; }

    /// <summary>Rows of the weight by rank.</summary>
    public float* Left { get; }

    /// <summary>Rank by columns of the weight.</summary>
    public float* Right { get; }

    /// <summary>Readers that hold it now.</summary>
    public int Users { get; set; }

    private static void Read(Factor factor, float* to)
    {
        if (factor.Tensor is not { } tensor)
        {
            *to = 1;
            return;
        }
        long columns = tensor.Shape.Columns, rows = tensor.Shape.Rows;
        Span<float> values = stackalloc float[512];
        foreach ((long start, byte[] bytes, int count) in Chunks(tensor))
        {
            for (int done = 0; done < count; done += values.Length)
            {
                Span<float> some = values[..Math.Min(values.Length, count - done)];
                Conversion.Widen(tensor.DType, bytes.AsSpan((int)tensor.DType.Bytes(done)), some);
                if (!factor.IsTransposed)
                {
                    some.CopyTo(new Span<float>(to + start + done, some.Length));
                    continue;
                }
                for (int i = 0; i < some.Length; i++)
                {
                    (long row, long column) = Math.DivRem(start + done + i, columns);
                    to[(column * rows) + row] = some[i];
                }
            }
        }
    }

    /// <summary>A tensor's bytes in small pieces; the array is used again.</summary>
    public static IEnumerable<(long Start, byte[] Bytes, int Count)> Chunks(WeightTensor tensor)
    {
        byte[] bytes = ArrayPool<byte>.Shared.Rent((int)tensor.DType.Bytes(Chunk));
        try
        {
            for (long start = 0; start < tensor.Shape.Count; start += Chunk)
            {
                int count = (int)Math.Min(Chunk, tensor.Shape.Count - start);
                tensor.Read(tensor.DType.Bytes(start), bytes.AsSpan(0, (int)tensor.DType.Bytes(count)));
                yield return (start, bytes, count);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private float* GiveUp()
    {
        float* values = _values;
        _values = null;
        return values;
    }

    private void Free()
    {
        if (_values is not null) NativeMemory.AlignedFree(_values);
        _values = null;
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }
}

/// <summary>The factors that are in use, and the last few that were: an adapter of any size costs the memory of some modules.</summary>
internal sealed class FactorShelf
{
    /// <summary>Factors kept though nobody uses them: pieces of one tensor come one after the other.</summary>
    public const int Kept = 2;

    private readonly object _gate = new();
    private readonly List<LowRankFactors> _all = [];

    public LowRankFactors Take(LowRankTensor of)
    {
        lock (_gate)
        {
            LowRankFactors? found = _all.Find(f => ReferenceEquals(f.Of, of));
            if (found is null)
            {
                // The one that was returned longest ago gives its memory.
                LowRankFactors? spent = _all.Count(f => f.Users == 0) >= Kept ? _all.First(f => f.Users == 0) : null;
                if (spent is not null) _all.Remove(spent);
                _all.Add(found = new LowRankFactors(of, spent));
            }
            found.Users++;
            return found;
        }
    }

    public void Return(LowRankFactors factors)
    {
        lock (_gate)
        {
            if (--factors.Users > 0) return;
            _all.Remove(factors);
            _all.Add(factors);
            while (_all.Count(f => f.Users == 0) > Kept)
            {
                LowRankFactors oldest = _all.First(f => f.Users == 0);
                _all.Remove(oldest);
                oldest.Dispose();
            }
        }
    }
}
