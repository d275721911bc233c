using Budwood.Methods;
using Budwood.Numbers.Random;

namespace Budwood.Lab.Worlds;

/// <summary>What makes success curves in the world of counted tries.</summary>
public enum SuccessMechanism
{
    /// <summary>One law a question: exp(-c N^-alpha).</summary>
    Law,

    /// <summary>A product of four laws: many steps that must all succeed.</summary>
    Steps,

    /// <summary>A mixture of a slow and a fast law: two circuits.</summary>
    Circuits,

    /// <summary>The same chances at every size: the null world, in which nothing can be forecast or bent.</summary>
    Flat,
}

/// <summary>Draws questions whose chances of success follow known laws of model size, and the tries that a sampler would need.</summary>
/// <use>The world of the recipe on predicted abilities, where true chances are known.</use>
/// <notfor>Saying anything about a model: there is none in it.</notfor>
/// <cost>Two draws a question, size and success.</cost>
/// <differs>Synthetic stand-in for sampled models; exponents and constants are drawn around those of the paper's figures.</differs>
[Method("success_counts", Room.Evaluate)]
[Paper("passuntil", "synthetic mode")]
public sealed partial class SuccessCounts : Job<SuccessCounts.Parameters>
{
    /// <summary>Parameters of <c>success_counts</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>What makes the curves.</summary>
        public SuccessMechanism Mechanism { get; init; } = SuccessMechanism.Law;

        /// <summary>Sizes of the models.</summary>
        public IReadOnlyList<double> Sizes { get; init; } = [3e7, 1e8, 2e8, 5e8, 8e8, 1.5e9, 2.4e9];

        /// <summary>Questions a series.</summary>
        [Unit("questions"), Range(1, 1_000_000)]
        public int Questions { get; init; } = 40;

        /// <summary>Series, each with questions of its own.</summary>
        [Unit("series"), Range(1, 10_000)]
        public int Draws { get; init; } = 1;

        /// <summary>Successes at which a run stops.</summary>
        [Unit("successes"), Range(1, 1000)]
        public int Wanted { get; init; } = 2;

        /// <summary>Tries after which a run is cut off.</summary>
        [Unit("tries"), Range(1, 1e12)]
        public long Most { get; init; } = 100_000;
    }

    public override Ports Ports { get; } = new([],
        new Port("tries", ArtifactKind.Table, "series, size, question, tries, successes"), new Port("chances", ArtifactKind.Table, "the true chances: series, size, question, chance"));

    protected override void Run(Desk desk, Parameters p)
    {
        var tries = new Table("tries", new Column("series"), new Column("size", true), new Column("question"), new Column("tries", true), new Column("successes", true));
        var chances = new Table("chances", new Column("series"), new Column("size", true), new Column("question"), new Column("chance", true));
        double smallest = p.Sizes.Min();
        for (int draw = 0; draw < p.Draws; draw++)
        {
            RandomStream random = desk.Random($"series {draw}");
            for (int q = 0; q < p.Questions; q++)
            {
                // -log PU at the smallest size from about 2 to 9: chances from 0.1 down to 1e-4.
                double[] c = [.. Enumerable.Range(0, 4).Select(_ => random.Uniform(2, 9))], alpha = [.. Enumerable.Range(0, 4).Select(_ => random.Uniform(0.1, 0.6))];
                foreach (double size in p.Sizes)
                {
                    double r = size / smallest;
                    double chance = p.Mechanism switch
                    {
                        SuccessMechanism.Law => Math.Exp(-c[0] * Math.Pow(r, -alpha[0])),
                        SuccessMechanism.Steps => Math.Exp(-Enumerable.Range(0, 4).Sum(k => 0.25 * c[k] * Math.Pow(r, -((0.25 * alpha[k]) + (0.4 * k))))),
                        SuccessMechanism.Circuits => 0.5 * (Math.Exp(-c[0] * Math.Pow(r, -0.05)) + Math.Exp(-4 * c[1] * Math.Pow(r, -(0.6 + alpha[1])))),
                        _ => Math.Exp(-c[0]),
                    };
                    (long taken, int succeeded) = Sampled(chance, p, random);
                    chances.Add($"{draw}", size, $"{q}", chance);
                    tries.Add($"{draw}", size, $"{q}", taken, (long)succeeded);
                }
            }
        }
        desk.Emit("tries", tries);
        desk.Emit("chances", chances);
    }

    private static (long Tries, int Successes) Sampled(double chance, Parameters p, RandomStream random)
    {
        long tries = 0;
        for (int s = 0; s < p.Wanted; s++)
        {
            long next = random.Geometric(chance);
            if (tries + next > p.Most) return (p.Most, s);
            tries += next;
        }
        return (tries, p.Wanted);
    }
}
