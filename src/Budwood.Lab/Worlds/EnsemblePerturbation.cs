using System.Numerics;
using Budwood.Numbers.Fourier;
using Budwood.Numbers.Random;

namespace Budwood.Lab.Worlds;

/// <summary>Random moves of the members of an ensemble, white or correlated along a ring.</summary>
internal static class EnsemblePerturbation
{
    /// <summary>A field of normal numbers with this deviation, filtered by exp(-(k l)^2/2); l = 0 leaves it white.</summary>
    public static double[] Draw(int points, double period, double spread, double length, RandomStream random)
    {
        double[] field = random.Normals(points);
        double scale = spread;
        if (length > 0)
        {
            var transform = new RealFourierTransform(points);
            var modes = new Complex[transform.Modes];
            transform.Forward(field, modes);
            double[] k = Spectra.WaveNumbers(points, period);
            double power = 0;
            for (int j = 0; j < modes.Length; j++)
            {
                double filter = Math.Exp(-0.5 * k[j] * length * k[j] * length);
                power += filter * filter * (j == 0 || 2 * j == points ? 1 : 2);
                modes[j] *= filter;
            }
            transform.Inverse(modes, field);
            scale /= Math.Sqrt(power / points); // the filter takes variance away
        }
        for (int i = 0; i < field.Length; i++) field[i] *= scale;
        return field;
    }
}
