using System.Text.Json.Nodes;
using Budwood.Checkpoints;
using Budwood.Methods;
using Budwood.Numbers;
using Budwood.Numbers.Random;

namespace Budwood.Engine;

/// <summary>Turns a request into a plan: lays out the output, pairs tensors by name, settles types, places random streams, lists all misfits at once.</summary>
public sealed class Planner
{
    private readonly PlanRequest _request;
    private readonly Rule _rule;
    private readonly List<Fault> _faults = [];
    private readonly List<string> _notes = [];
    private readonly Checkpoint _donor, _reference;
    private readonly bool _compat;
    private readonly string _prefix;
    private readonly HashSet<int> _contributes = [];
    private readonly Dictionary<(string Name, int Model), Checkpoint?> _companions = [];

    private Planner(PlanRequest request)
    {
        _request = request;
        _rule = request.Rule;
        _donor = request.Models[request.Base ?? 0];
        // The receipt compares with the model as it is stored: what an adapter adds is a change.
        _reference = _request.Arithmetic == Arithmetic.Mergekit015 ? ExpertLayout.Joined(_donor.AsStored) : _donor.AsStored;
        _compat = request.Arithmetic != Arithmetic.Ours;
        _prefix = _compat ? "" : MissingPrefix(_donor);
    }

    /// <summary>Plans; throws one fault that lists every misfit.</summary>
    public static Plan Make(PlanRequest request) => new Planner(request).Make();

    private Plan Make()
    {
        CheckModels();
        ThrowIfAny();
        IReadOnlyList<Segment> segments = _request.Segments;
        bool copies = false;
        if (segments is [{ IsWhole: true }])
        {
            var layout = new LayoutBuilder(_request.Models, _request.Base ?? 0);
            _rule.PlanAny(layout, _request.Parameters.ForLayout());
            if (layout.Order is { } order)
            {
                copies = true;
                segments = Runs(layout.Model, order);
            }
        }
        List<Draft> drafts = [.. Drafts(segments)];
        ThrowIfAny();
        // Misfits are found from the embeddings up; work is done in the order of labels.
        List<PlannedSlot> slots = [.. drafts.Select(d => (d.Label, Slot: Settle(d, copies))).Where(s => s.Slot is not null).OrderBy(s => s.Label, StringComparer.Ordinal).Select(s => s.Slot!)];
        ThrowIfAny();
        PlaceDraws(slots);
        CheckContributions();
        ThrowIfAny();
        var written = slots.Select(s => s.Canonical).ToHashSet(StringComparer.Ordinal);
        CheckpointTensor[] removed = [.. _reference.Tensors.Where(t => !written.Contains(t.Name)).OrderBy(t => t.Name, StringComparer.Ordinal)];
        NoteLeftOut(removed);
        return new Plan(_request, slots, EditedConfig(slots, segments), _donor, _reference)
        {
            Notes = _notes,
            Removed = removed,
            Companions = [.. _companions.Values.OfType<Checkpoint>().Distinct()],
        };
    }

    private void ThrowIfAny()
    {
        if (_faults.Count > 0) throw Fault.Several(_faults);
    }

    private void CheckModels()
    {
        foreach (Checkpoint model in _request.Models)
            if (model.Config?.Quantization is { } how) _faults.Add(EngineFaults.Quantised(model.Label, how));
        if (!_request.Allow.Contains("nan"))
        {
            foreach (Checkpoint model in _request.Models)
                foreach ((string tensor, long nan, long infinite) in model.Added?.NotFinite ?? []) _faults.Add(EngineFaults.NotFinite($"{model.Added!.Label}: {tensor}", nan, infinite));
        }
        string[] families = [.. _request.Models.Select(m => m.Family?.Name ?? m.Config?.ModelType ?? "no config.json").Distinct()];
        if (families.Length > 1 && !_request.Allow.Contains("architectures"))
            _faults.Add(EngineFaults.DifferentFamilies(string.Join(", ", _request.Models.Select(m => $"'{m.Label}' is {m.Family?.Name ?? m.Config?.ModelType ?? "unknown"}"))));
        if (_donor.Family is null)
            _notes.Add($"model type '{_donor.Config?.ModelType ?? "unknown"}' is not in the tables: tensors are matched by name" + (_donor.Numbering is { } n ? $", {n.Count} layers at '{n.Prefix}'" : ", no numbered layers found"));
    }

