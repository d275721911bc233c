using System.Buffers;
using System.Text.RegularExpressions;

namespace Budwood.Adapters;

/// <summary>One of Python's regular expressions as PEFT applies them to module names; it cannot hold the program up.</summary>
internal sealed class ModulePattern
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(1);

    // Names as most files have them. Without repetitions there is nothing to go back to, and the linear engine takes a thousand times the memory.
    private static readonly SearchValues<char> s_plain = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");

    private readonly string _where, _field, _written;
    private readonly Regex _regex;

    /// <param name="written">The pattern as the file has it.</param>
    /// <param name="pattern">The whole pattern that it is a part of.</param>
    /// <param name="isLinear">Around a plain name the pattern needs no linear engine.</param>
    public ModulePattern(string where, string field, string written, string pattern, bool isLinear = true)
    {
        (_where, _field, _written) = (where, field, written);
        try
        {
            bool plain = isLinear && !written.AsSpan().ContainsAnyExcept(s_plain);
            _regex = plain ? new Regex(pattern, RegexOptions.CultureInvariant, s_patience) : Linear(pattern);
        }
        catch (ArgumentException e)
        {
            throw AdapterFaults.BadPattern(where, field, written, e.Message.Split(". ")[^1].TrimEnd('.'));
        }
    }

    // In linear time where the constructs allow.
    private static Regex Linear(string pattern)
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

    public bool IsMatch(string module) => Match(module).Success;

    public Match Match(string module)
    {
        try
        {
            return _regex.Match(module);
        }
        catch (RegexMatchTimeoutException)
        {
            throw AdapterFaults.PatternTooSlow(_where, _field, _written, s_patience.TotalSeconds);
        }
    }
}

/// <summary>How PEFT compares module names.</summary>
internal static class ModuleNames
{
    /// <summary>Equal, or an ending after a dot.</summary>
    public static bool EndsWith(string module, string ending) =>
        module == ending || (module.Length > ending.Length && module[^(ending.Length + 1)] == '.' && module.EndsWith(ending, StringComparison.Ordinal));
}

/// <summary>Numbers by module: a key is a regular expression for the whole name or for its end after a dot; the first that matches wins.</summary>
public sealed class ModulePatterns
{
    private readonly (string Key, double Value, ModulePattern Regex)[] _keys;

    internal ModulePatterns(string where, string field, IReadOnlyList<KeyValuePair<string, double>> pairs)
    {
        (Where, Field) = (where, field);
        // re.match(rf"(.*\.)?({key})$", name): from the start, and $ also stands before a final line break, which no name has.
        _keys = [.. pairs.Select(p => (p.Key, p.Value, new ModulePattern(where, field, p.Key, $@"\A(?:.*\.)?(?:{p.Key})$")))];
    }

    internal string Where { get; }
    internal string Field { get; }

    public IEnumerable<string> Keys => _keys.Select(k => k.Key);

    /// <summary>The value of a module; null when no key matches it.</summary>
    public double? Find(string module)
    {
        foreach ((_, double value, ModulePattern regex) in _keys) if (regex.IsMatch(module)) return value;
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
    private readonly ModulePattern? _pattern, _exclude;
    private readonly IReadOnlyList<string> _names, _excluded, _parameters;
    private readonly ModulePattern[] _layers;
    private readonly bool _isNull;

    internal TargetModules(AdapterConfig config)
    {
        _config = config;
        _isNull = !config.Has("target_modules");
        _parameters = config.Words("target_parameters");
        string? text = config.Text("target_modules");
        IsAllLinear = string.Equals(text, "all-linear", StringComparison.OrdinalIgnoreCase);
        if (text is not null && !IsAllLinear) _pattern = new ModulePattern(config.Where, "target_modules", text, $@"\A(?:{text})\z");
        _names = text is null ? config.Words("target_modules") : [];
        string? exclude = config.Text("exclude_modules");
        if (exclude is not null) _exclude = new ModulePattern(config.Where, "exclude_modules", exclude, $@"\A(?:{exclude})\z");
        _excluded = exclude is null ? config.Words("exclude_modules") : [];
        Layers = config.WholeNumbers("layers_to_transform") is { Count: > 0 } layers ? layers : null;
        IReadOnlyList<string> stacks = config.Words("layers_pattern");
        _layers = stacks.Count == 0 ? [new ModulePattern(config.Where, "layers_pattern", "", @"\A.*?\.[^.]*\.(\d+)\.", isLinear: false)]
            : [.. stacks.Select(p => new ModulePattern(config.Where, "layers_pattern", p, $@"\A.*\.{p}\.(\d+)\.", isLinear: false))];
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
        foreach (ModulePattern layer in _layers)
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
