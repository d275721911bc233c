using System.Globalization;
using Budwood.Files;
using Budwood.Numbers;

namespace Budwood.Checkpoints.Audit;

/// <summary>What became of a tensor between two checkpoints.</summary>
public enum TensorChange
{
    Changed, Added, Removed,
}

/// <summary>One tensor that two checkpoints do not share.</summary>
/// <param name="Name">Canonical name.</param>
/// <param name="From">Type and shape in the first checkpoint; null when it is only in the second.</param>
/// <param name="To">Type and shape in the second checkpoint; null when it is only in the first.</param>
/// <param name="Compared">Elements held against each other; 0 where shapes or types do not allow it.</param>
/// <param name="Changed">Elements with another value, among those compared; null when none were.</param>
/// <param name="Difference">Sum of squared differences over what is finite in both; null for types without arithmetic.</param>
/// <param name="Reference">Sum of squares of the first checkpoint's elements, over the same.</param>
/// <param name="Largest">Largest absolute difference.</param>
/// <param name="NaN">NaN in the second checkpoint, among the elements compared.</param>
/// <param name="Infinite">Infinities in the second checkpoint, among the elements compared.</param>
/// <param name="Remark">Why it was not compared, or not in full.</param>
public sealed record TensorDifference(string Name, TensorChange Change, Role Role, int? Layer, (DType Type, Shape Shape)? From, (DType Type, Shape Shape)? To,
    long Compared = 0, long? Changed = null, double? Difference = null, double? Reference = null, double? Largest = null, long NaN = 0, long Infinite = 0,
    string? Remark = null)
{
    /// <summary>||b - a|| / ||a||; infinity when the first is zero and the second is not; null when there are no norms.</summary>
    public double? RelativeNorm => Norm(Difference, Reference);

    internal static double? Norm(double? difference, double? reference) =>
        difference is not { } d || reference is not { } r ? null : d == 0 ? 0 : r == 0 ? double.PositiveInfinity : Math.Sqrt(d / r);
}

/// <summary>A field of config.json that two checkpoints state differently; null where the field is absent.</summary>
public sealed record ConfigDifference(string Field, string? From, string? To);

/// <summary>What two checkpoints differ in.</summary>
/// <param name="A">The first checkpoint, as it was named.</param>
/// <param name="Tensors">Every tensor that is not the same, in the order of the model.</param>
/// <param name="Same">Tensors of equal type, shape and bytes.</param>
public sealed record DiffReport(string A, string B, Digest DigestA, Digest DigestB, long Same, IReadOnlyList<TensorDifference> Tensors,
    IReadOnlyList<ConfigDifference> Config, Table ByRole)
{
    /// <summary>Weights and configuration agree in everything.</summary>
    public bool Identical => WeightsIdentical && Config.Count == 0;

    /// <summary>Every tensor of one is in the other with equal type, shape and bytes; names are those of the family.</summary>
    public bool WeightsIdentical => Tensors.Count == 0;

    public long Changed => Tensors.LongCount(t => t.Change == TensorChange.Changed);

    /// <summary>Tensors that only the second checkpoint has.</summary>
    public long Added => Tensors.LongCount(t => t.Change == TensorChange.Added);

    /// <summary>Tensors that only the first checkpoint has.</summary>
    public long Removed => Tensors.LongCount(t => t.Change == TensorChange.Removed);

    /// <summary>NaN and infinities that the second checkpoint has in changed tensors.</summary>
    public long NotFinite => Tensors.Sum(t => t.NaN + t.Infinite);

    /// <summary>The report in a few lines.</summary>
    public IReadOnlyList<string> Lines()
    {
        var lines = new List<string>
        {
            WeightsIdentical ? $"the weights are identical: {Counts.Of(Same, "tensor")}, {DigestA}"
                : $"{Counts.Of(Changed, "tensor")} changed, {Same.ToString("#,0", CultureInfo.InvariantCulture)} same, {Added} added, {Removed} removed",
        };
        if (!WeightsIdentical)
        {
            lines.Add($"{A}: {DigestA}");
            lines.Add($"{B}: {DigestB}");
        }
        foreach (var types in Tensors.Where(t => t.From is { } f && t.To is { } g && f.Type != g.Type).GroupBy(t => (t.From!.Value.Type, t.To!.Value.Type)))
            lines.Add($"dtype: {types.Key.Item1.Name()} -> {types.Key.Item2.Name()} in {Counts.Of(types.Count(), "tensor")}");
        int shapes = Tensors.Count(t => t.From is { } f && t.To is { } g && f.Shape != g.Shape);
        if (shapes > 0) lines.Add($"shape: {Counts.Of(shapes, "tensor")} of another shape");
        foreach (TensorDifference rows in Tensors.Where(t => t is { Role: Role.Embed, Compared: > 0, From: { } f, To: { } g } && f.Shape != g.Shape))
        {
            (long from, long to) = (rows.From!.Value.Shape[0], rows.To!.Value.Shape[0]);
            lines.Add(string.Create(CultureInfo.InvariantCulture, $"vocabulary: {from:#,0} -> {to:#,0} rows of {rows.Name}"));
        }
        if (NotFinite > 0) lines.Add($"not finite in {B}: {Counts.NotFinite(Tensors.Sum(t => t.NaN), Tensors.Sum(t => t.Infinite))}");
        if (Config.Count > 0) lines.Add($"config.json: {Counts.Of(Config.Count, "field")} {(Config.Count == 1 ? "differs" : "differ")}");
        return lines;
    }

    /// <summary>One row a tensor that is not the same.</summary>
    public Table ByTensor()
    {
        var table = new Table("tensors", new Column("name"), new Column("change"), new Column("role"), new Column("layer", Numeric: true), new Column("dtype"),
            new Column("shape"),
            new Column("elements", Numeric: true), new Column("changed", Numeric: true), new Column("relative norm", Numeric: true, "|b-a| / |a|"),
            new Column("largest", Numeric: true, "|b-a|"), new Column("NaN", Numeric: true), new Column("infinite", Numeric: true), new Column("remark"));
        foreach (TensorDifference t in Tensors)
        {
            table.Add(t.Name, t.Change.ToString().ToLowerInvariant(), t.Role.Text(), t.Layer is { } l ? (long)l : null, Step(t, x => x.Type.Name()),
                Step(t, x => x.Shape.ToString()),
                (t.To ?? t.From)!.Value.Shape.Count, t.Changed, t.RelativeNorm, t.Largest, t.NaN, t.Infinite, t.Remark);
        }
        return table;
    }

    /// <summary>One row a field of config.json that differs.</summary>
    public Table ByField()
    {
        var table = new Table("config.json", new Column("field"), new Column("from"), new Column("to"));
        foreach (ConfigDifference c in Config) table.Add(c.Field, c.From ?? "(absent)", c.To ?? "(absent)");
        return table;
    }

    private static string Step(TensorDifference t, Func<(DType Type, Shape Shape), string> text)
    {
        string? from = t.From is { } f ? text(f) : null, to = t.To is { } g ? text(g) : null;
        return from is null || to is null || from == to ? (to ?? from)! : $"{from} -> {to}";
    }
}
