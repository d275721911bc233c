using Budwood.Engine;
using Budwood.Methods;

namespace Budwood.Recipes;

/// <summary>Looks parameters up in a document, the nearest level first: the model's entry, the slice, the module, the top.</summary>
internal sealed class DocumentParameters(Rule rule, MergeDocument document, MergeModule module, IReadOnlyList<IReadOnlyDictionary<int, MergeSource>> sources) : ISlotParameters
{
    private readonly HashSet<ParameterBlock> _referenceOnly = [];
    private readonly HashSet<ParameterBlock> _read = [];

    public object ForLayout() => Read(ParameterBlock.None, ParameterBlock.None, "", "", "", 0, reference: true);

    public object For(int segment, int model, string input, string output, double t, bool reference)
    {
        int s = Math.Min(segment, module.Slices.Count - 1);
        MergeSource? source = sources[s].GetValueOrDefault(model);
        ParameterBlock own = source?.Parameters ?? ParameterBlock.None;
        if (own != ParameterBlock.None) (reference ? _referenceOnly : _read).Add(own);
        return Read(own, module.Slices[s].Parameters, source?.Model.Text ?? document.Base?.Text ?? "", input, output, t, reference);
    }

    /// <summary>The block belongs to a model that is only ever the base that deltas are taken from.</summary>
    public bool IsReferenceOnly(ParameterBlock block) => _referenceOnly.Contains(block) && !_read.Contains(block);

    private object Read(ParameterBlock own, ParameterBlock slice, string label, string input, string output, double t, bool reference)
    {
        MethodCard card = rule.Card;
        var values = new ParameterValues(card);
        for (int k = 0; k < card.Parameters.Count; k++)
        {
            ParameterCard p = card.Parameters[k];
            if (p.PerModel && reference) continue;
            string tensor = p.PerModel ? input : output;
            var found = (p.PerModel ? own.Find(p, tensor, t) : null) ?? slice.Find(p, tensor, t) ?? module.Parameters.Find(p, tensor, t) ?? document.Parameters.Find(p, tensor, t);
            if (found is { } hit) values[k] = hit.Value;
            else if (p.Required && !reference) throw RecipeFaults.NoValue(document.MethodNode.Where, p.Name, tensor, p.PerModel ? label : null);
        }
        return rule.ReadParameters(values);
    }
}
