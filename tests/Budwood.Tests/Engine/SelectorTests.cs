using Budwood.Engine;
using Budwood.Methods;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Engine;

public class SelectorTests
{
    private const int Pieces = 5;

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void Selects_what_a_sort_selects_whatever_the_sample_said(bool coarse, bool misled)
    {
        const int n = 50_000;
        float[] v = RuleHarness.Values(n, 7, 1e-3);
        if (coarse) for (int i = 0; i < n; i++) v[i] = MathF.Round(v[i] * 2000) / 2000;
        int[] order = [.. Enumerable.Range(0, n).OrderBy(i => Math.Abs(v[i])).ThenBy(i => i)];
        foreach (int keep in new[] { 1, 17, n / 2, n - 1 })
        {
            MeasuredTensor tensor = Run(new MeasureRequest(MeasureKind.Keep, 0, keep), v, misled);
            // Of equal ones the lowest index stays.
            HashSet<int> expected = [.. Enumerable.Range(0, n).OrderByDescending(i => Math.Abs(v[i])).ThenBy(i => i).Take(keep)];
            Assert.Equal(v.Select((x, i) => expected.Contains(i) ? x : 0), Select(tensor, v));
        }
        foreach ((int bottom, int top) in new[] { (100, 0), (0, 100), (n / 10, n / 100), (n / 2, (n / 2) - 1) })
        {
            MeasuredTensor tensor = Run(new MeasureRequest(MeasureKind.Band, 0, bottom, top), v, misled);
            HashSet<int> expected = [.. order[bottom..(n - top)]];
            Assert.Equal(v.Select((x, i) => expected.Contains(i) ? x : 0), Select(tensor, v));
        }
        long[] positions = [0, 1, n / 4, n / 2, n / 2, n - 2, n - 1];
        float[] sorted = [.. v.Order()];
        Assert.Equal(positions.Select(p => sorted[p]), Run(new MeasureRequest(MeasureKind.Ordered, 0, Positions: positions), v, misled).Ordered[0]);
    }

    [Theory]
    [InlineData(0.0, false)]
    [InlineData(0.3, false)]
    [InlineData(0.3, true)]
    [InlineData(1.0, false)]
    public void A_share_is_one_of_what_is_not_zero(double zeros, bool misled)
    {
        const int n = 50_000;
        float[] v = RuleHarness.Values(n, 9, 1e-3);
        for (int i = 0; i < n; i++) v[i] = i % 10 < zeros * 10 ? (i % 2 == 0 ? 0 : -0f) : MathF.Round(v[i] * 4000) / 4000;
        foreach (double share in new[] { 0.0001, 0.25, 0.5, 0.999 })
        {
            int keep = (int)Math.Floor(v.Count(x => x != 0) * share);
            HashSet<int> expected = [.. Enumerable.Range(0, n).OrderByDescending(i => Math.Abs(v[i])).ThenBy(i => i).Take(keep)];
            MeasuredTensor tensor = Run(new MeasureRequest(MeasureKind.KeepShare, 0, Share: share), v, misled);
            if (keep == 0) Assert.True(tensor.Selections[0].Nothing);
            else Assert.Equal(v.Select((x, i) => expected.Contains(i) ? x : 0), Select(tensor, v));
        }
    }

    private static MeasuredTensor Run(MeasureRequest request, float[] v, bool misled)
    {
        using var selector = new Selector(request, v.Length, 2, Pieces, samples: true);
        selector.Sample(misled ? Enumerable.Repeat(1e-9f, 10_000).ToArray() : v.Where((_, i) => i % 16 == 3).ToArray());
        selector.EndSample();
        for (int pass = 0; !selector.IsDone; pass++)
        {
            Assert.True(pass < 8, "it does not end");
            foreach (int piece in new[] { 3, 0, 4, 1, 2 })
            {
                int size = v.Length / Pieces;
                for (int at = piece * size; at < (piece + 1) * size; at += 1000) selector.Count(piece % 2, piece, v.AsSpan(at, Math.Min(1000, ((piece + 1) * size) - at)));
                selector.EndPiece(piece % 2, piece);
            }
            selector.EndPass(Pieces);
        }
        var tensor = new MeasuredTensor();
        selector.Give(tensor);
        return tensor;
    }

    private static float[] Select(MeasuredTensor tensor, float[] v)
    {
        float[] result = new float[v.Length];
        int size = v.Length / Pieces;
        for (int piece = 0; piece < Pieces; piece++)
        {
            float[] part = [.. v[(piece * size)..((piece + 1) * size)], 0, 0, 0, 0, 0, 0, 0, 0];
            Selection s = tensor.Selections[0];
            s.Apply(part.AsSpan(0, (size + 7) & ~7), size, s.LowTiesBefore(piece), s.HighTiesBefore(piece));
            part[..size].CopyTo(result, piece * size);
        }
        return result;
    }
}
