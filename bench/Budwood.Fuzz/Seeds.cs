using Budwood.Tests.Files;

namespace Budwood.Fuzz;

/// <summary>Valid inputs that mutations start from.</summary>
internal static class Seeds
{
    public static readonly string[] DTypes = ["\"F32\"", "\"BF16\"", "\"F16\"", "\"F64\"", "\"I8\"", "\"F8_E4M3\"", "\"BOOL\"", "\"F4\"", "\"C64\"", "\"dtype\"", "\"shape\"", "\"data_offsets\"", "\"__metadata__\"", "[0,8]", "[8,0]", "[4,12]"];

    public static readonly (IReadOnlyList<string> Tokens, int Data)[] Headers =
    [
        (Mutation.Tokens("{\"__metadata__\":{\"format\":\"pt\"},\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},\"b.weight\":{\"dtype\":\"BF16\",\"shape\":[4],\"data_offsets\":[24,32]}}"), 32),
        (Mutation.Tokens("{\"x\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]},\"empty\":{\"dtype\":\"F16\",\"shape\":[0,4],\"data_offsets\":[8,8]},\"y\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[8,11]}}   "), 11),
        (Mutation.Tokens("{}"), 0),
    ];

    public static readonly IReadOnlyList<string>[] Indexes = Texts(
        "{\"metadata\": {\"total_size\": 1234}, \"weight_map\": {\"a.weight\": \"model-00001-of-00002.safetensors\", \"b.weight\": \"model-00002-of-00002.safetensors\"}}",
        "{\n  \"weight_map\": {\"x\": \"pytorch_model-00001-of-00001.bin\"}\n}\n",
        "{\"metadata\": {}, \"weight_map\": {\"x\": \"../x.safetensors\", \"y\": \"/etc/x\", \"z\": \"a/b\"}}");

    public static readonly IReadOnlyList<string>[] Merges = Texts(
        "merge_method: ties\nbase_model: a\nmodels:\n  - model: b\n    parameters: {weight: 0.5, density: [0.1, 0.5]}\n  - model: c+lora\n    parameters:\n      weight:\n        - filter: mlp\n          value: 0.3\n        - value: 1\ndtype: bfloat16\n",
        "slices:\n  - sources:\n      - model: a\n        layer_range: [0, 4]\n      - {model: b, layer_range: [2, 6]}\n  - sources: [{model: a, layer_range: [4, 8]}]\nmerge_method: slerp\nbase_model: a\nparameters: {t: [0, 0.5, 1]}\ntokenizer_source: union\n",
        "x: &w {weight: 0.5}\nmerge_method: linear\nmodels:\n  - {model: a, parameters: *w}\n  - {model: b, parameters: {<<: *w, normalize: false}}\nallow: [nan, unmatched]\n---\nname: step\nmerge_method: passthrough\nmodels: [{model: \"a\"}]\n",
        "merge_method: dare_ties\nmodules:\n  default:\n    slices:\n      - sources: [{model: a, layer_range: [0, 2]}]\nout_dtype: float16\nchat_template: auto\ntokenizer: {source: base, tokens: {\"<a>\": {source: b, force: true}}}\n");

    public static readonly IReadOnlyList<string>[] Recipes = Texts(
        "recipe: 1\nabout: text\nseeds: 3\nsteps:\n  merged: {run: ties, base: a, models: [b, c], weight: 0.5, matrix: {density: [0.1, 1.0]}, allow: [unchanged]}\n  moved: {run: diff_checkpoints, before: a, after: merged}\nclaims:\n  - id: more\n    kind: real\n    exact: true\n    value: mean(moved[density=1.0].relative_norm) / mean(moved[density=0.1].relative_norm)\n    holds: \"> 1\"\n    refuted: \"<= 1\"\n    why: more\n    paper: {text: t, where: w, figure: \"1\"}\n",
        "recipe: 1\nseeds: 1\nprofiles: {smoke: {seeds: 1, fit.resamples: 10}, full: {seeds: 10}}\nsweep: {fit.resamples: [10, 20]}\nprotocol: {number: 2, reasons: [\"x\"]}\nsteps:\n  fit: {run: power_law_fit, curve: curve.csv, resamples: 100}\nclaims:\n  - {id: b, kind: implementation, value: \"abs(first(fit.beta) - 2 ^ 0.5) * -1e-3 + quantile(fit.beta, 0.5)\", holds: \"in [0.9, 1.1]\", beside: {other: max(fit.r2)}, over: ci_low}\n  - {id: n, kind: real, not_testable: no data, paper: {text: t, where: w, figure: \"1\"}}\nfigures:\n  - {title: t, kind: line, data: fit.forecast, x: samples, y: error, by: series, log: xy}\n",
        "recipe: 1\nnull_worlds: {none: {one.density: 0}}\nsteps:\n  one: {run: linear, models: [a, b], weight: [0.5, 0.5]}\n  two: {run: inspect_checkpoint, model: \"one[*]\", by: role}\nclaims: []\n");

