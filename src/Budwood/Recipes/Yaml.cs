using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Budwood.Recipes;

/// <summary>A node of a YAML file that knows its line, so that every message can name it.</summary>
public abstract class YamlNode
{
    internal YamlNode(string file, long line) => (File, Line) = (file, line);

    public string File { get; }
    public long Line { get; }

    /// <summary>File and line, as messages print them.</summary>
    public string Where => $"{File}:{Line}";

    /// <summary>Set once the value has won for something; a value that never wins is an error.</summary>
    public bool Used { get; set; }

    /// <summary>The node, or one inside it, carries an anchor.</summary>
    public bool HoldsAnchor => HasAnchor || this switch
    {
        YamlMap m => m.Entries.Any(e => e.Value.HoldsAnchor),
        YamlList l => l.Items.Any(i => i.HoldsAnchor),
        _ => false,
    };

    internal bool HasAnchor { get; set; }
}

/// <summary>A scalar with YAML 1.1 reading of numbers, flags and nothing.</summary>
public sealed class YamlScalar : YamlNode
{
    internal YamlScalar(string file, long line, string text, bool quoted) : base(file, line) => (Text, IsQuoted) = (text, quoted);

    public string Text { get; }
    public bool IsQuoted { get; }
    public bool IsNull => !IsQuoted && Text is "" or "~" or "null" or "Null" or "NULL";

    /// <summary>The text as a number; numbers in quotes count, since 1e-5 is a string to YAML 1.1.</summary>
    public double? Number
    {
        get
        {
            if (double.TryParse(Text.Replace("_", "", StringComparison.Ordinal), NumberStyles.Float, CultureInfo.InvariantCulture, out double v)) return v;
            return Text.ToLowerInvariant() switch { ".inf" or "+.inf" => double.PositiveInfinity, "-.inf" => double.NegativeInfinity, ".nan" => double.NaN, _ => null };
        }
    }

    /// <summary>The text as a flag, in the words of YAML 1.1.</summary>
    public bool? Flag => Text.ToLowerInvariant() switch { "true" or "yes" or "on" => true, "false" or "no" or "off" => false, _ => null };

    public override string ToString() => Text;
}

/// <summary>A mapping; keys keep their order.</summary>
public sealed class YamlMap : YamlNode
{
    private readonly List<(YamlScalar Key, YamlNode Value)> _entries = [];
    private readonly Dictionary<string, int> _places = new(StringComparer.Ordinal);

    internal YamlMap(string file, long line) : base(file, line)
    {
    }

    public IReadOnlyList<(YamlScalar Key, YamlNode Value)> Entries => _entries;

    /// <summary>The value of a key, or null.</summary>
    public YamlNode? this[string key] => _places.TryGetValue(key, out int at) ? _entries[at].Value : null;

    public YamlScalar? KeyOf(string key) => _places.TryGetValue(key, out int at) ? _entries[at].Key : null;

    internal void Add(YamlScalar key, YamlNode value)
    {
        _places.TryAdd(key.Text, _entries.Count);
        _entries.Add((key, value));
    }
}

/// <summary>A sequence.</summary>
public sealed class YamlList : YamlNode
{
    private readonly List<YamlNode> _items = [];

    internal YamlList(string file, long line) : base(file, line)
    {
    }

    public IReadOnlyList<YamlNode> Items => _items;

    internal void Add(YamlNode item) => _items.Add(item);
}

/// <summary>Reads YAML strictly: duplicate keys are errors that name both lines; anchors, aliases and merge keys work.</summary>
public static class Yaml
{
    private const int MaximumDepth = 64;
    private const int MaximumNodes = 1_000_000; // aliases are shared, not copied, so this bounds the file itself

