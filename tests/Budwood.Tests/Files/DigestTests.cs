using System.IO.Hashing;
using System.Text;
using Budwood.Files;
using Budwood.Numbers;
using Budwood.Tests.Fixtures;
using CsCheck;

namespace Budwood.Tests.Files;

public class DigestTests
{
    // Written from the definition: one buffer, one hash, nothing incremental.
    private static string Naive(string dtype, long[] shape, byte[] data)
    {
        List<byte> all = [.. Encoding.UTF8.GetBytes(dtype), 0, .. BitConverter.GetBytes((ulong)shape.Length)];
        foreach (long n in shape) all.AddRange(BitConverter.GetBytes((ulong)n));
        foreach (byte[] piece in data.Chunk(1024 * 1024)) all.AddRange(XxHash128.Hash(piece));
        return "xxh128:" + Convert.ToHexStringLower(XxHash128.Hash([.. all]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1024 * 1024)]
    [InlineData(1024 * 1024 + 1)]
    [InlineData(3 * 1024 * 1024 + 77)]
    public void A_tensor_has_the_digest_of_the_definition(int bytes)
    {
        byte[] data = new byte[bytes];
        new Random(bytes).NextBytes(data);
        string expected = Naive("U8", [1, bytes], data);
        var shape = new Shape(1, bytes);
        Assert.Equal(expected, Digests.Tensor(DType.U8, shape, data.AsSpan()).ToString());
        Digest[] pieces = [.. data.Chunk(Digests.PieceBytes).Select(p => Digests.Piece(p))];
        Assert.Equal(Digests.PieceCount(bytes), pieces.Length);
        Assert.Equal(expected, Digests.Tensor(DType.U8, shape, pieces).ToString());
        using var source = new MemorySource((byte[])[9, 9, 9, .. data]);
        Assert.Equal(expected, Digests.OfTensor(new TensorEntry("t", DType.U8, shape, 3, bytes), source).ToString());
    }

    [Fact]
    public void A_scalar_has_rank_zero() => Assert.Equal(Naive("BF16", [], [1, 2]), Digests.Tensor(DType.BF16, default, [1, 2]).ToString());

    [Fact]
    public void Type_and_shape_are_part_of_the_identity()
    {
        byte[] data = new byte[8];
        Digest[] all = [Digests.Tensor(DType.F32, new Shape(2), data), Digests.Tensor(DType.I32, new Shape(2), data),
            Digests.Tensor(DType.F32, new Shape(1, 2), data), Digests.Tensor(DType.F32, new Shape(2, 1), data)];
        Assert.Equal(4, all.Distinct().Count());
    }

    [Fact]
    public void A_checkpoint_has_the_digest_of_the_definition_in_any_order()
    {
        (string, Digest)[] tensors = [("b", new Digest(0, 2)), ("a", new Digest(0, 1)), ("é", new Digest(ulong.MaxValue, ulong.MaxValue))];
        List<byte> all = [];
        foreach ((string name, Digest digest) in tensors.OrderBy(t => t.Item1, StringComparer.Ordinal))
        {
            all.AddRange([.. Encoding.UTF8.GetBytes(name), 0, .. Convert.FromHexString(digest.ToString()[7..])]);
        }
        string expected = "xxh128:" + Convert.ToHexStringLower(XxHash128.Hash([.. all]));
        Assert.Equal(expected, Digests.Checkpoint(tensors).ToString());
        Assert.Equal(expected, Digests.Checkpoint(tensors.Reverse()).ToString());
        Assert.Throws<ArgumentException>(() => Digests.Checkpoint([("a", default), ("a", default)]));
    }

    [Fact]
    public void A_digest_reads_back_what_it_prints()
    {
        Gen.ULong.Select(Gen.ULong).Sample(p =>
            Digest.Parse(new Digest(p.Item1, p.Item2).ToString()) == new Digest(p.Item1, p.Item2), iter: 200, threads: 1);
        Assert.Equal("xxh128:000000000000000000000000000000ff", new Digest(0, 255).ToString());
        foreach (string wrong in (string[])["", "xxh128:", "xxh128:0ff", "sha256:000000000000000000000000000000ff", "xxh128:0000000000000000000000000000-0ff",
            "xxh128: 00000000000000000000000000000ff"])
        {
            Assert.False(Digest.TryParse(wrong, out _));
            Assert.Throws<FormatException>(() => Digest.Parse(wrong));
        }
    }
}

public class DigestCacheTests
{
    private static readonly Dictionary<string, Digest> s_digests =
        new() { ["b.weight"] = new Digest(0, 7), ["a é"] = new Digest(ulong.MaxValue, ulong.MaxValue), [""] = new Digest(0, 1) };

