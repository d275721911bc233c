namespace Budwood.Recipes.Claims;

/// <summary>Reads the <c>claims:</c> of a recipe, strictly.</summary>
internal static class ClaimReader
{
    internal static readonly string[] Keys = ["id", "kind", "says", "value", "over", "holds", "refuted", "why", "paper", "null", "exact", "not_testable", "beside"];
    private static readonly string[] s_paper = ["text", "where", "figure"];

    public static IReadOnlyList<Claim> Read(YamlNode? node, IReadOnlyCollection<string> nullWorlds)
    {
        if (node is null) return [];
        if (node is not YamlList list) throw RecipeFaults.NotAList(node, "claims");
        Claim[] claims = [.. list.Items.Select(i => One(i, nullWorlds))];
        foreach (IGrouping<string, Claim> same in claims.GroupBy(c => c.Id, StringComparer.Ordinal))
            if (same.Count() > 1) throw RecipeFaults.Layout(same.Last().Node, $"two claims have the id '{same.Key}'", "Give each its own.");
        return claims;
    }

    private static Claim One(YamlNode node, IReadOnlyCollection<string> nullWorlds)
    {
        if (node is not YamlMap map) throw RecipeFaults.NotAMap(node, "a claim");
        foreach ((YamlScalar key, _) in map.Entries)
            if (!Keys.Contains(key.Text)) throw RecipeFaults.UnknownKey(key, "a claim", Keys);
        string id = Text(map, "id") ?? throw RecipeFaults.MissingKey(map, "id", "a claim", "Add 'id: a_word'.");
        string word = Text(map, "kind") ?? throw RecipeFaults.MissingKey(map, "kind", $"claim '{id}'", "Add 'kind: theorem', implementation, toy or real.");
        string[] kinds = [.. Enum.GetNames<ClaimKind>().Select(n => n.ToLowerInvariant())];
        if (Array.IndexOf(kinds, word) is not (>= 0 and var at)) throw RecipeFaults.BadValue(map["kind"]!, "kind", string.Join(", ", kinds), kinds);
        var kind = (ClaimKind)at;
        PaperSaying? paper = Paper(map["paper"], id);
        if (paper is null && kind != ClaimKind.Implementation) throw ClaimFaults.NeedsField(map, id, word, "paper", "Add 'paper: {text: ..., where: ...}': what the paper says, and where.");
        string? why = Text(map, "why");
        if (Text(map, "not_testable") is { } reason)
        {
            if (map["value"] is { } value) throw RecipeFaults.Layout(value, $"claim '{id}' has a value and is not testable", "Keep one of the two.");
            return new Claim { Id = id, Kind = kind, Paper = paper, NotTestable = reason, Why = why, Says = Text(map, "says"), Holds = Condition.Nowhere, Refuted = Condition.Nowhere, Node = map };
        }
        Expression formula = Formula(map["value"] ?? throw RecipeFaults.MissingKey(map, "value", $"claim '{id}'", "Add 'value: mean(step.column)'."));
        Condition holds = Threshold(map, "holds") ?? throw RecipeFaults.MissingKey(map, "holds", $"claim '{id}'", "Add 'holds: \">= 0.01\"'.");
        Condition refuted = Threshold(map, "refuted") ?? holds.Complement();
        if (holds.Overlaps(refuted)) throw ClaimFaults.Contradicts(map, holds.Text, refuted.Text);
        if (!formula.Columns.Any()) throw ClaimFaults.ReadsNothing(map["value"]!, formula.Text);
        (double low, double high) = Evaluation.Range(formula);
        if (holds.Covers(low, high) || !refuted.Meets(low, high)) throw ClaimFaults.CannotFail(map, holds.Text, low, high);
        if (why is null && kind is ClaimKind.Toy or ClaimKind.Real) throw ClaimFaults.NeedsField(map, id, word, "why", "Say why the thresholds are where they are: from the paper, or from an argument.");
        string over = Text(map, "over") ?? "mean";
        if (!Functions.OverSeeds.Contains(over)) throw RecipeFaults.BadValue(map["over"]!, "over", string.Join(", ", Functions.OverSeeds), Functions.OverSeeds);
        string? world = Text(map, "null") ?? (kind == ClaimKind.Toy && nullWorlds.Count == 1 ? nullWorlds.First() : null);
        if (world is not null && !nullWorlds.Contains(world)) throw RecipeFaults.BadValue(map["null"]!, "null", "a world of 'null_worlds'", nullWorlds);
        if (kind == ClaimKind.Toy && world is null) throw ClaimFaults.NoNullWorld(map, id);
        return new Claim
        {
            Id = id, Kind = kind, Paper = paper, Says = Text(map, "says"), Value = formula, Over = over, Holds = holds, Refuted = refuted, Why = why, NullWorld = world,
            Exact = kind is ClaimKind.Theorem or ClaimKind.Implementation || (map["exact"] as YamlScalar)?.Flag == true, Beside = Beside(map["beside"]), Node = map,
        };
    }

    private static PaperSaying? Paper(YamlNode? node, string id)
    {
        if (node is null) return null;
        if (node is not YamlMap map) throw RecipeFaults.NotAMap(node, "paper");
        foreach ((YamlScalar key, _) in map.Entries)
            if (!s_paper.Contains(key.Text)) throw RecipeFaults.UnknownKey(key, "'paper'", s_paper);
        return new PaperSaying(Text(map, "text") ?? throw RecipeFaults.MissingKey(map, "text", $"'paper' of claim '{id}'", "Say in a sentence what the paper claims."),
            Text(map, "where") ?? throw RecipeFaults.MissingKey(map, "where", $"'paper' of claim '{id}'", "Name the section, figure or equation."), Text(map, "figure"));
    }

    private static IReadOnlyList<(string, Expression)> Beside(YamlNode? node)
    {
        if (node is null) return [];
        if (node is not YamlMap map) throw RecipeFaults.NotAMap(node, "beside");
        return [.. map.Entries.Select(e => (e.Key.Text, Formula(e.Value)))];
    }

    private static Expression Formula(YamlNode node)
    {
        if (node is not YamlScalar scalar) throw RecipeFaults.NotAScalar(node, "value");
        try
        {
            return Expression.Parse(scalar.Text);
        }
        catch (FormatException e)
        {
            throw ClaimFaults.NotAFormula(node, e.Message);
        }
    }

    private static Condition? Threshold(YamlMap map, string key) => map[key] is not { } node ? null
        : (node as YamlScalar is { } s ? Claims.Condition.Parse(s.Text) : null) ?? throw ClaimFaults.NotACondition(node, key);

    internal static string? Text(YamlMap map, string key) => map[key] switch
    {
        null => null,
        YamlScalar { IsNull: true } => null,
        YamlScalar s => s.Text,
        { } other => throw RecipeFaults.NotAScalar(other, key),
    };
}
