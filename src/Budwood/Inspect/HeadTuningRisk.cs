using Budwood.Methods;
using Budwood.Numbers.Linear;
using Budwood.Numbers.Random;

namespace Budwood.Inspect;

/// <summary>Tells from closed forms and simulation how the test risk of a linear head depends on the width of the frozen representation and the number of labels.</summary>
/// <use>Before tuning a head: labels near the width are the worst place to be; how much worse, and what ridge or another width would give.</use>
/// <notfor>Heads on real features: 'complexity_sweep' measures those. Heads trained by early stopping.</notfor>
/// <cost>Repeats of a singular value decomposition of labels x width.</cost>
/// <differs>The paper's theorem was not at hand; this is the law of ridgeless least squares in the proportional limit, which has the shape it
/// describes (reconstructed).</differs>
/// <formula>g = width/labels; g &lt; 1: s^2 g/(1-g); g &gt; 1: r^2 (1 - 1/g) + s^2/(g-1)</formula>
[Method("head_tuning_risk", Room.Inspect)]
[Paper("hmm-complexity", "risk of head tuning, steps 2-4")]
public sealed partial class HeadTuningRisk : Job<HeadTuningRisk.Parameters>
{
    /// <summary>Parameters of <c>head_tuning_risk</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>Labelled examples (n).</summary>
        [Unit("examples"), Range(2, 100_000)]
        public int Labels { get; init; } = 100;

        /// <summary>Widths of the representation (p).</summary>
        public IReadOnlyList<long> Widths { get; init; } = [5, 10, 20, 50, 80, 90, 100, 110, 125, 200, 400, 800];

        /// <summary>Outputs of the head (m).</summary>
        [Unit("outputs"), Range(1, 10_000)]
        public int Outputs { get; init; } = 3;

        /// <summary>Squared norm of the true head (r^2), which is also the risk of predicting nothing.</summary>
        [Unit("1"), Range(0, double.PositiveInfinity, MinimumOpen = true)]
        public double Signal { get; init; } = 1;

        /// <summary>Variance of the label noise, summed over outputs (s^2).</summary>
        [Unit("1"), Range(0, double.PositiveInfinity, MinimumOpen = true)]
        public double Noise { get; init; } = 0.75;

        /// <summary>Simulated draws a width; 0 for the closed form alone.</summary>
        [Unit("draws"), Range(0, 100_000)]
        public int Repeats { get; init; } = 20;

        /// <summary>Ridge penalties a label, of which the best is listed; none by default.</summary>
        public IReadOnlyList<double> Penalties { get; init; } = [];
    }

    public override Ports Ports { get; } = new(
        [new Port("spectrum", ArtifactKind.Table, "columns eigenvalue, share and signal_share of correlated features; the closed form alone is given for them", Optional: true)],
        new Port("risk", ArtifactKind.Table, "risk by width: closed form, simulated mean, median and band"));

    protected internal override void Run(Desk desk, Parameters p)
    {
        var table = new Table("risk", new Column("width", true), new Column("ratio", true), new Column("theory", true), new Column("mean", true), new Column("risk", true), new Column("low", true), new Column("high", true), new Column("ridge", true));
        Table? spectrum = desk.Has("spectrum") ? desk.Table("spectrum") : null;
        (long Width, RandomStream Random)[] widths = [.. p.Widths.Select(w => (w, desk.Random($"features {w}")))];
        var rows = new object?[widths.Length][];
        desk.ForEach(widths.Length, i =>
        {
            (long width, RandomStream random) = widths[i];
            double ratio = (double)width / p.Labels;
            double theory = spectrum is null ? HeadRisk.Isotropic(ratio, p.Signal, p.Noise) : OfSpectrum(spectrum, ratio, p);
            if (p.Repeats == 0 || spectrum is not null)
            {
                rows[i] = [width, ratio, theory, null, theory, null, null, null];
                return;
            }
            double[] risks = [.. HeadRisk.Simulated((int)width, p.Labels, p.Outputs, p.Signal, p.Noise, p.Repeats, random).Order()];
            double? ridge = null;
            foreach (double penalty in p.Penalties)
            {
                double[] own = [.. HeadRisk.Simulated((int)width, p.Labels, p.Outputs, p.Signal, p.Noise, p.Repeats, random, penalty * p.Labels).Order()];
                ridge = Math.Min(ridge ?? double.PositiveInfinity, Vectors.Quantile(own, 0.5));
            }
            rows[i] = [width, ratio, theory, Vectors.Mean(risks), Vectors.Quantile(risks, 0.5), Vectors.Quantile(risks, 0.1), Vectors.Quantile(risks, 0.9), ridge];
        });
        foreach (object?[] row in rows) table.Add(row);
        table.Notes.Add(FormattableString.Invariant($"predicting nothing has risk {p.Signal:G4}"));
        if (spectrum is null && HeadRisk.LocalMinimum(p.Signal, p.Noise) is { } least)
            table.Notes.Add(FormattableString.Invariant($"beyond the peak the closed form is lowest at {least.Gamma:G4} times the labels, with risk {least.Risk:G4}"));
        desk.Emit("risk", table);
    }

    private static double OfSpectrum(Table spectrum, double ratio, Parameters p)
    {
        double[] shares = Shares(spectrum, "share"), signal = spectrum.Has("signal_share") ? Shares(spectrum, "signal_share") : shares;
        (_, double bias, double variance) = HeadRisk.Correlated(ratio, spectrum.Numbers("eigenvalue"), shares, signal, p.Signal, p.Noise);
        return bias + variance;
    }

    private static double[] Shares(Table spectrum, string column)
    {
        double[] shares = spectrum.Numbers(column);
        double sum = Vectors.Sum(shares);
        return Math.Abs(sum - 1) <= 1e-6 ? shares : throw HeadFaults.NotShares(spectrum.Name, column, 0, sum);
    }
}
