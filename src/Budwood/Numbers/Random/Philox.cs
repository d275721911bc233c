using System.IO.Hashing;
using System.Text;

namespace Budwood.Numbers.Random;

/// <summary>A random stream that can be read at any position: Philox 4x32-10, keyed by names instead of by order of use.</summary>
/// <remarks>Source: Salmon, Moraes, Dror and Shaw, Parallel random numbers: as easy as 1, 2, 3 (SC 2011). Element i of a stream is
/// word <c>i mod 4</c> of the block with counter <c>i / 4</c>: the same on any number of threads and shards.</remarks>
public readonly struct Philox
{
    private readonly uint _key0, _key1;

    private Philox(ulong key) => (_key0, _key1) = ((uint)key, (uint)(key >> 32));

    /// <summary>The stream of (seed, names ...): the key is the XxHash3 of the seed and the names, each ended by a zero byte.</summary>
    public static Philox For(long seed, params ReadOnlySpan<string> names)
    {
        var hash = new XxHash3();
        Span<byte> number = stackalloc byte[8];
        System.Buffers.Binary.BinaryPrimitives.WriteInt64LittleEndian(number, seed);
        hash.Append(number);
        foreach (string name in names)
        {
            hash.Append(Encoding.UTF8.GetBytes(name));
            hash.Append([0]);
        }
        return new Philox(hash.GetCurrentHashAsUInt64());
    }

    /// <summary>Uniform numbers in [0, 1) with 24 random bits, elements <paramref name="start"/> and following of the stream.</summary>
    public void Uniform(long start, Span<float> into)
    {
        Span<uint> block = stackalloc uint[4];
        int done = 0;
        while (done < into.Length)
        {
            long at = start + done;
            Block((ulong)(at >> 2), block);
            for (int w = (int)(at & 3); w < 4 && done < into.Length; w++) into[done++] = (block[w] >> 8) * (1f / (1 << 24));
        }
    }

    /// <summary>The four words of one counter.</summary>
    public void Block(ulong counter, Span<uint> words)
    {
        uint c0 = (uint)counter, c1 = (uint)(counter >> 32), c2 = 0, c3 = 0, k0 = _key0, k1 = _key1;
        for (int round = 0; round < 10; round++)
        {
            ulong p0 = 0xD2511F53UL * c0, p1 = 0xCD9E8D57UL * c2;
            (c0, c1, c2, c3) = ((uint)(p1 >> 32) ^ c1 ^ k0, (uint)p1, (uint)(p0 >> 32) ^ c3 ^ k1, (uint)p0);
            k0 += 0x9E3779B9;
            k1 += 0xBB67AE85;
        }
        words[0] = c0;
        words[1] = c1;
        words[2] = c2;
        words[3] = c3;
    }
}
