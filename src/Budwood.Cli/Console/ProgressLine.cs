using System.Diagnostics;

namespace Budwood.Cli;

/// <summary>Progress of work: a bar on a terminal, one line each ten seconds in a pipe, nothing for work under a second.</summary>
internal sealed class ProgressLine : IDisposable
{
    private const int Width = 24;
    private readonly Terminal _terminal;
    private readonly string _what;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly bool _live = Terminal.ErrorIsInteractive;
    private readonly Timer _timer;
    private long _done, _all;
    private string? _doing;

    public ProgressLine(Terminal terminal, string what)
    {
        (_terminal, _what) = (terminal, what);
        TimeSpan every = TimeSpan.FromSeconds(_live ? 0.2 : 10);
        _timer = new Timer(_ => Draw(), null, _live ? TimeSpan.FromSeconds(1) : every, every);
    }

    public void Report(long done, long all)
    {
        Volatile.Write(ref _done, done);
        Volatile.Write(ref _all, all);
    }

    /// <summary>Progress of work that is not counted in bytes: a share, and what is being done.</summary>
    public void Report(double share, string doing)
    {
        Volatile.Write(ref _doing, doing);
        Report((long)(share * 1_000_000), 1_000_000);
    }

    private void Draw()
    {
        (long done, long all) = (Volatile.Read(ref _done), Volatile.Read(ref _all));
        if (all == 0) return;
        // Measuring passes read more than once; the bar waits at its end rather than going past it.
        double share = Math.Min(1, (double)done / all), seconds = _clock.Elapsed.TotalSeconds;
        string left = share is > 0.02 and < 1 ? $", {Math.Ceiling(seconds * (1 - share) / share):0} s left" : "";
        string text = $"{_what} {Math.Floor(share * 100),3:0} %, {Volatile.Read(ref _doing) ?? Sizes.Show((long)(done / seconds)) + "/s"}{left}";
        if (!_live)
        {
            _terminal.Say(text);
            return;
        }
        int full = (int)(share * Width);
        _terminal.Progress($"[{new string('#', full)}{new string('.', Width - full)}] {text}");
    }

    public void Dispose()
    {
        _timer.Dispose();
        if (_live) _terminal.Progress("");
    }
}
