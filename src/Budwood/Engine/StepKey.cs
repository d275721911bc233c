using System.Globalization;
using System.Text;

namespace Budwood.Engine;

/// <summary>All that the output of a step depends on; its digest is the step's address in the store.</summary>
/// <param name="Parameters">Canonical values by parameter; what equals the default is left out.</param>
/// <param name="Inputs">Digests of what stands at each port, in order.</param>
/// <param name="Numbers">The number profile: <c>f32</c> for weights, <c>f64</c> for arrays.</param>
public sealed record StepKey(string Method, int Revision, IReadOnlyDictionary<string, string> Parameters, IReadOnlyDictionary<string, IReadOnlyList<string>> Inputs, long Seed, string Numbers)
{
    /// <summary>The text that is digested: one line a fact, so that two keys can be compared line by line.</summary>
    public string Text
    {
        get
        {
            var text = new StringBuilder("budwood step 1\n");
            text.Append(CultureInfo.InvariantCulture, $"method {Method}\nrevision {Revision}\nseed {Seed}\nnumbers {Numbers}\n");
            foreach ((string name, string value) in Parameters.OrderBy(p => p.Key, StringComparer.Ordinal)) text.Append(CultureInfo.InvariantCulture, $"parameter {name} {value.Replace("\n", "\\n", StringComparison.Ordinal)}\n");
            foreach ((string port, IReadOnlyList<string> digests) in Inputs.OrderBy(p => p.Key, StringComparer.Ordinal)) text.Append(CultureInfo.InvariantCulture, $"input {port} {string.Join(' ', digests)}\n");
            return text.ToString();
        }
    }

    /// <summary>32 hexadecimal digits.</summary>
    public string Address => Files.Digest.Of(Encoding.UTF8.GetBytes(Text)).Hex;

    /// <summary>In a few words, what of two keys' texts differs.</summary>
    public static string Differences(string before, string now)
    {
        HashSet<string> was = [.. before.Split('\n')], isNow = [.. now.Split('\n')];
        string[] changed = [.. isNow.Except(was).Concat(was.Except(isNow)).Select(Subject).Distinct()];
        return changed.Length == 0 ? "nothing" : string.Join(", ", changed.Take(4)) + (changed.Length > 4 ? ", ..." : "") + " changed";
        static string Subject(string line) => line.Split(' ') is [var kind and ("parameter" or "input"), var name, ..] ? $"{kind} {name}" : line.Split(' ')[0];
    }
}
