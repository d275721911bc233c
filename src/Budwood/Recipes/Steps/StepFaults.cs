namespace Budwood.Recipes.Steps;

/// <summary>What can be wrong with the steps of a recipe before anything runs, and with the store while it runs.</summary>
internal static class StepFaults
{
    private static Fault Usage(string code, string what, YamlNode at, string? found = null, string? next = null) => new(code, ExitCode.Usage, what, at.Where, found, next);

    public static Fault BadReference(YamlNode at, string expected) =>
        Usage("BW1201", "this is no reference to a step", at, $"found '{(at as YamlScalar)?.Text}', expected {expected}", "Write step, step.port, step[*] or step[key=value].");

    public static Fault UnknownMethod(YamlNode at, string name, IEnumerable<string> known) =>
        Usage("BW1202", $"there is no method '{name}'", at, null, Nearest.Hint(name, known) ?? "'budwood methods' lists them.");

    public static Fault NoStepAndNoFile(YamlNode at, string text, IEnumerable<string> steps) =>
        Usage("BW1203", $"'{text}' is neither a step nor a file", at, null, Nearest.Hint(text, steps) ?? "Name a step, or a path that exists.");

    public static Fault NoSuchPort(YamlNode at, string step, string port, IEnumerable<string> known) =>
        Usage("BW1204", $"step '{step}' has no output '{port}'", at, $"it has {string.Join(", ", known)}", Nearest.Hint(port, known));

    public static Fault PortsDoNotFit(YamlNode at, string port, string expected, string found) =>
        Usage("BW1205", $"port '{port}' takes {expected}", at, $"found {found}", "Connect an output of that kind.");

    public static Fault Cycle(YamlNode at, IEnumerable<string> steps) => Usage("BW1206", "the steps go in a circle", at, string.Join(" -> ", steps), "Take one of the references out.");

    public static Fault UnusedStep(YamlNode at, string step) =>
        Usage("BW1207", $"step '{step}' is used by no step, claim or figure", at, null, "Use it, or take it out.");

    public static Fault TakesOne(YamlNode at, string port, int found) => Usage("BW1208", $"port '{port}' takes one input", at, $"found {found}", "Choose one: step[key=value].");

    public static Fault MissingInput(YamlNode at, string step, string port, string doc) => Usage("BW1209", $"step '{step}' needs input '{port}': {doc}", at, null, $"Write '{port}: STEP' or a path.");

    public static Fault MissingParameter(YamlNode at, string step, string name, string doc) => Usage("BW1221", $"step '{step}' needs parameter '{name}': {doc}", at, null, $"Write '{name}: VALUE'.");

    public static Fault UnknownStep(YamlNode at, string step, IEnumerable<string> known) => Usage("BW1222", $"there is no step '{step}'", at, null, Nearest.Hint(step, known));

    public static Fault UnknownKey(YamlNode at, string step, string key, IEnumerable<string> known) =>
        Usage("BW1223", $"step '{step}' has no input or parameter '{key}'", at, null, Nearest.Hint(key, known) ?? $"It has {string.Join(", ", known)}.");

    public static Fault TwoMatrices(YamlNode at, string step, string key, string other) =>
        Usage("BW1224", $"matrix key '{key}' of step '{step}' comes to it from step '{other}' too", at, null, $"Fix one: '{other}[{key}=VALUE]'.");

    public static Fault NothingSelected(YamlNode at, string text) => Usage("BW1225", "the reference selects no instance", at, $"'{text}'", "Compare its values with the step's matrix.");

    public static Fault UnknownProfile(string name, IEnumerable<string> known) =>
        new("BW1226", ExitCode.Usage, $"there is no profile '{name}'", null, null, Nearest.Hint(name, known) ?? $"There are {string.Join(", ", known)}.");

    public static Fault TableIsCheckpoint(YamlNode at, string step, string port) =>
        Usage("BW1227", $"output '{port}' of step '{step}' is no table", at, null, "Evaluate or inspect it in a further step.");

    public static Fault ProtocolReasons(YamlNode at, int number, int reasons) =>
        Usage("BW1228", "every protocol number after the first needs a reason", at, $"number {number} with {reasons} reasons", "Write 'protocol: {number: 2, reasons: [\"why the thresholds changed\"]}'.");

    public static Fault EmptyMatrix(YamlNode at, string key) => Usage("BW1229", $"matrix '{key}' has no values", at, null, "Give a list of values.");

    public static Fault NotRun(YamlNode at, string instance) =>
        new("BW3521", ExitCode.Input, $"step {instance} is not in the store", at.Where, null, "Run 'budwood work PLAN' until every item is done, then gather.");

    public static Fault StepFailed(string recipe, string instance, Fault inner) =>
        inner.All.Count > 1 ? Fault.Several([.. inner.All.Select(one => StepFailed(recipe, instance, one))])
            : new(inner.Code, inner.Exit, $"step {instance}: {inner.What}", inner.Where ?? recipe, inner.Found, inner.Next, inner);
}
