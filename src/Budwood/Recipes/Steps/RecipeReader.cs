using Budwood.Methods;
using Budwood.Recipes.Claims;

namespace Budwood.Recipes.Steps;

/// <summary>Reads a recipe strictly: unknown keys, methods, ports, steps, conditions and formulas end here, with line and nearest word.</summary>
public static class RecipeReader
{
    internal static readonly string[] Keys = ["recipe", "paper", "about", "reconstructed", "protocol", "seeds", "profiles", "null_worlds", "sweep", "steps", "claims", "figures"];
    internal static readonly string[] StepKeys = ["run", "matrix", "allow"];
    internal static readonly string[] FigureKeys = ["title", "kind", "data", "x", "y", "by", "log", "note"];
    internal static readonly string[] FigureKinds = ["line", "scatter", "bar"];
    private static readonly string[] s_protocol = ["number", "reasons"];

    /// <summary>Whether a YAML text is a recipe and not a merge file.</summary>
    public static bool IsRecipe(string text, string file) => Yaml.Read(text, file) is [YamlMap map, ..] && (map["recipe"] is not null || map["steps"] is not null);

    /// <summary>Reads a recipe.</summary>
    /// <param name="find">Gives a method by its name, or null.</param>
    public static Recipe Read(string text, string file, Func<string, Method?> find, IEnumerable<string> methods)
    {
        IReadOnlyList<YamlNode> documents = Yaml.Read(text, file);
        if (documents is not [YamlMap map]) throw RecipeFaults.EmptyFile(file);
        foreach ((YamlScalar key, _) in map.Entries)
            if (!Keys.Contains(key.Text)) throw RecipeFaults.UnknownKey(key, "a recipe", Keys);
        if (map["recipe"] is not YamlScalar { Number: 1 }) throw RecipeFaults.MissingKey(map, "recipe", "a recipe", "Start with 'recipe: 1', the version of the format.");
        (int protocol, string[] reasons) = Protocol(map["protocol"]);
        if (map["steps"] is not YamlMap steps) throw RecipeFaults.MissingKey(map, "steps", "a recipe", "Add 'steps:' with one step or more.");
        string[] names = [.. steps.Entries.Select(e => e.Key.Text)];
        Step[] all = [.. steps.Entries.Select(e => OneStep(e.Key, e.Value, names, find, methods))];
        var nullWorlds = Worlds(map["null_worlds"], "null_worlds", all);
        string? paper = ClaimReader.Text(map, "paper");
        var recipe = new Recipe
        {
            File = file, Text = text, Paper = paper, Name = paper ?? Path.GetFileNameWithoutExtension(file), About = ClaimReader.Text(map, "about"),
            Reconstructed = (map["reconstructed"] as YamlScalar)?.Flag == true, Protocol = protocol, ProtocolReasons = reasons,
            Seeds = map["seeds"] is { } seeds ? Whole(seeds, "seeds") : 1, Steps = all, Profiles = Worlds(map["profiles"], "profiles", all), NullWorlds = nullWorlds,
            Sweep = Sweep(map["sweep"], all), Claims = ClaimReader.Read(map["claims"], nullWorlds.Keys.ToArray()), Figures = Figures(map["figures"]),
        };
        RecipeCheck.Whole(recipe, map);
        return recipe;
    }

    private static (int, string[]) Protocol(YamlNode? node)
    {
        if (node is null) return (1, []);
        if (node is not YamlMap map) throw RecipeFaults.NotAMap(node, "protocol");
        foreach ((YamlScalar key, _) in map.Entries)
            if (!s_protocol.Contains(key.Text)) throw RecipeFaults.UnknownKey(key, "'protocol'", s_protocol);
        int number = Whole(map["number"] ?? throw RecipeFaults.MissingKey(map, "number", "'protocol'", "Add 'number: 1'."), "number");
        string[] reasons = map["reasons"] is YamlList list ? [.. list.Items.Select(i => (i as YamlScalar)?.Text ?? throw RecipeFaults.NotAScalar(i, "reasons"))] : [];
        return reasons.Length >= number - 1 ? (number, reasons) : throw StepFaults.ProtocolReasons(map, number, reasons.Length);
    }

