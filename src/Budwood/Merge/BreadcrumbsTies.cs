using Budwood.Methods;

namespace Budwood.Merge;

/// <summary>Model Breadcrumbs with TIES: masks the smallest and the few largest elements of each task vector, elects a sign for every parameter and adds what agrees.</summary>
/// <use>Merging several fine-tunes of one base as breadcrumbs does, where their changes also contradict each other in sign.</use>
/// <notfor>A single fine-tune (nothing to elect); models without a common base.</notfor>
/// <cost>Reads every input two to four times (exact selection by counting, then the merge), writes once; no sort and no tensor in memory. per: row ranks each row.</cost>
/// <differs>As breadcrumbs. The sum is not divided by the weights unless normalize says so, as mergekit has it.</differs>
/// <formula>d_i masked as in breadcrumbs; s = sign(sum_i w_i d_i), zero counting as plus; y = b + lambda * sum_{sign(w_i d_i) = s} w_i d_i, divided by sum_{same i} w_i when normalize</formula>
[Method("breadcrumbs_ties", Room.Merge)]
[Paper("breadcrumbs", "variant 'breadcrumbs-ties'")]
[Source("mergekit", Where = "merge_method: breadcrumbs_ties")]
[Inert("int8_mask", "epsilon", "t")]
public sealed partial class BreadcrumbsTies : MiddleBand<BreadcrumbsTies.Parameters>
{
    /// <summary>Parameters of <c>breadcrumbs_ties</c>.</summary>
    public sealed record Parameters : BreadcrumbsParameters;

    protected override bool Elects => true;
}
