using Budwood.Methods;

namespace Budwood.Evaluate;

/// <summary>Says how much data, which model size and how much compute a target error needs, from fitted curves.</summary>
/// <use>After 'power_law_fit' and 'model_size_curve': is the target worth collecting the data for?</use>
/// <notfor>Targets more than ten times the measured data away: the answer is given with a warning.</notfor>
/// <cost>None.</cost>
/// <differs>Compute is relative: samples times model size, in units of the largest measured data set with its model.</differs>
/// <formula>m = ((target - gamma)/alpha)^(1/beta); size = kappa m^beta_p; compute = m size</formula>
[Method("requirement_planner", Room.Evaluate)]
[Paper("scaling-predictable", "planner, step 8")]
public sealed partial class RequirementPlanner : Job<RequirementPlanner.Parameters>
{
    /// <summary>Parameters of <c>requirement_planner</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>Errors to be reached.</summary>
        [Required]
        public IReadOnlyList<double> Targets { get; init; } = [];
    }

    public override Ports Ports { get; } = new(
        [new Port("fits", ArtifactKind.Table, "fits of power_law_fit"), new Port("sizes", ArtifactKind.Table, "fits of model_size_curve", Optional: true)],
        new Port("plan", ArtifactKind.Table, "samples, model size and relative compute for each target"));

    protected internal override void Run(Desk desk, Parameters p)
    {
        if (p.Targets.Count == 0) throw EvaluateFaults.NoTargets();
        Table fits = desk.Table("fits");
        string[] names = fits.Texts("series");
        double[] alpha = fits.Numbers("alpha"), beta = fits.Numbers("beta"), gamma = fits.Numbers("gamma"), largest = fits.Numbers("largest");
        var sizes = new Dictionary<string, (double Kappa, double Beta)>(StringComparer.Ordinal);
        if (desk.Has("sizes"))
        {
            Table given = desk.Table("sizes");
            double[] kappa = given.Numbers("kappa"), exponent = given.Numbers("beta_p");
            foreach ((string name, int i) in given.Texts("series").Select((n, i) => (n, i))) sizes[name] = (kappa[i], exponent[i]);
        }
        var plan = new Table("plan", new Column("series"), new Column("target", true), new Column("samples", true), new Column("times_largest", true), new Column("model_size", true), new Column("compute", true), new Column("note"));
        for (int i = 0; i < names.Length; i++)
        {
            var law = new PowerLaw(alpha[i], beta[i], gamma[i], 0, 0, 0);
            foreach (double target in p.Targets)
            {
                double m = law.SamplesFor(target), times = m / largest[i];
                if (!double.IsFinite(m))
                {
                    plan.Add(names[i], target, null, null, null, null, beta[i] >= 0 ? "the curve does not fall" : "at or below the irreducible error");
                    continue;
                }
                double? size = sizes.TryGetValue(names[i], out (double Kappa, double Beta) s) ? s.Kappa * Math.Pow(m, s.Beta) : null;
                double? compute = size is null ? null : times * Math.Pow(times, s.Beta);
                plan.Add(names[i], target, m, times, size, compute, times > 10 ? "more than ten times the largest measured: a guess" : "");
            }
        }
        desk.Emit("plan", plan);
    }
}
