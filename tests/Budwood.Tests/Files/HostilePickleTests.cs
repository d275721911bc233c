using Budwood.Files;
using CsCheck;

namespace Budwood.Tests.Files;

public class HostilePickleTests
{
    private static Fault Refuses(string code, byte[] pickle, params string[] words)
    {
        Fault fault = Crafted.Refuses(code, () => Torch.Open(Torch.Zip(pickle, ("data/0", Torch.Floats(6)))), ["x.bin", .. words]);
        Assert.DoesNotContain(fault.Message, char.IsControl);
        return fault;
    }

    [Theory]
    [InlineData("os", "system", "os.system,")]
    [InlineData("posix", "system", "posix.system (os.system)")]
    [InlineData("nt", "system", "nt.system (os.system)")]
    [InlineData("builtins", "eval", "builtins.eval")]
    [InlineData("builtins", "exec", "builtins.exec")]
    [InlineData("__builtin__", "eval", "(builtins.eval)")]
    [InlineData("builtins", "getattr", "builtins.getattr")]
    [InlineData("builtins", "__import__", "builtins.__import__")]
    [InlineData("subprocess", "Popen", "subprocess.Popen")]
    [InlineData("torch.hub", "load", "torch.hub.load")]
    [InlineData("torch", "load", "torch.load")]
    [InlineData("torch.storage", "_load_from_bytes", "torch.storage._load_from_bytes")]
    [InlineData("torch._utils", "_rebuild_qtensor", "torch._utils._rebuild_qtensor")]
    [InlineData("torch", "FloatStorage.from_file", "torch.FloatStorage.from_file")]
    [InlineData("torch.nn.modules.linear", "Linear", "save model.state_dict()")]
    [InlineData("numpy.core.multiarray", "_reconstruct", "numpy.core.multiarray._reconstruct")]
    [InlineData("numpy", "load", "numpy.load")]
    [InlineData("functools", "partial", "functools.partial")]
    [InlineData("operator", "attrgetter", "operator.attrgetter")]
    [InlineData("_operator", "methodcaller", "(operator.methodcaller)")]
    [InlineData("pathlib", "PosixPath", "pathlib.PosixPath")]
    [InlineData("collections", "OrderedDict.fromkeys", "collections.OrderedDict.fromkeys")]
    [InlineData("_codecs", "encode", "codecs.encode")]
    [InlineData("\u001b[31m", "x\u0007", "\\u001b")]
    public void Any_name_off_the_list_is_refused_before_it_could_be_called(string module, string name, string shown)
    {
        Refuses("BW2080", Pickled.Dict(p => p.Call(module, name, "touch PWNED")).End, shown, "nothing was run", "at offset");
        byte[] stacked = Pickled.Dict(p => p.Text(module).Text(name).Op(0x93).Text("x").Op(0x85).Op('R')).End;
        Refuses("BW2080", stacked, shown);
        byte[] fresh = Pickled.Dict(p => p.Global(module, name).Op(')').Op(0x81)).End;
        Refuses("BW2080", fresh, shown);
    }

    [Fact]
    public void Names_from_the_memo_and_old_instructions_are_seen_too()
    {
        byte[] memo = Pickled.New.Op('}').Text("os").Op('q', 0).Text("system").Op(0x94).Op('s').Text("w").Op('h', 0).Op('h', 1).Op(0x93).Op('s').End;
        Refuses("BW2080", memo, "os.system");
        Refuses("BW2080", Pickled.New.Op('(').Text("x").Op('i').Op("os\nsystem\n"u8).End, "os.system");
    }

    [Theory]
    [InlineData("torch", "FloatStorage")]
    [InlineData("torch", "float32")]
    [InlineData("torch", "Size")]
    [InlineData("collections", "OrderedDict")]
    [InlineData("torch._utils", "_rebuild_tensor_v2")]
    [InlineData("torch._utils", "_rebuild_parameter")]
    public void Listed_names_are_not_called_with_what_torch_does_not_pass(string module, string name)
    {
        Refuses("BW2080", Pickled.Dict(p => p.Call(module, name, "x")).End, $"{module}.{name}");
        if (name[0] == '_') Refuses("BW2080", Pickled.Dict(p => p.Global(module, name).Op(')').Op(0x81)).End, name);
    }

