using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Budwood.Files;
using Budwood.Methods;

namespace Budwood.Lab.Worlds;

/// <summary>Scans a corpus of files in memory: pickles that would run something, state dicts that would not, and safetensors files whose headers lie.</summary>
/// <use>Knowing whether the scan of formats finds what it should, and nothing else.</use>
/// <notfor>How common such files are: the corpus is written for the test.</notfor>
/// <cost>Nothing worth a number: 52 files of a few hundred bytes.</cost>
/// <differs>The sheet's twenty patterns and twelve malformations are named and not given; these were written from their names. No byte of them is ever run.</differs>
[Method("pickle_corpus_trial", Room.Simulate)]
[Source("textbook", Where = "the pickle instructions of Python's pickletools")]
public sealed partial class PickleCorpusTrial : Job<PickleCorpusTrial.Parameters>
{
    private const string Harmless = "true";
    private static readonly (string Storage, int Width)[] s_storages = [("FloatStorage", 4), ("HalfStorage", 2), ("BFloat16Storage", 2), ("DoubleStorage", 8), ("LongStorage", 8)];

    /// <summary>Parameters of <c>pickle_corpus_trial</c>: none.</summary>
    public sealed record Parameters;

    public override Ports Ports { get; } = new([], new Port("files", ArtifactKind.Table, "file, kind, expected, found, wrong, what"));

    protected override void Run(Desk desk, Parameters p)
    {
        var table = new Table("files", new Column("file"), new Column("kind"), new Column("expected"), new Column("found"), new Column("wrong", true), new Column("what"));
        void Scan(string kind, string name, byte[] bytes, bool critical)
        {
            IReadOnlyList<FormatFinding> findings;
            string found;
            try
            {
                using var source = new MemorySource(bytes, name);
                findings = FormatScan.Of(source, name);
                found = findings.Any(f => f.Severity == RiskSeverity.Critical) ? "critical" : findings.Count > 0 ? "other" : "nothing";
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                // An exception that escapes is the failure that the corpus looks for.
                (findings, found) = ([], "escaped: " + e.GetType().Name);
            }
            string expected = critical ? "critical" : "nothing";
            table.Add(name, kind, expected, found, found == expected ? 0L : 1L, findings.Count > 0 ? $"{findings[0].What} {findings[0].Where}" : "");
        }
        foreach ((string name, byte[] bytes) in Hostile()) Scan("hostile", name, bytes, critical: true);
        foreach ((string name, byte[] bytes) in Benign()) Scan("benign", name, bytes, critical: false);
        foreach ((string name, byte[] bytes) in Malformed()) Scan("malformed", name, bytes, critical: true);
        desk.Emit("files", table);
    }

