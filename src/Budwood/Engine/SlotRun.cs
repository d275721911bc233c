using Budwood.Methods;
using Budwood.Numbers.Kernels;

namespace Budwood.Engine;

/// <summary>What became of one output tensor.</summary>
public sealed record SlotResult(PlannedSlot Planned, long Changed, long NotFinite, double Difference, double Reference, Files.Digest? Digest);

/// <summary>The state of one tensor on its way through measuring rounds and the formula.</summary>
internal sealed class SlotRun
{
    private readonly Rule _rule;
    private readonly int _workers;
    private readonly Dictionary<(MeasureKind, int), double[]> _sums = [];
    private double[]?[,]? _gram;
    private List<Selector> _selectors = [];
    private Measures _asked = new();
    private readonly MaskRoom _masks;
    private int _round = -1;
    private bool _firstPass;

    public SlotRun(Rule rule, PlannedSlot planned, Geometry geometry, int workers, MaskRoom masks)
    {
        _rule = rule;
        _workers = workers;
        _masks = masks;
        Planned = planned;
        Geometry = geometry;
        Totals = new Comparison[geometry.Units];
        Digester = new TensorDigester(planned.Slot.Stored, planned.Slot.Shape);
        NextRound();
    }

    public Rule Rule => _rule;
    public PlannedSlot Planned { get; }
    public Geometry Geometry { get; }
    public MeasuredTensor Measured { get; } = new();
    public TensorDigester Digester { get; }
    public Comparison[] Totals { get; }

    /// <summary>The formula runs now; otherwise a measuring pass.</summary>
    public bool Applies { get; private set; }

    /// <summary>True for the first pass over the data, which digests the inputs.</summary>
    public bool IsFirst { get; private set; } = true;

    /// <summary>The current pass only looks at a sample.</summary>
    public bool Samples { get; private set; }

    /// <summary>How many passes over the data have ended.</summary>
    public int Pass { get; private set; }

    /// <summary>Pieces of the current pass: a sample is one.</summary>
    public int Pieces => Samples ? 1 : Geometry.Pieces;

    public int NextPiece { get; set; }
    public int Pending { get; set; }

    /// <summary>Quantities that the current pass looks at.</summary>
    public IReadOnlyList<int> Views { get; private set; } = [];
    public Of? GramOf { get; private set; }

    private void NextRound()
    {
        _round++;
        _asked = new Measures();
        var planned = Planned;
        if (!planned.Slot.IsCopy && planned.Passes < 0)
            _rule.MeasureAny(_round, planned.Slot, planned.Parameters, new Measured(Measured, 0), _asked);
        if (_asked.Requests.Count == 0 || planned.Slot.Shape.Count == 0)
        {
            if (planned.Slot.Shape.Count == 0) FillEmpty();
            Applies = true;
            return;
        }
        _firstPass = true;
        foreach (MeasureRequest r in _asked.Requests.Where(r => r.Kind == MeasureKind.Remember)) Remember(r.Quantity);
        _selectors = [.. _asked.Requests.Where(r => r.Selects || r.Kind == MeasureKind.Ordered).Select(r => new Selector(r, planned.Slot.Shape.Count, _workers, Geometry.Pieces, Geometry.CanSample && planned.Slot.Reads.All(i => i.Source.Stored is not null)))];
        _sums.Clear();
        foreach (MeasureRequest r in _asked.Requests.Where(r => r.Kind is MeasureKind.Sum or MeasureKind.L1 or MeasureKind.Squares or MeasureKind.Largest or MeasureKind.NonZero))
            _sums[(r.Kind, r.Quantity)] = new double[Geometry.Units];
        GramOf = _asked.Requests.FirstOrDefault(r => r.Kind == MeasureKind.Gram)?.Of;
        if (GramOf is not null)
        {
            int n = planned.Slot.Inputs.Count;
            _gram = new double[n, n][];
            for (int i = 0; i < n; i++) for (int j = i; j < n; j++) _gram[i, j] = new double[Geometry.Units];
        }
        Samples = _selectors.Exists(s => s.WantsSample);
        SetViews();
    }

    // Units that share a byte would write over each other.
    private void Remember(int quantity)
    {
        long bytes = (Geometry.Elements + 7) / 8;
        if (Geometry.UnitElements % 8 != 0 || !_masks.TryTake(bytes)) return;
        Measured.Masks[quantity] = (new RememberedBits(bytes), false);
    }

    /// <summary>Gives back what was remembered for the passes of this tensor.</summary>
    public void Forget()
    {
        foreach ((RememberedBits bits, _) in Measured.Masks.Values)
        {
            _masks.Give(bits.Bytes);
            bits.Dispose();
        }
        Measured.Masks.Clear();
    }

    // An empty tensor has nothing to measure; rules still read their answers.
    private void FillEmpty()
    {
        foreach (MeasureRequest r in _asked.Requests)
        {
            if (r.Selects) Measured.Selections[r.Quantity] = new Selection { Everything = true };
            else if (r.Kind == MeasureKind.Ordered) Measured.Ordered[r.Quantity] = new float[r.Positions!.Count];
            else if (r.Kind == MeasureKind.Remember) continue;
            else if (r.Kind == MeasureKind.Gram) Measured.Gram = new double[Planned.Slot.Inputs.Count, Planned.Slot.Inputs.Count];
            else Measured.Numbers[(r.Kind, r.Quantity)] = 0;
        }
    }

