using System.Globalization;
using System.Text;

namespace Budwood.Reuse;

/// <summary>How easily one name is taken for another: typing errors apart, and letters that look alike.</summary>
public static class NameLikeness
{
    // Letters of other alphabets and figures that a reader takes for the Latin ones.
    private const string Seen = "аеорсухівԁԛԝһјѕӏαεικνορτυχ0135|", Read = "aeopcyxibdqwhjslaeikvoptuxoles" + "l";

    /// <summary>Errors of typing between two names: letters left out, added, changed, or two neighbours swapped.</summary>
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
                d[i, j] = Math.Min(Math.Min(d[i - 1, j] + 1, d[i, j - 1] + 1), d[i - 1, j - 1] + cost);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
            }
        }
        return d[a.Length, b.Length];
    }

    /// <summary>A name as it looks: look-alike letters as the Latin ones, accents and the difference of capitals gone.</summary>
    public static string Skeleton(string name)
    {
        var skeleton = new StringBuilder();
        foreach (char c in name.ToLowerInvariant().Normalize(NormalizationForm.FormKD))
        {
            if (CharUnicodeInfo.GetUnicodeCategory(c) is UnicodeCategory.NonSpacingMark or UnicodeCategory.Format) continue;
            int at = Seen.IndexOf(c, StringComparison.Ordinal);
            skeleton.Append(at >= 0 ? Read[at] : c);
        }
        return skeleton.Replace("rn", "m").Replace("vv", "w").ToString();
    }

    /// <summary>What makes a name look like a trusted one that it is not; null when nothing does.</summary>
    public static string? Mistakable(string name, string trusted)
    {
        if (string.Equals(name, trusted, StringComparison.OrdinalIgnoreCase)) return null;
        if (Skeleton(name) == Skeleton(trusted)) return $"it looks like '{trusted}' and is written with other characters";
        // Of short names everything is two errors away.
        int most = Math.Min(2, (trusted.Length - 1) / 3), distance = Distance(name.ToLowerInvariant(), trusted.ToLowerInvariant());
        return distance <= most ? $"it is {distance} typing error{(distance == 1 ? "" : "s")} away from '{trusted}'" : null;
    }
}
