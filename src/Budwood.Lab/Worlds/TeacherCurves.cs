using Budwood.Methods;
using Budwood.Numbers.Linear;
using Budwood.Numbers.Random;

namespace Budwood.Lab.Worlds;

/// <summary>What a student's hidden units compute.</summary>
public enum StudentUnit
{
    Relu, Tanh,
}

/// <summary>Test errors of students of several sizes on growing samples of a teacher's labels: learning curves without a training loop.</summary>
/// <use>The world of the recipe on learning curves.</use>
/// <notfor>Claims about trained deep networks: hidden units of the students are drawn, only the read-out is fitted.</notfor>
/// <cost>Samples x size^2 a run: a minute for all.</cost>
/// <differs>Students are random-feature classifiers with ridge read-outs, penalty chosen on a tenth of the samples, where the sheet trains multilayer perceptrons. Label
/// noise 1 gives every sample a random label: the null world.</differs>
[Method("teacher_curves", Room.Evaluate)]
[Paper("scaling-predictable", "small-scale reproduction (A), students departed from")]
public sealed partial class TeacherCurves : Job<TeacherCurves.Parameters>
{
    /// <summary>Parameters of <c>teacher_curves</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>Hidden units of the students.</summary>
        public StudentUnit Student { get; init; } = StudentUnit.Relu;

        /// <summary>Sizes of the training set, nested.</summary>
        public IReadOnlyList<double> Samples { get; init; } = [64, 128, 256, 512, 1024, 2048, 4096, 8192];

        /// <summary>Sizes of the students.</summary>
        public IReadOnlyList<double> Sizes { get; init; } = [8, 16, 32, 64, 128, 256, 512];

        /// <summary>Inputs of the teacher.</summary>
        [Unit("inputs"), Range(1, 1000)]
        public int Inputs { get; init; } = 16;

        /// <summary>Classes of the teacher.</summary>
        [Unit("classes"), Range(2, 1000)]
        public int Classes { get; init; } = 10;

        /// <summary>Share of training labels that are random.</summary>
        [Unit("1"), Range(0, 1)]
        public double LabelNoise { get; init; } = 0.02;

        /// <summary>Test samples.</summary>
        [Unit("samples"), Range(10, 1_000_000)]
        public int Test { get; init; } = 4000;
    }

    public override Ports Ports { get; } = new([], new Port("runs", ArtifactKind.Table, "samples, model_size, error"));

    protected override void Run(Desk desk, Parameters p)
    {
        RandomStream random = desk.Random("teacher");
        const int Hidden = 32;
        Matrix first = Drawn(p.Inputs, Hidden, 1.5 / Math.Sqrt(p.Inputs), random), second = Drawn(Hidden, p.Classes, 1, random);
        int most = (int)p.Samples.Max();
        Matrix x = Drawn(most + p.Test, p.Inputs, 1, random), hidden = x * first;
        for (int i = 0; i < hidden.Values.Length; i++) hidden.Values[i] = Math.Tanh(hidden.Values[i]);
        Matrix scores = hidden * second;
        int[] labels = [.. Enumerable.Range(0, x.Rows).Select(i => Largest(scores.Row(i)))];
        for (int i = 0; i < most; i++) if (random.Uniform() < p.LabelNoise) labels[i] = random.Below(p.Classes);
        if (p.LabelNoise >= 1) for (int i = most; i < labels.Length; i++) labels[i] = random.Below(p.Classes);

        RandomStream[] streams = [.. p.Sizes.Select(s => desk.Random(FormattableString.Invariant($"student {s:R}")))];
        double[][] errors = new double[p.Sizes.Count][];
        desk.ForEach(p.Sizes.Count, k =>
        {
            Matrix features = Features(x, (int)p.Sizes[k], p.Student, streams[k]);
            errors[k] = [.. p.Samples.Select(m => Error(features, labels, (int)m, most, p))];
        });
        var runs = new Table("runs", new Column("samples", true), new Column("model_size", true), new Column("error", true));
        for (int k = 0; k < errors.Length; k++) for (int i = 0; i < p.Samples.Count; i++) runs.Add(p.Samples[i], p.Sizes[k], errors[k][i]);
        desk.Emit("runs", runs);
    }

    private static double Error(Matrix features, int[] labels, int m, int most, Parameters p)
    {
        int fit = m - Math.Max(p.Classes, m / 10);
        Matrix inside = features.TakeRows([.. Enumerable.Range(0, fit)]), held = features.TakeRows([.. Enumerable.Range(fit, m - fit)]), test = features.TakeRows([.. Enumerable.Range(most, p.Test)]);
        Matrix targets = Matrix.Of(fit, p.Classes, (i, c) => labels[i] == c ? 1 : 0), gram = inside.Gram(), moments = inside.TransposeTimes(targets);
        (double Held, double Test) best = (double.PositiveInfinity, 1);
        foreach (double penalty in (double[])[1e-4, 1e-3, 1e-2, 1e-1])
        {
            Matrix damped = gram.Copy();
            for (int i = 0; i < damped.Rows; i++) damped[i, i] += penalty * fit;
            Matrix w = Cholesky.Of(damped).Solve(moments);
            double on = Wrong(held * w, labels.AsSpan(fit));
            if (on < best.Held) best = (on, Wrong(test * w, labels.AsSpan(most)));
        }
        return best.Test;
    }

    private static double Wrong(Matrix scores, ReadOnlySpan<int> labels)
    {
        int wrong = 0;
        for (int i = 0; i < scores.Rows; i++) if (Largest(scores.Row(i)) != labels[i]) wrong++;
        return (double)wrong / scores.Rows;
    }

    private static Matrix Features(Matrix x, int size, StudentUnit unit, RandomStream random)
    {
        Matrix h = x * Drawn(x.Columns, size, 1 / Math.Sqrt(x.Columns), random);
        double[] shift = [.. Enumerable.Range(0, size).Select(_ => 0.5 * random.Normal())];
        var features = new Matrix(x.Rows, size + 1);
        for (int i = 0; i < x.Rows; i++)
        {
            for (int j = 0; j < size; j++) features[i, j] = unit == StudentUnit.Relu ? Math.Max(0, h[i, j] + shift[j]) : Math.Tanh(h[i, j] + shift[j]);
            features[i, size] = 1;
        }
        return features;
    }

    private static Matrix Drawn(int rows, int columns, double deviation, RandomStream random) => Matrix.Of(rows, columns, (_, _) => deviation * random.Normal());

    private static int Largest(ReadOnlySpan<double> v)
    {
        int at = 0;
        for (int i = 1; i < v.Length; i++) if (v[i] > v[at]) at = i;
        return at;
    }
}
