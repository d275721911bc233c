using System.Runtime.Intrinsics;
using Budwood.Methods;
using Budwood.Numbers;

namespace Budwood.Merge;

/// <summary>RAM+: as ram, and what only one model changed is amplified, the more the larger the share of its changes that others made too.</summary>
/// <use>Merging agents tuned by reinforcement learning when the averaging of shared changes is felt to cost a model its skill: its own changes make up for it.</use>
/// <notfor>Dense task vectors: with nearly all elements shared the factor sits at its limit for every model and says nothing.</notfor>
/// <cost>Reads every input twice (counting, merge), writes once; no tensor in memory.</cost>
/// <differs>The result has the storage type of the inputs. In mergekit the factor promotes it, so that BF16 and F16 models give an F32 output; compat does the same.</differs>
/// <formula>unique_i, shared_i: elements that only model i, or also others changed; l_i = 1 + r clamp(|shared_i| / max(|unique_i|, epsilon), 0, alpha); y = b + sum_i l_i d_i where unique, d_i / c where c models changed it</formula>
[Method("ramplus_tl", Room.Merge)]
[Source("mergekit", Where = "merge_method: ramplus_tl")]
[Inert("int8_mask", "normalize", "rescale", "lambda", "weight", "density", "t")]
public sealed partial class RamPlusTl : Rule<RamPlusTl.Parameters>
{
    /// <summary>Parameters of <c>ramplus_tl</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>A change up to this counts as none.</summary>
        [Unit("magnitude"), Range(0, double.PositiveInfinity)]
        public double Epsilon { get; init; } = 1e-5;

        /// <summary>How much of the ratio of shared to unique changes is added to the factor.</summary>
        [Unit("1"), Range(double.NegativeInfinity, double.PositiveInfinity)]
        public double R { get; init; } = 0.1;

        /// <summary>The ratio of shared to unique changes counts up to this.</summary>
        [Unit("1"), Range(0, double.PositiveInfinity)]
        public double Alpha { get; init; } = 0.2;
    }

    public override Arity Arity { get; } = new(1, int.MaxValue, NeedsBase: true);
    public override DType Result(Arithmetic mode, DType working) => mode == Arithmetic.Ours ? working : DType.F32;

    // Quantity i holds the unique changes of model i, quantity n + i the shared ones.
    protected internal override void Measure(int round, Slot at, ReadOnlySpan<Parameters> p, Measured m, Measures ask)
    {
        int n = at.Inputs.Count;
        for (int i = 0; round == 0 && n > 1 && i < n; i++) if (i != at.Base) ask.NonZero(i).NonZero(n + i);
    }

    protected internal override void View<Q>(int quantity, in Block at, ReadOnlySpan<Parameters> p, in Operands x, Measured m, Span<float> v)
    {
        (int shared, int model) = Math.DivRem(quantity, x.Count);
        Vector256<float> epsilon = Vector256.Create(Q.Round((float)p[0].Epsilon)), one = Vector256<float>.One;
        for (int i = 0; i < v.Length; i += Operands.Step)
        {
            Vector256<float> unique = Vector256.Equals(Ram.Count<Q>(x, i, epsilon), one);
            Operands.Put(v, i, Ram.Changed<Q>(x, model, i, epsilon) & (shared == 0 ? unique : ~unique) & one);
        }
    }

    protected internal override void Apply<Q>(in Block at, ReadOnlySpan<Parameters> p, in Operands x, Measured m, Span<float> y)
    {
        if (x.Count == 1)
        {
            x[0].CopyTo(y);
            return;
        }
        int n = x.Count;
        Span<float> factor = stackalloc float[n];
        (float r, float alpha, float least) = ((float)p[0].R, (float)p[0].Alpha, (float)p[0].Epsilon);
        for (int k = 0; k < n; k++)
        {
            if (k == x.BaseIndex) continue;
            (float shared, float unique) = (m.NonZero(n + k), m.NonZero(k));
            factor[k] = 1 + (r * (shared == 0 ? 0 : Math.Clamp(shared / Math.Max(unique, least), 0, alpha)));
        }
        Vector256<float> epsilon = Vector256.Create(Q.Round((float)p[0].Epsilon)), one = Vector256<float>.One;
        for (int i = 0; i < y.Length; i += Operands.Step)
        {
            Vector256<float> count = Vector256.Max(Ram.Count<Q>(x, i, epsilon), one), unique = Vector256.Equals(count, one), sum = Vector256<float>.Zero;
            for (int k = 0; k < n; k++)
            {
                if (k == x.BaseIndex) continue;
                // The factor is float32: what it touches is not rounded to the inputs' type any more.
                Vector256<float> d = x.Delta<Q>(k, i), changed = Ram.Changed<Q>(x, k, i, epsilon);
                sum += Vector256.ConditionalSelect(unique, d * Vector256.Create(factor[k]), Q.Round(d / count)) & changed;
            }
            Operands.Put(y, i, x.Base(i) + sum);
        }
    }
}
