using System.Security.Cryptography;
using System.Text;
using Budwood.Files;
using Budwood.Numbers;
using Budwood.Tests.Checkpoints;
using CsCheck;

namespace Budwood.Tests.Files;

public class PickleFileTests
{
    private static byte[] Plain(long[] sizes, long[] strides, int floats, long offset = 0) =>
        Torch.Zip(Pickled.Dict(p => p.Tensor("0", floats, sizes, strides, offset)).End, ("data/0", Torch.Floats(floats)));

    [Fact]
    public void A_tensor_lies_in_the_file_where_its_entry_says()
    {
        byte[] bytes = Plain([2, 3], [3, 1], 6);
        using PickleFile file = Torch.Open(bytes);
        TensorEntry entry = Assert.Single(file.Tensors);
        Assert.Equal(("w", DType.F32, new Shape(2, 3), 24L), (entry.Name, entry.DType, entry.Shape, entry.Bytes));
        Assert.Equal(Torch.Floats(6), bytes[(int)entry.Offset..(int)entry.End]);
        Assert.Null(file.Wrapper);
        Assert.Empty(file.Skipped);
        Assert.Empty(file.Metadata);
    }

    [Fact]
    public void A_transposed_tensor_is_gathered_into_row_order()
    {
        using PickleFile file = Torch.Open(Plain([2, 3], [1, 2], 6));
        Assert.Equal([0, 2, 4, 1, 3, 5], Torch.Values(file));
        Assert.True(file.Tensors[0].Offset >= 0 && file.Tensors[0].End == file.Source.Length);
        byte[] middle = new byte[7];
        file.Source.Read(file.Tensors[0].Offset + 6, middle);
        byte[] whole = [.. Torch.Values(file).SelectMany(BitConverter.GetBytes)];
        Assert.Equal(whole[6..13], middle);
        Crafted.Refuses("BW2004", () => file.Source.Read(file.Source.Length - 1, new byte[2]));
    }

    [Fact]
    public void Axes_of_length_one_and_empty_tensors_have_no_strides_that_count()
    {
        using PickleFile one = Torch.Open(Plain([1, 3, 1], [99, 1, 7], 3));
        Assert.Equal([0, 1, 2], Torch.Values(one));
        using PickleFile empty = Torch.Open(Plain([0, 4], [4, 1], 2, 2));
        Assert.Equal(0, empty.Tensors[0].Bytes);
        using PickleFile scalar = Torch.Open(Plain([], [], 5, 4));
        Assert.Equal([4], Torch.Values(scalar));
    }

    [Fact]
    public void Any_view_reads_as_its_elements_do_one_by_one()
    {
        Gen<(int[] Sizes, int[] Order, int Step, int Offset)> views = Gen.Select(Gen.Int[1, 5].Array[1, 4], Gen.Int[0, 23], Gen.Int[1, 20], Gen.Int[0, 3])
            .Select((sizes, order, step, offset) => (sizes, Permutation(sizes.Length, order), step, offset));
        Gen.Select(views, Gen.Int[0, 200], Gen.Int[1, 64]).Sample((view, from, length) =>
        {
            long[] strides = new long[view.Sizes.Length];
            long next = view.Step;
            foreach (int axis in view.Order)
            {
                strides[axis] = next;
                next *= view.Sizes[axis];
            }
            int floats = (int)next + view.Offset;
            using PickleFile file = Torch.Open(Plain([.. view.Sizes.Select(s => (long)s)], strides, floats, view.Offset));
            float[] expected = new float[view.Sizes.Aggregate(1, (a, b) => a * b)];
            for (int i = 0; i < expected.Length; i++)
            {
                long rest = i, at = view.Offset;
                for (int axis = view.Sizes.Length - 1; axis >= 0; axis--)
                {
                    at += rest % view.Sizes[axis] * strides[axis];
                    rest /= view.Sizes[axis];
                }
                expected[i] = at;
            }
            Assert.Equal(expected, Torch.Values(file));
            byte[] whole = [.. expected.SelectMany(BitConverter.GetBytes)];
            from %= whole.Length;
            byte[] part = new byte[Math.Min(length, whole.Length - from)];
            file.Source.Read(file.Tensors[0].Offset + from, part);
            Assert.Equal(whole[from..(from + part.Length)], part);
        }, iter: 300, threads: 1);
    }

