using System.Collections.ObjectModel;
using System.Globalization;
using System.Numerics;
using Budwood.Numbers;

namespace Budwood.Files;

/// <summary>What a checkpoint holds beside its weights, which is not read.</summary>
public sealed record SkippedEntry(string Name, string What);

/// <summary>A checkpoint of torch.save, in the ZIP format or the one before torch 1.6, whose tensors are read in place; nothing in it is ever run.</summary>
/// <remarks>
/// Tensors may share bytes. One that does not lie in row order (a transposed view) is gathered while it is read: its offset lies behind the end of the file
/// on disk, and <see cref="WeightFile.Source"/> serves it.
/// </remarks>
public sealed class PickleFile : WeightFile
{
    private static readonly string[] s_wrappers = ["state_dict", "model", "module"];

    private PickleFile(IByteSource source, IReadOnlyList<TensorEntry> tensors, IReadOnlyList<SkippedEntry> skipped, string? wrapper) : base(source)
    {
        Tensors = tensors;
        Skipped = skipped;
        Wrapper = wrapper;
    }

    /// <summary>The tensors in the order of the state dict.</summary>
    public override IReadOnlyList<TensorEntry> Tensors { get; }

    public override IReadOnlyDictionary<string, string> Metadata => ReadOnlyDictionary<string, string>.Empty;

    /// <summary>Entries that are not tensors, of the state dict and of the dict around it.</summary>
    public IReadOnlyList<SkippedEntry> Skipped { get; }

    /// <summary>The key that the state dict stands under (<c>state_dict</c>, <c>model</c>, <c>module</c>); null when it is the top level itself.</summary>
    public string? Wrapper { get; }

    /// <summary>Whether a name is one that PyTorch checkpoints go by.</summary>
    internal static bool IsName(string name) =>
        name.EndsWith(".bin", StringComparison.Ordinal) || name.EndsWith(".pt", StringComparison.Ordinal) || name.EndsWith(".pth", StringComparison.Ordinal);

    /// <summary>Opens a checkpoint and reads its description of tensors.</summary>
    public static PickleFile Open(string path) => Open(FileSource.Open(path));

