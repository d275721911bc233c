using System.Text;
using Budwood.Files;
using Budwood.Numbers;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Files;

public sealed class ArrayFilesTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Arrays_come_back_from_safetensors()
    {
        var arrays = new Arrays { ["b"] = NdArray.Of([1, double.NaN, -0.0]), ["a"] = new NdArray(new Shape(2, 2), [1, 2, 3, 1e-300]), ["s"] = new NdArray(new Shape(), [7]) };
        File.WriteAllBytes(_folder["x.safetensors"], ArrayFiles.Safetensors(arrays));
        Arrays back = ArrayFiles.Read(_folder["x.safetensors"]);
        Assert.Equal(["a", "b", "s"], back.Names);
        Assert.All(back.Names, n => Assert.Equal((arrays[n].Shape, Bits(arrays[n])), (back[n].Shape, Bits(back[n]))));
        Assert.Equal([3, 1e-300], back["a"].Row(1).ToArray());
    }

    private static string Bits(NdArray a) => string.Join(' ', a.Values.Select(BitConverter.DoubleToInt64Bits));

    private static byte[] Npy(string descr, string shape, byte[] data, string fortran = "False")
    {
        string header = $"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}";
        header = header.PadRight(118 - 1) + "\n";
        return [0x93, .. Encoding.ASCII.GetBytes("NUMPY"), 1, 0, (byte)header.Length, 0, .. Encoding.ASCII.GetBytes(header), .. data];
    }

    [Fact]
    public void Numpy_files_are_read()
    {
        File.WriteAllBytes(_folder["u.npy"], Npy("<f4", "(2, 1)", [.. BitConverter.GetBytes(1.5f), .. BitConverter.GetBytes(-2f)]));
        NdArray u = ArrayFiles.Read(_folder["u.npy"])["u"];
        Assert.Equal(new Shape(2, 1), u.Shape);
        Assert.Equal([1.5, -2], u.Values);
    }

    [Theory]
    [InlineData("<c16", "(1,)", "False", "its type '<c16' is not read")]
    [InlineData("<f8", "(2,)", "False", "it holds 8 bytes where")]
    [InlineData("<f8", "(1, 1)", "True", "column by column")]
    public void What_cannot_be_read_says_why(string descr, string shape, string fortran, string why)
    {
        File.WriteAllBytes(_folder["u.npy"], Npy(descr, shape, new byte[8], fortran));
        Assert.Contains(why, Assert.Throws<Fault>(() => ArrayFiles.Read(_folder["u.npy"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Columns_of_a_csv_are_arrays()
    {
        Arrays arrays = ArrayFiles.Read(_folder.Write("m.csv", "x,y\n1,2\n3,4\n"));
        Assert.Equal([2, 4], arrays["y"].Values);
        Assert.Equal(new Shape(2, 2), arrays["values"].Shape);
        Assert.Equal([1, 2, 3, 4], arrays["values"].Values);
    }

    [Fact]
    public void A_missing_array_names_the_nearest() =>
        Assert.Contains("state", Assert.Throws<Fault>(() => new Arrays { ["state"] = NdArray.Of([1]) }["stat"]).Next, StringComparison.Ordinal);
}
