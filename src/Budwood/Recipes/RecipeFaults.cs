namespace Budwood.Recipes;

/// <summary>What can be wrong with a merge file or a recipe by itself: exit code 2, file and line named.</summary>
internal static class RecipeFaults
{
    private static Fault Usage(string code, string what, string? where, string? found = null, string? next = null, Exception? inner = null) =>
        new(code, ExitCode.Usage, what, where, found, next, inner);

    public static Fault NotYaml(string file, long line, string detail, Exception inner) =>
        Usage("BW1101", "this is not YAML", $"{file}:{line}", detail, "Mend the indentation or the quotes near that line.", inner);

    public static Fault TooLarge(string file, long line, int depth, int nodes) =>
        Usage("BW1102", "the file is nested too deeply or too long", $"{file}:{line}", $"at most {depth} levels and {nodes:#,0} nodes are read");

    public static Fault UnknownAlias(string file, long line, string name, IEnumerable<string> known) =>
        Usage("BW1103", $"alias '*{name}' has no anchor before it", $"{file}:{line}", null, Nearest.Hint(name, known));

    public static Fault KeyIsNotText(string file, long line) => Usage("BW1104", "a key must be plain text", $"{file}:{line}");

    public static Fault NotAMap(YamlNode node, string key) => Usage("BW1105", $"'{key}' must be a mapping of keys to values", node.Where, Kind(node));

    public static Fault NotAList(YamlNode node, string key) => Usage("BW1106", $"'{key}' must be a list", node.Where, Kind(node));

    public static Fault NotAScalar(YamlNode node, string key) => Usage("BW1107", $"'{key}' must be a single value", node.Where, Kind(node));

    public static Fault DuplicateKey(YamlScalar again, YamlScalar first, bool top) =>
        Usage("BW1108", $"duplicate key '{again.Text}'", again.Where, $"it is already set in line {first.Line}",
            top ? "Keep one; if two merges were meant, put a line '---' between them." : "Keep one of the two.");

    public static Fault UnknownKey(YamlScalar key, string inside, IEnumerable<string> known, string? next = null) =>
        Usage("BW1109", $"unknown key '{key.Text}' in {inside}", key.Where, null, next ?? Nearest.Hint(key.Text, known));

    public static Fault MissingKey(YamlNode node, string key, string inside, string next) => Usage("BW1110", $"{inside} needs '{key}'", node.Where, null, next);

    public static Fault ParameterAtTopLevel(YamlScalar key) =>
        Usage("BW1111", $"'{key.Text}' is a parameter and stands outside 'parameters', where it has no effect", key.Where, null, $"Write 'parameters: {{{key.Text}: ...}}'.");

    public static Fault BadValue(YamlNode node, string name, string expected, IEnumerable<string>? known = null) =>
        Usage("BW1112", $"'{name}' has a value that it cannot have", node.Where, $"found {Show(node)}, expected {expected}", known is null ? null : Nearest.Hint(Show(node).Trim('\''), known));

    public static Fault EmptyFile(string file) => Usage("BW1113", "the file holds no merge", file, null, "Start with 'merge_method: linear' and 'models:'.");

    public static Fault FileNotFound(string file, IEnumerable<string> near) =>
        Usage("BW1114", "no such file", file, null, Nearest.Hint(Path.GetFileName(file), near));

    public static Fault UnknownTemplate(YamlNode node, IReadOnlyList<string> names) =>
        Usage("BW1133", "'chat_template' names no template that is known", node.Where,
            $"found {Show(node)}, expected {string.Join(", ", names)}, auto, or a Jinja text of 20 characters or more",
            Nearest.Hint(Show(node).Trim('\''), [.. names, "auto"]));

    public static Fault UnknownMethod(YamlNode node, string name, IEnumerable<string> known) =>
        Usage("BW1115", $"unknown merge_method '{name}'", node.Where, null, Nearest.Hint(name, known) ?? "'budwood methods --room merge' lists them.");

    public static Fault Layout(YamlNode node, string what, string next) => Usage("BW1116", what, node.Where, null, next);

