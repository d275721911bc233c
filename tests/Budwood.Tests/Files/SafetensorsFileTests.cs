using System.Text;
using Budwood.Files;
using Budwood.Numbers;
using Budwood.Tests.Fixtures;
using CsCheck;

namespace Budwood.Tests.Files;

public class SafetensorsFileTests
{
    private static Fault Refuses(string code, string json, int data, params string[] words) =>
        Crafted.Refuses(code, () => Crafted.Open(Crafted.File(json, data)), ["x.safetensors", .. words]);

    private static string Tensor(string name, string shape, long begin, long end, string dtype = "F32") =>
        $"\"{name}\":{{\"dtype\":\"{dtype}\",\"shape\":{shape},\"data_offsets\":[{begin},{end}]}}";

    [Fact]
    public void A_file_is_read_in_file_order_with_absolute_offsets()
    {
        string json = "{" + Tensor("late", "[1,2]", 4, 12) + "," + Tensor("early", "[]", 0, 4) + "}   ";
        using SafetensorsFile file = Crafted.Open(Crafted.File(json, 12));
        Assert.Equal(["early", "late"], file.Tensors.Select(t => t.Name));
        Assert.Equal(8 + json.Length, file.Tensors[0].Offset);
        Assert.Equal(new Shape(1, 2), file.Tensors[1].Shape);
        Assert.Equal(0, file.Tensors[0].Shape.Rank);
        byte[] first = new byte[4];
        file.Source.Read(file.Tensors[0].Offset, first);
        Assert.Equal([1, 8, 15, 22], first);
    }

    [Theory]
    [InlineData("{}", 0)]
    [InlineData("{\"__metadata__\":{}}", 0)]
    [InlineData("{\"__metadata__\":null}", 0)]
    [InlineData("{\"__metadata__\":{\"format\":\"pt\"}}", 1)]
    public void Metadata_may_be_absent_empty_or_null(string json, int count)
    {
        using SafetensorsFile file = Crafted.Open(Crafted.File(json));
        Assert.Equal(count, file.Metadata.Count);
        Assert.Empty(file.Tensors);
    }

    [Fact]
    public void Metadata_that_is_not_a_string_is_refused_by_name() => Refuses("BW2031", "{\"__metadata__\":{\"epochs\":3}}", 0, "epochs", "a number");

    [Fact]
    public void Metadata_that_is_not_an_object_is_refused() => Refuses("BW2021", "{\"__metadata__\":[1]}", 0, "__metadata__", "a list");

    [Fact]
    public void A_shape_that_lies_names_both_byte_counts() =>
        Refuses("BW2024", "{" + Tensor("v_proj", "[1000,1000]", 0, 4) + "}", 4, "v_proj", "4000000 bytes by shape and dtype against 4 by the offsets");

    [Fact]
    public void Overlapping_tensors_are_both_named() =>
        Refuses("BW2026", "{" + Tensor("q", "[2]", 0, 8) + "," + Tensor("v", "[2]", 0, 8) + "}", 8, "'q'", "'v'", "overlap");

    [Fact]
    public void A_partial_overlap_is_seen() =>
        Refuses("BW2026", "{" + Tensor("q", "[2]", 0, 8) + "," + Tensor("v", "[2]", 4, 12) + "}", 12, "overlap", "[4, 12]");

    [Fact]
    public void A_hole_is_refused() => Refuses("BW2027", "{" + Tensor("q", "[2]", 0, 8) + "," + Tensor("v", "[2]", 12, 20) + "}", 20, "hole", "[8, 12]", "'v'");

    [Fact]
    public void A_hole_at_the_start_is_refused() => Refuses("BW2027", "{" + Tensor("q", "[2]", 8, 16) + "}", 16, "[0, 8]");

    [Fact]
    public void Trailing_bytes_are_refused_with_file_size() => Refuses("BW2029", "{" + Tensor("q", "[2]", 0, 8) + "}", 11, "behind the last tensor");

    [Fact]
    public void An_offset_far_beyond_the_file_names_tensor_offset_and_size()
    {
        string json = "{" + Tensor("q", "[2]", 0, 8) + "," + Tensor("v_proj", "[4]", 1099511627776, 1099511627792) + "}";
        Refuses("BW2028", json, 24, "v_proj", "1099511627792", (8 + json.Length + 24).ToString());
    }

    [Fact]
    public void Offsets_that_would_overflow_are_refused() => Refuses("BW2028", "{" + Tensor("q", "[4]", long.MaxValue - 16, long.MaxValue) + "}", 8, "'q'");

    [Fact]
    public void A_cut_file_says_how_much_is_missing()
    {
        byte[] whole = Crafted.Vectors("a", "b", "c");
        Crafted.Refuses("BW2017", () => Crafted.Open(whole[..^9]),
            "cut off", $"{whole.Length} bytes", $"{whole.Length - 9}", "9 are missing", "'b'", "download");
    }