    private static int[] Permutation(int count, int number)
    {
        List<int> left = [.. Enumerable.Range(0, count)];
        int[] order = new int[count];
        for (int i = 0; i < count; i++)
        {
            order[i] = left[number % left.Count];
            left.Remove(order[i]);
            number /= 2;
        }
        return order;
    }

    [Fact]
    public void Tied_tensors_are_two_entries_on_the_same_bytes()
    {
        byte[] pickle = Pickled.New.Op('}').Op('(').Text("embed").Tensor("0", 4, [4], [1]).Text("head").Tensor("0", 4, [2], [1], 2).Op('u').End;
        using PickleFile file = Torch.Open(Torch.Zip(pickle, ("data/0", Torch.Floats(4))));
        Assert.Equal(["embed", "head"], file.Tensors.Select(t => t.Name));
        Assert.Equal(file.Tensors[0].Offset + 8, file.Tensors[1].Offset);
    }

    [Theory]
    [InlineData("state_dict")]
    [InlineData("model")]
    [InlineData("module")]
    public void A_state_dict_inside_a_training_checkpoint_is_found_and_the_rest_is_named(string key)
    {
        byte[] pickle = Pickled.New.Op('}').Op('(').Text(key).Global("collections", "OrderedDict").Op(')').Op('R').Text("w").Tensor("0", 2, [2], [1]).Op('s')
            .Op('}').Text("_metadata").Op('}').Op('s').Op('b').Text("epoch").Number(3).Text("args").Op('}').Number(7).Op('N').Op('s').Op('u').End;
        using PickleFile file = Torch.Open(Torch.Zip(pickle, ("data/0", Torch.Floats(2))));
        Assert.Equal("w", Assert.Single(file.Tensors).Name);
        Assert.Equal(key, file.Wrapper);
        Assert.Equal([new("epoch", "a number"), new SkippedEntry("args", "a dict of 1")], file.Skipped);
    }

    [Fact]
    public void Two_dicts_that_could_be_the_model_are_not_chosen_between() =>
        Crafted.Refuses("BW2087", () => Torch.Open(Torch.Zip(Pickled.New.Op('}').Op('(').Text("model").Op('}').Text("module").Op('}').Op('u').End)),
            "model, module");

    [Fact]
    public void Entries_that_are_not_tensors_are_skipped_by_name()
    {
        byte[] pickle = Pickled.New.Op('}').Op('(').Text("w").Tensor("0", 2, [2], [1]).Text("note").Text("x").Text("inner").Op('}').Text("v")
            .Tensor("0", 2, [2], [1]).Op('s').Text("size").Global("torch", "Size").Tuple(1, 2).Op(0x85).Op('R').Text("type").Global("torch", "bfloat16")
            .Text("many").Op(']').Op('(').Op('N').Op(0x88).Op((byte)'G', 0x3F, 0xF8, 0, 0, 0, 0, 0, 0).Op('e').Op('u').End;
        using PickleFile file = Torch.Open(Torch.Zip(pickle, ("data/0", Torch.Floats(2))));
        Assert.Single(file.Tensors);
        Assert.Equal(["note: text", "inner: a dict of 1", "size: a tuple of 2", "type: torch.bfloat16", "many: a list of 3"],
            file.Skipped.Select(s => $"{s.Name}: {s.What}"));
    }