    // Consecutive layers of one model become one run, so that a slice of a model is a slice whoever asked for it.
    private static List<Segment> Runs(int model, IReadOnlyList<int> order)
    {
        var runs = new List<Segment>();
        for (int i = 0; i < order.Count;)
        {
            int from = order[i], j = i + 1;
            while (j < order.Count && order[j] == order[j - 1] + 1) j++;
            runs.Add(new Segment([new SegmentSource(model, from, from + (j - i))], null, IsWhole: false));
            i = j;
        }
        return runs;
    }

    /// <summary>An output tensor before its types and parameters are settled.</summary>
    private sealed record Draft(string Name, Role Role, int? Layer, int Segment, double T, IReadOnlyList<(int Model, CheckpointTensor Tensor)> Inputs, int? Base, bool InFamily)
    {
        // The peer processes tensors by the greatest of the names that their sources have in the files.
        public string Label { get; } = Inputs.Count == 0 ? Name : Inputs.Select(i => i.Tensor.Stored).Max(StringComparer.Ordinal)!;
    }

    private IEnumerable<Draft> Drafts(IReadOnlyList<Segment> segments)
    {
        var drafts = new List<Draft>();
        int firstLayer = 0;
        (IReadOnlyList<string> before, IReadOnlyList<string> inLayer, IReadOnlyList<string> after) = Names(segments);
        foreach (string name in before) Add(drafts, segments, 0, name, name, null, 0);
        for (int s = 0; s < segments.Count; s++)
        {
            Segment segment = segments[s];
            int count = segment.Sources[0].Count;
            for (int i = 0; i < count; i++)
            {
                double t = count == 1 ? 1 : (double)i / (count - 1);
                foreach (string template in inLayer) Add(drafts, segments, s, template, At(template, firstLayer + i), i, t, firstLayer + i);
            }
            firstLayer += count;
        }
        foreach (string name in after) Add(drafts, segments, segments.Count - 1, name, name, null, 0);
        return drafts;
    }

    private string At(string template, int layer) => _donor.Renumbered(template, layer) ?? template;

    /// <summary>Names outside the layers before and after them, and the names of one layer (as layer 0, or the lowest that has it).</summary>
    private (IReadOnlyList<string> Before, IReadOnlyList<string> InLayer, IReadOnlyList<string> After) Names(IReadOnlyList<Segment> segments)
    {
        int[] used = [.. segments.SelectMany(s => s.Sources.Select(x => x.Model)).Distinct()];
        var before = new List<string>();
        var inLayer = new List<string>();
        var after = new List<string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        bool layers = false;
        IEnumerable<(string Name, int? Layer, bool InFamily)> table = _donor.Model is { } model
            ? model.Tensors.Where(t => t.Stack is null || t.Stack == _donor.Family!.Stacks[0].Name)
                .Select(t => (t.Name, InEveryLayer(t) ? t.Layer : null, true))
                .Concat(model.Tensors.Where(t => t.Stack is not null && t.Stack != _donor.Family!.Stacks[0].Name).Select(t => (t.Name, (int?)null, true)))
            : [];
        foreach ((string name, int? layer, _) in table)
        {
            if (layer is null) (layers ? after : before).Add(name);
            else
            {
                layers = true;
                string first = At(name, 0);
                if (seen.Add(first)) inLayer.Add(first);
                continue;
            }
            seen.Add(name);
        }
        // The peer has its tables by class: of a class that it does not know, everything is merged by name.
        bool onlyTable = _request.OnlyFamilyTensors && _donor.Model?.KnowsClass == true;
        // Tensors outside the table: those that all inputs have are merged by name, others come from the donor.
        foreach (CheckpointTensor tensor in used.SelectMany(m => _request.Models[m].Tensors)
            .Where(t => !t.InFamily && (!onlyTable || _donor.Model!.IsKeptBuffer(t.Name))).OrderBy(t => t.Name, StringComparer.Ordinal))
        {
            string name = tensor.Layer is null ? tensor.Name : At(tensor.Name, 0);
            if (seen.Add(name)) (tensor.Layer is null ? before : inLayer).Add(name);
        }
        return (before, inLayer, after);
    }

    // T5 has a position bias in its first layer alone.
    private bool InEveryLayer(ExpectedTensor tensor) => tensor.Layer is { } layer && _donor.Renumbered(tensor.Name, layer) is not null;

