using Budwood.Files;

namespace Budwood.Checkpoints.Audit;

/// <summary>The content identity of a whole checkpoint: from the cache where its files have not changed, else by reading it once.</summary>
public static class CheckpointDigest
{
    /// <summary>Digest under canonical names; an adapter that stands on the model is added with a plus.</summary>
    public static string Of(Checkpoint checkpoint, CancellationToken stop = default)
    {
        string digest = Weights(checkpoint.AsStored, stop).ToString();
        return checkpoint.Added is { } added ? $"{digest}+{Digests.Checkpoint(added.Weights.Tensors.Select(t => (t.Name, Digests.OfTensor(t, stop))))}" : digest;
    }

    private static Digest Weights(Checkpoint checkpoint, CancellationToken stop)
    {
        var store = new DigestStore(DigestCache.Default);
        store.Load(checkpoint);
        foreach (CheckpointTensor tensor in checkpoint.Tensors)
            if (!store.TryGet(tensor.Source, out _)) store[tensor.Source] = Digests.OfTensor(tensor.Weight, stop);
        store.Keep(checkpoint);
        return store.Of(checkpoint);
    }
}
