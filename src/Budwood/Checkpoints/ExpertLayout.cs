namespace Budwood.Checkpoints;

/// <summary>The two layouts of mixtures of experts: a tensor for every expert, as models of the hub have them, or one for all experts of a layer, as newer programs write.</summary>
public static class ExpertLayout
{
    /// <summary>The model as it is in the layout with one tensor for all experts of a layer; itself where its family has no other layout or it is stored so.</summary>
    public static Checkpoint Joined(Checkpoint model)
    {
        if (model.Config is not { } config || model.Family?.Data.Tensors is not { } table || table.All(t => t.Joins.Count == 0)) return model;
        FamilyModel whole = model.Family.Describe(config, [table.First(t => t.Joins.Count > 0).Template.Replace("{layer}", "0", StringComparison.Ordinal)]);
        var tensors = model.Tensors.ToDictionary(t => t.Name, StringComparer.Ordinal);
        bool any = false;
        foreach (ExpectedTensor wanted in whole.Tensors)
        {
            IReadOnlyList<string> joins = table.First(t => t.Template == wanted.Template).Joins;
            if (joins.Count == 0 || tensors.ContainsKey(wanted.Name) || Parts(tensors, joins, wanted.Layer) is not { Count: > 0 } parts) continue;
            // What does not fit is left as it is: the plan then names it.
            if (parts.Sum(p => p.Shape.Count) != wanted.Shape.Count || parts.Any(p => p.DType != parts[0].DType)) return model;
            foreach (CheckpointTensor part in parts) tensors.Remove(part.Name);
            TensorSource source = parts is [var only] ? only.Source : new JoinedTensor([.. parts.Select(p => p.Source)], wanted.Shape);
            tensors.Add(wanted.Name, new CheckpointTensor(wanted.Name, parts[0].Weight, wanted.Role, wanted.Layer, InFamily: true) { Stored = wanted.Name, Source = source });
            any = true;
        }
        return any ? model.InLayout([.. tensors.Values]) : model;
    }

    private static List<CheckpointTensor> Parts(Dictionary<string, CheckpointTensor> tensors, IReadOnlyList<string> joins, int? layer)
    {
        var parts = new List<CheckpointTensor>();
        for (int expert = 0; ; expert++)
        {
            foreach (string template in joins)
            {
                string name = template.Replace("{layer}", FormattableString.Invariant($"{layer}"), StringComparison.Ordinal)
                    .Replace("{expert}", FormattableString.Invariant($"{expert}"), StringComparison.Ordinal);
                if (!tensors.TryGetValue(name, out CheckpointTensor? part)) return parts;
                parts.Add(part);
            }
            if (!joins[0].Contains("{expert}", StringComparison.Ordinal)) return parts;
        }
    }
}
