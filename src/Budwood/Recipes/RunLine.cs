using System.Globalization;
using System.Text;
using Budwood.Checkpoints;
using Budwood.Engine;
using Budwood.Methods;

namespace Budwood.Recipes;

/// <summary>A method, its inputs and its parameters as a command line gives them: <c>METHOD port=PATH key=value</c>.</summary>
/// <param name="Ports">Paths by port, in order.</param>
/// <param name="Parameters">Values by parameter; several where each model has its own.</param>
public sealed record RunLine(Method Method, IReadOnlyDictionary<string, IReadOnlyList<string>> Ports, IReadOnlyDictionary<string, IReadOnlyList<string>> Parameters)
{
    private static readonly string[] s_fileKeys = ["dtype", "out_dtype"];

    /// <summary>Values of <c>dtype</c> and <c>out_dtype</c>, which every rule takes.</summary>
    public IReadOnlyDictionary<string, string> FileKeys { get; init; } = new Dictionary<string, string>();

    /// <summary>Reads the words after the method's name. <c>name=value</c>, <c>--name value</c> and <c>--name=value</c> are the same; a bare word goes to the first input.</summary>
    public static RunLine Parse(Method method, IReadOnlyList<string> words)
    {
        var ports = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        var parameters = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        var keys = new Dictionary<string, string>(StringComparer.Ordinal);
        for (int i = 0; i < words.Count; i++)
        {
            string word = words[i], name, value;
            if (word.StartsWith("--", StringComparison.Ordinal))
            {
                int equals = word.IndexOf('=', StringComparison.Ordinal);
                name = equals < 0 ? word[2..] : word[2..equals];
                if (equals < 0 && i + 1 >= words.Count) throw Usage("BW1010", $"'{word}' has no value", $"Write '{name}=VALUE'.");
                value = equals < 0 ? words[++i] : word[(equals + 1)..];
            }
            else if (word.IndexOf('=', StringComparison.Ordinal) is var at and > 0 && !Directory.Exists(word)) (name, value) = (word[..at], word[(at + 1)..]);
            else (name, value) = (method.Ports.Inputs[0].Name, word);
            Place(method, name.Replace('-', '_'), value, ports, parameters, keys);
        }
        foreach (Port port in method.Ports.Inputs)
            if (!port.Optional && !ports.ContainsKey(port.Name)) throw Usage("BW1011", $"'{method.Card.Name}' needs input '{port.Name}': {port.Doc}", $"Write '{port.Name}=PATH'{(port == method.Ports.Inputs[0] ? ", or the path alone" : "")}.");
        return new RunLine(method, ports, parameters) { FileKeys = keys };
    }

