using System.Globalization;
using Budwood.Methods;

namespace Budwood.Lab.Worlds;

/// <summary>Gives a Kuramoto-Sivashinsky equation as a table of terms, right or wrong as its coefficients are.</summary>
/// <use>The imperfect models of the recipe on discovered model errors.</use>
/// <notfor>Other equations: write their table by hand.</notfor>
/// <cost>None.</cost>
/// <differs>Coefficients are a text, so that one word names a case.</differs>
[Method("ks_model", Room.Simulate)]
[Paper("medida-ks", "cases of the imperfect model")]
public sealed partial class KsModel : Job<KsModel.Parameters>
{
    /// <summary>Parameters of <c>ks_model</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>lam0 lam1 lam2 of -lam0 u u_x - lam1 u_xx - lam2 u_xxxx, apart by spaces.</summary>
        public string Lambdas { get; init; } = "1 1 1";
    }

    public override Ports Ports { get; } = new([], new Port("terms", ArtifactKind.Table, "columns term and coefficient"));

    protected override void Run(Desk desk, Parameters p)
    {
        string[] words = p.Lambdas.Split(' ', StringSplitOptions.RemoveEmptyEntries), names = ["uu_{x}", "u_{xx}", "u_{xxxx}"];
        double[] lambdas = [.. words.Select(w => double.TryParse(w, NumberStyles.Float, CultureInfo.InvariantCulture, out double v) ? v : double.NaN)];
        if (lambdas.Length != 3 || lambdas.Any(double.IsNaN))
            throw new Fault("BW1851", ExitCode.Usage, "an equation has three coefficients", null, $"'lambdas' is '{p.Lambdas}'", "Write three numbers: \"0 1 1\".");
        var terms = new Table("terms", new Column("term"), new Column("coefficient", true));
        for (int i = 0; i < 3; i++) terms.Add(names[i], -lambdas[i]);
        desk.Emit("terms", terms);
    }
}