    [Fact]
    public void Parameters_untyped_storages_and_newer_types_are_read()
    {
        byte[] pickle = Pickled.New.Op('}').Op('(')
            .Text("p").Global("torch._utils", "_rebuild_parameter").Op('(').Tensor("0", 2, [2], [1]).Hooks().Op('t').Op('R')
            .Text("f8").Global("torch._utils", "_rebuild_tensor_v3").Op('(').Storage("1", 4, "torch.storage.UntypedStorage").Number(1).Tuple(3).Tuple(1).Hooks()
            .Global("torch", "float8_e4m3fn").Op('t').Op('R')
            .Text("old").Global("torch._utils", "_rebuild_tensor").Op('(').Storage("0", 2).Number(0).Tuple(2).Tuple(1).Op('t').Op('R').Op('u').End;
        using PickleFile file = Torch.Open(Torch.Zip(pickle, ("data/0", Torch.Floats(2)), ("data/1", [1, 2, 3, 4])));
        Assert.Equal([DType.F32, DType.F8E4M3, DType.F32], file.Tensors.Select(t => t.DType));
        byte[] bytes = new byte[3];
        file.Source.Read(file.Tensors[1].Offset, bytes);
        Assert.Equal([2, 3, 4], bytes);
    }

    [Theory]
    [InlineData("Half", DType.F16, 2)]
    [InlineData("BFloat16", DType.BF16, 2)]
    [InlineData("Double", DType.F64, 8)]
    [InlineData("Long", DType.I64, 8)]
    [InlineData("Int", DType.I32, 4)]
    [InlineData("Short", DType.I16, 2)]
    [InlineData("Char", DType.I8, 1)]
    [InlineData("Byte", DType.U8, 1)]
    [InlineData("Bool", DType.Bool, 1)]
    [InlineData("ComplexFloat", DType.C64, 8)]
    public void Storages_of_every_type_are_read(string name, DType type, int width)
    {
        byte[] pickle = Pickled.Dict(p => p.Tensor("0", 3, [3], [1], type: $"torch.{name}Storage")).End;
        using PickleFile file = Torch.Open(Torch.Zip(pickle, ("data/0", new byte[3 * width])));
        Assert.Equal((type, 3L * width), (file.Tensors[0].DType, file.Tensors[0].Bytes));
    }

    [Fact]
    public void The_format_before_torch_1_6_is_read_through_the_same_list()
    {
        byte[] pickle = Pickled.New.Op('}').Op('(').Text("a").Tensor("94", 4, [2, 2], [1, 2], legacy: true)
            .Text("b").Tensor("12", 2, [2], [1], legacy: true).Op('u').End;
        using PickleFile file = Torch.Open(Torch.Legacy(pickle, little: true, ("12", 2, Torch.Floats(2)), ("94", 4, Torch.Floats(4))));
        Assert.Equal([0, 2, 1, 3], Torch.Values(file, 0));
        Assert.Equal([0, 1], Torch.Values(file, 1));
        Crafted.Refuses("BW2088", () => Torch.Open(Torch.Legacy(pickle, little: false)), "byte order", "little");
        Crafted.Refuses("BW2085", () => Torch.Open(Torch.Legacy(pickle, true, ("94", 4, Torch.Floats(4)))), "'12'", "does not hold it");
        Crafted.Refuses("BW2085", () => Torch.Open(Torch.Legacy(pickle, true, ("94", 5, Torch.Floats(5)))), "5 elements by the file, 4");
        Crafted.Refuses("BW2085", () => Torch.Open(Torch.Legacy(pickle, true, ("94", 4, Torch.Floats(3)))), "16 bytes at offset");
        Crafted.Refuses("BW2080", () => Torch.Open(Torch.Legacy(Pickled.Dict(p => p.Call("os", "system", "x")).End, true)), "os.system");
    }

