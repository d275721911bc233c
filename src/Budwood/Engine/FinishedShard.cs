using System.Globalization;
using Budwood.Files;

namespace Budwood.Engine;

/// <summary>What a journal keeps of a finished shard: its tensors with their share of the receipt, and digests of what they were made from.</summary>
internal sealed record FinishedShard(string FileName, long Length)
{
    public IReadOnlyList<FinishedTensor> Tensors { get; init; } = [];

    /// <summary>Digests of input tensors: position of the file among the run's inputs, name.</summary>
    public IReadOnlyList<(int File, string Name, Digest Digest)> Inputs { get; init; } = [];

    /// <summary>The lines of the journal's entry; floating-point numbers as bits.</summary>
    public IReadOnlyList<string> ToLines()
    {
        var lines = new List<string> { Line($"shard {Length} {FileName}") };
        foreach (FinishedTensor t in Tensors)
            lines.Add(Line($"tensor {t.Digest} {t.Changed} {t.NotFinite} {BitConverter.DoubleToInt64Bits(t.Difference)} {BitConverter.DoubleToInt64Bits(t.Reference)} {t.Name}"));
        // A name with a line break cannot stand in a line; its tensor is digested again.
        foreach ((int file, string name, Digest digest) in Inputs.Where(i => !i.Name.Any(char.IsControl))) lines.Add(Line($"input {digest} {file} {name}"));
        return lines;
    }

    /// <summary>Reads an entry; null when it is none of ours.</summary>
    public static FinishedShard? Parse(IReadOnlyList<string> lines)
    {
        if (lines.Count == 0 || lines[0].Split(' ', 3) is not ["shard", var size, var file] || !Number(size, out long length)) return null;
        var tensors = new List<FinishedTensor>();
        var inputs = new List<(int, string, Digest)>();
        foreach (string line in lines.Skip(1))
        {
            if (line.Split(' ', 7) is ["tensor", var digest, var changed, var notFinite, var difference, var reference, var name] && Digest.TryParse(digest, out Digest d)
                && Number(changed, out long c) && Number(notFinite, out long n) && Number(difference, out long x) && Number(reference, out long y))
                tensors.Add(new(name, d, c, n, BitConverter.Int64BitsToDouble(x), BitConverter.Int64BitsToDouble(y)));
            else if (line.Split(' ', 4) is ["input", var of, var at, var input] && Digest.TryParse(of, out Digest i) && Number(at, out long position))
                inputs.Add(((int)position, input, i));
            else return null;
        }
        return new FinishedShard(file, length) { Tensors = tensors, Inputs = inputs };
    }

    private static string Line(FormattableString text) => FormattableString.Invariant(text);

    private static bool Number(string text, out long value) => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);
}

/// <summary>One tensor of a finished shard: its digest and its share of the receipt.</summary>
internal sealed record FinishedTensor(string Name, Digest Digest, long Changed, long NotFinite, double Difference, double Reference);
