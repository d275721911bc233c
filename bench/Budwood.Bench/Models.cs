using System.Runtime.InteropServices;
using Budwood.Files;
using Budwood.Numbers;
using Microsoft.Win32.SafeHandles;

namespace Budwood.Bench;

/// <summary>Writes a base and two fine-tunes in the shape of TinyLlama-1.1B: normal weights, fine-tune = base + normal noise.</summary>
internal static class Models
{
    private const int Hidden = 2048, Intermediate = 5632, KeyValue = 256, Vocabulary = 32000, Quantiles = 1 << 16;
    private const float Spread = 0.02f, Noise = 1e-3f;

    public static IReadOnlyList<string> Names { get; } = ["base", "ft1", "ft2"];

    public static long Parameters(int layers) => Shapes(layers).Sum(s => s.Shape.Count);

    private static List<(string Name, DType DType, Shape Shape)> Shapes(int layers)
    {
        var all = new List<(string, DType, Shape)> { ("lm_head.weight", DType.BF16, new Shape([Vocabulary, Hidden])), ("model.embed_tokens.weight", DType.BF16, new Shape([Vocabulary, Hidden])) };
        for (int l = 0; l < layers; l++)
        {
            string at = $"model.layers.{l}.";
            all.Add((at + "input_layernorm.weight", DType.BF16, new Shape([Hidden])));
            all.Add((at + "post_attention_layernorm.weight", DType.BF16, new Shape([Hidden])));
            foreach ((string name, int rows, int columns) in new[]
            {
                ("mlp.down_proj", Hidden, Intermediate), ("mlp.gate_proj", Intermediate, Hidden), ("mlp.up_proj", Intermediate, Hidden), ("self_attn.q_proj", Hidden, Hidden),
                ("self_attn.o_proj", Hidden, Hidden), ("self_attn.k_proj", KeyValue, Hidden), ("self_attn.v_proj", KeyValue, Hidden),
            }) all.Add(($"{at}{name}.weight", DType.BF16, new Shape([rows, columns])));
        }
        all.Add(("model.norm.weight", DType.BF16, new Shape([Hidden])));
        return all;
    }

    public static void Write(string folder, int layers)
    {
        var shapes = Shapes(layers);
        long bytes = shapes.Sum(s => s.Shape.Count * 2);
        ShardPlan plan = ShardPlan.Plan(shapes, (bytes / 2) + (64 << 20));
        float[] normal = NormalQuantiles();
        foreach (string name in Names) Directory.CreateDirectory(Path.Join(folder, name));
        for (int f = 0; f < plan.Files.Count; f++)
        {
            (string file, SafetensorsLayout layout) = plan.Files[f];
            SafeFileHandle[] handles = [.. Names.Select(n => File.OpenHandle(Path.Join(folder, n, file), FileMode.Create, FileAccess.Write, preallocationSize: layout.Length))];
            foreach (SafeFileHandle handle in handles) RandomAccess.Write(handle, (ReadOnlySpan<byte>)layout.Header.Span, 0);
            long start = layout.Header.Length, end = layout.Length;
            const int chunk = 1 << 20;
            int seed = f;
            Parallel.For(0, (int)((end - start + chunk - 1) / chunk), c =>
            {
                var random = new Random(HashCode.Combine(seed, c, 17));
                int n = (int)Math.Min(chunk, end - start - ((long)c * chunk)) / 2;
                ushort[] draws = new ushort[3 * n], values = new ushort[n];
                random.NextBytes(MemoryMarshal.AsBytes(draws.AsSpan()));
                for (int m = 0; m < handles.Length; m++)
                {
                    for (int i = 0; i < n; i++)
                    {
                        float b = Rounding.ToBF16(normal[draws[i]] * Spread);
                        float v = m == 0 ? b : Rounding.ToBF16(b + (normal[draws[(m * n) + i]] * Noise));
                        values[i] = (ushort)(BitConverter.SingleToUInt32Bits(v) >> 16);
                    }
                    RandomAccess.Write(handles[m], (ReadOnlySpan<byte>)MemoryMarshal.AsBytes<ushort>(values), start + ((long)c * chunk));
                }
            });
            foreach (SafeFileHandle handle in handles) handle.Dispose();
        }
        foreach (string name in Names)
        {
            if (plan.IndexJson is { } index) File.WriteAllBytes(Path.Join(folder, name, ShardPlan.IndexName), index);
            File.WriteAllText(Path.Join(folder, name, "config.json"), $$"""
                {
                  "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": {{Hidden}}, "intermediate_size": {{Intermediate}},
                  "num_hidden_layers": {{layers}}, "num_attention_heads": 32, "num_key_value_heads": 4, "vocab_size": {{Vocabulary}},
                  "tie_word_embeddings": false, "torch_dtype": "bfloat16", "hidden_act": "silu", "max_position_embeddings": 2048, "rms_norm_eps": 1e-05
                }
                """);
        }
        Console.WriteLine($"{Names.Count} models of {bytes / 1e9:0.00} GB, {layers} layers");
    }

    // The inverse of the normal distribution at equal steps: a draw is a look-up.
    private static float[] NormalQuantiles()
    {
        float[] table = new float[Quantiles];
        double x = 0, area = 0.5;
        for (int i = Quantiles / 2; i < Quantiles; i++)
        {
            double want = (i + 0.5) / Quantiles;
            // Newton steps on the distribution function from the previous quantile.
            for (int step = 0; step < 4; step++)
            {
                double density = Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI), h = (want - area) / density;
                area += Integral(x, x + h);
                x += h;
            }
            table[i] = (float)x;
            table[Quantiles - 1 - i] = -(float)x;
        }
        return table;
    }

    private static double Integral(double a, double b)
    {
        static double F(double v) => Math.Exp(-v * v / 2) / Math.Sqrt(2 * Math.PI);
        return (b - a) / 6 * (F(a) + (4 * F((a + b) / 2)) + F(b));
    }
}
