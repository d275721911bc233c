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
        float[] x = new float[Block], y = new float[Block];
        for (int i = 0; i < Block; i++) (x[i], y[i]) = (Rounding.ToBF16(MathF.Sin(i) * 0.02f), Rounding.ToBF16(MathF.Cos(i) * 0.02f));
        Conversion.Narrow(DType.BF16, x, bytes);
        var stream = Philox.For(0, "bench");
        double sum = 0;
        Add("widen BF16", 6, () => Conversion.Widen(DType.BF16, bytes, y));
        Add("narrow BF16", 6, () => Conversion.Narrow(DType.BF16, x, bytes));
        Add("look for NaN and infinities", 4, () => sum += Comparison.NotFiniteIn(x).NaN);
        Add("compare (receipt)", 8, () => sum += Comparison.Of(x, y).Difference);
        Add("inner product, float64", 8, () => sum += Reductions.Dot(x, y));
        Add("L1, float64", 4, () => sum += Reductions.L1(x));
        Add("round to BF16", 8, () => Rounding.To(DType.BF16, x));
        Add("uniform numbers (Philox)", 4, () => stream.Uniform(0, y));
        RankedDrop drop = RankedDrop.For<PeerF32, float>(2048, 0.5, 0.15, 0.35f, (least, count, rank) => least + (0.3f * rank / (count - 1)));
        // Many rows: a branch predictor learns one by heart.
        const int rows = 256, columns = 2048;
        float[] row = new float[columns], chance = new float[rows * columns], deltas = new float[rows * columns];
        stream.Uniform(0, chance);
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
                deltas.AsSpan(r * columns, columns).CopyTo(row);
                drop.Apply(row, chance.AsSpan(r * columns, columns), default);
            }
        }) / rows;
        table.Row("drop by rank, rows of 2,048 (della)", 8.0 * 2048 / ranked / 1e9, 2048 / ranked / 1e9);
        byte[] piece = from[..(1 << 20)];
        double hash = Best(() => sum += Files.Digest.Of(piece).Low);
        table.Row("XxHash128 of 1 MiB", (1 << 20) / hash / 1e9, "");
        if (double.IsNaN(sum)) Console.WriteLine(sum);
        table.Save("Best of seven; blocks of 4,096 elements in the first-level cache, GB/s of bytes read and written.");

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

    private static double Best(Action run)
    {
        double best = double.MaxValue;
        for (int i = 0; i < 40; i++) run();
        Thread.Sleep(200);
        for (int i = 0; i < 20; i++)
        {
            var clock = Stopwatch.StartNew();
            run();
            best = Math.Min(best, clock.Elapsed.TotalSeconds);
        }
        return best;
    }
}
