using System.Text.Json;

namespace Budwood.Checkpoints;

/// <summary>Puts a quantization_config into words.</summary>
internal static class QuantizationWords
{
    public static string Of(JsonElement config, string field)
    {
        string method = Text(config, "quant_method") ?? Infer(config, field);
        string? bits = Number(config, "bits") ?? Number(config, "w_bit") ?? Number(config, "nbits");
        return method.ToLowerInvariant() switch
        {
            "bitsandbytes" or "bitsandbytes_4bit" or "bitsandbytes_8bit" => BitsAndBytes(config),
            "gptq" => $"GPTQ {bits ?? "packed"}{(bits is null ? "" : "-bit")}",
            "awq" => $"AWQ {bits ?? "packed"}{(bits is null ? "" : "-bit")}",
            "fp8" => $"FP8 ({Text(config, "fmt") ?? "e4m3"}{Block(config)})",
            "fbgemm_fp8" => "FP8 (fbgemm)",
            "mxfp4" => "MXFP4",
            "compressed-tensors" or "compressed_tensors" => Text(config, "format") is { } format ? $"compressed-tensors ({format})" : "compressed-tensors",
            _ => bits is null ? method : $"{method} {bits}-bit",
        };
    }

    private static string BitsAndBytes(JsonElement config)
    {
        if (Flag(config, "load_in_4bit") || Flag(config, "_load_in_4bit")) return $"bitsandbytes 4-bit ({Text(config, "bnb_4bit_quant_type") ?? "fp4"})";
        return Flag(config, "load_in_8bit") || Flag(config, "_load_in_8bit") ? "bitsandbytes 8-bit (int8)" : "bitsandbytes";
    }

    // Files from before quant_method existed name no method.
    private static string Infer(JsonElement config, string field)
    {
        if (Flag(config, "load_in_4bit") || Flag(config, "load_in_8bit")) return "bitsandbytes";
        if (Number(config, "w_bit") is not null) return "awq";
        if (Number(config, "bits") is not null && config.TryGetProperty("desc_act", out _)) return "gptq";
        return field == "compression_config" || config.TryGetProperty("config_groups", out _) ? "compressed-tensors"
            : "quantised by a method that is not named";
    }

    private static string Block(JsonElement config) =>
        config.TryGetProperty("weight_block_size", out JsonElement size) && size.ValueKind == JsonValueKind.Array
            ? ", blocks of " + string.Join("x", size.EnumerateArray().Select(e => e.GetRawText()))
            : "";

    private static string? Text(JsonElement config, string field) =>
        config.TryGetProperty(field, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static string? Number(JsonElement config, string field) =>
        config.TryGetProperty(field, out JsonElement value) && value.ValueKind == JsonValueKind.Number ? value.GetRawText() : null;

    private static bool Flag(JsonElement config, string field) => config.TryGetProperty(field, out JsonElement value) && value.ValueKind == JsonValueKind.True;
}
