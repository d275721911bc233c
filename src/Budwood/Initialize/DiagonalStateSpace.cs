using System.Numerics;

namespace Budwood.Initialize;

/// <summary>Starting values for the state matrix of a diagonal state space model.</summary>
public enum S4DKind
{
    /// <summary>-1/2 - i pi n: modes at equal distances (S4D-Lin).</summary>
    Lin,

    /// <summary>Imaginary parts (N/pi)(N/(2n+1) - 1): the distribution of LegS in closed form (S4D-Inv).</summary>
    Inv,

    /// <summary>Imaginary parts (N/pi)(N/(n+1) - 1): an ablation of Inv.</summary>
    Inv2,

    /// <summary>The eigenvalues of the normal part of HiPPO-LegS (S4D-LegS).</summary>
    Legs,

    /// <summary>Imaginary parts (1 + 2n)^2/pi: an ablation.</summary>
    Quad,

    /// <summary>-(n+1), no imaginary part: an ablation that loses memory.</summary>
    Real,

    /// <summary>Imaginary parts exp of a normal number: an ablation.</summary>
    Rand,
}

/// <summary>How much of the input each mode receives at the start.</summary>
public enum S4DInput
{
    /// <summary>1 for every mode; for LegS the projection of HiPPO's B, clipped.</summary>
    Constant,

    /// <summary>Unit numbers turning clockwise, exp(-2 pi i n/N).</summary>
    UnitClockwise,

    /// <summary>Unit numbers turning counter-clockwise.</summary>
    UnitCounterClockwise,

    /// <summary>1, -1, 1, ...</summary>
    Alternating,
}

/// <summary>Exact initial values of the diagonal models of Gu, Gupta, Goel and Re 2022 (paper 01, steps 2 and 3).</summary>
/// <remarks>One of each conjugate pair is kept, with negative imaginary part as the public code stores it; the kernel takes twice the real part.</remarks>
public static class DiagonalStateSpace
{
    /// <summary>A [N/2] of the deterministic kinds.</summary>
    /// <param name="states">N, even; N/2 modes are kept.</param>
    /// <param name="realScale">Factor of the real parts (1 gives -1/2).</param>
    /// <param name="imaginaryScale">Factor of the imaginary parts: the scale ablation.</param>
    public static Complex[] Values(S4DKind kind, int states, double realScale = 1, double imaginaryScale = 1)
    {
        int kept = Kept(states);
        double n = states;
        if (kind == S4DKind.Legs)
            return [.. Hippo.Normal(HippoMeasure.Legs, states).Values.Select(v => new Complex(realScale * v.Real, imaginaryScale * v.Imaginary))];
        var values = new Complex[kept];
        for (int i = 0; i < kept; i++)
        {
            double imaginary = kind switch
            {
                S4DKind.Lin => Math.PI * i,
                S4DKind.Inv => n / Math.PI * ((n / ((2 * i) + 1)) - 1),
                S4DKind.Inv2 => n / Math.PI * ((n / (i + 1)) - 1),
                S4DKind.Quad => (1 + (2 * i)) * (1 + (2 * i)) / Math.PI,
                S4DKind.Real => 0,
                _ => throw new ArgumentException("random imaginary parts need draws: see Random"),
            };
            values[i] = new Complex(-realScale * (kind == S4DKind.Real ? i + 1 : 0.5), -imaginaryScale * imaginary);
        }
        return values;
    }

    /// <summary>A [N/2] of S4D-Rand: real part -1/2, imaginary parts -exp(z) of normal draws z [N/2].</summary>
    public static Complex[] Random(ReadOnlySpan<double> z, double realScale = 1, double imaginaryScale = 1)
    {
        var values = new Complex[z.Length];
        for (int i = 0; i < values.Length; i++) values[i] = new Complex(-0.5 * realScale, -imaginaryScale * Math.Exp(z[i]));
        return values;
    }

    /// <summary>B [N/2].</summary>
    /// <param name="clip">Imaginary parts of the projection of LegS are cut to this size, as the public code does; infinity for none.</param>
    public static Complex[] Inputs(S4DKind kind, S4DInput input, int states, double clip = 2)
    {
        int kept = Kept(states);
        if (kind == S4DKind.Legs && input == S4DInput.Constant)
        {
            // The clip depends on the phase of each eigenvector: its first entry is real here, as in the public code up to sign.
            return [.. Hippo.Normal(HippoMeasure.Legs, states).B.Select(v => new Complex(v.Real, Math.Clamp(v.Imaginary, -clip, clip)))];
        }
        var b = new Complex[kept];
        for (int i = 0; i < kept; i++)
        {
            b[i] = input switch
            {
                S4DInput.UnitClockwise => Complex.FromPolarCoordinates(1, -2 * Math.PI * i / states),
                S4DInput.UnitCounterClockwise => Complex.FromPolarCoordinates(1, 2 * Math.PI * i / states),
                S4DInput.Alternating => i % 2 == 0 ? 1 : -1,
                _ => Complex.One,
            };
        }
        return b;
    }

    /// <summary>B scaled so that the state has variance 1 under white input: B / sqrt(2 sum |B/A|^2).</summary>
    public static Complex[] Normalised(ReadOnlySpan<Complex> a, ReadOnlySpan<Complex> b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++)
        {
            Complex q = b[i] / a[i];
            sum += (q.Real * q.Real) + (q.Imaginary * q.Imaginary);
        }
        double scale = 1 / Math.Sqrt(2 * sum);
        return [.. b.ToArray().Select(v => v * scale)];
    }

    /// <summary>log of the step for a share u of the way from the logarithm of the smallest to that of the largest.</summary>
    public static double LogStep(double u, double smallest, double largest) => (u * (Math.Log(largest) - Math.Log(smallest))) + Math.Log(smallest);

    private static int Kept(int states) => states >= 2 && states % 2 == 0 ? states / 2
        : throw new ArgumentException($"conjugate pairs need an even number of states, not {states}");
}