    [Fact]
    public void A_file_cut_in_its_header_says_so()
    {
        byte[] whole = Crafted.Vectors("a", "b", "c");
        Crafted.Refuses("BW2017", () => Crafted.Open(whole[..40]), "cut off inside its header");
    }

    [Fact]
    public void A_header_over_the_limit_states_the_limit() =>
        Crafted.Refuses("BW2020", () => Crafted.Open(Crafted.File("{}", 8, 100_000_001)), "100000001", "100000000", "100 MB");

    [Theory]
    [InlineData("[-1]", "-1")]
    [InlineData("[1.5]", "1.5")]
    [InlineData("[1e3]", "1e3")]
    [InlineData("[9223372036854775808]", "9223372036854775808")]
    [InlineData("[4611686018427387904,4]", "more elements")]
    [InlineData("[4611686018427387904]", "more elements")]
    [InlineData("[4611686018427387904,4611686018427387904,0]", "more elements")]
    public void Impossible_sizes_are_refused(string shape, string word) => Refuses("BW2025", "{" + Tensor("q", shape, 0, 4) + "}", 4, "'q'", word);

    [Fact]
    public void Offsets_that_run_backwards_are_refused() => Refuses("BW2025", "{" + Tensor("q", "[2]", 8, 0) + "}", 8, "backwards");

    [Fact]
    public void Packed_types_must_fill_whole_bytes() => Refuses("BW2025", "{" + Tensor("q", "[3]", 0, 2, "F4") + "}", 2, "F4", "whole bytes");

    [Fact]
    public void An_unknown_dtype_gets_the_nearest_one() => Refuses("BW2023", "{" + Tensor("q", "[2]", 0, 4, "BF15") + "}", 4, "'q'", "'BF15'", "'BF16'");

    [Fact]
    public void A_name_listed_twice_is_refused() => Refuses("BW2022", "{" + Tensor("q", "[2]", 0, 8) + "," + Tensor("q", "[2]", 8, 16) + "}", 16, "'q' twice");

    [Theory]
    [InlineData("\\n", "\\u000a")]
    [InlineData("\\u0000", "\\u0000")]
    [InlineData("\\u001b[2J", "\\u001b")]
    public void Names_with_control_characters_are_refused_and_shown_safely(string escaped, string shown)
    {
        Fault fault = Refuses("BW2030", "{" + Tensor("a" + escaped, "[2]", 0, 8) + "}", 8, "control character", shown);
        Assert.DoesNotContain(fault.Message, char.IsControl);
    }

