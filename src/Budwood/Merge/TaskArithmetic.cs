using Budwood.Methods;

namespace Budwood.Merge;

/// <summary>Task arithmetic: adds the weighted differences of fine-tunes from their base to the base.</summary>
/// <use>Giving one model the abilities of several fine-tunes of a base; taking one away with a negative weight; scaling a fine-tune up or down.</use>
/// <notfor>Many fine-tunes whose changes contradict each other: ties, breadcrumbs or dare_ties lose less. Models without a common base.</notfor>
/// <cost>Reads every input once, writes once; bound by memory bandwidth.</cost>
/// <differs>mergekit rounds every difference, product, sum and the weights to the storage type; here everything is float32 and there is one rounding.</differs>
/// <formula>y = b + lambda * sum_i w_i (x_i - b), the sum divided by sum_i w_i when normalize</formula>
[Method("task_arithmetic", Room.Merge)]
[Paper("breadcrumbs", "baseline 'task arithmetic'")]
[Source("mergekit", Where = "merge_method: task_arithmetic")]
[Inert("int8_mask", "density", "gamma", "epsilon", "rescale", "t")]
public sealed partial class TaskArithmetic : TaskVectors<TaskArithmetic.Parameters>
{
    /// <summary>Parameters of <c>task_arithmetic</c>.</summary>
    public sealed record Parameters : TaskVectorParameters;

    protected override bool Elects => false;
}