    [Fact]
    public void Hooks_and_values_that_are_called_are_refused()
    {
        byte[] hooks = Pickled.Dict(p => p.Global("torch._utils", "_rebuild_tensor_v2").Op('(').Storage("0", 6).Number(0).Tuple(6).Tuple(1)
            .Op(0x89).Op('}').Text("a").Text("b").Op('s').Op('t').Op('R')).End;
        Refuses("BW2080", hooks, "_rebuild_tensor_v2");
        Refuses("BW2080", Pickled.Dict(p => p.Text("os.system").Op(')').Op('R')).End, "a value");
        Refuses("BW2081", Pickled.Dict(p => p.Text("x").Op('}').Op('b')).End, "state");
    }

    [Theory]
    [InlineData('P')]
    [InlineData('o')]
    [InlineData('I')]
    [InlineData('\u0082')]
    [InlineData('\u008F')]
    [InlineData('\u0092')]
    [InlineData('\u0096')]
    [InlineData('B')]
    [InlineData('\u00FF')]
    public void Instructions_that_torch_does_not_write_are_refused(char opcode) => Refuses("BW2081", Pickled.New.Op('}').Op(opcode).End, $"0x{(int)opcode:X2}");

    [Theory]
    [InlineData("s")]
    [InlineData("u")]
    [InlineData("t")]
    [InlineData("e")]
    [InlineData("R")]
    [InlineData("b")]
    [InlineData("Q")]
    [InlineData("(R")]
    [InlineData("}(.")]
    [InlineData("}}.")]
    [InlineData("")]
    [InlineData("(q\u0000")]
    [InlineData("h\u0007")]
    [InlineData("Na")]
    [InlineData("NNNs")]
    [InlineData("}(Nu")]
    public void A_stack_that_runs_empty_or_over_is_damage(string opcodes) =>
        Refuses("BW2081", Pickled.New.Op([.. opcodes.Select(c => (byte)c)]).End);

    [Fact]
    public void Bombs_are_refused_by_their_memory_and_not_by_their_names()
    {
        Refuses("BW2082", Pickled.New.Op([.. Enumerable.Repeat((byte)'}', 200_000)]).End, "more memory");
        Refuses("BW2082", Pickled.New.Op('N').Op([.. Enumerable.Repeat((byte)0x94, 200_000)]).End, "more memory");
        Refuses("BW2082", Pickled.New.Op([.. Enumerable.Repeat((byte)'(', 100_000)]).End, "1000 levels");
        byte[] deep = Pickled.Dict(p => p.Op(')').Op([.. Enumerable.Repeat((byte)0x85, 20_000)])).End;
        Refuses("BW2087", deep, "a tuple of 1");
        Pickled laughs = Pickled.New.Op('}').Text("w").Op(')');
        for (int i = 0; i < 100; i++) laughs.Op('q', (byte)i).Op('h', (byte)i).Op(0x86);
        Refuses("BW2087", laughs.Op('s').End);
    }

    [Fact]
    public void Huge_numbers_and_lengths_allocate_nothing()
    {
        Refuses("BW2082", Pickled.New.Op(0x8B, 0xFF, 0xFF, 0xFF, 0x7F).End, "2147483647 bytes");
        Refuses("BW2081", Pickled.New.Op(0x8B, 0xFF, 0xFF, 0xFF, 0xFF).End, "length of -1");
        Refuses("BW2081", Pickled.New.Op('X').Op(0xFF, 0xFF, 0xFF, 0xFF).End, "cut off");
        Refuses("BW2081", Pickled.New.Op(0x8D).Op(0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F).End, "cut off");
        Refuses("BW2081", Pickled.New.Op('X', 1, 0, 0, 0, 0xFF).End, "UTF-8");
        Refuses("BW2081", [0x80, 1, .. "}."u8], "protocol 1");
        Refuses("BW2081", [.. "}."u8], "no protocol");
        Refuses("BW2081", [.. Pickled.New.Op('}').End, 0], "behind its end");
        Refuses("BW2081", Pickled.New.Op('}').Op('(').Text("a").Op('N').Text("a").Op('N').Op('u').End, "'a' twice");
    }

    public static TheoryData<long[], long[], long, string> Views => new()
    {
        { [7], [1], 0, "BW2086" }, { [6], [1], 1, "BW2086" }, { [2, 3], [4, 1], 0, "BW2086" }, { [-1], [1], 0, "BW2086" }, { [6], [-1], 5, "BW2086" },
        { [6], [1], -1, "BW2086" }, { [1], [1], long.MaxValue, "BW2086" }, { [2], [long.MaxValue], 0, "BW2086" },
        { [long.MaxValue, long.MaxValue], [0, 0], 0, "BW2086" }, { [3, 3], [0, 1], 0, "BW2086" }, { [0], [1], 7, "BW2086" }, { [2], [1, 1], 0, "BW2080" },
    };

