using System.Globalization;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using Budwood.Methods;
using Budwood.Numbers;

namespace Budwood.Tests.Fixtures;

/// <summary>Holds a rule's bits to its revision: the same inputs give the same digest as long as the revision stands.</summary>
internal static class RevisionLock
{
    /// <summary>Runs the rule on fixed inputs (base and three others, F32 and BF16) and compares with <c>REVISION:DIGEST</c>.</summary>
    /// <param name="expected">Such as <c>1:0123456789abcdef0123456789abcdef</c>; empty, and the failure says what to write.</param>
    /// <param name="values">Parameters by name; required ones that are missing get 0.3 and a little more for each model.</param>
    public static void Check(Rule rule, string expected, params (string Name, object Value)[] values)
    {
        var shape = new Shape(67, 77);
        int models = Math.Min(4, rule.Arity.Maximum == int.MaxValue ? 4 : rule.Arity.Maximum + (rule.Arity is { NeedsBase: true, BaseCounts: false } ? 1 : 0));
        bool hasBase = rule.Arity.NeedsBase;
        float[][] inputs = RuleHarness.Family((int)shape.Count, models);
        var hash = new XxHash128();
        foreach (DType type in new[] { DType.F32, DType.BF16 })
        {
            float[] y = RuleHarness.Run(rule, shape, inputs, hasBase ? 0 : -1, Parameters(rule, models, values), new RuleHarness.Settings { DType = type, Threads = 2, PieceBytes = 4096 });
            Assert.False(inputs.Any(x => Same(x, y, type)), $"With these parameters '{rule.Card.Name}' gives back one of its inputs: the lock would hold nothing. Give parameters that make it work, as (\"density\", 0.4).");
            hash.Append(MemoryMarshal.AsBytes<float>(y));
        }
        string found = $"{rule.Card.Revision}:{hash.GetCurrentHashAsUInt128().ToString("x32", CultureInfo.InvariantCulture)}";
        Assert.True(expected.Length > 0, $"There is no lock yet. Write: RevisionLock.Check(..., \"{found}\", ...)");
        Assert.True(found == expected, $"The bits of '{rule.Card.Name}' changed under revision {rule.Card.Revision}: the lock has {expected}, the rule gives {found}. Raise the revision with the lock if the change is meant.");
    }

    private static bool Same(float[] x, float[] y, DType type)
    {
        float[] stored = [.. x];
        Rounding.To(type, stored);
        return stored.Zip(y).Count(p => p.First == p.Second) > 0.995 * y.Length;
    }

    /// <summary>Parameter records made from names and values, as a merge file would.</summary>
    public static Array Parameters(Rule rule, int models, params (string Name, object Value)[] values)
    {
        Array all = rule.NewParameters(models);
        for (int m = 0; m < models; m++)
        {
            var v = new ParameterValues(rule.Card);
            for (int k = 0; k < rule.Card.Parameters.Count; k++)
            {
                ParameterCard p = rule.Card.Parameters[k];
                object? given = values.FirstOrDefault(x => x.Name == p.Name).Value;
                if (given is not null) v[k] = given is int i ? (p.Kind == ParameterKind.Number ? (double)i : (long)i) : given;
                else if (p.Required && p.Kind == ParameterKind.Number) v[k] = 0.3 + (0.1 * m);
            }
            all.SetValue(rule.ReadParameters(v), m);
        }
        return all;
    }
}