    public static readonly IReadOnlyList<string>[] Configs = Texts(
        "{\"architectures\": [\"LlamaForCausalLM\"], \"model_type\": \"llama\", \"hidden_size\": 8, \"intermediate_size\": 12, \"num_hidden_layers\": 2, \"num_attention_heads\": 2, \"num_key_value_heads\": 1, \"head_dim\": 4, \"vocab_size\": 16, \"torch_dtype\": \"bfloat16\", \"tie_word_embeddings\": false, \"rms_norm_eps\": 1e-05}",
        "{\"model_type\": \"gpt2\", \"n_embd\": 8, \"n_head\": 2, \"n_layer\": 2, \"n_positions\": 32, \"vocab_size\": 16, \"dtype\": \"torch.float16\", \"quantization_config\": {\"quant_method\": \"bitsandbytes\", \"load_in_4bit\": true, \"bnb_4bit_quant_type\": \"nf4\"}}",
        "{\"model_type\": \"qwen3\", \"hidden_size\": 8, \"num_hidden_layers\": 3, \"layer_types\": [\"full_attention\", \"sliding_attention\", \"full_attention\"], \"num_attention_heads\": 4, \"num_key_value_heads\": 2, \"head_dim\": 4, \"intermediate_size\": 16, \"vocab_size\": 20, \"text_config\": {\"torch_dtype\": \"float32\", \"quantization_config\": {\"bits\": 4, \"quant_method\": \"gptq\"}}}",
        "{\"model_type\": \"mixtral\", \"hidden_size\": 8, \"num_hidden_layers\": 2, \"num_local_experts\": 4, \"num_attention_heads\": 2, \"num_key_value_heads\": 1, \"intermediate_size\": 16, \"vocab_size\": 20}",
        "{\"model_type\": \"t5\", \"d_model\": 8, \"d_kv\": 4, \"d_ff\": 16, \"num_layers\": 2, \"num_decoder_layers\": 2, \"num_heads\": 2, \"vocab_size\": 20, \"feed_forward_proj\": \"gated-gelu\"}",
        "{\"architectures\": [\"BertModel\"], \"model_type\": \"bert\", \"hidden_size\": 8, \"num_hidden_layers\": 2, \"num_attention_heads\": 2, \"intermediate_size\": 16, \"vocab_size\": 20, \"max_position_embeddings\": 16, \"type_vocab_size\": 2}");

    public static readonly string[] StoredNames = ["model.embed_tokens.weight", "model.layers.0.self_attn.q_proj.weight", "transformer.h.1.attn.c_attn.weight", "model.layers.1.block_sparse_moe.experts.3.w1.weight"];

    public static readonly IReadOnlyList<string>[] Adapters = Texts(
        "{\"peft_type\": \"LORA\", \"r\": 8, \"lora_alpha\": 16, \"target_modules\": [\"q_proj\", \"v_proj\"], \"bias\": \"none\", \"use_rslora\": false, \"use_dora\": true, \"modules_to_save\": null, \"fan_in_fan_out\": false, \"base_model_name_or_path\": \"a\", \"rank_pattern\": {\"layers.0\": 4}, \"alpha_pattern\": {}}",
        "{\"peft_type\": \"LORA\", \"r\": 4, \"lora_alpha\": 2.5, \"target_modules\": \".*(q|v)_proj\", \"layers_to_transform\": [0, 1], \"layers_pattern\": \"layers\", \"exclude_modules\": [\"x\"], \"modules_to_save\": [\"lm_head\"], \"lora_bias\": true, \"inference_mode\": true}",
        "{\"peft_type\": \"LORA\", \"r\": 4, \"lora_alpha\": 8, \"target_modules\": \"((a|b)+)(?=x)\", \"layer_replication\": [[0, 2]], \"megatron_config\": null, \"init_lora_weights\": \"pissa\", \"target_parameters\": [\"a.b\"], \"trainable_token_indices\": [1, 2]}");

    public static readonly string[] Modules = ["model.layers.0.self_attn.q_proj", "lm_head", "a", new string('a', 200) + "!"];

    public static readonly IReadOnlyList<string>[] Cards = Texts(
        "---\nlicense: apache-2.0\nbase_model: a/b\ntags:\n- merge\n---\n# A\n\ntext\n", "---\r\nlicense: \"mit\"\r\n---\r\n", "# no front matter\nlicense: other\n", "---\nlicense: [a, b]\nlanguage: {x: 1}\n");

