using Budwood.Methods;

namespace Budwood.Merge;

/// <summary>DARE with TIES: drops elements of each task vector at random, scales up what stays, elects a sign for every parameter and adds what agrees.</summary>
/// <use>Merging several fine-tunes of one base, as dare_linear, where their changes also contradict each other in sign.</use>
/// <notfor>A single fine-tune (nothing to elect). Comparing single runs: the result depends on the seed. Give several.</notfor>
/// <cost>Reads every input once, writes once; with l1, l2 or linf rescaling once more for each norm, before and after the drop.</cost>
/// <differs>The default rescaling divides by the density, as the paper does; mergekit restores the sum of magnitudes instead (rescale: l1, the default with
/// --compat mergekit). Random numbers come from a counter-based stream keyed by seed, model position and tensor; with --compat mergekit the peer's single
/// generator is replayed. The sum is not divided by the weights unless normalize says so, as mergekit has it.</differs>
/// <formula>d_i = m_i (x_i - b) / density_i with m_i = 1 where u &lt; density_i, else 0; s = sign(sum_i w_i d_i); y = b + lambda * sum_{sign(w_i d_i) = s} w_i d_i</formula>
[Method("dare_ties", Room.Merge)]
[Paper("breadcrumbs", "baseline 'dare-ties'")]
[Source("mergekit", Where = "merge_method: dare_ties")]
[Inert("int8_mask", "gamma", "epsilon", "t")]
public sealed partial class DareTies : RandomDrop<DareTies.Parameters>
{
    /// <summary>Parameters of <c>dare_ties</c>.</summary>
    public sealed record Parameters : DareParameters;

    protected override bool Elects => true;
}
