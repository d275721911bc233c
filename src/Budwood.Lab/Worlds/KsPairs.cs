using Budwood.Methods;
using Budwood.Numbers;
using Budwood.Numbers.Random;
using Budwood.Simulate;

namespace Budwood.Lab.Worlds;

/// <summary>Runs a Kuramoto-Sivashinsky system and gives pairs of fields a short step apart, clean or noisy, with ensembles to be forecast if wanted.</summary>
/// <use>The world of the recipe on discovered model errors; dispersion and cubic make systems with a term of their own.</use>
/// <notfor>Data of anything real.</notfor>
/// <cost>About 20 microseconds a step at 256 points: 100,000 steps by default.</cost>
/// <differs>Noise is added to both observations, which is harder than the authors' way (virtual copies of the clean truth). 'unrelated' is the null world: what is
/// observed belongs to another pair, so that no local terms explain the mismatch.</differs>
[Method("ks_pairs", Room.Simulate)]
[Paper("medida-ks", "test case")]
public sealed partial class KsPairs : Job<KsPairs.Parameters>
{
    /// <summary>Parameters of <c>ks_pairs</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>Points of the periodic interval.</summary>
        [Unit("points"), Range(8, 65536)]
        public int Points { get; init; } = 256;

        /// <summary>Length of the interval.</summary>
        [Unit("length"), Range(0, double.PositiveInfinity, MinimumOpen = true)]
        public double Period { get; init; } = 100;

        /// <summary>Step of the truth.</summary>
        [Unit("time"), Range(0, 1, MinimumOpen = true)]
        public double TruthStep { get; init; } = 2.5e-3;

        /// <summary>Steps of the truth between the fields of a pair, and between the two earlier ones.</summary>
        [Unit("steps"), Range(1, 10_000)]
        public int Apart { get; init; } = 2;

        /// <summary>Time before the first pair.</summary>
        [Unit("time"), Range(0, 1e6)]
        public double SpinUp { get; init; } = 100;

        /// <summary>Time between pairs.</summary>
        [Unit("time"), Range(0, 1e6, MinimumOpen = true)]
        public double Between { get; init; } = 10;

        /// <summary>Number of pairs.</summary>
        [Unit("pairs"), Range(1, 100_000)]
        public int Pairs { get; init; } = 10;

        /// <summary>Coefficient of the dispersion -lam3 u_xxx.</summary>
        [Unit("1"), Range(-100, 100)]
        public double Dispersion { get; init; }

        /// <summary>Standard deviation of the observation noise over that of the field.</summary>
        [Unit("1"), Range(0, 10)]
        public double Noise { get; init; }

        /// <summary>Gives each pair the observation of the next one.</summary>
        public bool Unrelated { get; init; }

        /// <summary>Members of an ensemble around each noisy start; 0 for none.</summary>
        [Unit("members"), Range(0, 100_000)]
        public int Members { get; init; }

        /// <summary>Standard deviation of the members at the start.</summary>
        [Unit("units of the field"), Range(0, 100)]
        public double Spread { get; init; } = 0.25;

        /// <summary>Length over which perturbations of members are correlated (filter exp(-(k l)^2/2)); 0 for white ones, which the authors use.</summary>
        [Unit("length"), Range(0, 100)]
        public double Correlation { get; init; }
    }

    public override Ports Ports { get; } = new([],
        new Port("pairs", ArtifactKind.Arrays, "old, now and observed fields [pairs, points], the deviation of the noise, and old_ensemble, now_ensemble [pairs, members, points]"),
        new Port("truth", ArtifactKind.Table, "the true terms and coefficients"));

    protected override void Run(Desk desk, Parameters p)
    {
        (string Term, double Coefficient)[] terms = [("uu_{x}", -1), ("u_{xx}", -1), ("u_{xxxx}", -1), .. p.Dispersion == 0 ? [] : ((string, double)[])[("u_{xxx}", -p.Dispersion)]];
        var truth = new Table("truth", new Column("term"), new Column("coefficient", true));
        foreach ((string term, double c) in terms) truth.Add(term, c);
        var equation = new PeriodicEquation(p.Points, p.Period, terms.Select(t => (EvolutionTerm.TryParse(t.Term, out EvolutionTerm e) ? e : default, t.Coefficient)));

        // The start of the paper, turned by a draw, so that seeds see other parts of the attractor.
        double phase = 2 * Math.PI * desk.Random("start").Uniform();
        double[] start = [.. Enumerable.Range(0, p.Points).Select(i => 2 * Math.PI * i / p.Points).Select(x => -Math.Cos(x) * (1 + Math.Sin(phase - x)))];
        long first = (long)Math.Round(p.SpinUp / p.TruthStep), distance = Math.Max(1, (long)Math.Round(p.Between / p.TruthStep));
        var at = new Dictionary<long, double[]>();
        long[] firsts = [.. Enumerable.Range(1, p.Pairs).Select(i => first + (i * distance))];
        HashSet<long> wanted = [.. firsts.SelectMany(f => (long[])[f, f + p.Apart, f + (2 * p.Apart)])];
        equation.Run(start, p.TruthStep, wanted.Max(), wanted.Contains, (s, u) => at[s] = u, desk.Stop);

        double mean = at.Values.Average(u => u.Average()), deviation = p.Noise * Math.Sqrt(at.Values.Average(u => u.Average(v => (v - mean) * (v - mean))));
        NdArray Fields(string name, long shift)
        {
            RandomStream random = desk.Random("noise " + name);
            return new NdArray(new Shape(p.Pairs, p.Points), [.. firsts.Select((f, i) => p.Unrelated && name == "observed" ? firsts[(i + 1) % firsts.Length] : f).SelectMany(f => at[f + shift]).Select(v => deviation == 0 ? v : v + (deviation * random.Normal()))]);
        }

        var pairs = new Arrays { ["old"] = Fields("old", 0), ["now"] = Fields("now", p.Apart), ["observed"] = Fields("observed", 2 * p.Apart), ["noise"] = NdArray.Of([deviation]) };
        if (p.Members > 0)
        {
            // Both earlier fields of a member are moved alike: the perturbation is of the state, not of its rate.
            NdArray old = new(new Shape(p.Pairs, p.Members, p.Points), new double[(long)p.Pairs * p.Members * p.Points]), now = new(old.Shape, new double[old.Shape.Count]);
            RandomStream random = desk.Random("members");
            for (int row = 0; row < p.Pairs * p.Members; row++)
            {
                double[] move = EnsemblePerturbation.Draw(p.Points, p.Period, p.Spread, p.Correlation, random);
                int pair = row / p.Members;
                for (int i = 0; i < p.Points; i++)
                {
                    old.Values[(row * p.Points) + i] = pairs["old"].Values[(pair * p.Points) + i] + move[i];
                    now.Values[(row * p.Points) + i] = pairs["now"].Values[(pair * p.Points) + i] + move[i];
                }
            }
            (pairs["old_ensemble"], pairs["now_ensemble"]) = (old, now);
        }
        desk.Emit("pairs", pairs);
        desk.Emit("truth", truth);
    }
}
