using Budwood.Checkpoints;
using Budwood.Methods;
using Budwood.Numbers;

namespace Budwood.Engine;

/// <summary>The inputs of one slot (and their companions) for one thread: fetched by the piece, handed to the rule unit by unit.</summary>
internal sealed unsafe class PieceWork : UniformDraws, IDisposable
{
    private readonly Rule _rule;
    private readonly PlannedSlot _planned;
    private readonly TensorReader[] _readers;
    private readonly NativeBuffer _floats;
    private readonly float** _x, _companion, _uniform, _scratch;
    private readonly int _padded;
    private readonly bool[] _drawn;
    private long _start, _at;
    private int _length;

    /// <param name="spare">Buffers of one unit that the caller wants beside the operands; see <see cref="Spare"/>.</param>
    public PieceWork(Rule rule, PlannedSlot planned, Geometry cut, BufferPool pool, int spare)
    {
        (_rule, _planned) = (rule, planned);
        IReadOnlyList<SlotInput> reads = planned.Slot.Reads;
        int n = planned.Slot.Inputs.Count, scratch = rule.Scratch(n);
        _padded = (cut.UnitElements + 15) & ~15;
        int buffers = reads.Count + n + scratch + spare;
        long tables = (((buffers + n) * sizeof(nint)) + 63) & ~63;
        _floats = pool.Rent(tables + ((long)buffers * _padded * sizeof(float)));
        _x = (float**)_floats.Pointer;
        _uniform = _x + reads.Count;
        _scratch = _uniform + n;
        float* at = (float*)((byte*)_floats.Pointer + tables);
        for (int i = 0; i < buffers; i++) _x[i] = at + ((long)i * _padded);
        _spare = reads.Count + n + scratch;
        _companion = _x + buffers;
        for (int i = 0, next = n; i < n; i++) _companion[i] = reads[i].Companion is null ? null : _x[next++];
        _drawn = new bool[n];
        _readers = new TensorReader[reads.Count];
        for (int i = 0; i < reads.Count; i++) _readers[i] = reads[i].Source.Open(pool);
    }

    private readonly int _spare;

    /// <summary>Told of values that are not finite as they are loaded: position among <see cref="Slot.Reads"/>, NaN, infinities.</summary>
    public Action<int, long, long>? NotFinite { get; set; }

    public TensorReader this[int read] => _readers[read];

    /// <summary>One of the caller's buffers, of <paramref name="length"/> elements.</summary>
    public Span<float> Spare(int k, int length) => new(_x[_spare + k], length);

    /// <summary>Brings the elements of a piece near.</summary>
    public void Fetch(long start, int count)
    {
        _start = start;
        foreach (TensorReader reader in _readers) reader.Fetch(start, count);
    }

    /// <summary>The operands of one unit of the fetched piece, converted as a peer converts and padded with zeros.</summary>
    public Operands Load(int offset, int length)
    {
        int n = _planned.Slot.Inputs.Count, full = (length + 15) & ~15;
        for (int i = 0; i < _readers.Length; i++)
        {
            var x = new Span<float>(_x[i], full);
            Span<float> values = x[..length];
            _readers[i].Load(offset, values);
            x[length..].Clear();
            if (NotFinite is not null && Numbers.Kernels.Comparison.NotFiniteIn(values) is var (nan, infinite) && nan + infinite > 0) NotFinite(i, nan, infinite);
            if (i < _planned.Loads.Count) foreach (DType type in _planned.Loads[i]) Rounding.To(type, values);
        }
        (_at, _length) = (_start + offset, length);
        Array.Fill(_drawn, false);
        return new Operands(n, _planned.Slot.Base, full, _x, this, _scratch, _companion);
    }

    public override float* Of(int input)
    {
        if (!_drawn[input])
        {
            _planned.Draws[input]!.Fill(_at, new Span<float>(_uniform[input], _length));
            _drawn[input] = true;
        }
        return _uniform[input];
    }

    /// <summary>The formula on one unit, yet to be rounded to the type in which it is (or would be) stored. <paramref name="values"/> is padded.</summary>
    public void Apply(in Block block, in Operands x, Measured measured, Span<float> values)
    {
        if (_planned.Passes >= 0) x[_planned.Passes].CopyTo(values);
        else _rule.ApplyAny(_planned.Rounds, block, _planned.Parameters, x, measured, values);
        if (_planned.Result is { } type) Rounding.To(type, values[..block.Count]);
    }

    public void Dispose()
    {
        foreach (TensorReader reader in _readers) reader.Dispose();
        _floats.Dispose();
    }
}
