using System.Text;
using System.Text.Json;
using Budwood.Files;
using Budwood.Numbers;

namespace Budwood.Tests.Files;

public class LayoutTests
{
    private static (string, DType, Shape) T(string name, DType dtype, params long[] shape) => (name, dtype, new Shape(shape));

    private static byte[] Fill(SafetensorsLayout layout)
    {
        byte[] file = new byte[layout.Length];
        layout.Header.CopyTo(file);
        for (int i = layout.Header.Length; i < file.Length; i++) file[i] = (byte)i;
        return file;
    }

    [Fact]
    public void The_header_is_byte_for_byte_that_of_the_safetensors_library()
    {
        SafetensorsLayout layout = SafetensorsLayout.Plan([T("b", DType.F32, 2, 2), T("a", DType.BF16, 3), T("c", DType.F32)]);
        string json = Encoding.UTF8.GetString(layout.Header.Span[8..]);
        const string Expected = """{"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"c":{"dtype":"F32","shape":[],"data_offsets":[16,20]},"a":{"dtype":"BF16","shape":[3],"data_offsets":[20,26]}}""";
        Assert.Equal(Expected, json.TrimEnd(' '));
        Assert.Equal(0, json.Length % 8);
        Assert.Equal(json.Length, BitConverter.ToInt64(layout.Header.Span));
        Assert.Equal(layout.Header.Length + 26, layout.Length);
    }

    [Fact]
    public void Wide_types_come_first_and_bool_last()
    {
        DType[] types = [DType.Bool, DType.U8, DType.I8, DType.I16, DType.U16, DType.F16, DType.BF16, DType.I32, DType.U32, DType.F32, DType.F64, DType.I64,
            DType.U64];
        SafetensorsLayout layout = SafetensorsLayout.Plan(types.Select(t => T("t" + t, t, 2)));
        Assert.Equal(types.Reverse(), layout.Tensors.Select(t => t.DType));
    }

    [Fact]
    public void Names_sort_by_utf8_bytes_and_not_by_utf16_units()
    {
        // U+1F600 is D83D DE00 in UTF-16, before U+FB01; in UTF-8 it comes after.
        SafetensorsLayout layout = SafetensorsLayout.Plan([T("\U0001F600", DType.U8, 1), T("\uFB01", DType.U8, 1), T("a", DType.U8, 1), T("B", DType.U8, 1)]);
        Assert.Equal(["B", "a", "\uFB01", "\U0001F600"], layout.Tensors.Select(t => t.Name));
    }

    [Fact]
    public void Every_type_shape_and_name_comes_back_as_written()
    {
        var tensors = Enum.GetValues<DType>().Select(t => T($"w.{t}.\"quoted\\\" né 漢字 \U0001F600", t, 4, 2)).ToList();
        tensors.Add(T("scalar", DType.F32));
        tensors.Add(T("empty", DType.I64, 0));
        tensors.Add(T("empty.rows", DType.BF16, 0, 5));
        tensors.Add(T("", DType.U8, 1));
        SafetensorsLayout layout = SafetensorsLayout.Plan(tensors);
        using SafetensorsFile file = Crafted.Open(Fill(layout));
        Assert.Equal(layout.Tensors.OrderBy(t => t.Name, StringComparer.Ordinal), file.Tensors.OrderBy(t => t.Name, StringComparer.Ordinal));
        Assert.Equal(tensors.OrderBy(t => t.Item1, StringComparer.Ordinal),
            file.Tensors.Select(t => (t.Name, t.DType, t.Shape)).OrderBy(t => t.Name, StringComparer.Ordinal));
        Assert.Equal("pt", Assert.Single(file.Metadata).Value);
    }

    [Fact]
    public void Names_that_the_format_cannot_hold_are_refused()
    {
        Crafted.Refuses("BW2060", () => SafetensorsLayout.Plan([T("a", DType.U8), T("a", DType.F32)]), "'a'", "twice");
        Crafted.Refuses("BW2060", () => SafetensorsLayout.Plan([T("__metadata__", DType.U8)]), "keeps that name");
        Crafted.Refuses("BW2060", () => SafetensorsLayout.Plan([T("a\nb", DType.U8)]), "control character");
        Crafted.Refuses("BW2060", () => SafetensorsLayout.Plan([T("a\uD800", DType.U8)]), "surrogate");
        Crafted.Refuses("BW2061", () => SafetensorsLayout.Plan([T("a", DType.F32, long.MaxValue, 2)]), "'a'", "more than a file can hold");
        Crafted.Refuses("BW2061", () => SafetensorsLayout.Plan([T("a", DType.F4, 3)]), "whole bytes");
    }

