using Budwood.Methods;
using Budwood.Numbers.Random;

namespace Budwood.Lab.Worlds;

/// <summary>Draws normal numbers for two groups whose means differ by a known effect.</summary>
/// <use>Trying a recipe, a claim or a test of one's own where the truth is known; effect 0 is its null world.</use>
/// <notfor>Saying anything about a model: there is none in it.</notfor>
/// <cost>Two draws an observation.</cost>
/// <differs>Nothing: it is the two-sample world of any textbook.</differs>
[Method("two_groups", Room.Simulate)]
[Source("textbook", Where = "two normal samples of equal variance")]
public sealed partial class TwoGroups : Job<TwoGroups.Parameters>
{
    /// <summary>Parameters of <c>two_groups</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>Difference of the means, in standard deviations.</summary>
        [Unit("standard deviations"), Range(double.NegativeInfinity, double.PositiveInfinity)]
        public double Effect { get; init; } = 1;

        /// <summary>Observations in each group.</summary>
        [Unit("observations"), Range(1, 10_000_000)]
        public int Count { get; init; } = 100;
    }

    public override Ports Ports { get; } = new([], new Port("table", ArtifactKind.Table, "one row an observation: group and value"));

    protected override void Run(Desk desk, Parameters p)
    {
        var table = new Table("two groups", new Column("group"), new Column("value", true));
        foreach ((string group, double mean) in ((string, double)[])[("control", 0), ("treated", p.Effect)])
        {
            RandomStream random = desk.Random(group);
            for (int i = 0; i < p.Count; i++) table.Add(group, mean + random.Normal());
        }
        desk.Emit("table", table);
    }
}