    /// <summary>Reads the description of tensors; the file owns the source from here on, and disposes it when the checkpoint is refused.</summary>
    public static PickleFile Open(IByteSource source)
    {
        try
        {
            byte[] head = FileKinds.Head(source);
            FileKind kind = FileKinds.Of(head, source.Length);
            TorchContent content = kind switch
            {
                FileKind.Zip => TorchContent.ReadZip(source),
                FileKind.Pickle => TorchContent.ReadLegacy(source),
                _ => throw FileFaults.NotTorch(source.Name, kind, head, source.Length),
            };
            return Build(source, content);
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    private static PickleFile Build(IByteSource source, TorchContent content)
    {
        if (content.Root is not PickledDict root)
        {
            throw FileFaults.NoTensors(source.Name, $"its top level is {Kind(content.Root)}, expected a dict of tensors by name");
        }
        List<SkippedEntry> skipped = [];
        string? wrapper = null;
        string[] wrappers = [.. s_wrappers.Where(w => root.TryGet(w, out object? inner) && inner is PickledDict)];
        if (wrappers.Length == 1 && !root.Items.Any(i => i.Value is PickledTensor))
        {
            wrapper = wrappers[0];
            skipped.AddRange(root.Items.Where(i => i.Key is not string key || key != wrapper).Select(Skip));
            root.TryGet(wrapper, out object? inner);
            root = (PickledDict)inner!;
        }
        List<TensorEntry> tensors = [];
        List<StridedView> views = [];
        List<(int Tensor, int View)> gathered = [];
        long total = 0;
        foreach ((object? key, object? value) in root.Items)
        {
            if (value is not PickledTensor tensor)
            {
                skipped.Add(Skip((key, value)));
                continue;
            }
            if (key is not string name) throw FileFaults.NoTensors(source.Name, $"a tensor under {Show(key)}, expected names");
            if (name.Any(char.IsControl)) throw FileFaults.BadName(source.Name, name);
            StridedView view = Check(source.Name, name, tensor, content);
            long bytes = view.Bytes;
            if (bytes > long.MaxValue - source.Length - total)
            {
                throw FileFaults.TensorBeyond(source.Name, name, "with it the tensors have more bytes than can be counted");
            }
            total += bytes;
            if (!view.IsRowMajor)
            {
                gathered.Add((tensors.Count, views.Count));
                views.Add(view);
            }
            tensors.Add(new TensorEntry(name, tensor.DType, new Shape(view.Sizes), view.Offset, bytes));
        }
        if (tensors.Count == 0)
        {
            string among = wrappers.Length > 1 ? $"several dicts could be it: {string.Join(", ", wrappers)}"
                : skipped.Count == 0 ? "the dict is empty" : $"no tensor among {FileFaults.Some([.. skipped.Select(s => $"{s.Name} ({s.What})")])}";
            throw FileFaults.NoTensors(source.Name, among);
        }
        if (views.Count == 0) return new PickleFile(source, tensors, skipped, wrapper);
        var strided = new StridedSource(source, views);
        foreach ((int tensor, int view) in gathered) tensors[tensor] = tensors[tensor] with { Offset = strided.StartOf(view) };
        return new PickleFile(strided, tensors, skipped, wrapper);
    }

    /// <summary>Holds a tensor against its storage, before anything is allocated by what it says.</summary>
    private static StridedView Check(string path, string name, PickledTensor tensor, TorchContent content)
    {
        if (tensor.Trouble is not null) throw FileFaults.TensorForm(path, name, tensor.Trouble);
        PickledStorage storage = tensor.Storage;
        if (storage.Location == "meta") throw FileFaults.TensorForm(path, name, "it was saved without data (device meta)");
        (long at, long bytes) = content.Locate(storage);
        int width = tensor.DType.Bits() / 8;
        long available = bytes / width;
        Int128 count = 1, last = tensor.Offset;
        bool empty = tensor.Sizes.Contains(0);
        for (int axis = 0; axis < tensor.Sizes.Length; axis++)
        {
            if (tensor.Sizes[axis] < 0 || tensor.Strides[axis] < 0)
            {
                throw FileFaults.TensorBeyond(path, name, $"sizes {new Shape(tensor.Sizes)} and strides {new Shape(tensor.Strides)} with a negative number");
            }
            if (empty) continue;
            // Sizes beyond the storage cannot be right unless a stride is zero, which the count below refuses too.
            if (tensor.Sizes[axis] > available) throw Beyond();
            count *= tensor.Sizes[axis];
            last += (Int128)(tensor.Sizes[axis] - 1) * tensor.Strides[axis];
            if (count > available)
            {
                throw FileFaults.TensorForm(path, name, $"sizes {new Shape(tensor.Sizes)} and strides {new Shape(tensor.Strides)}: "
                    + $"more elements than the {available} of its storage (an expanded view)");
            }
        }
        if (tensor.Offset < 0 || tensor.Offset > available || (!empty && last >= available)) throw Beyond();
        return new StridedView(at + (tensor.Offset * width), width, tensor.Sizes, tensor.Strides);

        Fault Beyond() => FileFaults.TensorBeyond(path, name, string.Create(CultureInfo.InvariantCulture,
            $"offset {tensor.Offset}, sizes {new Shape(tensor.Sizes)}, strides {new Shape(tensor.Strides)} against {available} elements of storage"));
    }

    private static SkippedEntry Skip((object? Key, object? Value) entry) => new(Show(entry.Key), Kind(entry.Value));

    private static string Show(object? key) => key switch
    {
        string name => FileFaults.Cut(name),
        null => "None",
        long or double or bool => Convert.ToString(key, CultureInfo.InvariantCulture)!,
        _ => Kind(key),
    };

    private static string Kind(object? value) => value switch
    {
        null => "None",
        string => "text",
        bool => "a truth value",
        long or double or BigInteger => "a number",
        PickledDict dict => $"a dict of {dict.Items.Count}",
        PickledList list => $"a list of {list.Items.Count}",
        object?[] tuple => $"a tuple of {tuple.Length}",
        PickledTensor => "a tensor",
        PickledStorage => "a storage",
        PickledGlobal global => global.Name,
        _ => "an object",
    };
}
