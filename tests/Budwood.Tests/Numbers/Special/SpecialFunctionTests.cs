using System.Numerics;
using Budwood.Numbers.Special;

namespace Budwood.Tests.Numbers.Special;

public class SpecialFunctionTests
{
    private static void Relative(double wanted, double got, double tolerance = 1e-12) =>
        Assert.True(Math.Abs(got - wanted) <= tolerance * Math.Abs(wanted), $"{got:R} for {wanted:R}");

    [Fact]
    public void Gamma_of_whole_and_half_numbers()
    {
        double factorial = 0;
        for (int n = 1; n < 60; n++)
        {
            Assert.Equal(factorial, Gamma.Log(n), 1e-11);
            factorial += Math.Log(n);
        }
        Relative(0.5 * Math.Log(Math.PI), Gamma.Log(0.5));
        Relative(Math.Log(Math.Sqrt(Math.PI) / 2), Gamma.Log(1.5));
    }

    [Fact]
    public void Incomplete_gamma_is_a_poisson_sum_and_is_inverted()
    {
        foreach (int a in (int[])[1, 3, 20])
        {
            foreach (double x in (double[])[0.1, 1, 5, 19, 60])
            {
                double term = Math.Exp(-x), sum = 0;
                for (int k = 0; k < a; k++, term *= x / k) sum += term;
                Relative(sum, Gamma.Upper(a, x), 1e-11);
                Assert.Equal(1, Gamma.Lower(a, x) + Gamma.Upper(a, x), 1e-13);
            }
        }
        foreach (double p in (double[])[1e-8, 0.025, 0.5, 0.975]) Relative(p, Gamma.Lower(2.5, Gamma.LowerInverse(2.5, p)), 1e-10);
    }

    [Fact]
    public void Incomplete_beta_is_a_binomial_tail_and_is_inverted()
    {
        foreach (double p in (double[])[1e-4, 0.1, 0.5, 0.9])
        {
            for (int k = 1; k <= 12; k++)
            {
                double sum = 0;
                for (int j = k; j <= 12; j++) sum += Math.Exp(Gamma.Log(13) - Gamma.Log(j + 1) - Gamma.Log(13 - j) + (j * Math.Log(p)) + ((12 - j) * Math.Log(1 - p)));
                Relative(sum, Beta.Regularised(k, 13 - k, p), 1e-11);
            }
        }
        foreach ((double a, double b) in ((double, double)[])[(2, 570), (1, 1), (0.5, 5), (40, 2)])
            foreach (double p in (double[])[0.025, 0.5, 0.975]) Relative(p, Beta.Regularised(a, b, Beta.Inverse(a, b, p)), 1e-9);
        Relative(1 - Math.Pow(0.975, 1e-5), Beta.Inverse(1, 1e5, 0.025), 1e-9); // closed form for a = 1
    }

    [Fact]
    public void Normal_and_student_quantiles()
    {
        Relative(1.959963984540054, Normal.Quantile(0.975));
        Relative(-4.753424308822899, Normal.Quantile(1e-6), 1e-11);
        Relative(0.8427007929497149, Normal.Error(1));
        Relative(2.209049699858544e-5, Normal.ErrorComplement(3), 1e-11);
        Relative(12.706204736432095, Student.Quantile(0.975, 1), 1e-10); // tan(0.475 pi)
        Relative(0.95 / Math.Sqrt(2 * 0.975 * 0.025), Student.Quantile(0.975, 2), 1e-10); // closed form for two degrees
    }

    [Fact]
    public void Elementary_functions_near_their_zeros()
    {
        Relative(1e-12 - 0.5e-24, Elementary.Log1P(1e-12), 1e-15);
        Relative(1e-9 + 0.5e-18, Elementary.ExpM1(1e-9), 1e-15);
        Relative(Math.Exp(0.3) - 1, Elementary.ExpM1(0.3), 1e-15);
        var z = new Complex(1e-9, -2e-9);
        Complex e = Elementary.ExpM1(z), series = z + (z * z / 2);
        Assert.True((e - series).Magnitude < 1e-23);
        Assert.Equal(Math.Log(3), Elementary.LogSumExp([0, Math.Log(2)]), 1e-15);
        Assert.Equal(1000, Elementary.LogSumExp([1000, -1000]));
    }
}
