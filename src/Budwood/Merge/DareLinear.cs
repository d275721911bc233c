using Budwood.Methods;

namespace Budwood.Merge;

/// <summary>DARE, linear: drops elements of each task vector at random, scales up what stays, and adds the weighted sum to the base.</summary>
/// <use>Merging fine-tunes whose changes are small and redundant (densities of 0.1 to 0.5), so that fewer of them collide.</use>
/// <notfor>Fine-tunes that moved far from the base (long continued pre-training). Comparing single runs: the result depends on the seed. Give several.</notfor>
/// <cost>Reads every input once, writes once; with l1, l2 or linf rescaling once more for each norm, before and after the drop.</cost>
/// <differs>The default rescaling divides by the density, as the paper does; mergekit restores the sum of magnitudes instead (rescale: l1, the default with
/// --compat mergekit). Random numbers come from a counter-based stream keyed by seed, model position and tensor, so that threads and order do not
/// matter; with --compat mergekit the peer's single generator is replayed.</differs>
/// <formula>y = b + lambda * sum_i w_i m_i (x_i - b) / density_i with m_i = 1 where u &lt; density_i, else 0</formula>
[Method("dare_linear", Room.Merge)]
[Paper("breadcrumbs", "baseline 'dare-linear'")]
[Source("mergekit", Where = "merge_method: dare_linear")]
[Inert("int8_mask", "gamma", "epsilon", "t")]
public sealed partial class DareLinear : RandomDrop<DareLinear.Parameters>
{
    /// <summary>Parameters of <c>dare_linear</c>.</summary>
    public sealed record Parameters : DareParameters;

    protected override bool Elects => false;
}
