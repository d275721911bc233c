using Budwood.Methods;

namespace Budwood.Reuse;

/// <summary>Holds a claimed score against scores measured example by example: consistent, better, worse, or not comparable.</summary>
/// <use>After evaluating a downloaded model on the data that its card names: is it what it says?</use>
/// <notfor>Scores that are no mean over examples (F1 over a whole set, BLEU of a corpus): resample those where they are computed.</notfor>
/// <cost>A binomial draw for each distinct score and resample.</cost>
/// <differs>The study's artifact compares two numbers; here the measured one has an interval, and only a whole interval outside the tolerance counts.</differs>
/// <formula>worse: high &lt; claimed - tolerance; better: low > claimed + tolerance; tolerance = max(points, relative |claimed|)</formula>
[Method("claim_discrepancy", Room.Reuse)]
[Paper("ptm-reuse", "discrepancies of section V; requirement P4 of the sheet")]
public sealed partial class ClaimDiscrepancy : Job<ClaimDiscrepancy.Parameters>
{
    /// <summary>Parameters of <c>claim_discrepancy</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>Column of the scores.</summary>
        public string Column { get; init; } = "score";

        /// <summary>Column whose values are judged each by itself; without it all rows are one model's.</summary>
        public string? By { get; init; }

        /// <summary>The claimed mean, in the unit of the scores; without it the column 'claimed' has it.</summary>
        [Unit("score"), Range(double.NegativeInfinity, double.PositiveInfinity)]
        public double? Claimed { get; init; }

        /// <summary>Tolerance in the unit of the scores: one point where scores are 0 and 1.</summary>
        [Unit("score"), Range(0, double.PositiveInfinity)]
        public double Points { get; init; } = 0.01;

        /// <summary>Tolerance as a share of the claim; the larger of the two counts.</summary>
        [Unit("1"), Range(0, 1)]
        public double Relative { get; init; } = 0.01;

        /// <summary>Resampled means.</summary>
        [Unit("resamples"), Range(1000, 1_000_000)]
        public int Resamples { get; init; } = 1000;

        /// <summary>Share of the resampled means that the interval holds.</summary>
        [Unit("1"), Range(0.5, 0.9999)]
        public double Level { get; init; } = 0.95;

        /// <summary>Fewest examples that are compared at all.</summary>
        [Unit("examples"), Range(1, 1_000_000)]
        public int Fewest { get; init; } = 30;
    }

    public override Ports Ports { get; } = new([new Port("scores", ArtifactKind.Table, "one row an example, or with a column 'count' one row for all examples of a score")],
        new Port("verdicts", ArtifactKind.Table, "claimed, measured, interval and verdict, a row a model"));

    protected internal override void Run(Desk desk, Parameters p)
    {
        Table table = desk.Table("scores");
        string[] groups = p.By is { } by ? table.Texts(by) : [.. Enumerable.Repeat("all", table.Rows.Count)];
        int column = table.IndexOf(p.Column);
        double[]? counts = table.Has("count") ? table.Numbers("count") : null;
        if (p.Claimed is null && !table.Has("claimed")) throw ReuseFaults.NoClaim(table.Name);
        double[]? claims = p.Claimed is null ? table.Numbers("claimed") : null;
        var result = new Table("verdicts", new Column(p.By ?? "group"), new Column("claimed", true), new Column("measured", true), new Column("difference", true), new Column("low", true), new Column("high", true),
            new Column("tolerance", true), new Column("examples", true), new Column("verdict"), new Column("worse", true), new Column("better", true), new Column("consistent", true));
        foreach (string group in groups.Distinct(StringComparer.Ordinal))
        {
            var scores = new List<(double, long)>();
            (double? claimed, int unreadable) = (p.Claimed, 0);
            for (int r = 0; r < groups.Length; r++)
            {
                if (groups[r] != group) continue;
                double count = counts?[r] ?? 1;
                if (count is not (>= 0 and <= 1e7) || count != Math.Floor(count)) throw ReuseFaults.BadCount(table.Name, r, count);
                if (claims is not null && claimed is { } first && first != claims[r]) throw ReuseFaults.SeveralClaims(table.Name, group, first, claims[r]);
                claimed ??= claims![r];
                if (Table.Number(table.Rows[r][column]) is { } score && double.IsFinite(score)) scores.Add((score, (long)count));
                else unreadable++;
            }
            long n = scores.Sum(s => s.Item2);
            double tolerance = Math.Max(p.Points, p.Relative * Math.Abs(claimed!.Value));
            // A score that failed to be measured may be the difference: such a set is not compared.
            if (n < p.Fewest || unreadable > 0 || !double.IsFinite(claimed.Value))
            {
                result.Add(group, claimed, null, null, null, null, tolerance, n, "not comparable", 0L, 0L, 0L);
                result.Notes.Add(unreadable > 0 ? $"{group}: {unreadable} scores are no numbers" : $"{group}: {n} examples, fewer than {p.Fewest}, or no claim");
                continue;
            }
            ScoreInterval i = ScoreInterval.Of(scores, p.Resamples, p.Level, desk.Random("resample " + group));
            string verdict = i.High < claimed - tolerance ? "worse" : i.Low > claimed + tolerance ? "better" : "consistent";
            result.Add(group, claimed, i.Mean, i.Mean - claimed, i.Low, i.High, tolerance, n, verdict, verdict == "worse" ? 1L : 0L, verdict == "better" ? 1L : 0L, verdict == "consistent" ? 1L : 0L);
        }
        desk.Emit("verdicts", result);
    }
}
