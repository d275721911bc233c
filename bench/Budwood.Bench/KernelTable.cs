using System.Diagnostics;
using Budwood.Numbers;
using Budwood.Numbers.Kernels;
using Budwood.Numbers.Random;

namespace Budwood.Bench;

/// <summary>Kernels on blocks that stay in the cache, beside the machine's copies of memory.</summary>
internal static class KernelTable
{
    private const int Block = 4096, Large = 256 << 20;

    public static void Run(Options options)
    {
        var table = new ResultTable(options, "kernels", "Kernels, one thread");
        table.Head("kernel", "GB/s", "elements, 1e9/s");
        byte[] from = new byte[Large], to = new byte[Large];
        new Random(1).NextBytes(from);
        double copy = Best(() => from.AsSpan().CopyTo(to));
        table.Row("copy of 256 MiB (bytes copied)", Large / copy / 1e9, "");
        byte[] bytes = new byte[Block * 2];
        Memory<float> x = Aligned(Block), y = Aligned(Block);
        for (int i = 0; i < Block; i++) (x.Span[i], y.Span[i]) = (Rounding.ToBF16(MathF.Sin(i) * 0.02f), Rounding.ToBF16(MathF.Cos(i) * 0.02f));
        Conversion.Narrow(DType.BF16, x.Span, bytes);
        var stream = Philox.For(0, "bench");
        double sum = 0;
        Add("widen BF16", 6, () => Conversion.Widen(DType.BF16, bytes, y.Span));
        Add("narrow BF16", 6, () => Conversion.Narrow(DType.BF16, x.Span, bytes));
        Add("look for NaN and infinities", 4, () => sum += Comparison.NotFiniteIn(x.Span).NaN);
        Add("compare (receipt)", 8, () => sum += Comparison.Of(x.Span, y.Span).Difference);
        Add("round and write BF16, with the receipt", 10, () => sum += Comparison.OfStored(DType.BF16, x.Span, y.Span, bytes).Difference);
        Add("inner product, float64", 8, () => sum += Reductions.Dot(x.Span, y.Span));
        Add("three inner products of two vectors", 8, () => sum += Reductions.Products(x.Span, y.Span).XY);
        Add("L1, float64", 4, () => sum += Reductions.L1(x.Span));
        Add("round to BF16", 8, () => Rounding.To(DType.BF16, x.Span));
        Add("uniform numbers (Philox)", 4, () => stream.Uniform(0, y.Span));
        RankedDrop drop = RankedDrop.For<PeerF32, float>(2048, 0.5, 0.15, 0.35f, (least, count, rank) => least + (0.3f * rank / (count - 1)));
        // Many rows: a branch predictor learns one by heart.
        const int rows = 256, columns = 2048;
        Memory<float> row = Aligned(columns), chance = Aligned(rows * columns);
        float[] deltas = new float[rows * columns];
        stream.Uniform(0, chance.Span);
        var random = new Random(3);
        for (int i = 0; i < deltas.Length; i++)
        {
            float b = Rounding.ToBF16(Normal(random) * 0.02f);
            deltas[i] = Rounding.ToBF16(b + (Normal(random) * 1e-3f)) - b;
        }
        double ranked = Best(() =>
        {
            for (int r = 0; r < rows; r++)
            {
                deltas.AsSpan(r * columns, columns).CopyTo(row.Span);
                drop.Apply(row.Span, chance.Span.Slice(r * columns, columns), default);
            }
        }) / rows;
        table.Row("drop by rank, rows of 2,048 (della)", 8.0 * 2048 / ranked / 1e9, 2048 / ranked / 1e9);
        byte[] piece = from[..(1 << 20)];
        double hash = Best(() => sum += Files.Digest.Of(piece).Low);
        table.Row("XxHash128 of 1 MiB", (1 << 20) / hash / 1e9, "");
        if (double.IsNaN(sum)) Console.WriteLine(sum);
        table.Save("Best of twenty; blocks of 4,096 elements in the first-level cache, GB/s of bytes read and written.");

        void Add(string name, int bytesAnElement, Action run)
        {
            double seconds = Best(() =>
            {
                for (int i = 0; i < 200; i++) run();
            }) / 200;
            table.Row(name, (double)bytesAnElement * Block / seconds / 1e9, Block / seconds / 1e9);
        }
    }

    private static float Normal(Random random) => (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));

    // As the buffers of a merge lie: loads that cross lines of the cache take twice as long.
    private static unsafe Memory<float> Aligned(int count)
    {
        float[] room = GC.AllocateArray<float>(count + 16, pinned: true);
        fixed (float* at = room) return room.AsMemory((int)((64 - ((nuint)at % 64)) % 64 / sizeof(float)), count);
    }

    private static double Best(Action run)
    {
        double best = double.MaxValue;
        for (int warm = 0; warm < 3; warm++)
        {
            for (int i = 0; i < 40; i++) run();
            Thread.Sleep(200); // until the best code of it is made
        }
        for (int i = 0; i < 20; i++)
        {
            var clock = Stopwatch.StartNew();
            run();
            best = Math.Min(best, clock.Elapsed.TotalSeconds);
        }
        return best;
    }
}