    private static Step OneStep(YamlScalar name, YamlNode node, string[] steps, Func<string, Method?> find, IEnumerable<string> methods)
    {
        if (node is not YamlMap map) throw RecipeFaults.NotAMap(node, name.Text);
        if (!name.Text.All(c => char.IsAsciiLetterOrDigit(c) || c == '_') || name.Text.Length == 0 || char.IsAsciiDigit(name.Text[0]))
            throw RecipeFaults.BadValue(name, "name of a step", "letters, digits and underscores");
        YamlNode run = map["run"] ?? throw RecipeFaults.MissingKey(map, "run", $"step '{name.Text}'", "Add 'run: METHOD'.");
        string word = (run as YamlScalar)?.Text ?? throw RecipeFaults.NotAScalar(run, "run");
        Method method = find(word) ?? throw StepFaults.UnknownMethod(run, word, methods);
        string[] ports = [.. method.Ports.Inputs.Select(p => p.Name)], parameters = [.. method.Card.Parameters.Select(p => p.Name)];
        var inputs = new Dictionary<string, IReadOnlyList<StepInput>>(StringComparer.Ordinal);
        var values = new Dictionary<string, YamlNode>(StringComparer.Ordinal);
        string[] allow = [];
        IReadOnlyList<(string, IReadOnlyList<YamlNode>)> matrix = [];
        foreach ((YamlScalar key, YamlNode value) in map.Entries)
        {
            if (key.Text == "run") continue;
            if (key.Text == "matrix") matrix = Matrix(value, name.Text, [.. ports, .. parameters]);
            else if (key.Text == "allow") allow = [.. Items(value).Select(i => (i as YamlScalar)?.Text ?? throw RecipeFaults.NotAScalar(i, "allow"))];
            else if (ports.Contains(key.Text)) inputs[key.Text] = Inputs(value, steps);
            else if (parameters.Contains(key.Text)) values[key.Text] = value;
            else throw StepFaults.UnknownKey(key, name.Text, key.Text, [.. ports, .. parameters, .. StepKeys]);
        }
        return new Step { Name = name.Text, Method = method, Node = map, Inputs = inputs, Parameters = values, Matrix = matrix, Allow = allow };
    }

    internal static IReadOnlyList<StepInput> Inputs(YamlNode value, IReadOnlyCollection<string> steps) =>
        [.. Items(value).Select(i => i is YamlScalar s ? StepInput.Parse(s, steps) : throw RecipeFaults.NotAScalar(i, "an input"))];

    private static IReadOnlyList<YamlNode> Items(YamlNode node) => node is YamlList list ? list.Items : [node];

    private static IReadOnlyList<(string, IReadOnlyList<YamlNode>)> Matrix(YamlNode node, string step, string[] known)
    {
        if (node is not YamlMap map) throw RecipeFaults.NotAMap(node, "matrix");
        foreach ((YamlScalar key, YamlNode value) in map.Entries)
        {
            if (!known.Contains(key.Text)) throw StepFaults.UnknownKey(key, step, key.Text, known);
            if (value is not YamlList { Items.Count: > 0 }) throw StepFaults.EmptyMatrix(value, key.Text);
        }
        return [.. map.Entries.Select(e => (e.Key.Text, ((YamlList)e.Value).Items))];
    }

    private static Dictionary<string, Overrides> Worlds(YamlNode? node, string what, Step[] steps)
    {
        var worlds = new Dictionary<string, Overrides>(StringComparer.Ordinal);
        if (node is null) return worlds;
        if (node is not YamlMap map) throw RecipeFaults.NotAMap(node, what);
        foreach ((YamlScalar name, YamlNode value) in map.Entries)
        {
            if (value is not YamlMap of) throw RecipeFaults.NotAMap(value, name.Text);
            int? seeds = null;
            var values = new List<(string, string, YamlNode)>();
            foreach ((YamlScalar key, YamlNode v) in of.Entries)
            {
                if (key.Text == "seeds" && what == "profiles") seeds = Whole(v, "seeds");
                else
                {
                    (string step, string parameter) = Place(key, steps);
                    values.Add((step, parameter, v));
                }
            }
            worlds[name.Text] = new Overrides(seeds, values);
        }
        return worlds;
    }