    private static void Place(Method method, string name, string value, Dictionary<string, IReadOnlyList<string>> ports, Dictionary<string, IReadOnlyList<string>> parameters, Dictionary<string, string> keys)
    {
        if (method.Ports.Inputs.FirstOrDefault(p => p.Name == name) is { } port)
        {
            IReadOnlyList<string> paths = port.Many && !Directory.Exists(value) ? value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) : [value];
            if (ports.TryGetValue(name, out IReadOnlyList<string>? had))
            {
                if (!port.Many) throw Usage("BW1012", $"input '{name}' is given twice", $"'{had[0]}' and '{value}'");
                paths = [.. had, .. paths];
            }
            ports[name] = paths;
            return;
        }
        if (method is Rule && s_fileKeys.Contains(name))
        {
            keys[name] = value;
            return;
        }
        if (method.Card.Parameter(name) is not { } card)
        {
            IEnumerable<string> known = method.Ports.Inputs.Select(p => p.Name).Concat(method.Card.Parameters.Select(p => p.Name)).Concat(method is Rule ? s_fileKeys : []);
            throw Usage("BW1013", $"'{method.Card.Name}' has no input or parameter '{name}'", Nearest.Hint(name, known) ?? $"'budwood methods {method.Card.Name}' lists them.");
        }
        if (!parameters.TryAdd(name, card.PerModel ? value.Split(',', StringSplitOptions.TrimEntries) : [value])) throw Usage("BW1012", $"parameter '{name}' is given twice", null);
    }

    /// <summary>The merge file that says the same, for a rule: what is run, and what is kept beside the output.</summary>
    public string ToMergeFile()
    {
        var text = new StringBuilder();
        string[] models = [.. Ports[Method.Ports.Inputs[0].Name]];
        text.Append(CultureInfo.InvariantCulture, $"merge_method: {Method.Card.Name}\n");
        if (Ports.TryGetValue("base", out IReadOnlyList<string>? start)) text.Append(CultureInfo.InvariantCulture, $"base_model: {Quote(start[0])}\n");
        foreach ((string key, string value) in FileKeys) text.Append(CultureInfo.InvariantCulture, $"{key}: {Quote(value)}\n");
        text.Append("models:\n");
        ParameterCard[] own = [.. Method.Card.Parameters.Where(p => p.PerModel && Parameters.TryGetValue(p.Name, out var v) && v.Count > 1)];
        foreach (ParameterCard p in own)
            if (Parameters[p.Name].Count != models.Length) throw Usage("BW1014", $"'{p.Name}' has {Parameters[p.Name].Count} values for {models.Length} models", "Give one value for all, or one a model, separated by commas.");
        for (int m = 0; m < models.Length; m++)
        {
            text.Append(CultureInfo.InvariantCulture, $"  - model: {Quote(models[m])}\n");
            if (own.Length == 0) continue;
            text.Append("    parameters:\n");
            foreach (ParameterCard p in own) text.Append(CultureInfo.InvariantCulture, $"      {p.Name}: {Quote(Parameters[p.Name][m])}\n");
        }
        ParameterCard[] shared = [.. Method.Card.Parameters.Where(p => Parameters.TryGetValue(p.Name, out var v) && v.Count == 1)];
        if (shared.Length > 0) text.Append("parameters:\n");
        foreach (ParameterCard p in shared) text.Append(CultureInfo.InvariantCulture, $"  {p.Name}: {(p.Kind is ParameterKind.Integers ? Parameters[p.Name][0] : Quote(Parameters[p.Name][0]))}\n");
        return text.ToString();
    }

    /// <summary>Plans a rule that a job called on models that are open already.</summary>
    public static CalledRule Plan(Rule rule, IReadOnlyList<Checkpoint> models, IReadOnlyList<(string Name, string Value)> parameters, Arithmetic arithmetic,
        IReadOnlyList<string> allow) => Plan(rule, new Dictionary<string, IReadOnlyList<Checkpoint>>(StringComparer.Ordinal) { [rule.Ports.Inputs[0].Name] = models },
            parameters.ToDictionary(p => p.Name, p => (IReadOnlyList<string>)[p.Value], StringComparer.Ordinal), arithmetic, 0, allow);

    /// <summary>Plans a rule on models that are open already, by port.</summary>
    /// <param name="parameters">Values as a command line has them: one, or one a model.</param>
    public static CalledRule Plan(Rule rule, IReadOnlyDictionary<string, IReadOnlyList<Checkpoint>> models, IReadOnlyDictionary<string, IReadOnlyList<string>> parameters,
        Arithmetic arithmetic, long seed, IReadOnlyList<string> allow)
    {
        var byLabel = new Dictionary<string, Checkpoint>(StringComparer.Ordinal);
        foreach ((string port, IReadOnlyList<Checkpoint> given) in models)
            foreach (Checkpoint model in given)
                if (!byLabel.TryAdd(model.Label, model) && port == rule.Ports.Inputs[0].Name) throw Usage("BW1017", $"model '{model.Label}' is given twice", "List every model once.");
        var ports = models.ToDictionary(p => p.Key, p => (IReadOnlyList<string>)[.. p.Value.Select(m => m.Label)], StringComparer.Ordinal);
        string text = new RunLine(rule, ports, parameters).ToMergeFile();
        var settings = new MergeSettings { Arithmetic = arithmetic, Seed = seed, Allow = allow, Open = name => byLabel[name.Text] };
        return new CalledRule(MergeResolver.Resolve(MergeFile.Parse(text, "command line").Documents[0], rule, settings).Plan, text);
    }

    /// <summary>The parameters record, for a job.</summary>
    public object ReadParameters()
    {
        var values = new ParameterValues(Method.Card);
        for (int k = 0; k < Method.Card.Parameters.Count; k++)
        {
            ParameterCard card = Method.Card.Parameters[k];
            if (Parameters.TryGetValue(card.Name, out IReadOnlyList<string>? given))
            {
                bool list = card.Kind is ParameterKind.Integers or ParameterKind.Numbers or ParameterKind.Texts;
                string value = !list ? Quote(given[0]) : given[0].StartsWith('[') ? given[0] : $"[{given[0]}]";
                string yaml = $"{card.Name}: {value}\n";
                if (ParameterBlock.Read(Yaml.Read(yaml, "command line")[0]).Find(card, "", 0) is { } found) values[k] = found.Value;
            }
            else if (card.Required) throw Usage("BW1015", $"'{Method.Card.Name}' needs parameter '{card.Name}': {card.Doc}", $"Write '{card.Name}=VALUE'.");
        }
        return Method.ReadParameters(values);
    }

    private static string Quote(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out _) || text is "true" or "false" || (text.Length > 0 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '.' or '_' or '-' or '+' or '@') && text[0] is not '-')
            ? text : "'" + text.Replace("'", "''", StringComparison.Ordinal) + "'";

    private static Fault Usage(string code, string what, string? next) => new(code, ExitCode.Usage, what, null, null, next);
}