    [Theory]
    [MemberData(nameof(Views))]
    public void Views_beyond_their_storage_are_refused(long[] sizes, long[] strides, long offset, string code) =>
        Refuses(code, Pickled.Dict(p => p.Tensor("0", 6, sizes, strides, offset)).End);

    [Fact]
    public void Storages_must_be_what_the_pickle_says()
    {
        Refuses("BW2085", Pickled.Dict(p => p.Tensor("1", 6, [6], [1])).End, "'1'", "does not hold it");
        Refuses("BW2085", Pickled.Dict(p => p.Tensor("../byteorder", 6, [6], [1])).End, "does not hold it");
        Refuses("BW2085", Pickled.Dict(p => p.Tensor("0", 5, [5], [1])).End, "24 bytes in the archive", "5 elements of 4");
        Refuses("BW2085", Pickled.Dict(p => p.Tensor("0", -1, [0], [1])).End, "-1");
        Refuses("BW2085", Pickled.Dict(p => p.Tensor("0", long.MaxValue, [6], [1])).End);
        byte[] twice = Pickled.New.Op('}').Op('(').Text("a").Tensor("0", 6, [6], [1]).Text("b").Tensor("0", 6, [6], [1], type: "torch.IntStorage").Op('u').End;
        Refuses("BW2085", twice, "described twice");
        byte[] meta = Pickled.Dict(p => p.Global("torch._utils", "_rebuild_tensor").Op('(').Storage("0", 6, location: "meta").Number(0).Tuple(6).Tuple(1)
            .Op('t').Op('R')).End;
        Refuses("BW2086", meta, "'w'", "meta");
        byte[] conjugated = Pickled.Dict(p => p.Global("torch._utils", "_rebuild_tensor_v2").Op('(').Storage("0", 6).Number(0).Tuple(6).Tuple(1).Hooks()
            .Op('}').Text("conj").Op(0x88).Op('s').Op('t').Op('R')).End;
        Refuses("BW2086", conjugated, "'w'", "conjugated");
        Refuses("BW2030", Pickled.Dict(p => p.Tensor("0", 6, [6], [1]), "a\nb").End, "\\u000a");
    }

    [Fact]
    public void Checkpoints_without_a_state_dict_say_what_they_hold()
    {
        Refuses("BW2087", Pickled.New.Op('N').End, "None");
        Refuses("BW2087", Pickled.New.Op('}').End, "the dict is empty");
        Refuses("BW2087", Pickled.Dict(p => p.Number(1), "epoch").End, "epoch (a number)");
        Refuses("BW2087", Pickled.New.Op('}').Number(3).Tensor("0", 6, [6], [1]).Op('s').End, "a tensor under 3");
    }

    [Fact]
    public void Other_archives_and_formats_are_named()
    {
        byte[] pickle = Pickled.Dict(p => p.Tensor("0", 6, [6], [1])).End;
        (string, byte[]) data = ("data/0", Torch.Floats(6));
        Crafted.Refuses("BW2084", () => Torch.Open(Torch.Zip(pickle, data, ("constants.pkl", []))), "TorchScript", "nothing was run");
        Crafted.Refuses("BW2084", () => Torch.Open(Torch.Zip(pickle, data, ("code/__torch__.py", []))), "TorchScript");
        Crafted.Refuses("BW2084", () => Torch.Open(Torch.Stored([("a.npy", [1])])), "not one of torch.save");
        Crafted.Refuses("BW2083", () => Torch.Open(Torch.Deflated(("m/data.pkl", pickle))), "m/data.pkl", "compressed (method 8)");
        Crafted.Refuses("BW2083", () => Torch.Open(Torch.Zip(pickle, data, data)), "'m/data/0' is in it twice");
        Crafted.Refuses("BW2088", () => Torch.Open(Torch.Stored([("m/data.pkl", pickle), ("m/byteorder", "big"u8.ToArray())])), "big");
        Crafted.Refuses("BW2084", () => Torch.Open(Torch.Stored([("m/data.pkl", pickle), ("m/version", "11"u8.ToArray())])), "version '11'");
        byte[] tar = new byte[1024];
        "storages"u8.CopyTo(tar);
        "ustar"u8.CopyTo(tar.AsSpan(257));
        Crafted.Refuses("BW2084", () => Torch.Open(tar), "TAR");
        Crafted.Refuses("BW2084", () => Torch.Open(Crafted.Vectors("a")), "safetensors", "rename");
        Crafted.Refuses("BW2084", () => Torch.Open(Pickled.New.Number(5).End), "not one of torch.save", "nothing was run");
        Crafted.Refuses("BW2080", () => Torch.Open(Pickled.New.Call("os", "system", "x").End), "os.system");
        Crafted.Refuses("BW2013", () => Torch.Open("<html></html>"u8.ToArray()), "HTML", "PyTorch");
        Crafted.Refuses("BW2084", () => Torch.Open([0xFF, 0xFE, 0]), "0xFF");
    }

