using Budwood.Files;

namespace Budwood.Engine;

/// <summary>Notices inputs that are written into while a run reads them: the output would be a mixture of two states.</summary>
/// <remarks>A file that was removed or replaced by another is no harm: the run goes on reading the one that it has opened.</remarks>
internal sealed class InputWatch(IReadOnlyList<WeightFile> files)
{
    private readonly FileFacts?[] _before = [.. files.Select(f => Posix.Stat(f.Path))];

    /// <summary>Throws when a file is still the same one and holds something else than what was read.</summary>
    /// <param name="read">Digests of tensors as they were read.</param>
    public void Check(IReadOnlyDictionary<WeightTensor, Digest> read, CancellationToken stop)
    {
        for (int i = 0; i < files.Count; i++)
        {
            WeightFile file = files[i];
            if (_before[i] is not { } before || Posix.Stat(file.Path) is not { } now || !now.IsSameFileAs(before)
                || (now.Bytes, now.ModifiedSeconds, now.ModifiedNanoseconds) == (before.Bytes, before.ModifiedSeconds, before.ModifiedNanoseconds)) continue;
            // Touched, perhaps no more than that: hours of work are worth a second look.
            foreach ((WeightTensor tensor, Digest digest) in read)
                if (ReferenceEquals(tensor.File, file) && Digests.OfTensor(tensor, stop) != digest) throw FileFaults.ChangedMeanwhile(file.Path, tensor.Name);
        }
    }
}