    [Fact]
    public void A_header_over_the_limit_is_refused()
    {
        string stem = new('x', 1_000_000);
        Crafted.Refuses("BW2062", () => SafetensorsLayout.Plan(Enumerable.Range(0, 101).Select(i => T(stem + i, DType.U8))), "100 MB", "--shard-size");
    }

    [Fact]
    public void One_shard_has_the_plain_name_and_no_index()
    {
        ShardPlan plan = ShardPlan.Plan([T("a", DType.F32, 4), T("b", DType.F32, 4)], 32);
        Assert.Equal("model.safetensors", Assert.Single(plan.Files).FileName);
        Assert.Null(plan.IndexJson);
        Assert.Equal(32, plan.TotalBytes);
    }

    [Fact]
    public void Shards_fill_in_processing_order_up_to_the_limit()
    {
        // 16 + 16 fill a shard of 32 exactly; 40 is over the limit and stands alone; 8 starts anew, 24 fits beside it.
        ShardPlan plan = ShardPlan.Plan([T("z", DType.F32, 4), T("y", DType.F32, 4), T("big", DType.F32, 10), T("n", DType.F32, 2), T("a", DType.F32, 6)], 32);
        Assert.Equal(["model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors", "model-00003-of-00003.safetensors"],
            plan.Files.Select(f => f.FileName));
        Assert.Equal(["y", "z"], plan.Files[0].Layout.Tensors.Select(t => t.Name));
        Assert.Equal(["big"], plan.Files[1].Layout.Tensors.Select(t => t.Name));
        Assert.Equal(["a", "n"], plan.Files[2].Layout.Tensors.Select(t => t.Name));
        Assert.Equal(2, plan["a"].File);
        Assert.Equal(plan.Files[2].Layout.Tensors[0], plan["a"].Entry);
        Assert.True(plan.TryGet("big", out int file, out TensorEntry? entry));
        Assert.Equal((1, "big"), (file, entry.Name));
        Assert.False(plan.TryGet("none", out _, out _));
        Assert.Equal(plan.Files.Sum(f => f.Layout.Length) + plan.IndexJson!.Length, plan.FileBytes);

        const string Expected = """
            {
              "metadata": {
                "total_size": 104
              },
              "weight_map": {
                "z": "model-00001-of-00003.safetensors",
                "y": "model-00001-of-00003.safetensors",
                "big": "model-00002-of-00003.safetensors",
                "n": "model-00003-of-00003.safetensors",
                "a": "model-00003-of-00003.safetensors"
              }
            }

            """;
        Assert.Equal(Expected.ReplaceLineEndings("\n"), Encoding.UTF8.GetString(plan.IndexJson));
    }

    [Fact]
    public void A_large_first_tensor_leaves_no_empty_shard()
    {
        ShardPlan plan = ShardPlan.Plan([T("big", DType.F32, 10), T("a", DType.F32, 1)], 8);
        Assert.Equal(2, plan.Files.Count);
        Assert.Single(ShardPlan.Plan([T("big", DType.F32, 10)], 8).Files);
        Assert.Single(ShardPlan.Plan([T("a", DType.F32, 10), T("b", DType.F32, 10)], long.MaxValue).Files);
        Assert.Empty(Assert.Single(ShardPlan.Plan([], 8).Files).Layout.Tensors);
    }

    [Fact]
    public void An_index_with_quotes_in_names_is_json()
    {
        ShardPlan plan = ShardPlan.Plan([T("a\"b\\", DType.F32, 4), T("né", DType.F32, 4)], 16);
        using JsonDocument index = JsonDocument.Parse(plan.IndexJson!);
        Assert.Equal("model-00001-of-00002.safetensors", index.RootElement.GetProperty("weight_map").GetProperty("a\"b\\").GetString());
        Assert.Contains("né", Encoding.UTF8.GetString(plan.IndexJson!));
    }

    [Fact]
    public void A_tensor_in_the_plan_twice_is_refused() =>
        Crafted.Refuses("BW2060", () => ShardPlan.Plan([T("a", DType.F32, 4), T("a", DType.F32, 4)], 16), "twice");
}
