using System.Collections.Concurrent;
using Budwood.Files;

namespace Budwood.Checkpoints.Audit;

/// <summary>The digests of checkpoints at hand: those that the cache knows, then those that were read; kept for the next run at the end.</summary>
internal sealed class DigestStore(DigestCache cache)
{
    private readonly ConcurrentDictionary<object, Digest> _known = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<WeightFile> _cached = new(ReferenceEqualityComparer.Instance);

    /// <summary>Takes over what the cache knows of a checkpoint's files.</summary>
    public void Load(Checkpoint checkpoint)
    {
        foreach (IGrouping<WeightFile, WeightTensor> file in ByFile(checkpoint))
        {
            if (!cache.TryGet(file.Key.Path, out IReadOnlyDictionary<string, Digest> digests) || !file.All(t => digests.ContainsKey(t.Name))) continue;
            _cached.Add(file.Key);
            foreach (WeightTensor tensor in file) _known[tensor] = digests[tensor.Name];
        }
    }

    public bool TryGet(TensorSource tensor, out Digest digest) => _known.TryGetValue(TensorBytes.Key(tensor), out digest);

    public Digest this[TensorSource tensor]
    {
        get => _known[TensorBytes.Key(tensor)];
        set => _known[TensorBytes.Key(tensor)] = value;
    }

    /// <summary>Digest of a checkpoint under its canonical names.</summary>
    public Digest Of(Checkpoint checkpoint) => Digests.Checkpoint(checkpoint.Tensors.Select(t => (t.Name, this[t.Source])));

    /// <summary>Gives the cache what it did not know. Of a file under an adapter not every tensor has been read as it is: such a file is left out.</summary>
    public void Keep(Checkpoint checkpoint)
    {
        foreach (IGrouping<WeightFile, WeightTensor> file in ByFile(checkpoint).Where(f => !_cached.Contains(f.Key) && f.All(_known.ContainsKey)))
            cache.Put(file.Key.Path, file.ToDictionary(t => t.Name, t => _known[t], StringComparer.Ordinal));
    }

    private static IEnumerable<IGrouping<WeightFile, WeightTensor>> ByFile(Checkpoint checkpoint) =>
        checkpoint.Weights.Tensors.GroupBy<WeightTensor, WeightFile>(t => t.File, ReferenceEqualityComparer.Instance);
}