    [Fact]
    public void Files_of_torch_itself_read_as_their_safetensors_twins()
    {
        SharedFolders.Require("goldens/merge-extras/inputs");
        string inputs = Path.Combine(SharedFolders.Root!, "goldens/merge-extras/inputs");
        foreach (string name in (string[])["m-f32-ft1", "m-bf16-ft2"])
        {
            using WeightFiles pickled = WeightFiles.Open(Path.Combine(inputs, name + "-bin"));
            using WeightFiles plain = WeightFiles.Open(Path.Combine(inputs, name));
            Assert.Equal(plain.Tensors.Select(t => (t.Name, Digests.OfTensor(t))), pickled.Tensors.Select(t => (t.Name, Digests.OfTensor(t))));
        }
        using WeightFiles raw = WeightFiles.Open(Path.Combine(inputs, "raw-a.pt"));
        Assert.Equal("0c941dee158aade96aa505bbcdf32a97f82facfcc41d8cef1e19ae445b9ee642", Hash(raw));
        Assert.Equal("state_dict", ((PickleFile)raw.Files[0]).Wrapper);
    }

    // Hashes from an unpickler of some lines in Python that indexes element by element.
    [Theory]
    [InlineData("loader-bin-zip-f32", 29, "d64e654fb50748731222a12e70356ae99de16a3162698b539d275faeff2a06dd")]
    [InlineData("loader-bin-legacy-f32", 41, "1ef616a6d3f62f9ef5720dcaca9831f39d577ea89b4ca10c4f2af105ba930d89")]
    public void Shared_sliced_and_transposed_storages_of_torch_read_as_in_python(string name, int count, string hash)
    {
        SharedFolders.Require("goldens/networks/" + name);
        using WeightFiles weights = WeightFiles.Open(Path.Combine(SharedFolders.Root!, "goldens/networks", name));
        Assert.Equal(count, weights.Tensors.Count);
        Assert.Equal(hash, Hash(weights));
    }

    [Theory]
    [InlineData("beyond-storage", "BW2086")]
    [InlineData("calls-getattr", "BW2080", "builtins.getattr")]
    [InlineData("calls-getcwd", "BW2080", "os.getcwd")]
    [InlineData("calls-print", "BW2080", "builtins.print")]
    [InlineData("calls-print-legacy", "BW2080", "builtins.print")]
    [InlineData("negative-offset", "BW2086")]
    [InlineData("stride-overflow", "BW2086")]
    [InlineData("truncated", "BW2083", "cut off")]
    public void Harmful_files_written_by_torch_are_refused(string name, string code, params string[] words)
    {
        SharedFolders.Require("goldens/networks/loader-pickle-refuse-f32");
        string folder = Path.Combine(SharedFolders.Root!, "goldens/networks/loader-pickle-refuse-f32");
        using (WeightFiles good = WeightFiles.Open(Path.Combine(folder, "good.bin"))) Assert.Single(good.Tensors);
        Crafted.Refuses(code, () => WeightFiles.Open(Path.Combine(folder, name + ".bin")), [name + ".bin", .. words]);
    }

    [Fact]
    public void The_cases_of_the_field_open_or_are_refused_as_they_say()
    {
        SharedFolders.Require("cases/hub-offline");
        string cases = Path.Combine(SharedFolders.Root!, "cases");
        using (WeightFiles only = WeightFiles.Open(Path.Combine(cases, "file-bin-only/left"))) Assert.NotEmpty(only.Tensors);
        Crafted.Refuses("BW2080", () => WeightFiles.Open(Path.Combine(cases, "file-pickle-code/left")), "pytorch_model.bin", "os.system", "nothing was run");
        var hub = new HubCache(Path.Combine(cases, "hub-offline/hub"), offline: true);
        foreach (string? revision in (string?[])[null, "d4927dda05af693bff7dfd4c7b40eafb0ef92a78", "d4927dd"])
        {
            using WeightFiles tiny = WeightFiles.Open(ModelPath.Resolve("org/tiny", revision, cases, null, hub));
            Assert.Equal(2, tiny.FileNames.Count);
        }
    }

    private static string Hash(WeightFiles weights)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (WeightTensor tensor in weights.Tensors)
        {
            byte[] bytes = new byte[tensor.Bytes];
            tensor.Read(0, bytes);
            hash.AppendData(Encoding.UTF8.GetBytes(tensor.Name + tensor.Shape));
            hash.AppendData(bytes);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
