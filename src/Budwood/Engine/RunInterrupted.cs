namespace Budwood.Engine;

/// <summary>A run was stopped and has left finished shards behind, from which the same command goes on.</summary>
public sealed class RunInterrupted(int finished, int shards) : OperationCanceledException($"interrupted with {finished} of {shards} shards finished")
{
    /// <summary>Shards that are finished.</summary>
    public int Finished { get; } = finished;

    /// <summary>Shards in all.</summary>
    public int Shards { get; } = shards;
}

/// <summary>Shards of an output that an earlier, interrupted run had finished.</summary>
public sealed record Resumption(int Shards, int Of);