    private void Add(List<Draft> drafts, IReadOnlyList<Segment> segments, int s, string template, string output, int? layerInSegment, double t, int? outputLayer = null)
    {
        Segment segment = segments[s];
        var inputs = new List<(int Model, CheckpointTensor Tensor)>();
        var lacking = new List<(int Model, string Name)>();
        bool known = _donor.Model is not null;
        ExpectedTensor? expected = null;
        foreach (SegmentSource source in segment.Sources)
        {
            Checkpoint model = _request.Models[source.Model];
            string name = layerInSegment is { } i ? At(template, source.From + i) : template;
            if (known && expected is null) model.Model?.TryExpected(name, out expected);
            if (model.TryGet(name, out CheckpointTensor? tensor)) inputs.Add((source.Model, tensor));
            else lacking.Add((source.Model, name));
        }
        if (inputs.Count == 0 && (expected is null || expected.Optional)) return;
        bool inFamily = expected is not null;
        if (inFamily && lacking.Count > 0) Lend(expected!, inputs, lacking, segment);
        if (lacking.Count > 0)
        {
            if (inFamily && !expected!.Optional)
            {
                foreach ((int model, string name) in lacking)
                    _faults.Add(EngineFaults.NoTensor(_request.Models[model].Label, name, _request.Models[model].Tensors.Select(x => x.Name)));
                return;
            }
            FromDonorAlone(drafts, s, output, inputs, lacking, t, outputLayer, inFamily);
            return;
        }
        drafts.Add(new(output, expected?.Role ?? inputs[0].Tensor.Role, outputLayer, s, t, inputs, segment.Base, inFamily));
    }

    // A model without a head of its own gives its embedding in the head's place, as the tie says.
    private void Lend(ExpectedTensor expected, List<(int Model, CheckpointTensor Tensor)> inputs, List<(int Model, string Name)> lacking, Segment segment)
    {
        for (int k = lacking.Count - 1; k >= 0; k--)
        {
            (int at, string name) = lacking[k];
            Checkpoint model = _request.Models[at];
            string? tied = expected.TiedTo;
            if (tied is null && model.Model is { } own && own.TryExpected(name, out ExpectedTensor? mine)) tied = mine.TiedTo;
            if (tied is null || !model.TryGet(tied, out CheckpointTensor? lent)) continue;
            inputs.Add((at, lent));
            lacking.RemoveAt(k);
            _notes.Add($"'{model.Label}' has no {name}: its {tied} stands in");
        }
        var order = segment.Sources.Select(x => x.Model).ToList();
        inputs.Sort((a, b) => order.IndexOf(a.Model).CompareTo(order.IndexOf(b.Model)));
    }

    private void FromDonorAlone(List<Draft> drafts, int s, string output, List<(int Model, CheckpointTensor Tensor)> inputs, List<(int Model, string Name)> lacking,
        double t, int? layer, bool inFamily)
    {
        int donor = _request.Base ?? 0;
        int from = inputs.FindIndex(i => i.Model == donor);
        string without = string.Join(", ", lacking.Select(l => $"'{_request.Models[l.Model].Label}'"));
        if (from < 0)
        {
            _notes.Add($"{output} is left out: {without} has no such tensor, and neither has the donor");
            return;
        }
        _notes.Add($"{output} is copied from '{_request.Models[donor].Label}': {without} has no such tensor");
        drafts.Add(new(output, inputs[from].Tensor.Role, layer, s, t, [inputs[from]], null, inFamily));
    }