    public static readonly IReadOnlyList<string>[] Tokenizers = Texts(
        "{\"version\": \"1.0\", \"added_tokens\": [{\"id\": 3, \"content\": \"<pad>\", \"special\": true}], \"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0, \"b\": 1, \"ab\": 2}, \"merges\": [\"a b\"]}}",
        "{\"model\": {\"type\": \"Unigram\", \"vocab\": [[\"<unk>\", 0.0], [\"a\", -1.5], [\"\\u2581b\", -2.25]]}, \"added_tokens\": []}",
        "{\"a\": 0, \"b\": 1}");

    public static readonly byte[][] Pieces =
    [
        [0x0A, 12, 0x0A, 5, .. "<unk>"u8, 0x15, 0, 0, 0, 0, 0x0A, 8, 0x0A, 1, .. "a"u8, 0x15, 0, 0, 128, 63, 0x12, 4, 0x08, 1, 0x10, 2],
        [0x0A, 3, 0x0A, 1, .. "b"u8, 0x0A, 6, 0x0A, 4, 0xE2, 0x96, 0x81, 0x61, 0x1A, 0, 0x20, 0x96, 1],
    ];

    public static readonly byte[][] Pickles = [.. All(legacy: false)];
    public static readonly byte[][] OldPickles = [.. All(legacy: true)];

    public static readonly byte[][] Instructions =
    [
        [(byte)'('], [(byte)'N'], [0x88], [0x89], [(byte)'K', 1], [(byte)'K', 0], [(byte)'M', 0xFF, 0xFF], [(byte)'J', 0, 0, 0, 0x80], [0x8A, 8, 255, 255, 255, 255, 255, 255, 255, 127], [0x8A, 1, 255], [0x8A, 0],
        [(byte)'G', 0x7F, 0xF8, 0, 0, 0, 0, 0, 0], [.. Body(p => p.Text("w"))], [.. Body(p => p.Text("0"))], [.. Body(p => p.Text("storage"))], [.. Body(p => p.Text("cpu"))], [(byte)')'], [(byte)']'], [(byte)'}'],
        [0x85], [0x86], [0x87], [(byte)'t'], [(byte)'a'], [(byte)'e'], [(byte)'s'], [(byte)'u'], [(byte)'q', 0], [(byte)'q', 1], [(byte)'h', 0], [(byte)'h', 1], [0x94], [(byte)'R'], [0x81], [(byte)'b'], [(byte)'Q'],
        [.. Body(p => p.Global("collections", "OrderedDict"))], [.. Body(p => p.Global("torch._utils", "_rebuild_tensor_v2"))], [.. Body(p => p.Global("torch", "Size"))], [.. Body(p => p.Global("torch", "FloatStorage"))],
        [.. Body(p => p.Global("torch._utils", "_rebuild_parameter"))], [.. Body(p => p.Global("torch._utils", "_rebuild_tensor_v3"))], [.. Body(p => p.Global("torch", "bfloat16"))], [.. Body(p => p.Global("os", "system"))],
        [.. Body(p => p.Storage("0", 6))], [.. Body(p => p.Tensor("0", 6, [2, 3], [3, 1]))], [.. Body(p => p.Tuple(2, 3))], [.. Body(p => p.Tuple())], [.. Body(p => p.Hooks())], [0x95, 1, 0, 0, 0, 0, 0, 0, 0], [0x8C, 1, (byte)'k'],
        [0x93], [(byte)'i', (byte)'a', (byte)'\n', (byte)'b', (byte)'\n'], [(byte)'.'],
    ];

    private static IEnumerable<byte[]> All(bool legacy)
    {
        yield return Pickled.Dict(p => p.Tensor("0", 6, [2, 3], [3, 1], legacy: legacy)).End;
        yield return Pickled.Dict(p => p.Tensor("0", 6, [3, 2], [1, 3], legacy: legacy)).End;
        yield return Pickled.Dict(p => p.Op('}').Text("w").Tensor("0", 6, [6], [1], legacy: legacy).Op('s'), "state_dict").End;
        yield return Pickled.Dict(p => p.Global("torch._utils", "_rebuild_parameter").Op('(').Tensor("0", 6, [1, 6], [6, 1], legacy: legacy).Op(0x88).Hooks().Op('t').Op('R')).End;
        yield return Pickled.New.Global("collections", "OrderedDict").Op(')').Op('R').Op('q', 0).Op('(').Text("a").Tensor("0", 6, [], [], 2, legacy: legacy).Text("b").Op('h', 0).Op('u').Op('N').Op('b').End;
    }

    private static byte[] Body(Func<Pickled, Pickled> write) => write(Pickled.New).Bytes[2..];

    private static IReadOnlyList<string>[] Texts(params string[] texts) => [.. texts.Select(Mutation.Tokens)];
}
