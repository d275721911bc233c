using Budwood.Methods;

namespace Budwood.Merge;

/// <summary>DELLA, linear: drops elements of each task vector at random, small ones more often, rescales, and adds the weighted sum to the base.</summary>
/// <use>Merging fine-tunes of one base as dare_linear does, while large changes are kept more often than small ones.</use>
/// <notfor>Comparing single runs: the result depends on the seed. Give several.</notfor>
/// <cost>Reads every input twice (magnitudes before and after, merge), ranks every row, writes once.</cost>
/// <differs>Random numbers come from a counter-based stream keyed by seed, model position and tensor, so that threads and order do not matter; the sums for the
/// rescaling are float64. With --compat mergekit the peer's single generator is replayed. rescale: inverse divides every element that stays by its own probability.</differs>
/// <formula>p_j = density - epsilon + 2 epsilon (rank_j - 1) / (n - 1) within a row; d_i kept where u &lt; p, times |d|_1 / |kept|_1; y = b + lambda * sum_i w_i d_i</formula>
[Method("della_linear", Room.Merge)]
[Source("mergekit", Where = "merge_method: della_linear")]
[Inert("int8_mask", "gamma", "t")]
public sealed partial class DellaLinear : MagnitudePruning<DellaLinear.Parameters>
{
    /// <summary>Parameters of <c>della_linear</c>.</summary>
    public sealed record Parameters : DellaParameters;

    protected override bool Elects => false;
}
