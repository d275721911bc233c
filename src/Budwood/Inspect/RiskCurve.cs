namespace Budwood.Inspect;

/// <summary>What a curve of risk over the width of a representation shows (paper 51, step 5).</summary>
/// <param name="PeakRatio">Width over labels at the highest risk.</param>
/// <param name="Peak">The highest risk.</param>
/// <param name="UnderMinimum">Width with the lowest risk among those up to 0.8 n.</param>
/// <param name="OverMinimum">Width with the lowest risk among those above n; 0 where there is none.</param>
/// <param name="DegenerateFirstDescent">The smallest width has the lowest risk of all up to 0.8 n.</param>
/// <param name="MonotoneRise">Risk does not fall anywhere up to 0.8 n.</param>
/// <param name="SecondDescent">Beyond the peak risk falls to at most half the peak at the first width of 4 n or more, and falls from there back towards the peak.</param>
public sealed record RiskCurve(double PeakRatio, double Peak, int UnderMinimum, int OverMinimum, bool DegenerateFirstDescent, bool MonotoneRise, bool SecondDescent)
{
    /// <summary>Reads a curve whose widths ascend.</summary>
    public static RiskCurve Of(IReadOnlyList<int> widths, IReadOnlyList<double> risks, int labels)
    {
        int[] all = [.. Enumerable.Range(0, widths.Count)], under = [.. all.Where(i => widths[i] <= 0.8 * labels)], over = [.. all.Where(i => widths[i] > labels)];
        int peak = all.MaxBy(i => risks[i]);
        int least = under.Length > 0 ? under.MinBy(i => risks[i]) : -1, far = Array.FindIndex(all, i => widths[i] >= 4 * labels);
        bool monotone = under.Zip(under.Skip(1)).All(p => risks[p.Second] >= risks[p.First]);
        bool falls = far > peak && all.Where(i => i > peak && i <= far).All(i => risks[i] <= risks[i - 1]);
        return new RiskCurve((double)widths[peak] / labels, risks[peak], least < 0 ? 0 : widths[least], over.Length > 0 ? widths[over.MinBy(i => risks[i])] : 0,
            least == 0, under.Length > 1 && monotone, falls && risks[far] <= 0.5 * risks[peak]);
    }
}
