using System.Text;
using Budwood.Engine;
using Budwood.Methods;
using Budwood.Methods.Generated;
using Budwood.Numbers;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Merge;

/// <summary>Every merging method on every small architecture: it runs and gives finite numbers, or it refuses with a fault that a person can act on.</summary>
public sealed class EveryMethodTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static Rule[] Rules { get; } = [.. BudwoodCoreCatalogue.All.OfType<Rule>()];

    public static TheoryData<string> Networks()
    {
        try
        {
            return [.. Directory.EnumerateDirectories(Shared.Path("goldens/networks")).Where(d => System.IO.File.Exists(Path.Combine(d, "config.json"))).Select(d => Path.GetFileName(d)!).Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is not IOException)
        {
            return ["none at hand"];
        }
    }

    [Theory]
    [InlineData(DType.F32)]
    [InlineData(DType.BF16)]
    [InlineData(DType.F16)]
    public void Small_llama_and_gpt2(DType type)
    {
        TinyCheckpoint.Llama(type, seed: 1).Write(_folder["llama"]);
        TinyCheckpoint.Gpt2(type, seed: 1).Write(_folder["gpt2"]);
        // All of them in both arithmetics, but 'fisher': a model is no Fisher information, it has negative values.
        foreach (string family in new[] { "llama", "gpt2" }) Assert.Equal((Rules.Length - 1) * 2, All(_folder[family], family, Arithmetic.Ours, Arithmetic.Mergekit015));
    }

    [Theory]
    [MemberData(nameof(Networks))]
    public void Stored_networks(string name) => All(Path.Combine(Shared.Path("goldens/networks"), name), name, Arithmetic.Ours);

    /// <summary>Runs all rules; returns how many of the runs gave an output.</summary>
    private int All(string model, string name, params Arithmetic[] modes)
    {
        int ran = 0;
        try
        {
            foreach ((string tune, string scale) in new[] { ("tuned", "1.03125"), ("other", "0.9375") })
                Goldens.Merge(_folder.Write($"{name}-{tune}.yml", $"merge_method: passthrough\nmodels: [{{model: '{model}', parameters: {{scale: {scale}}}}}]\n"), _folder[$"{name}-{tune}"]);
        }
        catch (Fault fault)
        {
            Assert.NotEqual(ExitCode.OurFault, fault.Exit);
            return 0;
        }
        foreach (Rule rule in Rules)
        {
            foreach (Arithmetic arithmetic in modes)
            {
                string output = _folder[$"{name}-{rule.Card.Name}-{arithmetic}"];
                try
                {
                    RunOutcome outcome = Goldens.Merge(_folder.Write($"{name}.yml", File(rule, model, _folder[$"{name}-tuned"], _folder[$"{name}-other"])), output, arithmetic, allow: ["unchanged", "unmatched", "inert"]);
                    // A peer's sums may overflow float16; ours do not.
                    Assert.True(outcome.Receipt.NotFinite == 0 || arithmetic != Arithmetic.Ours, $"{rule.Card.Name} on {name} in {arithmetic}: {outcome.Receipt.NotFinite} values are not finite");
                    ran++;
                }
                catch (Fault fault)
                {
                    Assert.True(fault.Exit is ExitCode.Usage or ExitCode.Input && fault.Code.StartsWith("BW", StringComparison.Ordinal), $"{rule.Card.Name} on {name}: {fault.Message}");
                    Assert.False(Directory.Exists(output));
                }
            }
        }
        return ran;
    }

    private static string File(Rule rule, string start, string tuned, string other)
    {
        var text = new StringBuilder($"merge_method: {rule.Card.Name}\n");
        if (rule.Arity.NeedsBase) text.Append($"base_model: '{start}'\n");
        text.Append("models:\n");
        string[] models = rule.Arity.NeedsBase || rule.Arity.Maximum == 1 ? [tuned] : [start, tuned];
        if (rule.Arity.Minimum > models.Length) models = [tuned, other];
        foreach (string m in models) text.Append($"  - model: '{m}'\n");
        text.Append("parameters:\n  int8_mask: true\n");
        foreach (ParameterCard p in rule.Card.Parameters)
        {
            string? value = p.Name switch { "weight" => "0.7", "density" => "0.5", "t" => "0.4", "factor" => "2", "fisher" => $"'{tuned}'", _ => null };
            if (value is not null) text.Append($"  {p.Name}: {value}\n");
        }
        return text.ToString();
    }
}
