using System.IO.Hashing;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
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
            int many = (at & 3) != 0 || !Avx2.IsSupported ? 0
                : Vector512.IsHardwareAccelerated && Avx512F.IsSupported ? FillWide((ulong)(at >> 2), into[done..]) : Fill((ulong)(at >> 2), into[done..]);
            if (many > 0)
            {
                done += many;
                continue;
            }
            Block((ulong)(at >> 2), block);
            for (int w = (int)(at & 3); w < 4 && done < into.Length; w++) into[done++] = (block[w] >> 8) * (1f / (1 << 24));
        }
    }

    // Eight counters at a time, one in each 64-bit lane: the multiplier reads the lower halves and what gathers in the upper ones does not matter.
    private int Fill(ulong counter, Span<float> into)
    {
        ref float to = ref MemoryMarshal.GetReference(into);
        Vector256<ulong> step = Vector256.Create(0UL, 1, 2, 3);
        Vector256<uint> m0 = Vector256.Create(0xD2511F53UL).AsUInt32(), m1 = Vector256.Create(0xCD9E8D57UL).AsUInt32();
        int i = 0;
        for (; i <= into.Length - 32; i += 32, counter += 8)
        {
            Vector256<ulong> a0 = Vector256.Create(counter) + step, a1 = a0 >>> 32, a2 = default, a3 = default;
            Vector256<ulong> b0 = Vector256.Create(counter + 4) + step, b1 = b0 >>> 32, b2 = default, b3 = default;
            uint k0 = _key0, k1 = _key1;
            for (int round = 0; round < 10; round++)
            {
                Vector256<ulong> key0 = Vector256.Create((ulong)k0), key1 = Vector256.Create((ulong)k1);
                Vector256<ulong> p0 = Avx2.Multiply(a0.AsUInt32(), m0), p1 = Avx2.Multiply(a2.AsUInt32(), m1);
                (a0, a1, a2, a3) = ((p1 >>> 32) ^ a1 ^ key0, p1, (p0 >>> 32) ^ a3 ^ key1, p0);
                p0 = Avx2.Multiply(b0.AsUInt32(), m0);
                p1 = Avx2.Multiply(b2.AsUInt32(), m1);
                (b0, b1, b2, b3) = ((p1 >>> 32) ^ b1 ^ key0, p1, (p0 >>> 32) ^ b3 ^ key1, p0);
                k0 += 0x9E3779B9;
                k1 += 0xBB67AE85;
            }
            Store(a0, a1, a2, a3, ref Unsafe.Add(ref to, i));
            Store(b0, b1, b2, b3, ref Unsafe.Add(ref to, i + 16));
        }
        return i;
    }

    // The same with sixteen counters. Two rounds are written out, so that nothing is moved about between them, and keys come from memory, where they stand as vectors.
    private int FillWide(ulong counter, Span<float> into)
    {
        ref float to = ref MemoryMarshal.GetReference(into);
        Vector512<ulong> step = Vector512.Create(0UL, 1, 2, 3, 4, 5, 6, 7);
        Vector512<uint> m0 = Vector512.Create(0xD2511F53UL).AsUInt32(), m1 = Vector512.Create(0xCD9E8D57UL).AsUInt32();
        Span<Vector512<ulong>> keys = stackalloc Vector512<ulong>[20];
        for (uint round = 0; round < 10; round++)
        {
            keys[(int)(2 * round)] = Vector512.Create((ulong)(_key0 + (round * 0x9E3779B9)));
            keys[(int)(2 * round) + 1] = Vector512.Create((ulong)(_key1 + (round * 0xBB67AE85)));
        }
        ref Vector512<ulong> key = ref MemoryMarshal.GetReference(keys);
        int i = 0;
        for (; i <= into.Length - 64; i += 64, counter += 16)
        {
            Vector512<ulong> a0 = Vector512.Create(counter) + step, a1 = a0 >>> 32, a2 = default, a3 = default;
            Vector512<ulong> b0 = Vector512.Create(counter + 8) + step, b1 = b0 >>> 32, b2 = default, b3 = default;
            for (nuint r = 0; r < 20; r += 4)
            {
                Vector512<ulong> p0 = Avx512F.Multiply(a0.AsUInt32(), m0), p1 = Avx512F.Multiply(a2.AsUInt32(), m1);
                Vector512<ulong> q0 = Avx512F.Multiply(b0.AsUInt32(), m0), q1 = Avx512F.Multiply(b2.AsUInt32(), m1);
                Vector512<ulong> c0 = (p1 >>> 32) ^ a1 ^ Unsafe.Add(ref key, r), c2 = (p0 >>> 32) ^ a3 ^ Unsafe.Add(ref key, r + 1);
                Vector512<ulong> d0 = (q1 >>> 32) ^ b1 ^ Unsafe.Add(ref key, r), d2 = (q0 >>> 32) ^ b3 ^ Unsafe.Add(ref key, r + 1);
                a3 = Avx512F.Multiply(c0.AsUInt32(), m0);
                a1 = Avx512F.Multiply(c2.AsUInt32(), m1);
                b3 = Avx512F.Multiply(d0.AsUInt32(), m0);
                b1 = Avx512F.Multiply(d2.AsUInt32(), m1);
                a0 = (a1 >>> 32) ^ p1 ^ Unsafe.Add(ref key, r + 2);
                a2 = (a3 >>> 32) ^ p0 ^ Unsafe.Add(ref key, r + 3);
                b0 = (b1 >>> 32) ^ q1 ^ Unsafe.Add(ref key, r + 2);
                b2 = (b3 >>> 32) ^ q0 ^ Unsafe.Add(ref key, r + 3);
            }
            Store(a0, a1, a2, a3, ref Unsafe.Add(ref to, i));
            Store(b0, b1, b2, b3, ref Unsafe.Add(ref to, i + 32));
        }
        return i + Fill(counter, into[i..]);
    }

    // The four words of each of eight counters, in order: 128-bit lanes are gathered pair by pair.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector512<ulong> c0, Vector512<ulong> c1, Vector512<ulong> c2, Vector512<ulong> c3, ref float to)
    {
        Vector512<ulong> low = Vector512.Create(0xFFFFFFFFUL);
        Vector512<ulong> first = (c0 & low) | (c1 << 32), second = (c2 & low) | (c3 << 32);
        Vector512<ulong> even = Avx512F.UnpackLow(first, second), odd = Avx512F.UnpackHigh(first, second);
        Unit(Avx512F.PermuteVar8x64x2(even, Vector512.Create(0UL, 1, 8, 9, 2, 3, 10, 11), odd)).StoreUnsafe(ref to);
        Unit(Avx512F.PermuteVar8x64x2(even, Vector512.Create(4UL, 5, 12, 13, 6, 7, 14, 15), odd)).StoreUnsafe(ref to, 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Unit(Vector512<ulong> words) => Vector512.ConvertToSingle((words.AsUInt32() >>> 8).AsInt32()) * Vector512.Create(1f / (1 << 24));

    // The four words of each of four counters, in order.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector256<ulong> c0, Vector256<ulong> c1, Vector256<ulong> c2, Vector256<ulong> c3, ref float to)
    {
        Vector256<ulong> low = Vector256.Create(0xFFFFFFFFUL);
        Vector256<ulong> first = (c0 & low) | (c1 << 32), second = (c2 & low) | (c3 << 32);
        Vector256<ulong> even = Avx2.UnpackLow(first, second), odd = Avx2.UnpackHigh(first, second);
        Unit(Avx2.Permute2x128(even, odd, 0x20)).StoreUnsafe(ref to);
        Unit(Avx2.Permute2x128(even, odd, 0x31)).StoreUnsafe(ref to, 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Unit(Vector256<ulong> words) => Vector256.ConvertToSingle((words.AsUInt32() >>> 8).AsInt32()) * Vector256.Create(1f / (1 << 24));

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
