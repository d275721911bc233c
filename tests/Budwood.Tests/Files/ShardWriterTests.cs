using Budwood.Engine;
using Budwood.Files;
using Budwood.Numbers;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Files;

public class ShardWriterTests
{
    [Theory]
    [InlineData(8)]
    [InlineData(ShardWriter.Alignment)]
    public void Bytes_stand_where_they_were_sent_wherever_pages_begin(int alignment)
    {
        using var scratch = new TempFolder();
        (string, DType, Shape)[] tensors = [("a", DType.U8, new Shape([70_001])), ("b", DType.U8, new Shape([5])), ("c", DType.U8, new Shape([300_000]))];
        ShardPlan plan = ShardPlan.Plan(tensors, long.MaxValue, alignment);
        SafetensorsLayout layout = plan.Files[0].Layout;
        Assert.Equal(0, layout.Header.Length % alignment);
        byte[] expected = new byte[layout.Length];
        new Random(5).NextBytes(expected);
        layout.Header.Span.CopyTo(expected);
        string path = Path.Join(scratch.Path, "out");
        using (var folder = OutputFolder.Begin(path, false, []))
        using (var writer = new ShardWriter(folder, 2, 16 << 10))
        {
            int file = writer.Add("model.safetensors", layout);
            Parallel.For(0, 40, p =>
            {
                long start = layout.Header.Length + (p * 9_999L);
                int length = (int)Math.Min(9_999, layout.Length - start);
                if (length <= 0) return;
                using ShardPiece piece = writer.Rent(file, start, length)!;
                expected.AsSpan((int)start, length).CopyTo(piece.Span);
                piece.Send();
            });
            // Longer than a buffer: in parts, over what is there.
            writer.Write(file, layout.Header.Length, expected.AsSpan(layout.Header.Length, 50_000));
            writer.Finish();
            folder.Commit();
        }
        Assert.Equal(expected, File.ReadAllBytes(Path.Join(path, "model.safetensors")));
    }

    [Fact]
    public void A_digest_is_put_together_from_parts_in_any_order()
    {
        byte[] bytes = new byte[(3 * Digests.PieceBytes) + 77];
        new Random(9).NextBytes(bytes);
        var shape = new Shape([bytes.Length]);
        var digester = new TensorDigester(DType.U8, shape);
        const int part = 700_001;
        foreach (int p in new[] { 3, 0, 4, 1, 2 }) digester.Add((long)p * part, bytes.AsSpan(p * part, Math.Min(part, bytes.Length - (p * part))));
        Assert.Equal(Digests.Tensor(DType.U8, shape, bytes), digester.Finish());
    }
}