    private PlannedSlot? Settle(Draft draft, bool copies)
    {
        var inputs = new List<(int Model, CheckpointTensor Tensor)>(draft.Inputs);
        foreach ((int model, _) in inputs) _contributes.Add(model);
        bool alone = inputs.Count == 1 && _request.Segments[Math.Min(draft.Segment, _request.Segments.Count - 1)].Sources.Count > 1;
        bool arithmetic = inputs.TrueForAll(i => i.Tensor.DType.IsArithmetic());
        int at = draft.Base is { } b ? inputs.FindIndex(i => i.Model == b) : -1;

        Array parameters = _rule.NewParameters(inputs.Count);
        if (!copies && !alone && inputs.Count == 1 && (arithmetic || draft.InFamily))
        {
            Read(parameters, draft, inputs, at);
            copies = _rule.CopiesAny(parameters.GetValue(0)!);
        }
        if (!arithmetic && draft.InFamily && !copies)
        {
            _faults.Add(EngineFaults.NotArithmetic(draft.Name, string.Join(", ", inputs.Select(i => $"{i.Tensor.DType.Name()} in '{_request.Models[i.Model].Label}'"))));
            return null;
        }
        bool copy = copies || !arithmetic || alone;
        if (copy && inputs.Count > 1)
        {
            int donor = Math.Max(0, inputs.FindIndex(i => i.Model == (_request.Base ?? 0)));
            _notes.Add($"{draft.Name} holds {inputs[donor].Tensor.DType.Name()}: copied from '{_request.Models[inputs[donor].Model].Label}'");
            inputs = [inputs[donor]];
            at = -1;
        }

        if (Shape(draft, inputs, copy, at) is not { } shape) return null;
        CheckpointTensor? reference = _reference.TryGet(draft.Name, out CheckpointTensor? same) && same.Shape == shape ? same : null;
        DType[] loaded = [.. inputs.Select(i => _compat && _request.DType is { } d ? d : i.Tensor.DType)];
        DType working = at >= 0 && _rule.Promotion(_request.Arithmetic) == Promotion.Base ? loaded[at] : loaded.Aggregate(DTypes.Promote);
        DType natural = _compat ? _rule.Result(_request.Arithmetic, working) : _request.DType ?? working;
        DType stored = copy ? inputs[0].Tensor.DType : _request.OutDType ?? natural;
        bool isCut = copy && inputs[0].Tensor.Shape != shape;
        // Where a copy is wanted in another type or with fewer rows its values pass and only the type changes.
        int pass = -1;
        if (copy && inputs[0].Tensor.DType.IsArithmetic() && (_request.OutDType ?? _request.DType ?? stored) is var wanted
            && (isCut || wanted != stored || loaded[0] != stored)) (copy, stored, pass) = (false, wanted, 0);

        // The base alone, of which only deltas would have been taken, passes as it is.
        if (!copy && pass < 0 && at >= 0 && inputs.Count == 1 && !_rule.Arity.BaseCounts) pass = at;
        bool reads = !copy && pass < 0;
        if (reads && parameters.GetValue(0) is null) Read(parameters, draft, inputs, at);
        var slot = new Slot
        {
            Name = Written(draft.Name),
            Shape = shape,
            Role = draft.Role,
            Layer = draft.Layer,
            Inputs = [.. inputs.Select((x, i) => new SlotInput(x.Model, _request.Models[x.Model].Label, x.Tensor.Name, x.Tensor.Stored, Source(x.Tensor, shape))
            {
                Companion = reads && _rule.CompanionAny(parameters.GetValue(i)!) is { } name ? Companion(name, x.Model, x.Tensor, shape) : null,
            })],
            Base = at,
            Arithmetic = _request.Arithmetic,
            Working = working,
            Stored = stored,
            IsCopy = copy,
        };
        if (reads) _rule.CheckAny(slot, parameters);
        return new PlannedSlot
        {
            Slot = slot,
            Canonical = draft.Name,
            Parameters = parameters,
            Rounds = _rule.Rounds(_request.Arithmetic, working),
            Result = reads && _compat && natural is DType.BF16 or DType.F16 ? natural : null,
            Loads = _compat ? Conversions(inputs, loaded, working) : [],
            Reference = reference?.Source,
            ReferenceTensor = reference,
            Passes = pass,
        };
    }

    private void Read(Array parameters, Draft draft, List<(int Model, CheckpointTensor Tensor)> inputs, int at)
    {
        for (int i = 0; i < inputs.Count; i++)
        {
            (int model, CheckpointTensor tensor) = inputs[i];
            bool isReference = i == at && !_rule.Arity.BaseCounts;
            parameters.SetValue(_request.Parameters.For(draft.Segment, model, tensor.Name, draft.Name, draft.T, isReference), i);
        }
    }