    private void SetViews()
    {
        IEnumerable<int> views = _selectors.Where(s => !s.IsDone).Select(s => s.Quantity);
        if (_firstPass && !Samples) views = views.Concat(_sums.Keys.Select(k => k.Item2));
        Views = [.. views.Distinct().Order()];
        if (!_firstPass) GramOf = null;
    }

    /// <summary>Takes note of one quantity at a place of the sample.</summary>
    public void Sample(int quantity, ReadOnlySpan<float> v)
    {
        foreach (Selector s in _selectors) if (s.Quantity == quantity && s.WantsSample) s.Sample(v);
    }

    /// <summary>A worker has gone through a piece of a measuring pass.</summary>
    public void EndPiece(int worker, int piece)
    {
        foreach (Selector s in _selectors) s.EndPiece(worker, piece);
    }

    /// <summary>Takes note of one quantity on one unit.</summary>
    public void Observe(int worker, int piece, long unit, int quantity, ReadOnlySpan<float> v)
    {
        foreach (Selector s in _selectors)
            if (s.Quantity == quantity && !s.IsDone) s.Count(worker, piece, v);
        if (!_firstPass) return;
        if (_sums.TryGetValue((MeasureKind.Sum, quantity), out double[]? sum)) sum[unit] = Reductions.Sum(v);
        if (_sums.TryGetValue((MeasureKind.L1, quantity), out double[]? l1)) l1[unit] = Reductions.L1(v);
        if (_sums.TryGetValue((MeasureKind.Squares, quantity), out double[]? squares)) squares[unit] = Reductions.Dot(v, v);
        if (_sums.TryGetValue((MeasureKind.Largest, quantity), out double[]? largest)) largest[unit] = Reductions.Largest(v);
        if (_sums.TryGetValue((MeasureKind.NonZero, quantity), out double[]? nonZero)) nonZero[unit] = Reductions.NonZero(v);
    }

    /// <summary>Takes note of an inner product on one unit.</summary>
    public void ObserveGram(long unit, int i, int j, double value) => _gram![i, j]![unit] = value;

    /// <summary>Ends the pass that all pieces have gone through; returns false when the tensor is finished.</summary>
    public bool EndPass()
    {
        if (Samples)
        {
            foreach (Selector s in _selectors) s.EndSample();
            Samples = false;
            SetViews();
            return true;
        }
        IsFirst = false;
        Pass++;
        if (Applies) return false;
        if (_firstPass)
        {
            foreach (((MeasureKind Kind, int) key, double[] parts) in _sums) Measured.Numbers[key] = key.Kind == MeasureKind.Largest ? parts.Max() : Reductions.Pairwise(parts);
            if (GramOf is not null) Measured.Gram = ReduceGram();
            foreach (int quantity in Measured.Masks.Keys.ToArray()) Measured.Masks[quantity] = (Measured.Masks[quantity].Bits, true);
        }
        foreach (Selector s in _selectors) s.EndPass(Geometry.Pieces);
        _firstPass = false;
        if (_selectors.Exists(s => !s.IsDone))
        {
            SetViews();
            return true;
        }
        foreach (Selector s in _selectors)
        {
            s.Give(Measured);
            s.Dispose();
        }
        _selectors = [];
        NextRound();
        return true;
    }

    private double[,] ReduceGram()
    {
        int n = Planned.Slot.Inputs.Count;
        double[,] gram = new double[n, n];
        for (int i = 0; i < n; i++) for (int j = i; j < n; j++) gram[i, j] = gram[j, i] = Reductions.Pairwise(_gram![i, j]);
        _gram = null;
        return gram;
    }

    public SlotResult Result(Files.Digest? digest)
    {
        double[] difference = Array.ConvertAll(Totals, t => t.Difference), reference = Array.ConvertAll(Totals, t => t.Reference);
        return new(Planned, Totals.Sum(t => t.Changed), Totals.Sum(t => t.NotFinite), Reductions.Pairwise(difference), Reductions.Pairwise(reference), digest);
    }
}

/// <summary>How a tensor is cut: units that a rule sees, pieces that a worker takes.</summary>
internal readonly record struct Geometry(long Elements, int UnitElements, int UnitsPerPiece)
{
    public int Units => checked((int)((Elements + UnitElements - 1) / UnitElements));
    public int Pieces => Math.Max(1, (Units + UnitsPerPiece - 1) / UnitsPerPiece);
    public int PieceElements => checked(UnitElements * UnitsPerPiece);

    /// <summary>Places of a sample, and elements at each: where any run of elements may be looked at and the tensor is large enough to be worth it.</summary>
    public bool CanSample => UnitElements == Passes.BlockElements && Elements >= 1 << 17;
    public int SamplePlaces => (int)Math.Min(128, Elements >> 12);
    public const int SampleLength = 256;
}

/// <summary>Memory that tensors under way may use to remember masks: what the plan leaves of the run's memory, and not too much.</summary>
internal sealed class MaskRoom(long bytes)
{
    /// <summary>The most that is used, whatever the run may take.</summary>
    public const long Most = 18 << 20;

    private long _left = bytes;

    public bool TryTake(long wanted)
    {
        if (Interlocked.Add(ref _left, -wanted) >= 0) return true;
        Interlocked.Add(ref _left, wanted);
        return false;
    }

    public void Give(long taken) => Interlocked.Add(ref _left, taken);
}
