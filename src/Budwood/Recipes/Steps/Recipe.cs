using Budwood.Methods;
using Budwood.Recipes.Claims;

namespace Budwood.Recipes.Steps;

/// <summary>A recipe: a graph of steps, and claims over what they give.</summary>
public sealed record Recipe
{
    /// <summary>The file as messages name it.</summary>
    public required string File { get; init; }

    /// <summary>The text of the file, verbatim.</summary>
    public required string Text { get; init; }

    /// <summary>Slug of the paper, or the file's name.</summary>
    public required string Name { get; init; }

    /// <summary>Slug of the paper; null for a recipe of one's own.</summary>
    public string? Paper { get; init; }

    /// <summary>A line or two for the head of the report.</summary>
    public string? About { get; init; }

    /// <summary>The text of the paper was not at hand when the recipe was written.</summary>
    public bool Reconstructed { get; init; }

    /// <summary>Number of the thresholds, bands and constants as they stand, with a reason for each change.</summary>
    public int Protocol { get; init; } = 1;

    public IReadOnlyList<string> ProtocolReasons { get; init; } = [];

    public int Seeds { get; init; } = 1;

    public required IReadOnlyList<Step> Steps { get; init; }
    public required IReadOnlyList<Claim> Claims { get; init; }
    public IReadOnlyList<Figure> Figures { get; init; } = [];

    /// <summary>Overrides by profile.</summary>
    public required IReadOnlyDictionary<string, Overrides> Profiles { get; init; }

    /// <summary>Overrides by null world.</summary>
    public required IReadOnlyDictionary<string, Overrides> NullWorlds { get; init; }

    /// <summary>Constants of the generator that the full profile sweeps.</summary>
    public IReadOnlyList<(string Step, string Parameter, IReadOnlyList<YamlNode> Values)> Sweep { get; init; } = [];
}

/// <summary>Values that take the place of those in steps, and of the number of seeds.</summary>
public sealed record Overrides(int? Seeds, IReadOnlyList<(string Step, string Key, YamlNode Value)> Values);

/// <summary>One step: a method, what its inputs are, its parameters, and the values over which it is repeated.</summary>
public sealed record Step
{
    public required string Name { get; init; }
    public required Method Method { get; init; }
    public required YamlMap Node { get; init; }

    /// <summary>Inputs by port, in the order of the file.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyList<StepInput>> Inputs { get; init; }

    /// <summary>Parameter nodes by name.</summary>
    public required IReadOnlyDictionary<string, YamlNode> Parameters { get; init; }

    /// <summary>Values by parameter over which the step is repeated.</summary>
    public required IReadOnlyList<(string Key, IReadOnlyList<YamlNode> Values)> Matrix { get; init; }

    /// <summary>Words that turn named errors of a merge into warnings.</summary>
    public IReadOnlyList<string> Allow { get; init; } = [];
}

/// <summary>What stands at a port: another step's output, or a file or model.</summary>
/// <param name="Step">Name of the step; null for a path.</param>
/// <param name="Port">Output port of the step; null for its main one.</param>
/// <param name="Gathers">Keys over which all instances are taken together; empty with <see cref="GathersAll"/> for all keys.</param>
/// <param name="Selects">Values that keys must have.</param>
public sealed record StepInput(string Text, YamlNode Node, string? Step, string? Port, bool GathersAll, IReadOnlyList<string> Gathers, IReadOnlyList<(string Key, string[] Values)> Selects)
{
    /// <summary>The path, when it is no step.</summary>
    public string Path => Text;

    /// <summary>Reads <c>step</c>, <c>step.port</c>, <c>step[*]</c>, <c>step[key=value, key=*]</c>; everything whose first word is no step is a path.</summary>
    public static StepInput Parse(YamlScalar node, IReadOnlyCollection<string> steps)
    {
        string text = node.Text.Trim();
        int word = 0;
        while (word < text.Length && (char.IsAsciiLetterOrDigit(text[word]) || text[word] == '_')) word++;
        string step = text[..word];
        if (!steps.Contains(step) || (word < text.Length && text[word] is not ('.' or '['))) return new StepInput(text, node, null, null, false, [], []);
        string rest = text[word..];
        string? port = null;
        bool all = false;
        var gathers = new List<string>();
        var selects = new List<(string, string[])>();
        int bracket = rest.IndexOf('[', StringComparison.Ordinal);
        string inside = "";
        if (bracket >= 0)
        {
            if (!rest.EndsWith(']')) throw StepFaults.BadReference(node, "a ']' at the end");
            inside = rest[(bracket + 1)..^1];
            rest = rest[..bracket];
        }
        if (rest.Length > 0) port = rest[1..];
        if (port is not null && (port.Length == 0 || port.Contains('.', StringComparison.Ordinal))) throw StepFaults.BadReference(node, "step.port");
        foreach (string part in inside.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            int equals = part.IndexOf('=', StringComparison.Ordinal);
            if (part == "*") all = true;
            else if (equals <= 0) throw StepFaults.BadReference(node, "'*' or key=value between the brackets");
            else if (part[(equals + 1)..].Trim() == "*") gathers.Add(part[..equals].Trim());
            else
            {
                string key = part[..equals].Trim();
                string[] values = part[(equals + 1)..].Split('|', StringSplitOptions.TrimEntries);
                selects.Add((key, values));
                if (values.Length > 1) gathers.Add(key);
            }
        }
        return new StepInput(text, node, step, port, all, gathers, selects);
    }
}

/// <summary>A plot of the report: one column against another, one line a group, means over seeds with their spread.</summary>
public sealed record Figure(string Title, string Kind, string Step, string? Port, IReadOnlyList<(string Key, string Value)> Filters, string X, string Y, string? By, string? Log, string? Note, YamlNode Node);
