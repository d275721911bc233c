using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Budwood.Engine;

/// <summary>What the threads of a run do.</summary>
public enum Phase
{
    /// <summary>Headers, names, types: until the first byte of a tensor is read.</summary>
    Plan,
    /// <summary>Bytes of inputs into memory.</summary>
    Read,
    /// <summary>A sample of a tensor, before a selection.</summary>
    Sample,
    /// <summary>Stored types to float32; a look for NaN; random numbers.</summary>
    Widen,
    /// <summary>Sums, inner products and selections over whole tensors.</summary>
    Measure,
    /// <summary>The formula.</summary>
    Apply,
    /// <summary>Rounding to the stored type and, in the same go, the receipt: outputs against the base.</summary>
    Store,
    /// <summary>The receipt of what is copied.</summary>
    Compare,
    /// <summary>Digests of inputs and outputs.</summary>
    Digest,
    /// <summary>Copies inside the kernel.</summary>
    Copy,
    /// <summary>Waiting for the disk: no free buffer.</summary>
    Write,
    /// <summary>Waiting for other threads.</summary>
    Wait,
    /// <summary>Writers: bytes on their way to the disk, beside the other threads.</summary>
    Disk,
    /// <summary>Last writes, digests of what was not seen whole, configuration and card, sync, rename.</summary>
    Publish,
}

/// <summary>Where the time of a run goes: thread-seconds by phase, and wall-clock seconds of the three parts of a run.</summary>
public sealed class Profile
{
    private readonly long[] _ticks = new long[Enum.GetValues<Phase>().Length];
    private readonly Stopwatch _wall = Stopwatch.StartNew();
    private readonly List<(string Part, double Seconds)> _parts = [];
    private double _last;

    /// <summary>Ends a part of the run.</summary>
    public void EndPart(string name)
    {
        double now = _wall.Elapsed.TotalSeconds;
        _parts.Add((name, now - _last));
        _last = now;
    }

    /// <summary>Adds time of one thread, in ticks of the stopwatch.</summary>
    public void Add(Phase phase, long ticks) => Interlocked.Add(ref _ticks[(int)phase], ticks);

    public void Add(Phase phase, double seconds) => Add(phase, (long)(seconds * Stopwatch.Frequency));

    public double Seconds(Phase phase) => (double)_ticks[(int)phase] / Stopwatch.Frequency;

    /// <summary>The profile as <c>--json</c> prints it.</summary>
    public JsonObject ToJson() => new()
    {
        ["wall"] = new JsonObject(_parts.Select(p => KeyValuePair.Create(p.Part, (JsonNode?)JsonValue.Create(Math.Round(p.Seconds, 4))))),
        ["phases"] = new JsonArray([.. Enum.GetValues<Phase>().Where(p => _ticks[(int)p] > 0).Select(p => (JsonNode)new JsonObject
        {
            ["phase"] = p.ToString().ToLowerInvariant(), ["thread_seconds"] = Math.Round(Seconds(p), 4),
        })]),
        ["peak_bytes"] = Environment.WorkingSet is var now && PeakBytes() is { } peak ? peak : now,
    };

    private static long? PeakBytes()
    {
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64 is > 0 and var peak ? peak : null;
    }
}

/// <summary>The stopwatch of one thread: each lap goes to the phase that has just ended.</summary>
internal sealed class PhaseClock(Profile profile)
{
    private readonly long[] _ticks = new long[Enum.GetValues<Phase>().Length];
    private long _last = Stopwatch.GetTimestamp();

    public void Lap(Phase phase)
    {
        long now = Stopwatch.GetTimestamp();
        _ticks[(int)phase] += now - _last;
        _last = now;
    }

    public void End()
    {
        for (int i = 0; i < _ticks.Length; i++) if (_ticks[i] > 0) profile.Add((Phase)i, _ticks[i]);
        Array.Clear(_ticks);
    }
}
