using System.CommandLine;
using System.Text;
using Budwood.Files;
using Budwood.Numbers;
using Budwood.Numbers.Kernels;
using Budwood.Numbers.Random;
using Budwood.Recipes;

namespace Budwood.Cli.Verbs;

/// <summary><c>demo</c>: the main job on data that the program makes itself.</summary>
internal static class DemoVerb
{
    private const int Hidden = 256, Inner = 688, Layers = 6, Heads = 8, KvHeads = 4, HeadDim = Hidden / Heads, Vocabulary = 4096;
    private const long ShardBytes = 4_000_000;

    private const string Configuration = """
        # Three fine-tunes of one base, merged by TIES. The same file runs in mergekit.
        merge_method: ties
        base_model: base
        models:
          - model: poet
            parameters: {weight: 0.5, density: 0.5}
          - model: coder
            parameters: {weight: 0.3, density: 0.5}
          - model: cook
            parameters:
              weight: 0.4
              density: [0.7, 0.3]   # a gradient over the layers
        parameters:
          normalize: true
        dtype: bfloat16

        """;

    public static Command Command()
    {
        var command = new Command("demo") { SharedOptions.Out };
        SharedOptions.AddWriting(command);
        SharedOptions.AddTalking(command);
        command.SetAction(p => CommandLine.Guard(p, (terminal, stop) => Run(p, terminal, stop)));
        return command;
    }

    private static ExitCode Run(ParseResult parsed, Terminal terminal, CancellationToken stop)
    {
        string folder = parsed.GetValue(SharedOptions.Out)?.ToString() ?? Fresh("budwood-demo");
        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
            throw new Fault("BW1301", ExitCode.Usage, "the folder of the demo exists and is not empty", folder, null, "Name another with '-o'.");
        terminal.Say($"1. making a Llama-style base and three fine-tunes (bfloat16, sharded) in {folder}/");
        string[] names = ["base", "poet", "coder", "cook"];
        for (int m = 0; m < names.Length; m++) Write(Path.Combine(folder, names[m]), m, stop);
        string config = Path.Combine(folder, "merge.yml");
        File.WriteAllText(config, Configuration);
        terminal.Say($"2. budwood merge {config} {Path.Combine(folder, "merged")}");
        foreach (string line in Configuration.TrimEnd().Split('\n')) terminal.Say($"   | {line}");
        string merged = Path.Combine(folder, "merged");
        ExitCode code = MergeVerb.Merge(MergeFile.Read(config), merged, parsed, terminal, stop);
        if (code != ExitCode.Done || parsed.GetValue(SharedOptions.DryRun)) return code;
        terminal.Say($"3. budwood diff {Path.Combine(folder, "base")} {merged}");
        DiffVerb.Show(Path.Combine(folder, "base"), merged, SharedOptions.ThreadCount(parsed), tensors: false, terminal, stop);
        terminal.Say($"The merged model is in {merged}/: weights, config.json, README.md (model card), run.json (receipt and parents by digest).");
        terminal.Say($"Go on with: budwood inspect {merged}   |   budwood check {merged}   |   budwood methods");
        return ExitCode.Done;
    }

    private static string Fresh(string name)
    {
        string folder = name;
        for (int i = 2; Directory.Exists(folder); i++) folder = $"{name}-{i}";
        return folder;
    }

    private static IEnumerable<(string Name, DType DType, Shape Shape)> Tensors()
    {
        yield return ("model.embed_tokens.weight", DType.BF16, new(Vocabulary, Hidden));
        for (int l = 0; l < Layers; l++)
        {
            string at = $"model.layers.{l}.";
            yield return (at + "input_layernorm.weight", DType.BF16, new(Hidden));
            yield return (at + "self_attn.q_proj.weight", DType.BF16, new(Hidden, Hidden));
            yield return (at + "self_attn.k_proj.weight", DType.BF16, new(KvHeads * HeadDim, Hidden));
            yield return (at + "self_attn.v_proj.weight", DType.BF16, new(KvHeads * HeadDim, Hidden));
            yield return (at + "self_attn.o_proj.weight", DType.BF16, new(Hidden, Hidden));
            yield return (at + "post_attention_layernorm.weight", DType.BF16, new(Hidden));
            yield return (at + "mlp.gate_proj.weight", DType.BF16, new(Inner, Hidden));
            yield return (at + "mlp.up_proj.weight", DType.BF16, new(Inner, Hidden));
            yield return (at + "mlp.down_proj.weight", DType.BF16, new(Hidden, Inner));
        }
        yield return ("model.norm.weight", DType.BF16, new(Hidden));
        yield return ("lm_head.weight", DType.BF16, new(Vocabulary, Hidden));
    }

    private static void Write(string folder, int model, CancellationToken stop)
    {
        Directory.CreateDirectory(folder);
        var shards = ShardPlan.Plan([.. Tensors()], ShardBytes);
        foreach ((string fileName, SafetensorsLayout layout) in shards.Files)
        {
            stop.ThrowIfCancellationRequested();
            using FileStream file = File.Create(Path.Combine(folder, fileName));
            file.Write(layout.Header.Span);
            foreach (TensorEntry tensor in layout.Tensors)
            {
                float[] values = new float[tensor.Shape.Count];
                bool norm = tensor.Shape.Rank == 1;
                Add(values, "base", tensor.Name, norm ? 0.02f : 0.04f);
                if (norm) for (int i = 0; i < values.Length; i++) values[i] += 1;

                if (model > 0) Add(values, $"tune {model}", tensor.Name, 0.002f);
                byte[] bytes = new byte[tensor.Bytes];
                Conversion.Narrow(DType.BF16, values, bytes);
                file.Write(bytes);
            }
        }
        if (shards.IndexJson is { } index) File.WriteAllBytes(Path.Combine(folder, ShardPlan.IndexName), index);
        File.WriteAllText(Path.Combine(folder, "config.json"), $$"""
            {
              "architectures": [
                "LlamaForCausalLM"
              ],
              "model_type": "llama",
              "hidden_act": "silu",
              "hidden_size": {{Hidden}},
              "intermediate_size": {{Inner}},
              "num_hidden_layers": {{Layers}},
              "num_attention_heads": {{Heads}},
              "num_key_value_heads": {{KvHeads}},
              "head_dim": {{HeadDim}},
              "max_position_embeddings": 512,
              "rms_norm_eps": 1e-05,
              "rope_theta": 10000.0,
              "tie_word_embeddings": false,
              "torch_dtype": "bfloat16",
              "vocab_size": {{Vocabulary}}
            }

            """, new UTF8Encoding(false));
    }

    // Sums of four uniform numbers: near enough to normal for weights.
    private static void Add(float[] values, string stream, string tensor, float scale)
    {
        float[] uniform = new float[values.Length];
        float width = scale * MathF.Sqrt(3);
        for (int k = 0; k < 4; k++)
        {
            Philox.For(0, "demo", stream, tensor, $"{k}").Uniform(0, uniform);
            for (int i = 0; i < values.Length; i++) values[i] += (uniform[i] - 0.5f) * width;
        }
    }
}