    internal static IEnumerable<(string Name, byte[] Bytes)> Hostile()
    {
        byte[] data = new byte[16], good = PickleBytes.StateDict("FloatStorage", 4, ordered: false);
        byte[] system = PickleBytes.Protocol(2).Global("posix", "system").CallWith(Harmless).Stop();
        yield return ("os_system.bin", PickleBytes.Protocol(2).Global("os", "system").CallWith(Harmless).Stop());
        yield return ("os_system_protocol_0.pkl", Encoding.ASCII.GetBytes($"cos\nsystem\n(S'{Harmless}'\ntR."));
        yield return ("subprocess_popen.pt", PickleBytes.Protocol(3).Global("subprocess", "Popen").CallWith(Harmless).Stop());
        yield return ("reduce_check_output.bin", PickleBytes.Protocol(4).StackGlobal("subprocess", "check_output").Op(0x94).CallWith(Harmless).Op(0x94).Stop());
        yield return ("builtins_eval.bin", PickleBytes.Protocol(2).Global("builtins", "eval").CallWith("1").Stop());
        yield return ("builtins_exec.pth", PickleBytes.Protocol(4).StackGlobal("builtins", "exec").CallWith("pass").Stop());
        yield return ("inst_eval.pkl", Encoding.ASCII.GetBytes("(S'1'\ni__builtin__\neval\n."));
        yield return ("getattr_chain.bin", PickleBytes.Protocol(2).Global("builtins", "getattr").Op('(').Global("builtins", "__import__").CallWith("os").Text("system").Op('t').Op('R').CallWith(Harmless).Stop());
        yield return ("runpy.bin", PickleBytes.Protocol(2).Global("runpy", "_run_code").CallWith("pass").Stop());
        yield return ("nested_pickle.pkl", PickleBytes.Protocol(3).Global("pickle", "loads").Op((byte)'C', (byte)system.Length).Op(system).Op(0x85).Op('R').Stop());
        yield return ("concatenated_name.bin", PickleBytes.Protocol(4).StackGlobal("operator", "concat").ShortText("o").ShortText("s").Op(0x86).Op('R').ShortText("system").Op(0x93).CallWith(Harmless).Stop());
        yield return ("name_from_memo.bin", PickleBytes.Protocol(4).ShortText("system").Op(0x94).Op('0').ShortText("os").Op((byte)'h', 0).Op(0x93).CallWith(Harmless).Stop());
        yield return ("importlib.bin", PickleBytes.Protocol(2).Global("importlib", "import_module").CallWith("os").Stop());
        yield return ("urllib.bin", PickleBytes.Protocol(2).Global("urllib.request", "urlopen").CallWith("http://localhost/").Stop());
        yield return ("broken_after_the_call.bin", [.. PickleBytes.Protocol(2).Global("os", "system").CallWith(Harmless).ToArray(), 0xFF]);
        yield return ("object_instruction.bin", PickleBytes.Protocol(2).Op('(').Global("os", "system").Text(Harmless).Op('o').Stop());
        yield return ("torch_load_within.bin", PickleBytes.Protocol(2).Global("torch.storage", "_load_from_bytes").CallWith("x").Stop());
        yield return ("second_pickle.bin", [.. PickleBytes.Protocol(2).Op('}').Stop(), .. system]);
        yield return ("in_an_archive.pt", PickleBytes.Archive([.. good[..^1], .. PickleBytes.Protocol(2).Op('0').Global("webbrowser", "open").CallWith("x").Stop()], data));
        yield return ("in_a_packed_archive.pt", PickleBytes.Archive(system, data, CompressionLevel.Optimal));
    }

    internal static IEnumerable<(string Name, byte[] Bytes)> Benign()
    {
        const byte Count = 6;
        foreach ((string storage, int width) in s_storages)
        {
            byte[] data = new byte[Count * width];
            for (int i = 0; i < data.Length; i++) data[i] = (byte)((i * 37) + width);
            foreach (bool ordered in (bool[])[false, true])
            {
                byte[] pickle = PickleBytes.StateDict(storage, Count, ordered);
                string name = $"{storage}{(ordered ? "_ordered" : "")}";
                yield return (name + ".pt", PickleBytes.Archive(pickle, data));
                yield return (name + "_old.bin", PickleBytes.Legacy(pickle, data, Count));
            }
        }
    }

    internal static IEnumerable<(string Name, byte[] Bytes)> Malformed()
    {
        const string A = "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}", Whole = "{" + A + "}";
        yield return ("overlap.safetensors", File("{" + A + ",\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}", 12));
        yield return ("gap.safetensors", File("{" + A + ",\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[12,20]}}", 20));
        yield return ("out_of_range.safetensors", File("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[1099511627776,1099511627784]}}", 8));
        yield return ("duplicate_key.safetensors", File("{" + A + "," + A + "}", 8));
        yield return ("trailing_bytes.safetensors", File(Whole, 24));
        yield return ("header_too_large.safetensors", File(Whole, 8, length: 1UL << 40));
        yield return ("header_beyond_the_file.safetensors", File(Whole, 8, length: 4000));
        yield return ("no_json.safetensors", File("{\"a\": this is no JSON at all}", 8));
        yield return ("negative_offset.safetensors", File("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[-8,0]}}", 8));
        yield return ("shape_lies.safetensors", File("{\"a\":{\"dtype\":\"F32\",\"shape\":[1000000],\"data_offsets\":[0,8]}}", 8));
        yield return ("too_many_elements.safetensors", File("{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4611686018427387904],\"data_offsets\":[0,8]}}", 8));
        yield return ("unknown_type.safetensors", File("{\"a\":{\"dtype\":\"F31\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8));

        static byte[] File(string json, int data, ulong? length = null)
        {
            byte[] header = Encoding.UTF8.GetBytes(json), file = new byte[8 + header.Length + data];
            BinaryPrimitives.WriteUInt64LittleEndian(file, length ?? (ulong)header.Length);
            header.CopyTo(file, 8);
            return file;
        }
    }
}
