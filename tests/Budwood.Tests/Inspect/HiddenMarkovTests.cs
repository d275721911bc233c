using Budwood.Inspect;
using Budwood.Numbers.Linear;
using Budwood.Numbers.Random;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Inspect;

public class HiddenMarkovTests
{
    public static TheoryData<string> Cases => [.. ScienceGoldens.Names("science", "hmm-k")];

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_peers_passes(string name)
    {
        ScienceGoldens g = ScienceGoldens.Open(name);
        var model = new HiddenMarkov(g.Real("pi"), g.Matrix("A"), g.Matrix("O"));
        int[] x = g.Whole("x");
        (Matrix beliefs, double log) = model.Filter(x);
        g.Check("filtered", beliefs);
        g.CheckValue("log_likelihood", log);
        g.Check("posterior", model.Posterior(x));
        g.Check("predictive", model.Predictive(x));
        (int[] path, double best) = model.Viterbi(x);
        g.CheckValue("viterbi_log_probability", best);
        double joint = Math.Log(model.Start[path[0]]) + Math.Log(model.Emission[path[0], x[0]]);
        for (int t = 1; t < x.Length; t++) joint += Math.Log(model.Transition[path[t - 1], path[t]]) + Math.Log(model.Emission[path[t], x[t]]);
        Assert.Equal(best, joint, 1e-9);
        HiddenMarkov next = model.Reestimated([x]);
        g.Check("baum_welch.pi", next.Start);
        g.Check("baum_welch.A", next.Transition);
        g.Check("baum_welch.O", next.Emission);
    }

    [Fact]
    public void Likelihood_is_the_sum_over_all_paths_and_fitting_raises_it()
    {
        var random = new RandomStream(2, "hmm");
        HiddenMarkov model = HiddenMarkov.Drawn(3, 4, 1, random);
        int[] x = model.Sample(6, random);
        double sum = 0;
        for (int code = 0; code < 729; code++)
        {
            int[] z = [.. Enumerable.Range(0, 6).Select(t => code / (int)Math.Pow(3, t) % 3)];
            double p = model.Start[z[0]] * model.Emission[z[0], x[0]];
            for (int t = 1; t < 6; t++) p *= model.Transition[z[t - 1], z[t]] * model.Emission[z[t], x[t]];
            sum += p;
        }
        Assert.Equal(Math.Log(sum), model.Filter(x).LogLikelihood, 1e-12);

        int[][] text = [.. Enumerable.Range(0, 20).Select(_ => model.Sample(30, random))];
        HiddenMarkov guess = HiddenMarkov.Drawn(3, 4, 2, random);
        double before = text.Sum(s => guess.Filter(s).LogLikelihood);
        for (int round = 0; round < 10; round++)
        {
            guess = guess.Reestimated(text);
            double after = text.Sum(s => guess.Filter(s).LogLikelihood);
            Assert.True(after >= before - 1e-9);
            before = after;
        }
        Assert.Throws<ArithmeticException>(() => new HiddenMarkov([1], Matrix.Identity(1), new Matrix(1, 2, [1, 0])).Filter([1]));
    }
}