    [Fact]
    public void Large_archives_are_read_by_their_large_sizes()
    {
        byte[] pickle = Pickled.Dict(p => p.Tensor("0", 6, [6], [1])).End;
        using PickleFile file = Torch.Open(Torch.Stored([("m/data.pkl", pickle), ("m/data/0", Torch.Floats(6))], large: true));
        Assert.Equal([0, 1, 2, 3, 4, 5], Torch.Values(file));
    }

    [Fact]
    public void A_file_cut_anywhere_or_damaged_anywhere_ends_in_a_fault_or_opens()
    {
        byte[] pickle = Pickled.New.Op('}').Op('(').Text("a").Tensor("0", 6, [2, 3], [1, 2]).Text("b").Tensor("0", 6, [6], [1]).Text("n").Number(1).Op('u').End;
        byte[] legacyPickle = Pickled.New.Op('}').Op('(').Text("a").Tensor("0", 6, [2, 3], [1, 2], legacy: true).Op('u').End;
        byte[][] files =
        [
            Torch.Zip(pickle, ("data/0", Torch.Floats(6))), Torch.Stored([("m/data.pkl", pickle), ("m/data/0", Torch.Floats(6))], large: true),
            Torch.Legacy(legacyPickle, true, ("0", 6, Torch.Floats(6))),
        ];
        foreach (byte[] file in files)
        {
            for (int length = 0; length < file.Length; length++) Assert.Throws<Fault>(() => Torch.Open(file[..length]));
        }
        Gen.Select(Gen.Int[0, 2], Gen.Int[0, 5000], Gen.Byte, Gen.Int[0, 5000], Gen.Byte).Sample((which, i, a, j, b) =>
        {
            byte[] damaged = [.. files[which]];
            damaged[i % damaged.Length] = a;
            damaged[j % damaged.Length] = b;
            OpensOrFaults(damaged);
        }, iter: 20_000, threads: 1);
    }

    [Fact]
    public void Random_instructions_never_give_anything_but_a_fault()
    {
        byte[][] words =
        [
            [(byte)'('], [(byte)'}'], [(byte)']'], [(byte)')'], [(byte)'t'], [0x85], [0x86], [0x87], [(byte)'s'], [(byte)'u'], [(byte)'a'], [(byte)'e'],
            [(byte)'N'],
            [0x88], [(byte)'R'], [0x81], [(byte)'b'], [(byte)'Q'], [(byte)'q', 0], [(byte)'h', 0], [0x94], [(byte)'K', 1], [(byte)'.'], [0x93],
            Pickled.New.Text("w").Bytes[2..], Pickled.New.Global("collections", "OrderedDict").Bytes[2..], Pickled.New.Storage("0", 6).Bytes[2..],
            Pickled.New.Tensor("0", 6, [2], [1]).Bytes[2..], Pickled.New.Global("torch", "Size").Bytes[2..], Pickled.New.Tuple(2, 1).Bytes[2..],
            Pickled.New.Global("torch._utils", "_rebuild_parameter").Bytes[2..], Pickled.New.Hooks().Bytes[2..],
        ];
        Gen.Int[0, words.Length - 1].Array[0, 30].Sample(chosen =>
        {
            Pickled pickle = Pickled.New.Op('}');
            foreach (int i in chosen) pickle.Op(words[i]);
            OpensOrFaults(Torch.Zip(pickle.End, ("data/0", Torch.Floats(6))));
        }, iter: 20_000, threads: 1);
    }

    private static void OpensOrFaults(byte[] bytes)
    {
        try
        {
            using PickleFile file = Torch.Open(bytes);
            foreach (TensorEntry t in file.Tensors)
            {
                Assert.True(t.Bytes <= bytes.Length);
                file.Source.Read(t.Offset, new byte[t.Bytes]);
            }
        }
        catch (Fault)
        {
        }
    }
}
