using Budwood.Checkpoints;

namespace Budwood.Reuse;

/// <summary>Who can load a model type: what is known without a network.</summary>
internal static class Loaders
{
    // Model types that transformers has classes for, as of its version 4; newer ones are not known here and are said so.
    private static readonly HashSet<string> s_transformers = new(StringComparer.Ordinal)
    {
        "albert", "align", "bart", "beit", "bert", "big_bird", "blip", "bloom", "camembert", "clap", "clip", "codegen", "cohere", "convnext", "ctrl", "data2vec-text", "deberta", "deberta-v2",
        "deit", "detr", "dinov2", "distilbert", "dpr", "electra", "ernie", "esm", "falcon", "flaubert", "gemma", "gemma2", "gemma3", "gpt2", "gpt_bigcode", "gpt_neo", "gpt_neox", "gptj",
        "granite", "hubert", "idefics2", "jamba", "layoutlm", "led", "llama", "llava", "longformer", "longt5", "m2m_100", "mamba", "mamba2", "marian", "mbart", "mistral", "mixtral", "mobilebert",
        "mobilevit", "mpnet", "mpt", "mt5", "olmo", "olmo2", "opt", "pegasus", "persimmon", "phi", "phi3", "qwen2", "qwen2_moe", "qwen2_vl", "qwen3", "recurrent_gemma", "reformer", "roberta",
        "rwkv", "sam", "segformer", "siglip", "speecht5", "stablelm", "starcoder2", "swin", "t5", "vit", "vit_mae", "wav2vec2", "wavlm", "whisper", "xglm", "xlm-roberta", "xlnet", "yolos",
    };

    /// <summary>Programs and whether each is known to load the type, with why.</summary>
    public static IEnumerable<(string Program, string Loads, string Why)> Of(ModelConfig? config)
    {
        string? type = config?.ModelType;
        bool code = config?.Has("auto_map") == true;
        yield return ("transformers", type is null ? "unknown" : s_transformers.Contains(type) ? "yes" : code ? "with its own code" : "unknown",
            type is null ? "config.json states no model_type" : s_transformers.Contains(type) ? $"model_type {type}" : code ? "auto_map: code of the folder has to be trusted" : $"model_type {type} is not in the table");
        string? family = config is null ? null : Family.For(config)?.Name;
        yield return ("budwood", family is null ? "by names of tensors" : "yes", family is null ? "no table for the type: merged and compared, shapes not checked" : $"family {family}");
    }
}