    [Theory]
    [InlineData("{\"a\":{\"shape\":[],\"data_offsets\":[0,4]}}", "dtype is missing")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", "shape is missing")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[]}}", "data_offsets is missing")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4,8]}}", "two numbers")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[\"1\"],\"data_offsets\":[0,4]}}", "holds a string")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":1,\"data_offsets\":[0,4]}}", "list of numbers")]
    [InlineData("{\"a\":{\"dtype\":7,\"shape\":[],\"data_offsets\":[0,4]}}", "dtype should be a string, found a number")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"shape\":[],\"data_offsets\":[0,4]}}", "'shape' stands twice")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4],\"strides\":[1]}}", "'strides'")]
    [InlineData("{\"a\":[1]}", "expected an object")]
    public void A_malformed_description_names_tensor_and_field(string json, string word) => Refuses("BW2032", json, 4, "'a'", word);

    [Theory]
    [InlineData("{\"a\":")]
    [InlineData("{\"a\" 1}")]
    [InlineData("{} x")]
    [InlineData("{}{}")]
    [InlineData("{\"\\ud800\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}")]
    public void A_header_that_is_not_json_is_refused(string json) => Refuses("BW2021", json, 4, "JSON");

    [Fact]
    public void Invalid_utf8_names_the_offset()
    {
        byte[] json = [.. "{\"a"u8, 0xFF, .. "\":1}"u8];
        Crafted.Refuses("BW2021", () => Crafted.Open(Crafted.File(json, 0)), "UTF-8", "offset 11");
    }

    [Fact]
    public void A_file_that_shrinks_while_open_ends_in_a_fault()
    {
        using var folder = new TempFolder();
        string path = folder.Write("m.safetensors", Crafted.Vectors("a", "b"));
        using SafetensorsFile file = SafetensorsFile.Open(path);
        using (var s = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite)) s.SetLength(file.Tensors[1].Offset + 2);
        Crafted.Refuses("BW2004", () => file.Source.Read(file.Tensors[1].Offset, new byte[8]), path, "shrank");
    }

    [Fact]
    public void Reading_past_the_end_is_a_fault_and_not_an_index_error()
    {
        using var source = new MemorySource(new byte[4], "four");
        Crafted.Refuses("BW2004", () => source.Read(2, new byte[3]), "four", "offset 2");
        Crafted.Refuses("BW2004", () => source.Read(long.MaxValue, new byte[3]));
    }

    [Fact]
    public void A_missing_file_suggests_the_nearest_name()
    {
        using var folder = new TempFolder();
        folder.Write("model.safetensors", Crafted.Vectors("a"));
        Crafted.Refuses("BW2001", () => SafetensorsFile.Open(folder["modle.safetensors"]), "modle.safetensors", "'model.safetensors'");
    }

    [Fact]
    public void A_folder_or_a_device_is_not_a_file()
    {
        using var folder = new TempFolder();
        Crafted.Refuses("BW2002", () => SafetensorsFile.Open(folder.Path), "a folder");
        if (OperatingSystem.IsLinux()) Crafted.Refuses("BW2002", () => SafetensorsFile.Open("/dev/zero"), "device");
    }

    [Theory]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 5536\n", "BW2010", "Git LFS pointer", "5536", "git lfs pull")]
    [InlineData("PK\u0003\u0004\0\0\b\b\0\0archive/data.pkl", "BW2011", "ZIP", "torch.save")]
    [InlineData("GGUF\u0003\0\0\0\u0001\0\0\0", "BW2012", "GGUF")]
    [InlineData("<!DOCTYPE html>\n<html>", "BW2013", "HTML", "<!DOCTYPE html>")]
    [InlineData("\n <html>", "BW2013", "HTML")]
    [InlineData("{\"error\":\"Repository not found\"}", "BW2018", "JSON text", "Repository not found")]
    [InlineData("Entry not found, sorry", "BW2018", "text", "Entry not found")]
    [InlineData("", "BW2016", "empty")]
    [InlineData("\0\0\0\0\0\0\0\0\0\0\0\0", "BW2017", "zero bytes")]
    [InlineData("\u0001\u0002\u0003", "BW2017", "cut off")]
    [InlineData("\u0001\u0002\u0003\u0004\u0005\u0006\u0007\u0008\u0009", "BW2018", "not a safetensors file", "0x09")]
    public void Other_kinds_of_file_are_named_by_content(string content, string code, params string[] words) =>
        Crafted.Refuses(code, () => Crafted.Open(Encoding.UTF8.GetBytes(content)), words);

    [Fact]
    public void Binary_kinds_are_named_by_content()
    {
        Crafted.Refuses("BW2014", () => Crafted.Open([0x80, 2, .. "ctorch._utils\n"u8]), "pickle", "Nothing in it was run");
        Crafted.Refuses("BW2015", () => Crafted.Open([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3]), "gzip");
        Crafted.Refuses("BW2017", () => Crafted.Open([0x93, 0xB8, 0xB4, 0x82]), "cut off"); // continuation bytes alone
        Crafted.Refuses("BW2018", () => Crafted.Open([0x89, .. "HDF\r\n\u001a\n"u8, 0]), "HDF5");
    }

    [Fact]
    public void Random_bytes_never_give_anything_but_a_fault()
    {
        Gen.Byte.Array[0, 200].Sample(bytes => OpensOrFaults(bytes), iter: 1500, threads: 1);
    }

    [Fact]
    public void Damaged_files_never_give_anything_but_a_fault()
    {
        string[] tensors = [Tensor("é.q", "[2,3]", 0, 24), Tensor("n", "[0]", 24, 24), Tensor("s", "[]", 24, 26, "BF16")];
        byte[] whole = Crafted.File("{\"__metadata__\":{\"format\":\"pt\"}," + string.Join(",", tensors) + "}", 26);
        Gen.Select(Gen.Int[0, whole.Length - 1], Gen.Byte, Gen.Int[0, whole.Length - 1], Gen.Byte, Gen.Int[0, whole.Length]).Sample((i, a, j, b, length) =>
        {
            byte[] damaged = [.. whole];
            damaged[i] = a;
            damaged[j] = b;
            OpensOrFaults(length % 3 == 0 ? damaged[..length] : damaged);
        }, iter: 2000, threads: 1);
    }

    [Fact]
    public void Random_headers_never_give_anything_but_a_fault()
    {
        string[] words = ["{", "}", "[", "]", ",", ":", "\"a\"", "\"dtype\"", "\"F32\"", "\"shape\"", "\"data_offsets\"", "0", "4", "-1", "1e400", "null",
            "\"__metadata__\"", " ", "9223372036854775807"];
        Gen.Int[0, words.Length - 1].Select(i => words[i]).Array[0, 40].Sample(parts =>
            OpensOrFaults(Crafted.File("{" + string.Concat(parts), 4)), iter: 2000, threads: 1);
    }

    private static void OpensOrFaults(byte[] bytes)
    {
        try
        {
            using SafetensorsFile file = Crafted.Open(bytes);
            foreach (TensorEntry t in file.Tensors) file.Source.Read(t.Offset, new byte[t.Bytes]);
        }
        catch (Fault)
        {
        }
    }
}
