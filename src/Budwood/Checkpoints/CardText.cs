using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Budwood.Checkpoints;

/// <summary>A number that a model card claims in its model-index.</summary>
/// <param name="Value">The number; null where the card gives none that can be read.</param>
/// <param name="Said">The value as it is written.</param>
/// <param name="Verified">The hub's flag that somebody else measured it.</param>
/// <param name="Line">Line of README.md.</param>
public sealed record CardMetric(string Metric, double? Value, string Said, string? Task, string? Dataset, string? Split, bool Verified, long Line);

/// <summary>A model card: front matter as fields that know their line, the claims of its model-index, and the text below.</summary>
public sealed class CardText
{
    private readonly YamlMappingNode? _front;

    private CardText(YamlMappingNode? front, string body, int bodyLine, string? trouble) => (_front, Body, BodyLine, Trouble) = (front, body, bodyLine, trouble);

    /// <summary>The text behind the front matter.</summary>
    public string Body { get; }

    /// <summary>Line of README.md that the text begins at.</summary>
    public int BodyLine { get; }

    /// <summary>Why the front matter could not be read; null when it could, or there is none.</summary>
    public string? Trouble { get; }

    /// <summary>Reads a README.md.</summary>
    public static CardText Parse(string text)
    {
        string[] lines = text.Split('\n');
        if (lines[0].TrimEnd('\r', ' ').TrimStart('\uFEFF') != "---") return new CardText(null, text, 1, null);
        int end = Array.FindIndex(lines, 1, l => l.TrimEnd('\r', ' ') == "---");
        if (end < 0) return new CardText(null, text, 1, "the front matter does not end");
        string body = string.Join('\n', lines[(end + 1)..]);
        try
        {
            var yaml = new YamlStream();
            // The first line stays, empty, so that lines count as in the file.
            yaml.Load(new StringReader("\n" + string.Join('\n', lines[1..end])));
            return new CardText(yaml.Documents is [{ RootNode: YamlMappingNode map }, ..] ? map : null, body, end + 2, null);
        }
        catch (YamlException e)
        {
            return new CardText(null, body, end + 2, string.Create(CultureInfo.InvariantCulture, $"line {e.Start.Line}: {e.Message}"));
        }
    }

    /// <summary>The values of a field, one or a list, with its line; empty when it is not there.</summary>
    public IReadOnlyList<(string Value, long Line)> Field(string name) => Get(_front, name) switch
    {
        YamlScalarNode { Value: { Length: > 0 } value } s => [(value, s.Start.Line)],
        YamlSequenceNode list => [.. list.Children.OfType<YamlScalarNode>().Select(i => (i.Value ?? "", i.Start.Line))],
        YamlMappingNode map => [("…", map.Start.Line)],
        _ => [],
    };

    /// <summary>The claims of <c>model-index</c>, in their order.</summary>
    public IReadOnlyList<CardMetric> Metrics()
    {
        var metrics = new List<CardMetric>();
        foreach (YamlMappingNode model in Maps(Get(_front, "model-index")))
        {
            foreach (YamlMappingNode result in Maps(Get(model, "results")))
            {
                YamlMappingNode? data = Get(result, "dataset") as YamlMappingNode;
                foreach (YamlMappingNode metric in Maps(Get(result, "metrics")))
                {
                    YamlNode? value = Get(metric, "value");
                    string said = Text(value) ?? "";
                    double? number = double.TryParse(said.TrimEnd('%', ' '), NumberStyles.Float, CultureInfo.InvariantCulture, out double n) ? n : null;
                    metrics.Add(new CardMetric(Text(Get(metric, "type")) ?? Text(Get(metric, "name")) ?? "", number, said, Text(Get(Get(result, "task") as YamlMappingNode, "type")),
                        Text(Get(data, "name")) ?? Text(Get(data, "type")), Text(Get(data, "split")), Text(Get(metric, "verified")) == "true", metric.Start.Line));
                }
            }
        }
        return metrics;
    }

    private static string? Text(YamlNode? node) => (node as YamlScalarNode)?.Value;

    private static IEnumerable<YamlMappingNode> Maps(YamlNode? node) => (node as YamlSequenceNode)?.Children.OfType<YamlMappingNode>() ?? [];

    private static YamlNode? Get(YamlMappingNode? map, string key) =>
        map?.Children.FirstOrDefault(c => c.Key is YamlScalarNode { Value: { } k } && k == key).Value;
}
