using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Budwood.Checkpoints;
using Budwood.Numbers;

namespace Budwood.Tests.Checkpoints;

public class ModelConfigTests
{
    private static ModelConfig Config(string text) => ModelConfig.Parse(Encoding.UTF8.GetBytes(text), "config.json");

    private static Fault Refused(string text) => Assert.Throws<Fault>(() => Config(text));

    [Fact]
    public void Key_order_unknown_keys_numbers_and_other_scripts_survive_a_round_trip()
    {
        string text = """
            {
              "model_type": "llama",
              "zeta": {
                "b": 1e-05,
                "a": [
                  1.0,
                  null
                ],
                "empty": {},
                "none": []
              },
              "name": "Größe 模型 🌱 \u00e9 \"q\"",
              "limit": [
                0.0,
                Infinity,
                -Infinity,
                NaN
              ],
              "text": "Infinity is a word, NaN too",
              "alpha": true
            }

            """;
        Assert.Equal(text, Encoding.UTF8.GetString(Config(text).ToBytes()));
    }

    [Fact]
    public void An_edit_stands_where_the_key_stood_and_a_new_key_is_appended()
    {
        ModelConfig before = Config("""{"a": 1, "b": 2, "c": 3}""");
        ModelConfig after = before.Set("b", JsonValue.Create("zwölf")).Set("d", new JsonArray(1, 2)).Remove("a").Set("c", null);
        Assert.Equal("""{"b":"zwölf","c":null,"d":[1,2]}""", Encoding.UTF8.GetString(after.ToBytes()).Replace("\n", "").Replace(" ", ""));
        Assert.Equal(["a", "b", "c"], before.Fields);
        Assert.Same(after, after.Remove("nothing"));
        Assert.False(after.Has("c"));
    }

    [Fact]
    public void Typed_reads_do_not_convert()
    {
        ModelConfig config = Config("""{"i": 4096, "f": 4096.0, "t": "4096", "yes": true, "n": null, "list": [1, 2, 3], "architectures": ["A", "B"]}""");
        Assert.True(config.TryInt("i", out long i));
        Assert.Equal(4096, i);
        Assert.False(config.TryInt("f", out _));
        Assert.False(config.TryInt("t", out _));
        Assert.False(config.TryInt("n", out _));
        Assert.True(config.TryFlag("yes", out bool yes) && yes);
        Assert.False(config.TryFlag("n", out _));
        Assert.True(config.TryLength("list", out int length));
        Assert.Equal(3, length);
        Assert.Equal(["A", "B"], config.Architectures);
        Assert.True(config.TryGet("n", out JsonElement value));
        Assert.Equal(JsonValueKind.Null, value.ValueKind);
    }

    [Theory]
    [InlineData("""{"torch_dtype": "bfloat16"}""", "bfloat16", DType.BF16, "torch_dtype")]
    [InlineData("""{"dtype": "float16"}""", "float16", DType.F16, "dtype")]
    [InlineData("""{"torch_dtype": "torch.bfloat16"}""", "torch.bfloat16", DType.BF16, "torch_dtype")]
    [InlineData("""{"torch_dtype": null, "text_config": {"dtype": "float32"}}""", "float32", DType.F32, "torch_dtype")]
    [InlineData("""{"dtype": null}""", null, null, "dtype")]
    [InlineData("""{"torch_dtype": "auto"}""", "auto", null, "torch_dtype")]
    [InlineData("{}", null, null, "torch_dtype")]
    public void The_element_type_is_read_in_every_spelling(string text, string? spelled, DType? type, string field)
    {
        ModelConfig config = Config(text);
        Assert.Equal(spelled, config.DTypeText);
        Assert.Equal(type, config.DType);
        Assert.Equal(field, config.DTypeField);
        Assert.Equal(DType.F16, config.WithDType(DType.F16).DType);
    }

    [Fact]
    public void Writing_the_element_type_keeps_the_spelling() =>
        Assert.Equal("torch.float16", Config("""{"torch_dtype": "torch.bfloat16"}""").WithDType(DType.F16).DTypeText);

    [Theory]
    [InlineData("""{"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": true, "bnb_4bit_quant_type": "nf4"}}""",
        "bitsandbytes 4-bit (nf4)")]
    [InlineData("""{"quantization_config": {"load_in_8bit": true}}""", "bitsandbytes 8-bit (int8)")]
    [InlineData("""{"quantization_config": {"quant_method": "gptq", "bits": 4}}""", "GPTQ 4-bit")]
    [InlineData("""{"quantization_config": {"quant_method": "awq", "w_bit": 4}}""", "AWQ 4-bit")]
    [InlineData("""{"quantization_config": {"quant_method": "fp8", "fmt": "e4m3", "weight_block_size": [128, 128]}}""", "FP8 (e4m3, blocks of 128x128)")]
    [InlineData("""{"quantization_config": {"quant_method": "mxfp4"}}""", "MXFP4")]
    [InlineData("""{"compression_config": {"format": "pack-quantized"}}""", "compressed-tensors (pack-quantized)")]
    [InlineData("""{"quantization_config": {"quant_method": "hqq", "nbits": 3}}""", "hqq 3-bit")]
    [InlineData("""{"quantization_config": {}}""", "quantised by a method that is not named")]
    [InlineData("""{"quantization_config": null}""", null)]
    public void Quantisation_is_put_into_words(string text, string? words) => Assert.Equal(words, Config(text).Quantization);

    [Theory]
    [InlineData("""{"model_type": "gpt2"}""", true)]
    [InlineData("""{"model_type": "llama"}""", false)]
    [InlineData("""{"model_type": "gemma2"}""", true)]
    [InlineData("""{"model_type": "llama", "tie_word_embeddings": true}""", true)]
    [InlineData("""{"model_type": "gpt2", "tie_word_embeddings": false}""", false)]
    public void Ties_follow_the_family_when_the_config_is_silent(string text, bool ties) => Assert.Equal(ties, Config(text).TiesEmbeddings);

    [Fact]
    public void Unreadable_texts_say_what_they_are_and_where()
    {
        Assert.StartsWith("config.json:3: malformed JSON", Refused("{\n\"a\": 1,\n\"b\": }").Message);
        Fault twice = Refused("{\n\"a\": {\"x\": 1},\n\"a\": 2}");
        Assert.Equal(("BW3102", "config.json:3", ExitCode.Input), (twice.Code, twice.Where, twice.Exit));
        Assert.Contains("'a' stands twice", twice.Message);
        Assert.Equal("config.json:2", Refused("{\"t\": {\"k\": 1,\n\"k\": 2}}").Where);
        Assert.Contains("found an array, expected an object", Refused("[1]").Message);
        Assert.Contains("Git LFS pointer", Refused("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n").Message);
        Assert.Contains("HTML", Refused("<!DOCTYPE html>").Message);
        Assert.Contains("empty", Refused(" \n").Message);
        Assert.Equal("BW3101", Refused("{\"a\": 1} x").Code);
        Assert.Equal("BW3105", Assert.Throws<Fault>(() => ModelConfig.Read(Path.Combine(Path.GetTempPath(), "no-such-folder", "config.json"))).Code);
    }

    [Fact]
    public void A_byte_order_mark_is_read_past() => Assert.Equal(["a"], ModelConfig.Parse([0xEF, 0xBB, 0xBF, .. "{\"a\": 1}"u8], "config.json").Fields);
}
