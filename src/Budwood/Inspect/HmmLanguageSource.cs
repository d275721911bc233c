using Budwood.Methods;
using Budwood.Numbers;
using Budwood.Numbers.Linear;
using Budwood.Numbers.Random;

namespace Budwood.Inspect;

/// <summary>Draws text from a hidden Markov model whose best predictor is known exactly, with that predictor's beliefs; or fits such a model to text first.</summary>
/// <use>Ground truth for probes of language models: what the next-symbol chances are, and what a perfect inner state would hold.</use>
/// <notfor>Natural language: long dependencies are not in it.</notfor>
/// <cost>Length states^2 a sequence; a fit some tens of passes.</cost>
/// <differs>Tables come from a file of yours, from a fit (Baum and Welch) to symbols of yours, or from a Dirichlet draw.</differs>
/// <formula>belief_t proportional to (belief_(t-1) A) O[:, x_t]; next = belief A O</formula>
[Method("hmm_language_source", Room.Inspect)]
[Paper("hmm-complexity", "HMM source, step 1")]
public sealed partial class HmmLanguageSource : Job<HmmLanguageSource.Parameters>
{
    /// <summary>Parameters of <c>hmm_language_source</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>Hidden states, where no model is given.</summary>
        [Unit("states"), Range(1, 4096)]
        public int States { get; init; } = 8;

        /// <summary>Symbols, where no model is given.</summary>
        [Unit("symbols"), Range(1, 1_000_000)]
        public int Symbols { get; init; } = 50;

        /// <summary>Concentration of the Dirichlet rows that are drawn where no model is given; small is sharp.</summary>
        [Unit("1"), Range(0, double.PositiveInfinity, MinimumOpen = true)]
        public double Concentration { get; init; } = 0.2;

        /// <summary>Sequences to draw.</summary>
        [Unit("sequences"), Range(0, 10_000_000)]
        public int Sequences { get; init; } = 100;

        /// <summary>Symbols a sequence.</summary>
        [Unit("symbols"), Range(1, 10_000_000)]
        public int Length { get; init; } = 8;

        /// <summary>Most rounds of fitting, where text is given.</summary>
        [Unit("rounds"), Range(1, 100_000)]
        public int Rounds { get; init; } = 100;
    }

    public override Ports Ports { get; } = new(
        [new Port("model", ArtifactKind.Arrays, "start [K], transition [K, K], emission [K, V]", Optional: true), new Port("text", ArtifactKind.Arrays, "symbols [sequences, length] to fit the model to", Optional: true)],
        new Port("source", ArtifactKind.Arrays, "symbols, belief and next after the last symbol, log_likelihood, and the model's tables"));

    protected internal override void Run(Desk desk, Parameters p)
    {
        HiddenMarkov model = desk.Has("model") ? Given(desk.Arrays("model")) : HiddenMarkov.Drawn(p.States, p.Symbols, p.Concentration, desk.Random("tables"));
        try
        {
            if (desk.Has("text")) model = model.Fitted(Text(desk.Arrays("text"), model.Symbols), p.Rounds);
            desk.Emit("source", Drawn(model, p, desk.Random("text")));
        }
        catch (ArithmeticException e)
        {
            throw HeadFaults.NotDefined("text", e.Message);
        }
    }

    private static Arrays Drawn(HiddenMarkov model, Parameters p, RandomStream random)
    {
        (int k, int v, int n) = (model.States, model.Symbols, p.Sequences);
        double[] symbols = new double[n * p.Length], beliefs = new double[n * k], next = new double[n * v], logs = new double[n];
        Matrix ahead = model.Transition * model.Emission;
        for (int i = 0; i < n; i++)
        {
            int[] x = model.Sample(p.Length, random);
            for (int t = 0; t < x.Length; t++) symbols[(i * p.Length) + t] = x[t];
            (Matrix filtered, logs[i]) = model.Filter(x);
            ReadOnlySpan<double> last = filtered.Row(p.Length - 1);
            last.CopyTo(beliefs.AsSpan(i * k));
            ahead.TransposeTimes(last).CopyTo(next, i * v);
        }
        return new Arrays
        {
            ["symbols"] = new NdArray(new Shape(n, p.Length), symbols),
            ["belief"] = new NdArray(new Shape(n, k), beliefs),
            ["next"] = new NdArray(new Shape(n, v), next),
            ["log_likelihood"] = NdArray.Of(logs),
            ["start"] = NdArray.Of(model.Start),
            ["transition"] = new NdArray(new Shape(k, k), model.Transition.Values),
            ["emission"] = new NdArray(new Shape(k, v), model.Emission.Values),
        };
    }

    private static HiddenMarkov Given(Arrays arrays)
    {
        NdArray start = arrays.Get("start", 1), transition = arrays.Get("transition", 2), emission = arrays.Get("emission", 2);
        long k = start.Shape[0];
        if (transition.Shape[0] != k || transition.Shape[1] != k) throw HeadFaults.RowsDisagree(arrays.Label, "start", k, "transition", transition.Shape[0]);
        if (emission.Shape[0] != k) throw HeadFaults.RowsDisagree(arrays.Label, "start", k, "emission", emission.Shape[0]);
        foreach ((string name, NdArray a, long rows) in ((string, NdArray, long)[])[("start", start, 1), ("transition", transition, k), ("emission", emission, k)])
        {
            int columns = (int)(a.Values.Length / rows);
            for (long r = 0; r < rows; r++)
            {
                ReadOnlySpan<double> row = a.Values.AsSpan((int)r * columns, columns);
                double sum = Vectors.Sum(row);
                bool negative = false;
                foreach (double x in row) negative |= x < 0;
                if (!(Math.Abs(sum - 1) <= 1e-6) || negative) throw HeadFaults.NotShares(arrays.Label, name, r, sum);
            }
        }
        return new HiddenMarkov(start.Values, new Matrix((int)k, (int)k, transition.Values), new Matrix((int)k, (int)emission.Shape[1], emission.Values));
    }

    private static int[][] Text(Arrays arrays, int symbols)
    {
        NdArray text = arrays.Get("symbols", 2);
        foreach (double s in text.Values) if (!(s >= 0 && s < symbols && s == Math.Floor(s))) throw HeadFaults.NoSymbol(arrays.Label, s, symbols);
        int length = (int)text.Shape[1];
        return [.. Enumerable.Range(0, (int)text.Shape[0]).Select(i => text.Values[(i * length)..((i + 1) * length)].Select(s => (int)s).ToArray())];
    }
}
