using Budwood.Numbers.Linear;
using Budwood.Numbers.Random;

namespace Budwood.Inspect;

/// <summary>A hidden Markov model over symbols: the source of text whose best predictor, and that predictor's inner state, are known exactly.</summary>
/// <remarks>Rabiner 1989; paper 51, step 1. Everything is normalised at every step: raw products underflow after some hundred symbols. A pass costs T K^2.</remarks>
public sealed class HiddenMarkov
{
    /// <summary>A model from its tables; rows are taken to sum to 1.</summary>
    /// <param name="start">Chances of the first state [K].</param>
    /// <param name="transition">A: from row to column [K, K].</param>
    /// <param name="emission">O: symbols of each state [K, V].</param>
    public HiddenMarkov(double[] start, Matrix transition, Matrix emission)
    {
        if (transition.Rows != start.Length || transition.Columns != start.Length || emission.Rows != start.Length)
            throw new ArgumentException($"{start.Length} states do not fit transitions {transition.Size} and emissions {emission.Size}");
        (Start, Transition, Emission) = (start, transition, emission);
    }

    /// <summary>Chances of the first state [K].</summary>
    public double[] Start { get; }

    /// <summary>Chances of the next state, a row a state [K, K].</summary>
    public Matrix Transition { get; }

    /// <summary>Chances of the symbols, a row a state [K, V].</summary>
    public Matrix Emission { get; }

    public int States => Start.Length;

    public int Symbols => Emission.Columns;

    /// <summary>A model with rows drawn from a symmetric Dirichlet distribution: small concentrations give sharp rows.</summary>
    public static HiddenMarkov Drawn(int states, int symbols, double concentration, RandomStream random)
    {
        (Matrix a, Matrix o) = (new Matrix(states, states), new Matrix(states, symbols));
        for (int k = 0; k < states; k++) random.Dirichlet(concentration, a.Row(k));
        for (int k = 0; k < states; k++) random.Dirichlet(concentration, o.Row(k));
        return new HiddenMarkov([.. Enumerable.Repeat(1.0 / states, states)], a, o);
    }

    /// <summary>A sequence of symbols drawn from the model.</summary>
    public int[] Sample(int length, RandomStream random)
    {
        int[] x = new int[length];
        int state = random.Pick(Start);
        for (int t = 0; t < length; t++)
        {
            if (t > 0) state = random.Pick(Transition.Row(state));
            x[t] = random.Pick(Emission.Row(state));
        }
        return x;
    }

    /// <summary>Beliefs over the state after each symbol [T, K], and the log-likelihood of the sequence.</summary>
    /// <exception cref="ArithmeticException">A symbol cannot occur where it does.</exception>
    public (Matrix Beliefs, double LogLikelihood) Filter(ReadOnlySpan<int> x)
    {
        (Matrix beliefs, double[] scales) = Forward(x);
        double sum = 0;
        foreach (double s in scales) sum += Math.Log(s);
        return (beliefs, sum);
    }

    /// <summary>Chances of the next symbol after each position [T, V]: beliefs times transition times emission.</summary>
    public Matrix Predictive(ReadOnlySpan<int> x) => Filter(x).Beliefs * Transition * Emission;

    /// <summary>Chances of the state at each position given all of the sequence [T, K].</summary>
    public Matrix Posterior(ReadOnlySpan<int> x)
    {
        (Matrix beliefs, double[] scales) = Forward(x);
        Matrix backward = Backward(x, scales);
        for (int i = 0; i < beliefs.Values.Length; i++) beliefs.Values[i] *= backward.Values[i];
        return beliefs;
    }

    /// <summary>The most likely sequence of states and the logarithm of its joint chance with the symbols (Viterbi 1967); ties go to the lower state.</summary>
    public (int[] States, double LogProbability) Viterbi(ReadOnlySpan<int> x)
    {
        int length = x.Length;
        double[] best = new double[States], next = new double[States];
        int[,] from = new int[length, States];
        for (int k = 0; k < States; k++) best[k] = Math.Log(Start[k]) + Math.Log(Emission[k, x[0]]);
        for (int t = 1; t < length; t++)
        {
            for (int k = 0; k < States; k++)
            {
                int origin = 0;
                double most = double.NegativeInfinity;
                for (int j = 0; j < States; j++)
                {
                    double v = best[j] + Math.Log(Transition[j, k]);
                    if (v > most) (most, origin) = (v, j);
                }
                next[k] = most + Math.Log(Emission[k, x[t]]);
                from[t, k] = origin;
            }
            (best, next) = (next, best);
        }
        int[] path = new int[length];
        path[^1] = Array.IndexOf(best, best.Max());
        double log = best[path[^1]];
        for (int t = length - 1; t > 0; t--) path[t - 1] = from[t, path[t]];
        return (path, log);
    }

