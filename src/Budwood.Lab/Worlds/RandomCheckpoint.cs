using Budwood.Methods;
using Budwood.Numbers;
using Budwood.Numbers.Random;

namespace Budwood.Lab.Worlds;

/// <summary>Writes a checkpoint of matrices of many shapes, filled with normal numbers.</summary>
/// <use>Checking a merge, a mask or a digest where shapes are awkward and the values known.</use>
/// <notfor>Anything that a network is needed for: nothing can load it as a model.</notfor>
/// <cost>One draw an element.</cost>
/// <differs>Shapes depend on the seed and not on the name, so that a base and its fine-tune have the same.</differs>
[Method("random_checkpoint", Room.Simulate)]
[Source("textbook", Where = "normal numbers")]
public sealed partial class RandomCheckpoint : Job<RandomCheckpoint.Parameters>
{
    /// <summary>Parameters of <c>random_checkpoint</c>.</summary>
    public sealed record Parameters
    {
        /// <summary>Number of tensors: vectors, matrices and stacks of matrices in turn.</summary>
        [Unit("tensors"), Range(1, 10_000)]
        public int Tensors { get; init; } = 20;

        /// <summary>The longest axis.</summary>
        [Unit("elements"), Range(1, 4096)]
        public int Longest { get; init; } = 64;

        /// <summary>Standard deviation of the values.</summary>
        [Unit("1"), Range(0, 1e6)]
        public double Spread { get; init; } = 1;

        /// <summary>Name of the draw: checkpoints of different names have different values in the same shapes.</summary>
        public string Draw { get; init; } = "base";
    }

    public override Ports Ports { get; } = new([], new Port("out", ArtifactKind.Checkpoint, "the checkpoint, float32"));

    protected override void Run(Desk desk, Parameters p)
    {
        RandomStream shapes = desk.Random("shapes"), values = desk.Random("values " + p.Draw);
        var weights = new Arrays();
        for (int i = 0; i < p.Tensors; i++)
        {
            long[] sizes = [.. Enumerable.Range(0, (i % 3) + 1).Select(_ => 1L + shapes.Below(i % 3 == 2 ? Math.Max(1, p.Longest / 4) : p.Longest))];
            var shape = new Shape(sizes);
            double[] drawn = values.Normals((int)shape.Count);
            for (int k = 0; k < drawn.Length; k++) drawn[k] *= p.Spread;
            weights[$"layers.{i}.weight"] = new NdArray(shape, drawn);
        }
        desk.EmitCheckpoint("out", weights);
    }
}
