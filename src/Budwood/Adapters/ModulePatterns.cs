using System.Text.RegularExpressions;

namespace Budwood.Adapters;

/// <summary>Python's regular expressions as PEFT applies them to module names.</summary>
internal static class ModuleNames
{
    // A pattern from a file must not be able to hold the program up.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    /// <summary>Compiles a pattern, in linear time where its constructs allow.</summary>
    public static Regex Compile(string where, string field, string written, string pattern)
    {
        try
        {
            try
            {
                return new Regex(pattern, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
            }
            catch (NotSupportedException)
            {
                return new Regex(pattern, RegexOptions.CultureInvariant, s_patience);
            }
        }
        catch (ArgumentException e)
        {
            throw AdapterFaults.BadPattern(where, field, written, e.Message.Split(". ")[^1].TrimEnd('.'));
        }
    }

    /// <summary>Equal, or an ending after a dot.</summary>
    public static bool EndsWith(string module, string ending) =>
        module == ending || (module.Length > ending.Length && module[^(ending.Length + 1)] == '.' && module.EndsWith(ending, StringComparison.Ordinal));
}

/// <summary>Numbers by module: a key is a regular expression for the whole name or for its end after a dot; the first that matches wins.</summary>
public sealed class ModulePatterns
{
    private readonly (string Key, double Value, Regex Regex)[] _keys;

    internal ModulePatterns(string where, string field, IReadOnlyList<KeyValuePair<string, double>> pairs)
    {
        (Where, Field) = (where, field);
        // re.match(rf"(.*\.)?({key})$", name): from the start, and $ also stands before a final line break, which no name has.
        _keys = [.. pairs.Select(p => (p.Key, p.Value, ModuleNames.Compile(where, field, p.Key, $@"\A(?:.*\.)?(?:{p.Key})$")))];
    }

    internal string Where { get; }
    internal string Field { get; }

    public IEnumerable<string> Keys => _keys.Select(k => k.Key);

    /// <summary>The value of a module; null when no key matches it.</summary>
    public double? Find(string module)
    {
        foreach ((_, double value, Regex regex) in _keys) if (regex.IsMatch(module)) return value;
        return null;
    }

    /// <summary>All keys that match a module, in order.</summary>
    internal IReadOnlyList<(string Key, double Value)> Matches(string module) => [.. _keys.Where(k => k.Regex.IsMatch(module)).Select(k => (k.Key, k.Value))];

    /// <summary>Keys that match none of the modules.</summary>
    internal IEnumerable<string> Unused(IReadOnlyCollection<string> modules) => _keys.Where(k => !modules.Any(m => k.Regex.IsMatch(m))).Select(k => k.Key);
}

/// <summary>Which modules an adapter acts on, by PEFT's rules.</summary>
public sealed class TargetModules
{
    private readonly AdapterConfig _config;
    private readonly Regex? _pattern, _exclude;
    private readonly IReadOnlyList<string> _names, _excluded, _parameters;
    private readonly Regex[] _layers;
    private readonly bool _isNull;

    internal TargetModules(AdapterConfig config)
    {
        _config = config;
        _isNull = !config.Has("target_modules");
        _parameters = config.Words("target_parameters");
        string? text = config.Text("target_modules");
        IsAllLinear = string.Equals(text, "all-linear", StringComparison.OrdinalIgnoreCase);
        if (text is not null && !IsAllLinear) _pattern = ModuleNames.Compile(config.Where, "target_modules", text, $@"\A(?:{text})\z");
        _names = text is null ? config.Words("target_modules") : [];
        string? exclude = config.Text("exclude_modules");
        if (exclude is not null) _exclude = ModuleNames.Compile(config.Where, "exclude_modules", exclude, $@"\A(?:{exclude})\z");
        _excluded = exclude is null ? config.Words("exclude_modules") : [];
        Layers = config.WholeNumbers("layers_to_transform") is { Count: > 0 } layers ? layers : null;
        IReadOnlyList<string> stacks = config.Words("layers_pattern");
        _layers = stacks.Count == 0 ? [ModuleNames.Compile(config.Where, "layers_pattern", "", @"\A.*?\.[^.]*\.(\d+)\.")]
            : [.. stacks.Select(p => ModuleNames.Compile(config.Where, "layers_pattern", p, $@"\A.*\.{p}\.(\d+)\."))];
    }

    /// <summary>Every linear layer but the head.</summary>
    public bool IsAllLinear { get; }

    /// <summary>The file does not say; what it holds are its targets.</summary>
    public bool IsOpen => _isNull && _parameters.Count == 0;

    /// <summary>Numbers of the only layers that are acted on; null for all.</summary>
    public IReadOnlyList<long>? Layers { get; }

    /// <summary>Whether a module is acted on.</summary>
    public bool Names(string module)
    {
        if (_config.ModulesToSave.Any(s => IsBelow(module, s))) return false;
        if (_parameters.Any(p => ModuleNames.EndsWith(module + ".weight", p))) return true;
        if (_exclude is not null && _exclude.IsMatch(module)) return false;
        if (_excluded.Any(e => ModuleNames.EndsWith(module, e))) return false;
        if (_pattern is not null) return _pattern.IsMatch(module);
        if (_names.Contains(module)) return true;
        if (!IsAllLinear && !_isNull && !_names.Any(n => ModuleNames.EndsWith(module, n))) return false;
        return (!_isNull || IsOpen) && InLayers(module);
    }

    private bool InLayers(string module)
    {
        if (Layers is null) return true;
        foreach (Regex layer in _layers)
            if (layer.Match(module) is { Success: true } match) return long.TryParse(match.Groups[1].ValueSpan, out long number) && Layers.Contains(number);
        return false;
    }

    /// <summary>Whether a module is one that is saved whole, or lies in one.</summary>
    internal static bool IsBelow(string module, string saved)
    {
        for (string at = module; ; at = at[..at.LastIndexOf('.')])
        {
            if (ModuleNames.EndsWith(at, saved)) return true;
            if (!at.Contains('.')) return false;
        }
    }

    /// <summary>The names as the file lists them, sorted; a pattern as it is.</summary>
    public override string ToString() => _pattern is not null || IsAllLinear ? $"'{_config.Text("target_modules")}'" : IsOpen ? "is not given"
        : $"[{string.Join(", ", _names.Concat(_parameters).Order(StringComparer.Ordinal))}]";

    /// <summary>Names in the list, for suggestions.</summary>
    internal IReadOnlyList<string> Listed => _names;
}
