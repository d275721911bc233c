using Budwood.Checkpoints;
using Budwood.Methods;

namespace Budwood.Recipes;

/// <summary>A file of several merges, each of which may use the others by name: one plan, no intermediate checkpoint on disk.</summary>
/// <remarks>A step's output is rounded to the type in which it would have been stored, so that naming or writing a step never changes a bit.</remarks>
public sealed class MergeChain
{
    private readonly MergeFile _file;
    private readonly Func<MergeDocument, Rule> _rule;
    private readonly Func<MergeDocument, MergeSettings> _settings;
    private readonly Dictionary<string, MergeDocument> _byName = new(StringComparer.Ordinal);
    private readonly Dictionary<MergeDocument, ResolvedMerge> _done = [];
    private readonly List<MergeDocument> _open = [];
    private readonly List<string> _notes = [];

    private MergeChain(MergeFile file, Func<MergeDocument, Rule> rule, Func<MergeDocument, MergeSettings> settings) => (_file, _rule, _settings) = (file, rule, settings);

    /// <summary>Resolves a file of one or more documents; the result is the plan of the one that nobody else uses.</summary>
    public static ResolvedMerge Resolve(MergeFile file, Func<MergeDocument, Rule> rule, Func<MergeDocument, MergeSettings> settings) => new MergeChain(file, rule, settings).Resolve();

    private ResolvedMerge Resolve()
    {
        foreach (MergeDocument document in _file.Documents.Where(d => d.Name is not null))
            if (!_byName.TryAdd(document.Name!, document)) throw RecipeFaults.Layout(document.Node, $"two merges have the name '{document.Name}'", "Give each a name of its own.");
        MergeDocument last = Last();
        ResolvedMerge result = Resolve(last);
        MergeDocument[] unused = [.. _file.Documents.Where(d => !_done.ContainsKey(d))];
        if (unused.Length > 0) throw RecipeFaults.Layout(unused[0].Node, $"the merge '{unused[0].Name}' is used by no other", "Remove it, or name it as a model of another merge.");
        return result with { Notes = [.. _notes, .. result.Notes] };
    }

    // The one without a name goes to the output; where all have names, the one that no other uses.
    private MergeDocument Last()
    {
        MergeDocument[] unnamed = [.. _file.Documents.Where(d => d.Name is null)];
        if (_file.Documents.Count == 1) return _file.Documents[0];
        if (unnamed.Length == 1) return unnamed[0];
        if (unnamed.Length > 1) throw RecipeFaults.Layout(unnamed[1].Node, "two merges of the file have no name", "Name all but the one that is to be written: 'name: step'.");
        var used = _file.Documents.SelectMany(Uses).ToHashSet();
        MergeDocument[] free = [.. _file.Documents.Where(d => !used.Contains(d.Name!))];
        return free.Length == 1 ? free[0]
            : throw RecipeFaults.Layout(_file.Documents[0].Node, free.Length == 0 ? "the merges of the file use each other in a circle" : "several merges of the file are used by no other",
                "Leave the name out of the one that is to be written.");
    }

    private IEnumerable<string> Uses(MergeDocument document) => document.Modules.SelectMany(m => m.Slices).SelectMany(s => s.Sources.Select(x => x.Model.Text).Append(s.Base?.Text)).Append(document.Base?.Text)
        .OfType<string>().Select(t => t.Split('+')[0]).Where(_byName.ContainsKey);

    private ResolvedMerge Resolve(MergeDocument document)
    {
        if (_done.TryGetValue(document, out ResolvedMerge? done)) return done;
        if (_open.Contains(document)) throw RecipeFaults.Layout(document.Node, $"the merge '{document.Name}' uses itself", $"The circle is {string.Join(" -> ", _open.Select(d => d.Name).Append(document.Name))}.");
        _open.Add(document);
        MergeSettings settings = _settings(document);
        ResolvedMerge resolved = MergeResolver.Resolve(document, _rule(document), settings with { Open = name => Step(name) ?? settings.Open(name) });
        _open.Remove(document);
        if (_open.Count > 0) _notes.AddRange(resolved.Notes.Select(n => $"{document.Name}: {n}"));
        return _done[document] = resolved;
    }

    private readonly Dictionary<string, Checkpoint> _steps = new(StringComparer.Ordinal);

    private Checkpoint? Step(ModelName name)
    {
        string[] parts = name.Text.Split('+', 2);
        if (!_byName.TryGetValue(parts[0], out MergeDocument? document)) return null;
        if (parts.Length > 1) throw RecipeFaults.NotYet(name.Node, "an adapter on a merge of the same file", "Write the merge first, and add the adapter to its folder.");
        if (!_steps.TryGetValue(parts[0], out Checkpoint? step)) _steps[parts[0]] = step = Resolve(document).Plan.Unwritten(parts[0]);
        return step;
    }
}