    // A folder of companions often has no config.json: its names are those of the model that it belongs to.
    private SlotInput? Companion(string name, int model, CheckpointTensor tensor, Shape shape)
    {
        Checkpoint of = _request.Models[model];
        if (!_companions.TryGetValue((name, model), out Checkpoint? companion))
        {
            try
            {
                companion = _request.OpenCompanion!(name);
                if (companion.Config is null && companion.MadeFrom.Count == 0) companion = companion.Under(of.Config);
            }
            catch (Fault fault)
            {
                if (!_faults.Exists(f => f.Message == fault.Message)) _faults.AddRange(fault.All.Count > 0 ? fault.All : [fault]);
            }
            _companions[(name, model)] = companion;
        }
        if (companion is null) return null;
        if (!companion.TryGet(tensor.Name, out CheckpointTensor? found))
            _faults.Add(EngineFaults.CompanionLacks(name, tensor.Name, of.Label, companion.Tensors.Select(t => t.Name)));
        else if (found.Shape != tensor.Shape)
            _faults.Add(EngineFaults.CompanionShape(name, found.Name, $"{found.Shape}, and {tensor.Shape} in '{of.Label}'", of.Label));
        else if (!found.DType.IsArithmetic())
            _faults.Add(EngineFaults.NotArithmetic(found.Name, $"{found.DType.Name()} in '{name}'"));
        else
            return new SlotInput(model, name, found.Name, found.Stored, Source(found, shape));
        return null;
    }

    // Files of a base model leave the family's prefix out (BertModel has no 'bert.'): the output keeps the donor's way. The peer always writes the prefix.
    private string Written(string canonical) => _prefix.Length > 0 && canonical.StartsWith(_prefix, StringComparison.Ordinal) ? canonical[_prefix.Length..] : canonical;

    private static string MissingPrefix(Checkpoint donor)
    {
        string[] left = [.. donor.Tensors.Where(t => t.InFamily && t.Name.Length > t.Stored.Length && t.Name.EndsWith(t.Stored, StringComparison.Ordinal)).Select(t => t.Name[..^t.Stored.Length]).Distinct()];
        return left.Length == 1 ? left[0] : "";
    }

    private static TensorSource Source(CheckpointTensor tensor, Shape shape) => tensor.Shape == shape ? tensor.Source : new CutTensor(tensor.Source, shape);

    // The peer converts each input to 'dtype' when loading and to the working type before the arithmetic; only narrowing changes a value.
    private static IReadOnlyList<IReadOnlyList<DType>> Conversions(List<(int Model, CheckpointTensor Tensor)> inputs, DType[] loaded, DType working)
    {
        var all = new List<IReadOnlyList<DType>>();
        for (int i = 0; i < inputs.Count; i++)
        {
            var steps = new List<DType>();
            if (loaded[i] != inputs[i].Tensor.DType) steps.Add(loaded[i]);
            if (working != loaded[i]) steps.Add(working);
            all.Add([.. steps.Where(s => s is DType.BF16 or DType.F16)]);
        }
        return all.Exists(a => a.Count > 0) ? all : [];
    }

    private Shape? Shape(Draft draft, List<(int Model, CheckpointTensor Tensor)> inputs, bool copy, int at)
    {
        Shape first = inputs[0].Tensor.Shape;
        if (Aligned(draft, inputs) is { } aligned) return aligned;
        if (copy || inputs.TrueForAll(i => i.Tensor.Shape == first)) return first;
        string found = string.Join(", ", inputs.Select(i => $"{i.Tensor.Shape} in '{_request.Models[i.Model].Label}'"));
        bool rows = draft.Role is Role.Embed or Role.Head && inputs.TrueForAll(i => i.Tensor.Shape.Rank == first.Rank);
        if (!rows || _rule.Rows == RowMismatch.Refuse)
        {
            _faults.Add(rows ? EngineFaults.RowsDiffer(draft.Name, found) : EngineFaults.ShapesDiffer(draft.Name, found));
            return null;
        }
        if (!_request.Allow.Contains("common_rows"))
        {
            _faults.Add(EngineFaults.RowsDiffer(draft.Name, found));
            return null;
        }
        Shape to = _rule.Rows == RowMismatch.CutToBase && at >= 0 ? inputs[at].Tensor.Shape
            : inputs.Select(i => i.Tensor.Shape).Aggregate((a, b) => new Shape([.. Enumerable.Range(0, a.Rank).Select(k => Math.Min(a[k], b[k]))]));
        if (inputs.Exists(i => Enumerable.Range(0, to.Rank).Any(k => i.Tensor.Shape[k] < to[k])))
        {
            _faults.Add(EngineFaults.RowsTooFew(draft.Name, found));
            return null;
        }
        _notes.Add($"{draft.Name} is cut to {to}: {found}");
        return to;
    }