    /// <summary>One round of Baum and Welch 1970: tables that make the sequences more likely; tables of states that are never visited stay as they are.</summary>
    public HiddenMarkov Reestimated(IReadOnlyList<int[]> sequences)
    {
        double[] start = new double[States];
        (Matrix moves, Matrix seen) = (new Matrix(States, States), new Matrix(States, Symbols));
        foreach (int[] x in sequences)
        {
            (Matrix beliefs, double[] scales) = Forward(x);
            Matrix backward = Backward(x, scales);
            for (int t = 0; t < x.Length; t++)
            {
                for (int k = 0; k < States; k++)
                {
                    double here = beliefs[t, k] * backward[t, k];
                    if (t == 0) start[k] += here;
                    seen[k, x[t]] += here;
                    if (t + 1 == x.Length) continue;
                    for (int j = 0; j < States; j++)
                        moves[k, j] += beliefs[t, k] * Transition[k, j] * Emission[j, x[t + 1]] * backward[t + 1, j] / scales[t + 1];
                }
            }
        }
        Normalise(start, Start);
        for (int k = 0; k < States; k++)
        {
            Normalise(moves.Row(k), Transition.Row(k));
            Normalise(seen.Row(k), Emission.Row(k));
        }
        return new HiddenMarkov(start, moves, seen);
    }

    /// <summary>Rounds of <see cref="Reestimated"/> until the log-likelihood gains less than the tolerance.</summary>
    public HiddenMarkov Fitted(IReadOnlyList<int[]> sequences, int rounds = 100, double tolerance = 1e-6)
    {
        HiddenMarkov model = this;
        double before = double.NegativeInfinity;
        for (int i = 0; i < rounds; i++)
        {
            double now = sequences.Sum(x => model.Filter(x).LogLikelihood);
            if (now - before < tolerance * Math.Abs(now)) break;
            (before, model) = (now, model.Reestimated(sequences));
        }
        return model;
    }

    private (Matrix Beliefs, double[] Scales) Forward(ReadOnlySpan<int> x)
    {
        var beliefs = new Matrix(x.Length, States);
        double[] scales = new double[x.Length];
        for (int t = 0; t < x.Length; t++)
        {
            Span<double> b = beliefs.Row(t);
            if (t == 0) Start.CopyTo(b);
            else for (int j = 0; j < States; j++) Vectors.Axpy(beliefs[t - 1, j], Transition.Row(j), b);
            for (int k = 0; k < b.Length; k++) b[k] *= Emission[k, x[t]];
            scales[t] = Vectors.Sum(b);
            if (!(scales[t] > 0)) throw new ArithmeticException($"symbol {x[t]} at position {t} cannot occur under the model");
            Vectors.Scale(b, 1 / scales[t]);
        }
        return (beliefs, scales);
    }

    // Scaled so that beliefs times this is the posterior.
    private Matrix Backward(ReadOnlySpan<int> x, double[] scales)
    {
        var backward = new Matrix(x.Length, States);
        backward.Row(x.Length - 1).Fill(1);
        double[] ahead = new double[States];
        for (int t = x.Length - 2; t >= 0; t--)
        {
            for (int j = 0; j < States; j++) ahead[j] = Emission[j, x[t + 1]] * backward[t + 1, j] / scales[t + 1];
            for (int k = 0; k < States; k++) backward[t, k] = Vectors.Dot(Transition.Row(k), ahead);
        }
        return backward;
    }

    private static void Normalise(Span<double> counts, ReadOnlySpan<double> otherwise)
    {
        double sum = Vectors.Sum(counts);
        if (sum > 0) Vectors.Scale(counts, 1 / sum);
        else otherwise.CopyTo(counts);
    }
}
