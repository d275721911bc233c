using System.Buffers;
using System.Runtime.InteropServices;

namespace Budwood.Files;

/// <summary>A tensor whose elements do not lie in row order: where its first one is, and how far apart they are along each axis.</summary>
internal sealed record StridedView(long Offset, int ElementBytes, long[] Sizes, long[] Strides)
{
    internal long Bytes => Sizes.Aggregate((long)ElementBytes, static (n, size) => checked(n * size));

    /// <summary>Whether row order is the order in the file; axes of length one have no say.</summary>
    internal bool IsRowMajor
    {
        get
        {
            long expected = 1;
            for (int axis = Sizes.Length - 1; axis >= 0; axis--)
            {
                if (Sizes[axis] == 0) return true;
                if (Sizes[axis] > 1 && Strides[axis] != expected) return false;
                expected *= Sizes[axis];
            }
            return true;
        }
    }
}

/// <summary>A file, and behind its end tensors of it gathered into row order as they are read; nothing is kept.</summary>
internal sealed class StridedSource : IByteSource
{
    private const int ScratchBytes = 1 << 16, WidestGap = 16;

    private readonly IByteSource _file;
    private readonly StridedView[] _views;
    private readonly long[] _starts;

    internal StridedSource(IByteSource file, IReadOnlyList<StridedView> views)
    {
        _file = file;
        _views = [.. views];
        _starts = new long[_views.Length];
        long at = file.Length;
        for (int i = 0; i < _views.Length; i++)
        {
            _starts[i] = at;
            at = checked(at + _views[i].Bytes);
        }
        Length = at;
    }

    public string Name => _file.Name;

    public long Length { get; }

    /// <summary>Offset at which view <paramref name="index"/> is read.</summary>
    internal long StartOf(int index) => _starts[index];

    public void Read(long offset, Span<byte> into)
    {
        if (offset < 0 || into.Length > Length - offset) throw FileFaults.PastTheEnd(Name, offset, into.Length, Length);
        if (offset < _file.Length)
        {
            int plain = (int)Math.Min(into.Length, _file.Length - offset);
            _file.Read(offset, into[..plain]);
            offset += plain;
            into = into[plain..];
        }
        while (into.Length > 0)
        {
            int index = Array.BinarySearch(_starts, offset);
            if (index < 0) index = ~index - 1;
            // Empty views share their start with the next one.
            while (offset - _starts[index] >= _views[index].Bytes) index++;
            long at = offset - _starts[index];
            int count = (int)Math.Min(into.Length, _views[index].Bytes - at);
            ReadView(_views[index], at, into[..count]);
            offset += count;
            into = into[count..];
        }
    }

    public void Dispose() => _file.Dispose();

    private void ReadView(StridedView view, long at, Span<byte> into)
    {
        int width = view.ElementBytes;
        Span<byte> one = stackalloc byte[16];
        one = one[..width];
        long first = at / width;
        int skip = (int)(at % width);
        if (skip > 0)
        {
            Gather(view, first, first + 1, one);
            int count = Math.Min(width - skip, into.Length);
            one.Slice(skip, count).CopyTo(into);
            into = into[count..];
            first++;
        }
        int whole = into.Length / width;
        if (whole > 0) Gather(view, first, first + whole, into[..(whole * width)]);
        int rest = into.Length % width;
        if (rest == 0) return;
        Gather(view, first + whole, first + whole + 1, one);
        one[..rest].CopyTo(into[^rest..]);
    }

    /// <summary>Elements [from, to) in row order: a range of rows is at most a part of a row, whole rows, and a part of a row, on each axis.</summary>
    private void Gather(StridedView view, long from, long to, Span<byte> into)
    {
        byte[] scratch = ArrayPool<byte>.Shared.Rent(ScratchBytes);
        try
        {
            Range(view, 0, 0, from, to, into, scratch);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(scratch);
        }
    }

    private void Range(StridedView view, int axis, long origin, long from, long to, Span<byte> into, byte[] scratch)
    {
        int width = view.ElementBytes;
        long inner = 1;
        for (int i = axis + 1; i < view.Sizes.Length; i++) inner *= view.Sizes[i];
        while (from < to)
        {
            long row = from / inner, within = from % inner, left = to - from;
            long rows = within == 0 ? left / inner : 0;
            long count;
            if (rows > 0)
            {
                count = rows * inner;
                Box(view, axis, origin + (row * view.Strides[axis]), rows, into[..(int)(count * width)], scratch);
            }
            else
            {
                count = Math.Min(left, inner - within);
                Range(view, axis + 1, origin + (row * view.Strides[axis]), within, within + count, into[..(int)(count * width)], scratch);
            }
            from += count;
            into = into[(int)(count * width)..];
        }
    }

    /// <summary>Whole rows along one axis: walked in the order of the file, so that what lies together is read together.</summary>
    private void Box(StridedView view, int axis, long origin, long rows, Span<byte> into, byte[] scratch)
    {
        var axes = new List<(long Size, long From, long To)>(); // strides in elements, in the file and in row order
        long to = 1;
        for (int i = view.Sizes.Length - 1; i >= axis; i--)
        {
            long size = i == axis ? rows : view.Sizes[i];
            if (size > 1) axes.Add((size, view.Strides[i], to));
            to *= size;
        }
        axes.Sort(static (a, b) => b.From.CompareTo(a.From));
        (long Size, long From, long To) run = axes.Count > 0 ? axes[^1] : (1, 1, 1);
        int outer = Math.Max(0, axes.Count - 1);
        long[] index = new long[outer];
        long source = origin, target = 0;
        while (true)
        {
            Run(view, source, run.Size, run.From, target, run.To, into, scratch);
            int digit = outer - 1;
            for (; digit >= 0; digit--)
            {
                source += axes[digit].From;
                target += axes[digit].To;
                if (++index[digit] < axes[digit].Size) break;
                source -= axes[digit].From * axes[digit].Size;
                target -= axes[digit].To * axes[digit].Size;
                index[digit] = 0;
            }
            if (digit < 0) return;
        }
    }

    private void Run(StridedView view, long source, long count, long gap, long target, long step, Span<byte> into, byte[] scratch)
    {
        int width = view.ElementBytes;
        if (gap == 1 && step == 1)
        {
            _file.Read(view.Offset + (source * width), into.Slice((int)(target * width), (int)(count * width)));
            return;
        }
        // Wide gaps are stepped over, narrow ones read along.
        long together = gap is > 0 and <= WidestGap ? ScratchBytes / width / gap : 1;
        for (long done = 0; done < count; done += together)
        {
            int n = (int)Math.Min(together, count - done);
            Span<byte> piece = scratch.AsSpan(0, (int)((((n - 1) * gap) + 1) * width));
            _file.Read(view.Offset + ((source + (done * gap)) * width), piece);
            Span<byte> to = into[(int)((target + (done * step)) * width)..];
            switch (width)
            {
                case 1: Scatter<byte>(piece, gap, to, step, n); break;
                case 2: Scatter<ushort>(piece, gap, to, step, n); break;
                case 4: Scatter<uint>(piece, gap, to, step, n); break;
                default: Scatter<ulong>(piece, gap, to, step, n); break;
            }
        }
    }

    private static void Scatter<T>(ReadOnlySpan<byte> from, long gap, Span<byte> to, long step, int count) where T : unmanaged
    {
        ReadOnlySpan<T> source = MemoryMarshal.Cast<byte, T>(from);
        Span<T> target = MemoryMarshal.Cast<byte, T>(to);
        for (int i = 0; i < count; i++) target[(int)(i * step)] = source[(int)(i * gap)];
    }
}