    [Fact]
    public void What_was_put_is_found_again_also_by_another_run()
    {
        using var folder = new TempFolder();
        string file = folder.Write("m.safetensors", "weights");
        var cache = new DigestCache(folder["home"]);
        Assert.False(cache.TryGet(file, out IReadOnlyDictionary<string, Digest> none));
        Assert.Empty(none);
        cache.Put(file, s_digests);
        Assert.True(new DigestCache(folder["home"]).TryGet(file, out IReadOnlyDictionary<string, Digest> found));
        Assert.Equal(s_digests.OrderBy(d => d.Key), found.OrderBy(d => d.Key));
        Assert.Single(Directory.GetFiles(folder["home"]));
    }

    [Fact]
    public void A_file_that_changed_is_not_found()
    {
        using var folder = new TempFolder();
        string file = folder.Write("m.safetensors", "weights");
        var cache = new DigestCache(folder["home"]);
        cache.Put(file, s_digests);
        File.SetLastWriteTimeUtc(file, new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        Assert.False(cache.TryGet(file, out _));
        cache.Put(file, s_digests);
        Assert.True(cache.TryGet(file, out _));
        DateTime time = File.GetLastWriteTimeUtc(file);
        if (!OperatingSystem.IsLinux()) return;
        // Same size, same time, another inode.
        folder.Write("n", "WEIGHTS");
        File.SetLastWriteTimeUtc(folder["n"], time);
        File.Move(folder["n"], file, overwrite: true);
        Assert.False(cache.TryGet(file, out _));
    }

    [Fact]
    public void Digests_of_a_file_that_changed_meanwhile_are_not_kept()
    {
        using var folder = new TempFolder();
        string file = folder.Write("m.safetensors", "weights");
        var cache = new DigestCache(folder["home"]);
        cache.TryGet(file, out _);
        folder.Write("m.safetensors", "other weights");
        cache.Put(file, s_digests);
        Assert.False(cache.TryGet(file, out _));
    }

    [Fact]
    public void A_damaged_or_alien_entry_is_ignored_and_rewritten()
    {
        using var folder = new TempFolder();
        string file = folder.Write("m.safetensors", "weights");
        var cache = new DigestCache(folder["home"]);
        cache.Put(file, s_digests);
        string entry = Directory.GetFiles(folder["home"])[0];
        byte[] good = File.ReadAllBytes(entry);
        for (int i = 0; i < good.Length; i += 3)
        {
            byte[] bad = [.. good];
            bad[i] ^= 1;
            File.WriteAllBytes(entry, bad);
            Assert.False(cache.TryGet(file, out _));
            File.WriteAllBytes(entry, good[..i]);
            Assert.False(cache.TryGet(file, out _));
        }
        cache.Put(file, s_digests);
        Assert.True(cache.TryGet(file, out _));
    }

    [Fact]
    public void What_was_found_is_not_written_again()
    {
        using var folder = new TempFolder();
        string file = folder.Write("m.safetensors", "weights");
        new DigestCache(folder["home"]).Put(file, s_digests);
        string entry = Directory.GetFiles(folder["home"])[0];
        var cache = new DigestCache(folder["home"]);
        Assert.True(cache.TryGet(file, out _));
        File.Delete(entry);
        cache.Put(file, s_digests);
        Assert.False(File.Exists(entry));
        Assert.False(cache.TryGet(file, out _));
        cache.Put(file, s_digests);
        Assert.True(File.Exists(entry));
        Assert.True(cache.TryGet(file, out _));
        File.SetLastWriteTimeUtc(file, new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        Assert.False(cache.TryGet(file, out _));
        cache.Put(file, s_digests);
        Assert.True(cache.TryGet(file, out _));
    }

    [Fact]
    public void A_cache_that_cannot_be_used_costs_nothing_but_time()
    {
        using var folder = new TempFolder();
        string file = folder.Write("m.safetensors", "weights");
        foreach (DigestCache cache in (DigestCache[])[new(null), new(file), new("/proc/nowhere"), new(folder["a\0b"])])
        {
            cache.Put(file, s_digests);
            Assert.False(cache.TryGet(file, out _));
            cache.Put(folder["missing"], s_digests);
            Assert.False(cache.TryGet(folder["missing"], out _));
        }
    }

    [Fact]
    public void Two_runs_may_write_at_once()
    {
        using var folder = new TempFolder();
        string file = folder.Write("m.safetensors", "weights");
        Parallel.For(0, 40, new ParallelOptions { MaxDegreeOfParallelism = 4 }, i =>
        {
            var cache = new DigestCache(folder["home"]);
            cache.Put(file, s_digests);
            Assert.True(cache.TryGet(file, out IReadOnlyDictionary<string, Digest> found));
            Assert.Equal(3, found.Count);
        });
        Assert.Single(Directory.GetFiles(folder["home"]));
    }
}
