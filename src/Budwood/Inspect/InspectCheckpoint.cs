using Budwood.Methods;

namespace Budwood.Inspect;

/// <summary>Lists the tensors of a checkpoint, or their sums by layer, role or dtype, and says what kind of model it is.</summary>
/// <use>First look at a model that somebody else made: family, size, dtypes, ties, quantisation, files that are not part of it.</use>
/// <notfor>Finding out whether the weights are sound: `check` reads them. What a step changed: `diff`.</notfor>
/// <cost>Reads configuration and headers only, whatever the size of the model.</cost>
/// <differs>Names are those that the family uses today, whatever prefix the file has; roles and layers come from the family's table.</differs>
[Method("inspect_checkpoint", Room.Inspect)]
[Paper("hf-reuse-challenges", "requirements R1 (guidance) and R4 (model understanding)")]
public sealed partial class InspectCheckpoint : Job<InspectCheckpoint.Parameters>
{
    /// <summary>Parameters of <c>inspect_checkpoint</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>One row a tensor, or sums by layer, role or dtype.</summary>
        public InspectBy By { get; init; } = InspectBy.Tensor;

        /// <summary>Only tensors whose name contains this text.</summary>
        public string? Filter { get; init; }
    }

    public override Ports Ports { get; } = new(
        [new Port("model", ArtifactKind.Checkpoint, "the model to look at")], new Port("tensors", ArtifactKind.Table, "its tensors or their sums"));

    protected internal override void Run(Desk desk, Parameters p) => desk.Emit("tensors", Inspection.Of(desk.Checkpoint("model"), p));
}

/// <summary>What a row of an inspection stands for.</summary>
public enum InspectBy
{
    Tensor, Layer, Role, Dtype,
}
