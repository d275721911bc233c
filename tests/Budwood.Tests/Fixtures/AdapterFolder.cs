using System.Text.Json.Nodes;
using Budwood.Numbers;

namespace Budwood.Tests.Fixtures;

/// <summary>A LoRA adapter of two modules in a folder.</summary>
internal static class AdapterFolder
{
    public static void Write(string folder, JsonObject? fields = null, bool trained = true)
    {
        var config = new JsonObject
        {
            ["peft_type"] = "LORA",
            ["base_model_name_or_path"] = "some/base",
            ["task_type"] = "CAUSAL_LM",
            ["r"] = 2,
            ["lora_alpha"] = 4,
            ["target_modules"] = new JsonArray("v_proj", "q_proj"),
        };
        foreach ((string field, JsonNode? value) in fields ?? []) config[field] = value?.DeepClone();
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Join(folder, "adapter_config.json"), config.ToJsonString());
        var tensors = new List<TinyTensor>();
        for (int layer = 0; layer < 2; layer++)
        {
            string at = $"base_model.model.model.layers.{layer}.self_attn.q_proj.";
            tensors.Add(TinyTensor.Of(at + "lora_A.weight", DType.F32, new Shape(2, 8), Enumerable.Repeat(0.5f, 16).ToArray()));
            tensors.Add(TinyTensor.Of(at + "lora_B.weight", DType.F32, new Shape(8, 2), Enumerable.Repeat(trained ? 0.25f : 0, 16).ToArray()));
        }
        TinyCheckpoint.WriteFile(Path.Join(folder, "adapter_model.safetensors"), tensors);
    }
}
