namespace Budwood;

/// <summary>Finds the word a person probably meant, by edit distance.</summary>
public static class Nearest
{
    /// <summary>Words nearest to <paramref name="word"/>, best first; empty when nothing is close.</summary>
    public static IReadOnlyList<string> Of(string word, IEnumerable<string> known, int atMost = 3)
    {
        string lower = word.ToLowerInvariant();
        return [.. known.Distinct(StringComparer.Ordinal)
            .Select(k => (Word: k, Distance: Score(lower, k.ToLowerInvariant())))
            .Where(r => r.Distance <= Math.Max(2, Math.Min(lower.Length, r.Word.Length) / 3))
            .OrderBy(r => r.Distance).ThenBy(r => r.Word, StringComparer.Ordinal).Take(atMost).Select(r => r.Word)];
    }

    /// <summary>"Did you mean 'x'?", or the known words when none is close and they are few, or null.</summary>
    public static string? Hint(string word, IEnumerable<string> known)
    {
        string[] all = [.. known];
        IReadOnlyList<string> near = Of(word, all);
        if (near.Count > 0) return $"Did you mean {string.Join(" or ", near.Select(n => $"'{n}'"))}?";
        return all.Length is > 0 and <= 24 ? $"Known: {string.Join(", ", all)}." : null;
    }

    // Containment is close too: a person who writes 'modelnorm' for 'model.norm' or 'ties_merge' for 'ties'.
    private static int Score(string a, string b)
    {
        int d = Distance(a, b);
        return d > 2 && a.Length >= 3 && b.Length >= 3 && (a.Contains(b, StringComparison.Ordinal) || b.Contains(a, StringComparison.Ordinal)) ? 2 : d;
    }

    /// <summary>Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours.</summary>
    public static int Distance(string a, string b)
    {
        int[,] d = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++) d[i, 0] = i;
        for (int j = 0; j <= b.Length; j++) d[0, j] = j;
        for (int i = 1; i <= a.Length; i++)
        {
            for (int j = 1; j <= b.Length; j++)
            {
                int cost = a[i - 1] == b[j - 1] ? 0 : 1;
                int best = Math.Min(Math.Min(d[i - 1, j] + 1, d[i, j - 1] + 1), d[i - 1, j - 1] + cost);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) best = Math.Min(best, d[i - 2, j - 2] + 1);
                d[i, j] = best;
            }
        }
        return d[a.Length, b.Length];
    }
}