    /// <summary>All documents of a text.</summary>
    /// <param name="text">The whole file.</param>
    /// <param name="file">Name for messages.</param>
    public static IReadOnlyList<YamlNode> Read(string text, string file)
    {
        var parser = new Parser(new StringReader(text));
        try
        {
            return new Reader(parser, file).Documents();
        }
        catch (YamlException e)
        {
            throw RecipeFaults.NotYaml(file, e.Start.Line, FirstLine(e), e);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or OverflowException or FormatException)
        {
            // What the scanner throws where a text ends in the middle of a mark.
            throw RecipeFaults.NotYaml(file, parser.Current?.End.Line ?? 1, "a value or a mark that does not end", e);
        }
    }

    private static string FirstLine(YamlException e)
    {
        string m = e.InnerException?.Message ?? e.Message;
        int end = m.IndexOf('\n', StringComparison.Ordinal);
        return (end < 0 ? m : m[..end]).TrimEnd('.', ' ');
    }

    private sealed class Reader(Parser parser, string file)
    {
        private readonly Dictionary<string, YamlNode> _anchors = new(StringComparer.Ordinal);
        private int _nodes;

        public List<YamlNode> Documents()
        {
            var documents = new List<YamlNode>();
            parser.Consume<StreamStart>();
            while (!parser.TryConsume<StreamEnd>(out _))
            {
                parser.Consume<DocumentStart>();
                _anchors.Clear();
                documents.Add(Node(0));
                parser.Consume<DocumentEnd>();
            }
            return documents;
        }

        private YamlNode Node(int depth)
        {
            if (depth > MaximumDepth || ++_nodes > MaximumNodes) throw RecipeFaults.TooLarge(file, parser.Current!.Start.Line, MaximumDepth, MaximumNodes);
            long line = parser.Current!.Start.Line;
            if (parser.TryConsume<AnchorAlias>(out AnchorAlias? alias))
                return _anchors.TryGetValue(alias.Value.Value, out YamlNode? known) ? known : throw RecipeFaults.UnknownAlias(file, line, alias.Value.Value, _anchors.Keys);
            if (parser.TryConsume<Scalar>(out Scalar? scalar))
            {
                // The file's last line may be past its end in the parser's count; keys and values stand on the line they start.
                return Anchored(scalar, new YamlScalar(file, line, scalar.Value, scalar.Style is not (ScalarStyle.Plain or ScalarStyle.Any)));
            }
            if (parser.TryConsume<SequenceStart>(out SequenceStart? sequence))
            {
                var list = new YamlList(file, line);
                while (!parser.TryConsume<SequenceEnd>(out _)) list.Add(Node(depth + 1));
                return Anchored(sequence, list);
            }
            var start = parser.Consume<MappingStart>();
            YamlMap map = Map(new YamlMap(file, line), depth);
            return Anchored(start, map);
        }

        private YamlMap Map(YamlMap map, int depth)
        {
            var merged = new List<YamlMap>();
            while (!parser.TryConsume<MappingEnd>(out _))
            {
                long line = parser.Current!.Start.Line;
                if (Node(depth + 1) is not YamlScalar key) throw RecipeFaults.KeyIsNotText(file, line);
                YamlNode value = Node(depth + 1);
                if (key is { Text: "<<", IsQuoted: false })
                {
                    foreach (YamlNode from in value is YamlList l ? l.Items : [value])
                        merged.Add(from as YamlMap ?? throw RecipeFaults.NotAMap(from, "<<"));
                    continue;
                }
                // The same helper key over and over, each only there to hold an anchor, is a habit of the field and no mistake.
                if (depth == 0 && value.HasAnchor && map.KeyOf(key.Text) is not null && !MergeFile.IsKey(key.Text)) continue;
                if (map.KeyOf(key.Text) is { } first) throw RecipeFaults.DuplicateKey(key, first, depth == 0);
                map.Add(key, value);
            }
            foreach (YamlMap from in merged)
                foreach ((YamlScalar key, YamlNode value) in from.Entries)
                    if (map.KeyOf(key.Text) is null) map.Add(key, value);
            return map;
        }

        private YamlNode Anchored(NodeEvent e, YamlNode node)
        {
            if (e.Anchor.IsEmpty) return node;
            _anchors[e.Anchor.Value] = node;
            node.HasAnchor = true;
            return node;
        }
    }
}