    // Rows that no token has are left out where a tokenizer is asked for.
    private Shape? Aligned(Draft draft, List<(int Model, CheckpointTensor Tensor)> inputs)
    {
        if (_request.VocabularyRows is not { } rows || draft.Role is not (Role.Embed or Role.Head)
            || !inputs.TrueForAll(i => i.Tensor.Shape.Rank > 0 && i.Tensor.Shape[0] >= rows)) return null;
        Shape[] shapes = [.. inputs.Select(i => new Shape([rows, .. Enumerable.Range(1, i.Tensor.Shape.Rank - 1).Select(k => i.Tensor.Shape[k])])).Distinct()];
        return shapes.Length == 1 ? shapes[0] : null;
    }

    private void PlaceDraws(List<PlannedSlot> slots)
    {
        MersenneTape? tape = null;
        long offset = 0;
        for (int s = 0; s < slots.Count; s++)
        {
            PlannedSlot planned = slots[s];
            if (planned.Slot.IsCopy || planned.Passes >= 0) continue;
            var draws = new Draws?[planned.Slot.Inputs.Count];
            bool any = false;
            for (int i = 0; i < draws.Length; i++)
            {
                if (i == planned.Slot.Base) continue;
                int wanted = _rule.DrawsAny(planned.Slot, planned.Parameters.GetValue(i)!);
                if (wanted == 0) continue;
                any = true;
                if (_compat)
                {
                    draws[i] = new Draws.Taped(tape ??= new MersenneTape(_request.Seed), offset);
                    offset += planned.Slot.Shape.Count * wanted;
                }
                else
                {
                    string model = planned.Slot.Inputs[i].Model.ToString(System.Globalization.CultureInfo.InvariantCulture);
                    draws[i] = new Draws.Keyed(Philox.For(_request.Seed, _rule.Card.Name, "mask", model, planned.Slot.Name));
                }
            }
            if (any) slots[s] = planned.With(draws);
        }
    }

    private void CheckContributions()
    {
        if (_request.Allow.Contains("unmatched")) return;
        for (int m = 0; m < _request.Models.Count; m++)
            if (!_contributes.Contains(m) && m != (_request.Base ?? 0)) _faults.Add(EngineFaults.ModelContributesNothing(_request.Models[m].Label));
    }

    private void NoteLeftOut(CheckpointTensor[] removed)
    {
        CheckpointTensor[] outside = [.. removed.Where(t => !t.InFamily)];
        if (outside.Length > 0) _notes.Add($"left out: {string.Join(", ", outside.Take(8).Select(t => t.Name))}{(outside.Length > 8 ? $" and {outside.Length - 8} more" : "")}");
    }

    private ModelConfig? EditedConfig(List<PlannedSlot> slots, IReadOnlyList<Segment> segments)
    {
        if (_donor.Config is not { } config) return null;
        if (segments is not [{ IsWhole: true }])
        {
            int[] layers = [.. segments.SelectMany(s => Enumerable.Range(s.Sources.FirstOrDefault(x => x.Model == (_request.Base ?? 0))?.From ?? s.Sources[0].From, s.Sources[0].Count))];
            if (_donor.Family is { } family) config = family.WithLayers(config, layers);
            else if (config.Has("num_hidden_layers")) config = config.Set("num_hidden_layers", JsonValue.Create(layers.Length));
        }
        DType? type = slots.Where(s => s.Slot.Stored.IsFloat()).GroupBy(s => s.Slot.Stored).MaxBy(g => g.Sum(s => s.Slot.Shape.Count))?.Key;
        if (type is { } t && config.DTypeText != t.TorchName()) config = config.Set(config.DTypeField, JsonValue.Create(t.TorchName()));
        PlannedSlot? head = slots.Find(s => s.Slot.Role == Role.Head && s.Slot.Name.EndsWith("weight", StringComparison.Ordinal));
        if (head is not null && config.TiesEmbeddings && _request.Models.Any(m => m.Config?.TiesEmbeddings == false))
        {
            config = config.Set("tie_word_embeddings", JsonValue.Create(false));
            _notes.Add($"{head.Slot.Name} is written on its own: tie_word_embeddings is now false");
        }
        PlannedSlot? embed = slots.Find(s => s.Slot.Role == Role.Embed);
        if (embed is not null && embed.Slot.Shape.Rank == 2 && config.TryInt("vocab_size", out long vocabulary) && vocabulary != embed.Slot.Shape[0] && embed.ReferenceTensor is null)
        {
            config = config.Set("vocab_size", JsonValue.Create(embed.Slot.Shape[0]));
            _notes.Add($"vocab_size is now {embed.Slot.Shape[0]}");
        }
        return config;
    }
}