    // step.parameter, or step.matrix.parameter in profiles.
    private static (string Step, string Key) Place(YamlScalar key, Step[] steps)
    {
        string[] parts = key.Text.Split('.');
        Step step = steps.FirstOrDefault(s => s.Name == parts[0]) ?? throw StepFaults.UnknownStep(key, parts[0], steps.Select(s => s.Name));
        string[] known = [.. step.Method.Card.Parameters.Select(p => p.Name), .. step.Method.Ports.Inputs.Select(p => p.Name)];
        string at = parts.Length == 2 ? parts[1] : parts is [_, "matrix", var of] ? of : "";
        if (!known.Contains(at)) throw StepFaults.UnknownKey(key, step.Name, at, known);
        if (parts.Length == 3 && !step.Matrix.Any(m => m.Key == at)) throw StepFaults.UnknownKey(key, step.Name, key.Text, step.Matrix.Select(m => "matrix." + m.Key));
        return (step.Name, parts.Length == 3 ? "matrix." + at : at);
    }

    private static IReadOnlyList<(string, string, IReadOnlyList<YamlNode>)> Sweep(YamlNode? node, Step[] steps)
    {
        if (node is null) return [];
        if (node is not YamlMap map) throw RecipeFaults.NotAMap(node, "sweep");
        return [.. map.Entries.Select(e =>
        {
            (string step, string key) = Place(e.Key, steps);
            return e.Value is YamlList { Items.Count: > 1 } list ? (step, key, list.Items) : throw RecipeFaults.BadValue(e.Value, e.Key.Text, "a list of two values or more");
        })];
    }

    private static IReadOnlyList<Figure> Figures(YamlNode? node)
    {
        if (node is null) return [];
        if (node is not YamlList list) throw RecipeFaults.NotAList(node, "figures");
        return [.. list.Items.Select(item =>
        {
            if (item is not YamlMap map) throw RecipeFaults.NotAMap(item, "a figure");
            foreach ((YamlScalar key, _) in map.Entries)
                if (!FigureKeys.Contains(key.Text)) throw RecipeFaults.UnknownKey(key, "a figure", FigureKeys);
            string Need(string key) => ClaimReader.Text(map, key) ?? throw RecipeFaults.MissingKey(map, key, "a figure", $"Add '{key}: ...'.");
            string kind = ClaimReader.Text(map, "kind") ?? "line";
            if (!FigureKinds.Contains(kind)) throw RecipeFaults.BadValue(map["kind"]!, "kind", string.Join(", ", FigureKinds), FigureKinds);
            string? log = ClaimReader.Text(map, "log");
            if (log is not (null or "x" or "y" or "xy")) throw RecipeFaults.BadValue(map["log"]!, "log", "x, y or xy");
            Expression.ColumnOf data;
            try
            {
                // The data of a figure is written as a column's step is.
                data = (Expression.ColumnOf)Expression.Parse(Need("data") + ".x");
            }
            catch (Exception e) when (e is FormatException or InvalidCastException)
            {
                throw RecipeFaults.BadValue(map["data"]!, "data", "step, step.port or step[key=value]");
            }
            return new Figure(Need("title"), kind, data.Step, data.Port, data.Filters, Need("x"), Need("y"), ClaimReader.Text(map, "by"), log, ClaimReader.Text(map, "note"), map);
        })];
    }

    private static int Whole(YamlNode node, string key) => node is YamlScalar { Number: { } v } && v == Math.Floor(v) && v is >= 1 and <= 100_000 ? (int)v : throw RecipeFaults.BadValue(node, key, "a whole number from 1");
}
