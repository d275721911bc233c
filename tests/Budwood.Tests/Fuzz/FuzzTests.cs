using System.Text;
using Budwood.Adapters;
using Budwood.Checkpoints;
using Budwood.Fuzz;
using Budwood.Recipes;
using Budwood.Tests.Files;

namespace Budwood.Tests.Fuzz;

/// <summary>The first inputs of every fuzzed reader, and what the long runs of <c>bench/Budwood.Fuzz</c> have found.</summary>
public class FuzzTests
{
    public static TheoryData<string> Targets => [.. FuzzTarget.All.Select(t => t.Name)];

    [Theory]
    [MemberData(nameof(Targets))]
    public void A_reader_gives_a_value_or_a_fault_in_little_memory(string name)
    {
        FuzzTarget target = FuzzTarget.All.Single(t => t.Name == name);
        int accepted = 0;
        for (ulong index = 0; index < 3000; index++)
        {
            byte[] input = target.Input(1, index);
            Verdict verdict = target.Try(input);
            // Time is looked at by the long runs; a test must not depend on what else the machine does.
            if (verdict.Failure?.EndsWith(" ms", StringComparison.Ordinal) != true) Assert.True(verdict.Failure is null, $"seed 1 index {index}: {verdict.Failure}");
            if (verdict.Accepted) accepted++;
        }
        // Mutations that are all refused at the first byte would test nothing.
        Assert.InRange(accepted, 10, 3000);
    }

    [Fact]
    public void An_input_can_be_made_again()
    {
        foreach (FuzzTarget target in FuzzTarget.All) Assert.Equal(target.Input(5, 77), target.Input(5, 77));
    }

    [Theory]
    [InlineData("merge_method: linear\nmodels: [- ]")]
    [InlineData("a: {? ")]
    [InlineData("a: [#")]
    [InlineData("a: &")]
    [InlineData("a: !<")]
    public void A_merge_file_that_ends_in_the_middle_is_no_crash(string text) => Assert.Throws<Fault>(() => MergeFile.Parse(text, "merge.yml"));

    [Fact]
    public void Half_a_surrogate_pair_in_a_text_is_refused()
    {
        byte[] json = Encoding.UTF8.GetBytes("{\"model_type\": \"\\ud800\"}");
        Crafted.Refuses("BW3101", () => ModelConfig.Parse(json, "config.json"), "surrogate");
        Fault fault = Assert.Throws<Fault>(() => AdapterConfig.Parse(json, "adapter_config.json"));
        Assert.Equal(ExitCode.Usage, fault.Exit);
    }

    [Fact]
    public void Bytes_that_are_not_UTF8_in_a_text_are_refused()
    {
        byte[] json = [.. "{\"model_type\": \""u8, 0xFF, .. "\"}"u8];
        Crafted.Refuses("BW3101", () => ModelConfig.Parse(json, "config.json"), "UTF-8");
    }

    [Fact]
    public void A_config_that_asks_for_far_more_tensors_than_there_are_is_refused()
    {
        ModelConfig config = ModelConfig.Parse("{\"model_type\": \"gpt2\", \"n_embd\": 8, \"n_head\": 2, \"n_layer\": 100000, \"n_positions\": 32, \"vocab_size\": 16}"u8, "config.json");
        Crafted.Refuses("BW3111", () => Family.For(config)!.Describe(config, ["wte.weight"]), "n_layer 100000");
    }

    [Fact]
    public void A_pattern_that_goes_back_for_ever_is_refused()
    {
        AdapterConfig config = AdapterConfig.Parse("{\"peft_type\": \"LORA\", \"r\": 4, \"lora_alpha\": 8, \"target_modules\": \"((a+)\\\\2?)+c\"}"u8, "adapter_config.json");
        Fault fault = Assert.Throws<Fault>(() => config.Targets.Names(new string('a', 100)));
        Assert.Equal("BW1419", fault.Code);
        Assert.Contains("target_modules", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_merge_file_of_very_many_keys_is_read_once_through()
    {
        var text = new StringBuilder("merge_method: linear\nmodels: [{model: a}]\nparameters:\n");
        for (int i = 0; i < 200_000; i++) text.Append("  k").Append(i).Append(": 1\n");
        Assert.NotEmpty(MergeFile.Parse(text.ToString(), "merge.yml").Documents);
    }
}
