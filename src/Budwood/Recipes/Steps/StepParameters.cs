using System.Globalization;
using Budwood.Methods;

namespace Budwood.Recipes.Steps;

/// <summary>Reads parameters of steps: one value each, or one a model where the method looks them up for every model.</summary>
internal static class StepParameters
{
    /// <summary>Refuses a value that the parameter cannot have.</summary>
    public static void Check(ParameterCard card, YamlNode node, Method method)
    {
        bool list = card.Kind is ParameterKind.Integers or ParameterKind.Numbers or ParameterKind.Texts;
        if (node is YamlList many && !list)
        {
            if (!(card.PerModel && method is Rule)) throw RecipeFaults.NotAScalar(node, card.Name);
            foreach (YamlNode item in many.Items) Check(card, item, method);
            return;
        }
        if (node is YamlMap) throw RecipeFaults.NotAScalar(node, card.Name);
        Value(card, node);
    }

    /// <summary>A typed value, checked against the card.</summary>
    public static object Value(ParameterCard card, YamlNode node) => ParameterBlock.Value(card, node);

    /// <summary>A value as text that means the same wherever it is written: part of a step's key, and what a merge file is made of.</summary>
    public static string Canonical(object value) => value switch
    {
        double d => d.ToString("R", CultureInfo.InvariantCulture),
        bool b => b ? "true" : "false",
        long[] v => "[" + string.Join(", ", v) + "]",
        double[] v => "[" + string.Join(", ", v.Select(d => d.ToString("R", CultureInfo.InvariantCulture))) + "]",
        string[] v => "[" + string.Join(", ", v) + "]",
        IFormattable f => f.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString()!,
    };
}
