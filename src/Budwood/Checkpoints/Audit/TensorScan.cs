
namespace Budwood.Checkpoints.Audit;

/// <summary>Reading to do on one tensor, or on a pair, cut into pieces that any thread may take in any order.</summary>
internal abstract class ScanWork
{
    internal int Left;

    public abstract int Pieces { get; }

    /// <summary>Bytes of buffer that one piece needs.</summary>
    public abstract long BufferBytes { get; }

    /// <summary>Reads one piece; returns the bytes read.</summary>
    public abstract long Piece(int index, BufferPool pool);

    /// <summary>Called once, by the thread that did the last piece.</summary>
    public virtual void Finish()
    {
    }
}

/// <summary>Goes over many tensors on several threads; the buffers of all threads together stay under a fixed bound.</summary>
internal static class TensorScan
{
    private const long MostBufferBytes = 30L << 20;

    /// <summary>Does all the work, in order as far as pieces are handed out.</summary>
    public static void Run(IReadOnlyList<ScanWork> work, int threads, Action<long>? progress, CancellationToken stop)
    {
        ScanWork[] rest = [.. work.Where(w => w.Pieces > 0)];
        foreach (ScanWork empty in work.Where(w => w.Pieces == 0)) empty.Finish();
        if (rest.Length == 0) return;
        foreach (ScanWork w in rest) w.Left = w.Pieces;
        long pieces = rest.Sum(w => (long)w.Pieces), bound = MostBufferBytes / Math.Max(1, rest.Max(w => w.BufferBytes));
        int workers = (int)Math.Clamp(Math.Min(pieces, bound), 1, Math.Max(1, threads));
        var run = new Queue(rest, progress, stop);
        if (workers == 1)
        {
            run.Work();
        }
        else
        {
            Thread[] all = [.. Enumerable.Range(0, workers).Select(i => new Thread(run.Work) { Name = $"scan {i}", IsBackground = true })];
            foreach (Thread thread in all) thread.Start();
            foreach (Thread thread in all) thread.Join();
        }
        run.Rethrow();
        stop.ThrowIfCancellationRequested();
    }

    private sealed class Queue(ScanWork[] work, Action<long>? progress, CancellationToken stop)
    {
        private readonly Lock _lock = new();
        private int _tensor, _piece;
        private Exception? _failure;

        public void Work()
        {
            using var pool = new BufferPool();
            try
            {
                while (!stop.IsCancellationRequested && Next() is { } next)
                {
                    long bytes = next.Work.Piece(next.Piece, pool);
                    progress?.Invoke(bytes);
                    if (Interlocked.Decrement(ref next.Work.Left) == 0) next.Work.Finish();
                }
            }
            catch (Exception e)
            {
                // Kept for the caller's thread: an exception here would end the process.
                Interlocked.CompareExchange(ref _failure, e, null);
            }
        }

        public void Rethrow()
        {
            if (_failure is { } failure) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        }

        private (ScanWork Work, int Piece)? Next()
        {
            lock (_lock)
            {
                if (_tensor == work.Length || Volatile.Read(ref _failure) is not null) return null;
                (ScanWork, int) next = (work[_tensor], _piece);
                if (++_piece == work[_tensor].Pieces) (_tensor, _piece) = (_tensor + 1, 0);
                return next;
            }
        }
    }
}
