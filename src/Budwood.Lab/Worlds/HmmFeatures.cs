using Budwood.Inspect;
using Budwood.Methods;
using Budwood.Numbers;
using Budwood.Numbers.Linear;
using Budwood.Numbers.Random;

namespace Budwood.Lab.Worlds;

/// <summary>Features of language models of many widths, as beliefs of hidden Markov models with as many states, and targets of a linear head with noise.</summary>
/// <use>The world of the recipe on head tuning.</use>
/// <notfor>Real features: give those to 'complexity_sweep' directly.</notfor>
/// <cost>Examples x length x width^2 for every width.</cost>
/// <differs>Beliefs are centred, scaled and mixed with isotropic noise (share 'isotropic' of the variance), for the finite precision of a network: our choice. With
/// share 1 nothing of the hidden Markov model is left; with signal 0 there is nothing to learn: the null world.</differs>
[Method("hmm_features", Room.Inspect)]
[Paper("hmm-complexity", "small-scale reproduction (b)")]
public sealed partial class HmmFeatures : Job<HmmFeatures.Parameters>
{
    /// <summary>Parameters of <c>hmm_features</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>Widths: states of the models.</summary>
        public IReadOnlyList<long> Widths { get; init; } = [4, 8, 16, 30, 45, 55, 60, 66, 80, 110, 160, 240, 400];

        /// <summary>Examples a width.</summary>
        [Unit("examples"), Range(2, 1_000_000)]
        public int Examples { get; init; } = 460;

        /// <summary>Symbols of the vocabulary.</summary>
        [Unit("symbols"), Range(1, 100_000)]
        public int Symbols { get; init; } = 50;

        /// <summary>Symbols a sequence.</summary>
        [Unit("symbols"), Range(1, 100_000)]
        public int Length { get; init; } = 8;

        /// <summary>Concentration of the rows of the tables.</summary>
        [Unit("1"), Range(0, double.PositiveInfinity, MinimumOpen = true)]
        public double Concentration { get; init; } = 0.2;

        /// <summary>Share of the features' variance that is independent noise.</summary>
        [Unit("1"), Range(0, 1)]
        public double Isotropic { get; init; } = 0.3;

        /// <summary>Outputs of the head.</summary>
        [Unit("outputs"), Range(1, 10_000)]
        public int Outputs { get; init; } = 3;

        /// <summary>Squared norm of the true head.</summary>
        [Unit("1"), Range(0, double.PositiveInfinity)]
        public double Signal { get; init; } = 1;

        /// <summary>Standard deviation of the noise of each target.</summary>
        [Unit("1"), Range(0, double.PositiveInfinity)]
        public double Noise { get; init; } = 0.3;
    }

    public override Ports Ports { get; } = new([], new Port("examples", ArtifactKind.Arrays, "features.WIDTH, targets.WIDTH and clean.WIDTH, rows are examples"));

    protected override void Run(Desk desk, Parameters p)
    {
        RandomStream[] streams = [.. p.Widths.Select(w => desk.Random($"width {w}"))];
        var made = new (Matrix Features, Matrix Clean, Matrix Targets)[streams.Length];
        desk.ForEach(streams.Length, i => made[i] = One((int)p.Widths[i], p, streams[i]));
        var examples = new Arrays();
        for (int i = 0; i < made.Length; i++)
        {
            foreach ((string name, Matrix m) in ((string, Matrix)[])[("features", made[i].Features), ("clean", made[i].Clean), ("targets", made[i].Targets)])
                examples[$"{name}.{p.Widths[i]}"] = new NdArray(new Shape(m.Rows, m.Columns), m.Values);
        }
        desk.Emit("examples", examples);
    }

    private static (Matrix Features, Matrix Clean, Matrix Targets) One(int width, Parameters p, RandomStream random)
    {
        HiddenMarkov model = HiddenMarkov.Drawn(width, p.Symbols, p.Concentration, random);
        var features = new Matrix(p.Examples, width);
        for (int i = 0; i < p.Examples; i++) model.Filter(model.Sample(p.Length, random)).Beliefs.Row(p.Length - 1).CopyTo(features.Row(i));
        double power = 0;
        for (int j = 0; j < width; j++)
        {
            double mean = Vectors.Mean(features.Column(j));
            for (int i = 0; i < p.Examples; i++)
            {
                features[i, j] -= mean;
                power += features[i, j] * features[i, j];
            }
        }
        double scale = Math.Sqrt((1 - p.Isotropic) / (power / features.Values.Length)), rest = Math.Sqrt(p.Isotropic);
        for (int i = 0; i < features.Values.Length; i++) features.Values[i] = (scale * features.Values[i]) + (rest * random.Normal());
        Matrix clean = features * (p.Signal > 0 ? HeadRisk.Truth(width, p.Outputs, p.Signal, random) : new Matrix(width, p.Outputs));
        return (features, clean, clean + HeadRisk.Drawn(p.Examples, p.Outputs, p.Noise, random));
    }
}