    public static Fault EmptyRange(YamlNode node, long from, long to) =>
        Usage("BW1117", "layer_range is empty", node.Where, $"[{from}, {to}] holds no layer: the upper end is exclusive", $"[{from}, {from + 1}] is layer {from}.");

    public static Fault BadRange(YamlNode node, long from, long to, string model, int layers) =>
        Usage("BW1118", "layer_range asks for layers that the model does not have", node.Where, $"[{from}, {to}] of '{model}' with {layers} layers", $"The upper end is exclusive: [0, {layers}] is the whole model.");

    public static Fault UnequalRanges(YamlNode node, string found) =>
        Usage("BW1119", "all sources of a slice must cover the same number of layers", node.Where, found, "Give every source of this slice a range of the same length.");

    public static Fault SameModelTwice(YamlNode again, YamlNode first, string model) =>
        Usage("BW1120", $"model '{model}' stands twice in one slice", again.Where, $"it is already listed in line {first.Line}", "List every model once; its weight is the sum of the two.");

    public static Fault NoValue(string where, string parameter, string tensor, string? model) =>
        Usage("BW1121", $"parameter '{parameter}' has no value for tensor '{tensor}'{(model is null ? "" : $" of '{model}'")}", where, "no filter matches and there is no fallback", $"Add '- value: ...' as the last entry of '{parameter}', or '{parameter}: ...' under 'parameters'.");

    public static Fault NeverWins(YamlNode node, string what, string? next) => Usage("BW1122", what, node.Where, "it applies to no tensor", next ?? "Remove it, or run with '--allow unmatched'.");

    public static Fault OutOfRange(string where, string parameter, string value, string range) =>
        Usage("BW1123", $"'{parameter}' is out of range", where, $"found {value}, allowed {range}");

    public static Fault ModelCount(YamlNode node, string method, int found, string expected) =>
        Usage("BW1124", $"'{method}' takes {expected}", node.Where, $"found {found}");

    public static Fault BaseMissing(YamlNode node, string method) =>
        Usage("BW1125", $"'{method}' needs 'base_model': the model that the others were tuned from", node.Where, null, "Add 'base_model: PATH'.");

    public static Fault NotYet(YamlNode node, string what, string next) => Usage("BW1126", $"{what} is not read yet", node.Where, null, next);

    public static Fault NoAdapter(string text) => Usage("BW1128", "a model reference ends in '+' and names no adapter", text, null, "Write BASE+ADAPTER, or BASE alone.");

    public static Fault SeveralAdapters(string text) =>
        Usage("BW1129", "a model reference names several adapters", text, null, "Only one may follow a base: merge the first one, and add the next to the result.");

    public static Fault NoTokenizer(YamlNode node, string models) =>
        new("BW1130", ExitCode.Input, "a tokenizer is asked for, and no model has one", node.Where, models,
            "Remove the setting, or put tokenizer.json into the folder of one of them.");

    public static Fault TokenizersDiffer(YamlNode node, string first, string second, string how) =>
        new("BW1131", ExitCode.Input, $"the tokenizers of '{first}' and '{second}' differ, and vocabularies are not aligned yet", node.Where, how,
            "Merge models of one tokenizer; without the setting, rows are merged by number whatever they mean.");

    public static Fault TokensWithoutRows(YamlNode node, string model, string tensor, long rows, long tokens) =>
        new("BW1132", ExitCode.Input, $"tokens of the tokenizer have no row in '{model}'", node.Where,
            $"{tensor} has {rows} rows, the tokenizer needs {tokens}", "Remove the setting, or use the tokenizer that belongs to the weights.");

    private static string Kind(YamlNode node) => node switch { YamlMap => "found a mapping", YamlList => "found a list", _ => $"found {Show(node)}" };

    internal static string Show(YamlNode node) => node is YamlScalar s ? (s.IsNull ? "nothing" : $"'{(s.Text.Length > 60 ? s.Text[..57] + "..." : s.Text)}'") : Kind(node)[6..];
}
